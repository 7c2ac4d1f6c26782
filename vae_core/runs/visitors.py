"""Who is there: the open browser windows of every visitor."""

import threading
import time
from dataclasses import dataclass


@dataclass
class Presence:
    """Open browser windows of one visitor."""

    windows: int = 0
    gone_since: float | None = None


class Visitors:
    """Counts windows under the registry's lock, so that nobody's runs are let go while they arrive."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._presences: dict[str, Presence] = {}

    def presence(self, visitor: str) -> Presence:
        with self._lock:
            return self._presences.setdefault(visitor, Presence())

    def expect(self, visitor: str) -> None:
        """Count from now how long somebody is gone who has never opened a window."""
        with self._lock:
            self._presences.setdefault(visitor, Presence(gone_since=time.monotonic()))

    def arrive(self, visitor: str) -> None:
        with self._lock:
            presence = self.presence(visitor)
            presence.windows, presence.gone_since = presence.windows + 1, None

    def leave(self, visitor: str) -> None:
        with self._lock:
            presence = self.presence(visitor)
            presence.windows = max(0, presence.windows - 1)
            if presence.windows == 0:
                presence.gone_since = time.monotonic()

    def forget_gone(self, after_s: float) -> list[str]:
        """Those who have had no window for longer than this; from here on they are unknown."""
        now, gone = time.monotonic(), []
        with self._lock:
            for visitor, presence in list(self._presences.items()):
                if presence.gone_since is not None and now - presence.gone_since > after_s:
                    gone.append(visitor)
                    del self._presences[visitor]
        return gone
