"""How fast each kind of run trains on each device, as far as it is known: asked for by pages, told by engines."""

import contextlib
import threading
from collections import OrderedDict

from vae_core.config import RunConfig
from vae_core.data.images import DataError
from vae_core.runs.measured import kind_of

KEPT = 500  # kinds of runs


class Paces:
    """Images per second. Each call holds its lock for a moment only: they come from pages and from engines' readers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, object], float] = OrderedDict()
        self._asked: dict[str, object] = {}  # by device the kind that is being measured

    def find(self, device: str, config: RunConfig) -> float | None:
        """None where it is not known; 0 where it cannot be measured.

        Raises:
            DataError: its data set is gone.
        """
        with self._lock:
            return self._known.get((device, kind_of(config)))

    def ask(self, device: str, config: RunConfig) -> bool:
        """Whether this kind is to be measured now: only one at a time, as who only asks must not keep those who train.

        Raises:
            DataError: its data set is gone.
        """
        kind = kind_of(config)
        with self._lock:
            if device in self._asked or (device, kind) in self._known:
                return False
            self._asked[device] = kind
            return True

    def answer(self, device: str, images_per_s: float) -> None:
        """What was asked is measured."""
        with self._lock:
            if device in self._asked:
                self._keep(device, self._asked.pop(device), images_per_s)

    def learn(self, device: str, config: RunConfig, images_per_s: float) -> None:
        """So fast a run trains that has the device for itself."""
        with self._lock, contextlib.suppress(DataError):
            self._keep(device, kind_of(config), images_per_s)

    def mourn(self, device: str, served: bool) -> bool:
        """An engine died; returns whether it did while it measured.

        Args:
            served: it died while it served a run: what it was to measure is asked once more. Otherwise never again.
        """
        with self._lock:
            kind = self._asked.pop(device, None)
            if kind is None or served:
                return False
            self._keep(device, kind, 0.0)
            return True

    def _keep(self, device: str, kind: object, images_per_s: float) -> None:
        self._known[device, kind] = images_per_s
        self._known.move_to_end((device, kind))
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
