"""Many runs on one engine, on a clock of the test's own: what the class as a whole gets, and how long anybody waits."""

import itertools
from collections.abc import Callable

import pytest

from tests.world import CONFIG, LOOK_PIECES, OPEN_S, PIECE_S, SAVE_S, STEP_S, World, make_world
from vae_core.runs import due
from vae_core.runs.messages import FAILED, FINISHED, PAUSED, RUNNING, STOPPED, Update
from vae_core.runs.scheduler import TURN_S
from vae_core.runs.upkeep import MOST_S, SHARE

__all__ = ["make_world"]  # the fixture
Worlds = Callable[..., World]


def steps_per_second(world: World, count: int, seconds: float) -> float:
    tasks = world.open_many(count)
    before = world.now
    world.work(seconds)
    return sum(task.step for task in tasks) / (world.now - before)


@pytest.mark.parametrize("count", [10, 60])
def test_many_runs_together_train_nearly_as_fast_as_one(count: int, make_world: Worlds) -> None:
    alone, together = steps_per_second(make_world(), 1, 60), steps_per_second(make_world(), count, 60)
    assert alone > 0.75 / STEP_S
    assert together >= 0.95 * alone


def test_they_share_alike(make_world: Worlds) -> None:
    world = make_world()
    tasks = world.open_many(10)
    world.work(60)
    steps = [task.step for task in tasks]
    assert max(steps) - min(steps) <= 3 * TURN_S / STEP_S


def test_a_busy_class_costs_training_no_more_than_its_share_whatever_it_asks_for(make_world: Worlds) -> None:
    """Weights changed twice a second by everybody, runs that begin and runs that end: states, pictures and figures."""
    world = make_world()
    tasks = world.open_many(20)
    began, steps = world.now, sum(task.step for task in tasks)
    for i in range(120):
        world.work(0.5)
        for task in list(world.engine.tasks.values()):
            if task.status == RUNNING:
                world.tell(task.run_id, "set", beta=1 + i / 1000)
        if i % 10 == 0:
            tasks.append(world.open(f"late {i}"))
            world.tell(f"run {i // 10}", "stop")
    trained = STEP_S * (sum(task.step for task in tasks) - steps)
    passed = world.now - began - 12 * OPEN_S
    assert trained >= (1 - SHARE) * passed - MOST_S - 2 * SAVE_S
    assert trained <= (1 - 0.9 * SHARE) * passed  # and there is time for them


@pytest.mark.parametrize("count", [1, 60])
def test_a_command_waits_no_longer_than_one_piece_of_work(count: int, make_world: Worlds) -> None:
    world = make_world()
    world.open_many(count)
    assert world.work(30) <= max(TURN_S + STEP_S, SAVE_S, PIECE_S) + 1e-6
    world.pressed = True  # training stops for it between two steps
    assert world.work(30) <= max(STEP_S, SAVE_S, PIECE_S) + 1e-6


def test_under_a_flood_of_commands_they_train_on(make_world: Worlds) -> None:
    world = make_world()
    world.pressed = True
    assert steps_per_second(world, 10, 30) > 0.75 / STEP_S


def test_long_figures_hold_nobody_up(make_world: Worlds) -> None:
    world = make_world()
    world.open_many(5)
    world.work(10)
    world.tell("run 0", "stop")
    assert world.work(20) <= TURN_S + STEP_S + 1e-6
    assert world.of("run 0")[-1].final == {"nll": 1.0}


def test_when_nothing_trains_there_is_no_limit(make_world: Worlds) -> None:
    world = make_world()
    tasks = world.open_many(20, status=PAUSED)
    before = world.now
    world.idle()
    assert world.now - before == pytest.approx(20 * (LOOK_PIECES * PIECE_S + SAVE_S))
    assert {run for _, run, _ in world.pictures()} == {task.run_id for task in tasks}
    world.open("late")  # and it is no debt to those who train afterwards
    before = world.now
    world.work(1)
    assert min(at for at, run, _ in world.pictures() if run == "late") - before <= LOOK_PIECES * PIECE_S + TURN_S


def test_ten_who_start_together_all_see_their_first_picture_within_ten_seconds(make_world: Worlds) -> None:
    world = make_world()
    world.open_many(10)
    began = world.now
    world.work(10)
    assert len({run for at, run, _ in world.pictures() if at - began <= 10}) == 10


def test_pictures_and_states_go_round_until_everybody_has_newer_ones(make_world: Worlds) -> None:
    world = make_world()
    world.open_many(10)
    world.work(30)
    halfway = world.now
    world.work(40)
    assert len({run for at, run, _ in world.pictures() if at > halfway}) == 10
    assert len({run for at, run, _ in world.saves() if at > halfway}) == 10


@pytest.mark.parametrize("count", [1, 30])
def test_a_crash_costs_no_run_more_than_five_seconds_of_its_own_training(count: int, make_world: Worlds) -> None:
    world = make_world()
    tasks = world.open_many(count)
    worst = 0.0
    for _ in range(150):
        world.work(1)
        kept = {run: step for _, run, step in world.saves()}
        worst = max(worst, *(STEP_S * (task.step - kept.get(task.run_id, 0)) for task in tasks))
    assert worst <= 5
    at = [step for _, run, step in world.saves() if run == "run 0"]
    gaps = [STEP_S * (b - a) for a, b in itertools.pairwise(at) if a > 2 * due.SAVE_S / STEP_S]
    assert all(gap >= due.SAVE_S - 1e-6 for gap in gaps)  # nor are there more than are needed


def test_a_pause_is_told_at_once_and_its_picture_and_its_state_follow(make_world: Worlds) -> None:
    """While others train and somebody has just had theirs, the picture has to wait; the answer has not."""
    world = make_world()
    tasks = world.open_many(20)
    world.work(15)
    before = world.now
    answers = [world.tell(task.run_id, "pause") for task in tasks[:10]]
    assert world.now == before and all(updates[0].status == PAUSED for updates in answers)
    world.work(25)
    for task in tasks[:10]:
        assert task.due.seen == task.due.saved == task.step


def test_what_somebody_waits_for_passes_what_nobody_waits_for(make_world: Worlds) -> None:
    """Figures of a run that has ended and regular pictures are in work when somebody pauses."""
    world = make_world()
    world.open_many(10)
    world.work(30)
    world.tell("run 0", "stop")
    while not world.engine._upkeep._jobs[2].tasks:
        world.work(0.01)
    world.tell("run 1", "pause")
    world.work(3)
    told = [update for update in world.of("run 1") if update.status == PAUSED]
    assert any(update.snapshot for update in told) and any(update.saved is not None for update in told)
    assert world.of("run 0")[-1].final is None  # not yet
    world.work(20)
    assert world.of("run 0")[-1].final is not None


def test_pictures_of_a_run_come_in_the_order_of_its_steps(make_world: Worlds) -> None:
    """A regular one is in work when the run pauses; the one of where it rests is made, and the other is not."""
    world = make_world()
    world.open_many(6)
    for i in range(60):
        world.work(0.7)
        world.tell(f"run {i % 6}", "pause" if i // 6 % 2 else "resume")
    for run in range(6):
        steps = [snapshot.step for _, who, snapshot in world.pictures() if who == f"run {run}"]
        assert len(steps) > 3 and steps == sorted(set(steps))


def test_the_states_of_a_run_never_pass_its_film(make_world: Worlds) -> None:
    """The server takes a state for the moment up to which everything is there."""
    world = make_world()
    world.open_many(4)
    for i in range(40):
        world.work(0.6)
        if i // 4 % 3 == 1:
            world.tell(f"run {i % 4}", "set", beta=float(i))
        else:
            world.tell(f"run {i % 4}", "resume" if i // 4 % 3 else "pause")
    world.work(5)
    for run in range(4):
        state, film = -1, [-1]
        for update in world.of(f"run {run}"):
            if update.snapshot is not None:
                assert update.snapshot.step >= state
                film.append(update.snapshot.step)
            if update.saved is not None:
                assert update.saved == update.step
                assert update.status == RUNNING or update.saved in film
                state = update.saved
        assert state > 0


def test_a_flood_of_states_leaves_a_first_picture_its_turn(make_world: Worlds) -> None:
    world = make_world()
    world.open_many(20)
    world.work(30)
    began = world.now
    world.open("late")
    for i in range(40):
        for run in range(20):
            world.tell(f"run {run}", "set", beta=1 + i / 1000)
        world.work(0.5)
    first = min(at for at, run, _ in world.pictures() if run == "late")
    assert first - began < 10


def test_arms_begin_with_a_picture_of_the_same_step_in_a_busy_class_too(make_world: Worlds) -> None:
    world = make_world()
    world.open_many(40)  # all wait for their first pictures
    arms = []
    for i in range(5):
        arms.append(world.open(f"arm {i}", group="g", owner="ann"))
        world.work(0.1)
    assert {arm.step for arm in arms} == {0}
    world.work(6)
    first = {run: snapshot.step for _, run, snapshot in reversed(world.pictures()) if run.startswith("arm")}
    assert first == {f"arm {i}": 0 for i in range(5)} and min(arm.step for arm in arms) > 0


def test_arms_are_filmed_at_the_same_steps_and_measured_now_and_then(make_world: Worlds) -> None:
    world = make_world()
    for i in range(3):
        world.open(f"arm {i}", group="g", owner="ann")
    world.open_many(3)
    world.work(200)
    films = [[s.step for _, run, s in world.pictures() if run == f"arm {i}"] for i in range(3)]
    least = min(map(len, films))
    assert least > 5 and len({tuple(film[:least]) for film in films}) == 1
    measured = [at for at, run, s in world.pictures() if run == "arm 0" and s.metrics]
    assert 2 <= len(measured) <= 10
    for i in range(6):  # also where they are stopped in the middle of a look
        world.work(0.4 * i)
        world.tell("g", "pause")
        world.work(30)
        world.tell("g", "resume")
    world.tell("g", "pause")
    world.work(60)
    films = [[s.step for _, run, s in world.pictures() if run == f"arm {i}"] for i in range(3)]
    assert films[0] == films[1] == films[2]
    rests = [[s for _, run, s in world.pictures() if run == f"arm {i}"][-1] for i in range(3)]
    assert all(rest.metrics and rest.step == world.engine.tasks["arm 0"].step for rest in rests)


@pytest.mark.parametrize("word", ["stop", "fail", "end"])
@pytest.mark.parametrize("group", ["", "g"])
def test_a_run_that_ends_in_a_busy_class_keeps_its_last_picture_and_its_last_state(
    word: str, group: str, make_world: Worlds
) -> None:
    """With its last word the server lets go of it."""
    world = make_world()
    world.open_many(20)
    config = CONFIG.with_(epochs=4) if word == "end" else CONFIG
    task = world.open("mine", config, owner="me", group=group)
    world.work(20)
    if word == "stop":
        world.tell("mine", "stop")
    elif word == "fail":
        task.fail("The GPU is on fire.")
    while not _last_word(world.of("mine")):
        world.work(1)
    last = world.of("mine")[-1]
    assert last.status == {"stop": STOPPED, "fail": FAILED, "end": FINISHED}[word]
    looks = [update.snapshot for update in world.of("mine") if update.snapshot is not None]
    assert looks[-1].step == last.step == task.step
    assert not group or looks[-1].metrics
    assert word == "fail" or [update.saved for update in world.of("mine") if update.saved is not None][-1] == task.step
    if word == "fail":
        assert last.snapshot is looks[-1] and [u.status for u in world.of("mine")].count(FAILED) == 1


def _last_word(updates: list[Update]) -> bool:
    return bool(updates) and (updates[-1].final is not None or updates[-1].status == FAILED)


def test_a_class_that_starts_with_the_same_settings_waits_for_one_picture(make_world: Worlds) -> None:
    """Sixty have it as soon as one; whoever has another seed waits for a picture of their own."""
    world = make_world()
    began = world.now
    world.open_many(60, config=CONFIG)
    world.open("other", config=CONFIG.with_(seed=7))
    opened = world.now - began
    world.work(20)
    firsts = {run: (at - began, s.step) for at, run, s in reversed(world.pictures()) if s.step == 0}
    assert len(firsts) == 61
    assert max(at for at, _ in firsts.values()) <= opened + 2 * LOOK_PIECES * PIECE_S * 5 + 3
