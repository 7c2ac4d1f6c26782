"""How much time may go into what is not training."""

import contextlib
import time
from collections.abc import Callable, Iterator


class Allowance:
    """Seconds that may be spent, growing by a share of the time that passes: however many ask, no more is spent.

    Whoever asks while enough is left may spend as much as it takes, so one long piece of work is followed by a
    long rest, as much longer as the share is smaller than 1.
    """

    def __init__(self, share: float, most: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            share: of the time that passes.
            most: seconds that can be saved up, for several who ask at once; it begins full.
            clock: seconds, rising.
        """
        self._share, self._most, self._clock = share, most, clock
        self._level, self._since = most, clock()

    def has(self, seconds: float = 0.0) -> bool:
        """Whether so much is left."""
        now = self._clock()
        self._level = min(self._most, self._level + self._share * (now - self._since))
        self._since = now
        return self._level >= seconds

    @contextlib.contextmanager
    def spending(self) -> Iterator[None]:
        """The time that the block takes is spent."""
        started = self._clock()
        try:
            yield
        finally:
            self._level -= self._clock() - started
