"""How fast a run trains, as seen on the clock on the wall."""

import collections
import time
from collections.abc import Callable


class Pace:
    """Images per second over the last seconds of wall-clock time."""

    def __init__(self, window_s: float = 3.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._window_s, self._clock = window_s, clock
        self._points: collections.deque[tuple[float, int]] = collections.deque()

    def add(self, images_seen: int) -> None:
        now = self._clock()
        self._points.append((now, images_seen))
        while now - self._points[0][0] > self._window_s:
            self._points.popleft()

    def clear(self) -> None:
        self._points.clear()

    @property
    def rate(self) -> float:
        if len(self._points) < 2:
            return 0.0
        (start, before), (end, after) = self._points[0], self._points[-1]
        return (after - before) / max(end - start, 1e-9)
