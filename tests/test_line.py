"""The line before a device, on a clock of the test's own: who trains, who waits, for how long, and that it is fair."""

import itertools
import random
from collections.abc import Callable, Sequence

import pytest

from vae_core.runs.line import BRIEF_S, FEWEST, MOST, QUANTUM_S, Lane, Seats, seats_of

TURN_S = 0.05
Present = Callable[[float], Sequence[Lane]]


class World:
    """A device that does nothing but train whose turn it is, and something else for the rest of the time."""

    def __init__(self, seats: int, share: float = 0.8) -> None:
        self.now, self.share = 100.0, share
        self.line = Seats(seats, lambda: self.now)
        self.trained: dict[str, float] = {}
        self.turns: list[str] = []

    def run(self, seconds: float, present: Present) -> None:
        until = self.now + seconds
        while self.now < until:
            self.line.arrange(present(self.now))
            key = self.line.next()
            self.now += TURN_S / self.share
            if key is not None:
                self.line.spend(key, TURN_S)
                self.trained[key] = self.trained.get(key, 0.0) + TURN_S
                self.turns.append(key)


def lanes(count: int, **more: float) -> list[Lane]:
    return [Lane(f"run {i}", f"owner {i}", **more) for i in range(count)]  # type: ignore[arg-type]


def always(*there: Lane) -> Present:
    return lambda now: there


@pytest.mark.parametrize("count", [1, 4])
def test_who_finds_a_seat_never_waits(count: int) -> None:
    world = World(seats=4)
    world.run(60, always(*lanes(count)))
    assert world.line.waiting == [] and len(world.line.training) == count
    assert max(world.trained.values()) - min(world.trained.values()) <= TURN_S + 1e-9


@pytest.mark.parametrize("count", [5, 20, 60])
def test_all_get_the_same_and_no_more_than_there_are_seats_train_at_once(count: int) -> None:
    world = World(seats=4)
    world.run(10 * count, always(*lanes(count)))
    assert len(world.line.training) == 4 and len(world.line.waiting) == count - 4
    assert len(world.trained) == count
    assert max(world.trained.values()) - min(world.trained.values()) <= 2 * QUANTUM_S


def test_a_seat_is_given_up_after_a_quantum_and_not_before() -> None:
    world = World(seats=1)
    world.run(30, always(*lanes(3)))
    changes = [i for i in range(1, len(world.turns)) if world.turns[i] != world.turns[i - 1]]
    stays = {b - a for a, b in itertools.pairwise(changes)}
    assert stays == {round(QUANTUM_S / TURN_S)}


def test_it_is_fair_by_owner_and_not_by_run() -> None:
    world = World(seats=1)
    one, many = Lane("alone", "ann"), [Lane(f"one of many {i}", "bob") for i in range(5)]
    world.run(300, always(one, *many))
    anns = world.trained["alone"]
    bobs = sum(seconds for key, seconds in world.trained.items() if key != "alone")
    assert anns == pytest.approx(bobs, abs=2 * QUANTUM_S)


def test_start_and_stop_a_thousand_times_wins_nothing() -> None:
    """A run of a new name every second, and nothing in between."""
    world = World(seats=2)
    honest = lanes(6)
    world.run(600, lambda now: [*honest, *([Lane(f"restless {int(now)}", "restless")] if now % 1 > 0.2 else [])])
    restless = sum(seconds for key, seconds in world.trained.items() if key.startswith("restless"))
    assert restless <= min(world.trained[lane.key] for lane in honest) + QUANTUM_S


def test_who_leaves_for_a_moment_has_what_they_had() -> None:
    """One was served before all others for a while, and is one of them again: they have their turns first."""
    world = World(seats=1)
    others = lanes(4)
    world.run(60, always(*others, Lane("greedy", "greedy", first=True)))
    world.run(1, always(*others))
    before = dict(world.trained)
    world.run(40, always(*others, Lane("another run", "greedy")))
    assert "another run" not in world.trained
    gained = [world.trained[lane.key] - before[lane.key] for lane in others]
    assert max(gained) - min(gained) <= 2 * QUANTUM_S


def test_a_newcomer_begins_with_what_the_least_of_those_present_has_had() -> None:
    world = World(seats=1)
    world.run(200, always(*lanes(2)))
    before = dict(world.trained)
    world.run(60, always(*lanes(2), Lane("late", "late")))
    gained = {key: seconds - before.get(key, 0.0) for key, seconds in world.trained.items()}
    assert max(gained.values()) - min(gained.values()) <= 2 * QUANTUM_S  # not all of it, to make up for 200 seconds


def test_in_order_of_arrival_among_equals_and_the_short_first() -> None:
    world = World(seats=1)
    there = [*lanes(4), Lane("short", "owner of a short one", seconds=1.0)]
    world.run(1, always(*there[:1]))
    world.line.arrange(there)
    assert world.line.waiting == ["short", "run 1", "run 2", "run 3"]


def test_what_is_brief_is_served_at_once() -> None:
    world = World(seats=1)
    there = lanes(10)
    world.run(5, always(*there))
    step = Lane("a step", "ann", seconds=BRIEF_S / 2)
    world.line.arrange([*there, step])
    assert step.key in world.line.training and step.key not in world.line.waiting
    assert step.key in {world.line.next(), world.line.next()}
    world.line.arrange([*there, Lane("a step", "ann", seconds=10.0)])  # it was not that brief
    assert "a step" in world.line.waiting


@pytest.mark.parametrize("count", [1, 20])
def test_who_is_first_always_has_a_seat_and_every_second_turn(count: int) -> None:
    world = World(seats=2)
    world.run(60, always(*lanes(count), Lane("demo", "lecturer", first=True)))
    assert "demo" in world.line.training and "demo" not in world.line.waiting
    assert world.trained["demo"] == pytest.approx(sum(world.trained.values()) / 2, rel=0.02)
    assert len(world.line.training) == min(count, 2) + 1  # it takes nobody's seat
    world.run(1, always(*lanes(count), Lane("demo", "lecturer")))
    assert len(world.line.training) == 2  # it is one of them again


def test_two_who_are_first_share_every_second_turn() -> None:
    world = World(seats=2)
    both = [Lane(key, "lecturer", first=True) for key in ("one", "two")]
    world.run(60, always(*lanes(3), *both))
    assert world.trained["one"] == pytest.approx(world.trained["two"], abs=2 * TURN_S)
    assert world.trained["one"] == pytest.approx(sum(world.trained.values()) / 4, rel=0.02)


@pytest.mark.parametrize("after", [0.5, 40])
@pytest.mark.parametrize(
    ("seats", "count", "first", "share"),
    [(1, 5, False, 0.8), (4, 30, False, 0.8), (4, 60, False, 0.8), (4, 20, True, 0.8), (4, 20, False, 0.3)],
)
def test_who_waits_is_told_about_how_long(seats: int, count: int, first: bool, share: float, after: float) -> None:
    """Everybody in the line is served within half and twice of what they were told, or a turn at the seats."""
    if share < 0.8 and after < 1:
        return  # nothing is known yet of a device that has other things to do
    world = World(seats, share)
    there = [*lanes(count), *([Lane("demo", "lecturer", first=True)] if first else [])]
    world.run(after, always(*there))
    told = dict(zip(world.line.waiting, world.line.forecast(), strict=True))
    began, served = world.now, {}
    assert list(told.values()) == sorted(told.values())
    while len(served) < len(told):
        world.run(TURN_S, always(*there))
        served |= {key: world.now - began for key in told if key in world.line.training and key not in served}
    round_s = seats * QUANTUM_S / share * (2 if first else 1)
    for key, seconds in told.items():
        assert seconds / 2 - round_s <= served[key] <= 2 * seconds + round_s, key
    last = list(told)[-1]
    assert served[last] == pytest.approx(told[last], rel=0.3)


def test_who_finds_a_seat_that_has_long_been_used_is_told_no_wait() -> None:
    world = World(seats=1)
    world.run(60, always(*lanes(1)))
    world.line.arrange(lanes(2))
    assert world.line.training == ["run 1"]  # the other one has had its turn


def test_nobody_is_forgotten_whoever_comes_and_goes() -> None:
    """A class at random for half an hour: whoever stays trains at least half of an equal share."""
    dice = random.Random(0)
    world = World(seats=4)
    stays = lanes(10)
    comers = [Lane(f"comer {i}", f"comer {i % 20}", seconds=dice.choice([0.1, 1.0, 50.0])) for i in range(200)]
    hours = {lane.key: (at := 100 + dice.random() * 1800, at + dice.random() * 120) for lane in comers}
    world.run(1800, lambda now: [*stays, *(c for c in comers if hours[c.key][0] <= now < hours[c.key][1])])
    assert min(world.trained[lane.key] for lane in stays) > 0.5 * 1800 * 0.8 / 24
    assert len(world.line._attained) <= 31 and len(world.line._joined) <= 210


@pytest.mark.parametrize(
    ("step_s", "free", "seats"),
    [
        (0.022, float("inf"), FEWEST),
        (0.005, float("inf"), 10),
        (0.0002, float("inf"), MOST),
        (0.0002, 6e9, 20),
        (5.0, 1e8, 1),
    ],
)
def test_there_are_as_many_seats_as_let_a_run_go_at_twenty_steps_a_second(
    step_s: float, free: float, seats: int
) -> None:
    assert seats_of(step_s, free) == seats
