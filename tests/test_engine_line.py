"""The line before an engine: who trains at once, who waits and is told so, and who never waits."""

import itertools
from collections.abc import Callable

import pytest

from tests.world import STEP_S, World, make_world
from vae_core.runs.line import QUANTUM_S
from vae_core.runs.messages import PAUSED, RUNNING, Line

__all__ = ["make_world"]  # the fixture
Worlds = Callable[..., World]


def last_line(world: World) -> Line:
    world.spend(1)
    (line,) = world.engine.line()
    return line


def test_no_more_train_at_once_than_there_are_seats_and_all_come_to_their_turn(make_world: Worlds) -> None:
    world = make_world(seats=4)
    tasks = world.open_many(12)
    world.work(3)
    assert sum(task.step > 0 for task in tasks) == 4
    world.work(100)
    steps = [task.step for task in tasks]
    assert min(steps) > 0 and max(steps) - min(steps) <= 2 * QUANTUM_S / STEP_S


def test_who_waits_has_a_picture_of_the_beginning_before_a_seat(make_world: Worlds) -> None:
    world = make_world(seats=4)
    tasks = world.open_many(20)
    world.work(20)
    seen = {run: snapshot.step for _, run, snapshot in reversed(world.pictures())}
    waiting = [task.run_id for task in tasks if task.step == 0]
    assert len(seen) == 20 and len(waiting) > 5 and all(seen[run] == 0 for run in waiting)
    assert {task.status for task in tasks} == {RUNNING}


def test_who_waits_is_told_the_place_and_about_how_long(make_world: Worlds) -> None:
    world = make_world(seats=2)
    world.open_many(6)
    world.work(30)
    line = world.lines[-1]
    assert (line.device, line.seats, line.training) == ("cpu", 2, 2)
    assert [(one.place, one.of) for one in line.waiting] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    seconds = [one.seconds for one in line.waiting]
    assert seconds == sorted(seconds) and seconds[0] >= 0 and 2 < seconds[-1] < 15
    told, before = line.waiting[-1], world.now
    task = world.engine.tasks[told.run_id]
    reached = task.step
    while task.step == reached:
        world.work(0.1)
    assert world.now - before == pytest.approx(told.seconds, abs=QUANTUM_S * 2.5)


def test_the_line_is_told_at_most_once_a_second_and_only_when_it_has_changed(make_world: Worlds) -> None:
    world = make_world(seats=2)
    world.open_many(3)
    world.work(20)
    assert 15 <= len(world.lines) <= 21
    for task in list(world.engine.tasks.values()):
        world.tell(task.run_id, "pause")
    world.idle()
    world.spend(1)
    assert len(world.engine.line()) == 1
    for _ in range(5):
        world.spend(1)
        assert len(world.engine.line()) <= 1
    world.spend(1)
    assert world.engine.line() == []


def test_the_line_tells_what_the_engine_does(make_world: Worlds) -> None:
    world = make_world()
    world.open_many(3)
    world.work(30)
    line = world.lines[-1]
    assert line.steps_per_s == pytest.approx(0.8 / STEP_S, rel=0.15)
    assert line.upkeep_share == pytest.approx(0.2, abs=0.1)
    assert 50e6 < line.memory_bytes < 50e9


def test_arms_share_a_seat_and_a_place(make_world: Worlds) -> None:
    world = make_world(seats=1)
    world.open("alone", owner="ann")
    for i in range(3):
        world.open(f"arm {i}", group="g", owner="bob")
    waits: set[tuple[tuple[str, int, int], ...]] = set()
    for _ in range(30):
        world.work(1)
        waits |= {tuple((one.run_id, one.place, one.of) for one in line.waiting) for line in world.lines}
    assert (("arm 0", 1, 1), ("arm 1", 1, 1), ("arm 2", 1, 1)) in waits and (("alone", 1, 1),) in waits
    arms = [world.engine.tasks[f"arm {i}"].step for i in range(3)]
    assert len(set(arms)) == 1
    assert world.engine.tasks["alone"].step == pytest.approx(sum(arms), abs=2 * QUANTUM_S / STEP_S)


def test_runs_of_one_owner_share_what_this_owner_gets(make_world: Worlds) -> None:
    world = make_world(seats=1)
    many = [world.open(f"many {i}", owner="bob") for i in range(4)]
    one = world.open("one", owner="ann")
    world.work(100)
    assert one.step == pytest.approx(sum(task.step for task in many), abs=2 * QUANTUM_S / STEP_S)


def test_single_steps_pass_the_line_and_a_thousand_do_not(make_world: Worlds) -> None:
    world = make_world(seats=1)
    world.open_many(10)
    world.work(40)
    task = world.open("mine", status=PAUSED, owner="me")
    world.tell("mine", "step", steps=5)
    before = world.now
    while task.status == RUNNING:
        world.work(0.01)
    assert task.step == 5 and world.now - before < 1
    world.tell("mine", "step", steps=1000)
    world.work(1)
    assert task.step == 5
    assert "mine" in {one.run_id for one in last_line(world).waiting}


def test_who_has_to_leave_a_seat_has_told_of_every_step(make_world: Worlds) -> None:
    world = make_world(seats=1)
    tasks = world.open_many(3)
    for _ in range(100):
        world.work(0.3)
        for task in tasks:
            if task.run_id not in world.engine._seats.training and world.of(task.run_id):
                assert world.of(task.run_id)[-1].step == task.step
                assert world.of(task.run_id)[-1].images_per_s == 0


@pytest.mark.parametrize("how", ["open", "pin"])
def test_the_run_of_the_lecturer_never_waits_and_gets_every_second_turn(how: str, make_world: Worlds) -> None:
    world = make_world(seats=2)
    class_ = world.open_many(10)
    demo = world.open("demo", owner="lecturer", first=how == "open")
    if how == "pin":
        world.tell("demo", "pin")
    before = [task.step for task in class_]
    world.work(40)
    others = sum(task.step - b for task, b in zip(class_, before, strict=True))
    assert demo.step == pytest.approx(others, rel=0.1)
    assert "demo" not in {one.run_id for line in world.lines for one in line.waiting}
    world.tell("demo", "reset")
    world.tell("demo", "resume")
    world.work(5)
    assert world.engine.tasks["demo"].step > 100  # it is still first
    world.tell("demo", "unpin")
    world.work(20)
    assert "demo" in {one.run_id for line in world.lines for one in line.waiting}


def test_the_engine_says_whom_it_serves_before_it_does_and_that_it_serves_nobody_afterwards(
    make_world: Worlds,
) -> None:
    world = make_world()
    world.open("a")
    assert world.served[0] == "a" and world.served[-1] == ""
    world.open("b")
    world.work(5)
    world.tell("a", "stop")
    world.work(5)
    assert set(world.served) == {"a", "b", ""} and world.served[-1] == ""
    assert all(one == "" or two == "" for one, two in itertools.pairwise(world.served))


def test_what_fails_while_it_is_opened_is_named(make_world: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    named: list[str] = []

    def trainer(config: object) -> None:
        named.append(world.served[-1])
        raise ValueError("of a family of somebody's own")

    monkeypatch.setattr("vae_core.runs.task.quick_trainer", trainer)
    with pytest.raises(KeyError):
        world.open("a")
    assert named == ["a"] and world.of("a")[-1].status == "failed"
