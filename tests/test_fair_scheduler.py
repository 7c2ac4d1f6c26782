"""Many runs on one engine, on a clock of the test's own: what the class as a whole gets, and how long anybody waits."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.inspect.snapshot import Snapshot, SnapshotTaker
from vae_core.models.vae import VAE
from vae_core.runs import scheduler as scheduler_module
from vae_core.runs import task as task_module
from vae_core.runs.allowance import Allowance
from vae_core.runs.messages import FAILED, PAUSED, Command
from vae_core.runs.scheduler import Scheduler
from vae_core.runs.storage import steps_in
from vae_core.runs.task import TURN_S, Task
from vae_core.trainer import Trainer

STEP_S, SNAPSHOT_S, SAVE_S, OPEN_S = 0.005, 0.08, 0.02, 0.02  # of an mlp, about
CONFIG = RunConfig(device="cpu", epochs=1000, batch_size=16)  # no run ends here


class World:
    """An engine whose trainers do nothing but take their time."""

    def __init__(self, folder: Path, snapshot: Snapshot, patch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.snapshots: list[tuple[float, int]] = []  # when, of which run
        self.patch = patch
        for module in (scheduler_module, task_module):
            patch.setattr(module, "time", self)
        patch.setattr(scheduler_module, "Allowance", lambda *a: Allowance(*a, clock=self.monotonic))
        self._replace("step", lambda t: self._pass(STEP_S) or setattr(t, "step_count", t.step_count + 1))
        patch.setattr(SnapshotTaker, "take", lambda _, model, step, __=False: self._shot(model, step, snapshot))
        self._replace("state", lambda t: self._pass(SAVE_S) or {})
        self.engine, self.folder = Scheduler(), folder

    def monotonic(self) -> float:
        return self.now

    def _pass(self, seconds: float) -> None:
        self.now += seconds

    def _shot(self, model: VAE, step: int, snapshot: Snapshot) -> Snapshot:
        self._pass(SNAPSHOT_S)
        self.snapshots.append((self.now, id(model)))
        return replace(snapshot, step=step)

    def _replace(self, name: str, method: Callable[..., Any]) -> None:
        self.patch.setattr(Trainer, name, method)

    def open(self, count: int) -> list[Task]:
        for i in range(count):
            self._pass(OPEN_S)
            self.engine.handle(Command(f"run {i}", "open", self.opening(f"run {i}")))
        return list(self.engine.tasks.values())

    def opening(self, run: str, **args: Any) -> dict[str, Any]:
        folder = str(self.folder / run)
        usual = {"config": CONFIG.to_dict(), "folder": folder, "generation": 0, "resume": (), "status": "running"}
        return usual | args

    def spend(self, seconds: float) -> None:
        """A class has asked for so much at once that nobody gets anything for a while."""
        with self.engine._prompt.spending():
            self._pass(seconds)

    def run(self, seconds: float) -> float:
        """Let the engine work; returns the longest time in which it heard no command."""
        until, longest = self.now + seconds, 0.0
        while self.now < until:
            assert self.engine.busy
            before = self.now
            for _ in self.engine.slices():
                longest = max(longest, self.now - before)
                before = self.now
        return longest


@pytest.fixture
def world(
    small_data: Images, tmp_path: Path, snapshot_of_new_model: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], World]:
    made = iter(range(100))
    return lambda: World(tmp_path / str(next(made)), snapshot_of_new_model, monkeypatch)


def steps_per_second(world: World, count: int, seconds: float) -> float:
    tasks = world.open(count)
    before = world.now
    world.run(seconds)
    return sum(task.trainer.step_count for task in tasks) / (world.now - before)


@pytest.mark.parametrize("count", [5, 10, 30])
def test_many_runs_together_train_nearly_as_fast_as_one(count: int, world: Callable[[], World]) -> None:
    alone, together = steps_per_second(world(), 1, 60), steps_per_second(world(), count, 60)
    assert alone > 0.7 / STEP_S
    assert together >= 0.7 * alone


def test_they_share_alike(world: Callable[[], World]) -> None:
    ours = world()
    tasks = ours.open(10)
    ours.run(60)
    steps = [task.trainer.step_count for task in tasks]
    assert max(steps) - min(steps) <= 3 * TURN_S / STEP_S


@pytest.mark.parametrize("count", [1, 10, 30, 60])
def test_a_command_waits_no_longer_than_one_moment_of_one_run(count: int, world: Callable[[], World]) -> None:
    ours = world()
    ours.open(count)
    longest = ours.run(30)
    assert longest <= TURN_S + STEP_S + 2 * SNAPSHOT_S + 2 * SAVE_S + 1e-6


def test_ten_who_start_together_all_see_their_first_picture_within_ten_seconds(world: Callable[[], World]) -> None:
    ours = world()
    tasks, began = ours.open(10), ours.now
    ours.run(10)
    first: dict[int, float] = {}
    for at, trainer in ours.snapshots:
        first.setdefault(trainer, at)
    assert set(first) == {id(task.trainer.model) for task in tasks} and max(first.values()) - began <= 10


def test_pictures_and_states_go_round_until_everybody_has_newer_ones(world: Callable[[], World]) -> None:
    ours = world()
    tasks = ours.open(10)
    ours.run(30)
    halfway, seen = ours.now, {id(task.trainer.model) for task in tasks}
    saved = {task.run_id: steps_in(task.states_folder)[-1] for task in tasks}
    ours.run(40)
    assert {trainer for at, trainer in ours.snapshots if at > halfway} == seen
    assert all(steps_in(task.states_folder)[-1] > saved[task.run_id] for task in tasks)


def test_a_pause_is_told_at_once_and_its_picture_follows(world: Callable[[], World]) -> None:
    """While others train and somebody has just had theirs, the picture has to wait; the answer has not."""
    ours = world()
    tasks = ours.open(20)
    ours.run(5)
    answers = [ours.engine.handle(Command(task.run_id, "pause")) for task in tasks[:10]]
    assert all(updates[0].status == PAUSED for updates in answers)
    before = ours.now
    ours.run(10)
    steps = {id(task.trainer.model): task.trainer.step_count for task in tasks[:10]}
    assert before < ours.now and all(task._snapshot_step == steps[id(task.trainer.model)] for task in tasks[:10])


def test_arms_begin_with_a_picture_of_the_same_step_in_a_busy_class_too(world: Callable[[], World]) -> None:
    ours = world()
    ours.open(20)
    for i in range(5):
        (update,) = ours.engine.handle(Command(f"arm {i}", "open", ours.opening(f"arm {i}", group="g")))
        assert update.snapshot is not None and update.snapshot.step == 0


@pytest.mark.parametrize("word", ["stop", "fail"])
def test_a_run_that_ends_in_a_busy_class_keeps_its_last_picture_and_its_last_state(
    word: str, world: Callable[[], World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its last word the server lets go of it."""
    monkeypatch.setattr(task_module, "final_metrics", lambda *_: {"nll": 1.0})
    busy = world()
    task = busy.open(20)[0]
    busy.run(20)
    busy.spend(10)
    step = task.trainer.step_count
    if word == "stop":
        updates = busy.engine.handle(Command("run 0", "stop"))
    else:
        task.fail("The GPU is on fire.")
        updates = busy.engine._speak(task)
    while not (updates[-1].final or updates[-1].status == FAILED):
        updates.append(next(u for updates in busy.engine.slices() for u in updates if u.run_id == "run 0"))
    last = updates[-1]
    assert any(update.snapshot is not None and update.snapshot.step == step for update in updates)
    assert word == "fail" or any(update.saved == step for update in updates)
    assert last.step == step
