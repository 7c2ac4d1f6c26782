"""When what of one run falls due: a report, a snapshot, its metrics, a state on disk."""

import math
import time
from collections.abc import Callable

REPORT_S = 0.1  # history rows leave this often
SNAPSHOT_S = 0.5  # a snapshot is taken no more often than this ...
EARLY_STEPS = 60  # ... except at the very beginning, when everything changes
SAVE_S = 3.0  # of a run's own training: however many train, a crash costs it hardly more
EARLY_STATES = 1.6  # before SAVE_S has passed, a state is kept whenever the steps have grown by this factor
NEVER = math.inf


class Due:
    """Of one run. Knows when and at which steps everything was done last, and nothing of the run itself.

    Attributes:
        seen, saved, measured: steps of the last snapshot, the last state, the last metrics; -1 where there is none.
        look_asked, save_asked: since when somebody waits for a snapshot or a state; NEVER where nobody does.
        snapshot: from when on the next regular one is due.
        trained: seconds since the last state.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.seen = self.saved = self.measured = -1
        self.look_asked, self.save_asked = clock(), NEVER
        self.snapshot = self._report = 0.0
        self.trained = 0.0

    def hurry(self) -> None:
        """Report now; a snapshot and a state as soon as there is time."""
        now = self._clock()
        self._report = self.snapshot = 0.0
        self.look_asked, self.save_asked = min(self.look_asked, now), min(self.save_asked, now)

    def hurry_report(self) -> None:
        self._report = 0.0

    def drop_save(self) -> None:
        """Nobody waits for a state any more."""
        self.save_asked = NEVER

    def add_training(self, seconds: float) -> None:
        """The run has trained for so long."""
        self.trained += seconds

    @property
    def wants_report(self) -> bool:
        return self._clock() >= self._report

    def wants_snapshot(self, step: int) -> bool:
        """Whether there is something new to see, and the rest since the last look is over."""
        return step != self.seen and self._clock() >= self.snapshot

    def wants_save(self, step: int) -> bool:
        """Whether a run that trains has come so far that it needs a state on disk."""
        return self.trained >= SAVE_S or step >= EARLY_STATES * self.saved + EARLY_STEPS

    def note_report(self, training: bool) -> None:
        """The next is due soon where it trains, else when something happens."""
        self._report = self._clock() + REPORT_S if training else NEVER

    def note_snapshot(self, step: int, measured: bool) -> None:
        """The next is due after a rest; at the beginning at once."""
        self.seen, self.look_asked = step, NEVER
        self.snapshot = self._clock() + (0.0 if step < EARLY_STEPS else SNAPSHOT_S)
        if measured:
            self.measured = step

    def note_save(self, step: int) -> None:
        self.saved, self.trained, self.save_asked = step, 0.0, NEVER
