"""Who is there: the open browser windows of every visitor."""

import collections
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Presence:
    """Open browser windows of one visitor."""

    windows: int = 0
    gone_since: float | None = None


class Visitors:
    """Counts windows. Who opens or closes one leaves a note and waits for nobody: it is the server's event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._notes: collections.deque[tuple[str, int, float]] = collections.deque()
        self._same: dict[str, str] = {}  # visitors by the token of a socket that is theirs, too
        self._presences: dict[str, Presence] = {}
        self._counting = threading.Lock()  # held by those who count, never by those who leave notes

    def enter(self, visitor: str) -> None:
        """A window of this visitor has opened."""
        self._notes.append((visitor, 1, self._clock()))

    def leave(self, visitor: str) -> None:
        """One of them has closed."""
        self._notes.append((visitor, -1, self._clock()))

    def expect(self, visitor: str) -> None:
        """Count from now how long somebody is gone who has never opened a window."""
        self._notes.append((visitor, 0, self._clock()))

    def count_as(self, token: str, visitor: str) -> None:
        """The windows of this token are another one's: a browser without cookies has come back."""
        if token == visitor:
            return
        with self._counting:
            self._read_notes()
            self._same[token] = visitor
            known = self._presences.pop(token, Presence())
            self._note(visitor, known.windows, self._clock())

    def windows(self) -> dict[str, int]:
        """How many windows of each visitor are open."""
        with self._counting:
            self._read_notes()
            return {visitor: presence.windows for visitor, presence in self._presences.items() if presence.windows}

    def forget_gone(self, after_s: float) -> list[str]:
        """Those who have had no window for longer than this; from here on they are unknown."""
        with self._counting:
            self._read_notes()
            now, found = self._clock(), self._presences.items()
            gone = [v for v, p in found if p.gone_since is not None and now - p.gone_since > after_s]
            for visitor in gone:
                del self._presences[visitor]
            self._same = {token: visitor for token, visitor in self._same.items() if visitor in self._presences}
        return gone

    def _read_notes(self) -> None:
        while self._notes:
            self._note(*self._notes.popleft())

    def _note(self, token: str, change: int, at: float) -> None:
        visitor = self._same.get(token, token)
        presence = self._presences.setdefault(visitor, Presence(gone_since=at))
        presence.windows = max(0, presence.windows + change)
        if presence.windows:
            presence.gone_since = None
        elif change:
            presence.gone_since = at
