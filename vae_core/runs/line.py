"""Who trains now and who waits: a device trains a few lanes at once, the others stand in a line. Knows no torch."""

import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

QUANTUM_S = 2.0  # of its own training after which a lane gives its seat to who waits
FEWEST, MOST = 4, 64  # seats of a device
STEPS_PER_S = 20  # that a run should make at its seat
RUN_BYTES = 300_000_000  # of a GPU's memory
BRIEF_S = 0.25  # of training: what takes less is served at once, past the line
HALF_LIFE_S = 5.0  # of what was measured


@dataclass(frozen=True)
class Lane:
    """A run by itself, or the arms of a group in step, that wants to train.

    Attributes:
        owner: whose it is: all lanes of one owner share what this owner gets.
        seconds: of training until it pauses or ends, about.
        first: it never waits, and gets every second turn.
    """

    key: str
    owner: str
    seconds: float = float("inf")
    first: bool = False


class Seats:
    """Fair by owner: who has trained least comes first, and among equals the short runs, then who waits longest.

    Whoever comes in anew begins with what the least of those present has had, never with less: nobody gains by
    leaving and coming back.
    """

    def __init__(self, seats: int, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            seats: how many lanes train at once.
            clock: seconds, rising.
        """
        self.seats, self._clock = seats, clock
        self._lanes: dict[str, Lane] = {}
        self._attained: dict[str, float] = {}  # training seconds by owner
        self._floor = 0.0  # what the least of those present has attained; it never falls
        self._seated: dict[str, float] = {}  # seconds trained since a lane took its seat
        self._numbers = itertools.count(1)
        self._joined: dict[str, int] = {}  # the line, by number
        self._served: dict[str, int] = {}  # the last turn of each lane, by number
        self._first_had_it = False  # the last turn
        self._wall = self._own = 0.0  # time that has passed lately, and that of it in which who has a seat trained
        self._measured_at = clock()

    def arrange(self, lanes: Iterable[Lane]) -> None:
        """Take in who wants to train now, let go of all others, and give the seats to who is due."""
        present = {self._lanes[key].owner for key in self._lanes}
        self._lanes = {lane.key: lane for lane in lanes}
        self._floor = max(self._floor, min((self._attained[owner] for owner in present), default=0.0))
        self._attained = {owner: s for owner, s in self._attained.items() if s > self._floor}
        for lane in self._lanes.values():
            self._attained.setdefault(lane.owner, self._floor)
            self._joined.setdefault(lane.key, next(self._numbers))
        for known in (self._seated, self._joined, self._served):
            for key in known.keys() - self._lanes.keys():
                del known[key]
        for key in [key for key in self._seated if self._lanes[key].first]:
            del self._seated[key]
        self._hand_over()

    def next(self) -> str | None:
        """Whose turn it is. Every second one is a first lane's; among the others they go round."""
        training = self.training
        first = [key for key in training if self._lanes[key].first]
        others = [key for key in training if not self._lanes[key].first]
        self._first_had_it = bool(first) and not (others and self._first_had_it)
        chosen = min(first if self._first_had_it else others, key=lambda key: self._served.get(key, 0), default=None)
        if chosen is not None:
            self._served[chosen] = next(self._numbers)
        return chosen

    def spend(self, key: str, seconds: float) -> None:
        """A lane has trained for so long."""
        now = self._clock()
        self._attained[self._lanes[key].owner] += seconds
        own = seconds if key in self._seated else 0.0
        if own:
            self._seated[key] += own
        passed = min(now - self._measured_at, 1.0)  # not the time in which nobody trained
        kept = 0.5 ** (passed / HALF_LIFE_S)
        self._wall, self._own, self._measured_at = kept * self._wall + passed, kept * self._own + own, now

    @property
    def training(self) -> list[str]:
        """Who has a seat, or needs none."""
        return [key for key in self._lanes if key in self._seated or self._at_once(key)]

    @property
    def waiting(self) -> list[str]:
        """The line, in its order."""
        line = [key for key in self._lanes if key not in self._seated and not self._at_once(key)]
        return sorted(line, key=self._rank)

    def forecast(self) -> list[float]:
        """Seconds until those in the line get a seat, as seats were handed over lately."""
        seats = len(self._seated)
        left = sorted(max(0.0, min(QUANTUM_S - had, self._lanes[key].seconds)) for key, had in self._seated.items())
        rounds = [divmod(place, seats) for place in range(len(self.waiting))]
        return [(full * QUANTUM_S + left[seat]) * seats * self._wall_per_second for full, seat in rounds]

    @property
    def _wall_per_second(self) -> float:
        """How much time passes for a second of training of those who have seats."""
        halved = 2 if any(lane.first for lane in self._lanes.values()) else 1
        return self._wall / self._own if self._own > QUANTUM_S / 2 else 1.25 * halved

    def _at_once(self, key: str) -> bool:
        return self._lanes[key].first or self._lanes[key].seconds <= BRIEF_S

    def _rank(self, key: str) -> tuple[int, bool, int]:
        """Who is lower comes first. What differs by less than a turn at the seats is equal."""
        lane = self._lanes[key]
        return int(self._attained[lane.owner] / QUANTUM_S), lane.seconds > QUANTUM_S, self._joined[key]

    def _hand_over(self) -> None:
        """Who had their turn goes to the end of the line, if there is one; who is at its head takes the free seats."""
        if len(self.waiting) > self.seats - len(self._seated):
            for key in [key for key, had in self._seated.items() if had >= QUANTUM_S]:
                del self._seated[key]
                self._joined[key] = next(self._numbers)
        for key in self.waiting[: max(0, self.seats - len(self._seated))]:
            self._seated[key] = 0.0


def seats_of(step_s: float, free_bytes: float = float("inf")) -> int:
    """How many seats a device has.

    Args:
        step_s: that a step takes there.
        free_bytes: of memory.
    """
    by_speed = min(MOST, max(FEWEST, int(1 / (STEPS_PER_S * step_s))))
    return max(1, int(min(by_speed, free_bytes / RUN_BYTES)))
