"""The engine in this process, on small images: its commands, its turns, its failures, and what a crash costs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vae_core.config import LiveSettings, RunConfig
from vae_core.data import Images
from vae_core.data.images import DataError
from vae_core.inspect.snapshot import take_snapshot
from vae_core.runs import task as task_module
from vae_core.runs.messages import FAILED, FINISHED, PAUSED, RUNNING, STOPPED, Command, Update
from vae_core.runs.scheduler import Scheduler
from vae_core.trainer import Trainer

EPOCH = 8  # steps: 2,000 images in batches of 256
CONFIG = RunConfig(device="cpu", epochs=1000)


class Driver:
    """An engine and all that came out of it."""

    def __init__(self, folder: Path) -> None:
        self.engine = Scheduler(folder)
        self.updates: list[Update] = []

    def tell(self, name: str, run: str = "a", **args: Any) -> list[Update]:
        updates = self.engine.handle(Command(run, name, args))
        self.updates += updates
        return updates

    def open(
        self,
        run: str = "a",
        config: RunConfig = CONFIG,
        status: str = RUNNING,
        generation: int = 0,
        resume: bool = False,
    ) -> list[Update]:
        args = {"config": config.to_dict(), "generation": generation, "resume": resume, "status": status}
        return self.tell("open", run, **args)

    def turn(self) -> None:
        self.updates += self.engine.turn()

    def turn_until(self, done: Callable[[], Any], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, "it did not happen"
            self.turn()

    def idle(self) -> None:
        """Take turns as the process does: until there is nothing to do."""
        self.turn_until(lambda: not self.engine.busy)

    def of(self, run: str = "a", generation: int = 0) -> list[Update]:
        return [u for u in self.updates if u.run_id == run and u.generation == generation]

    def last(self, run: str = "a") -> Update:
        return [u for u in self.updates if u.run_id == run][-1]

    def rows(self, run: str = "a", generation: int = 0) -> np.ndarray:
        return np.concatenate([u.rows for u in self.of(run, generation)])

    def steps(self, run: str = "a", generation: int = 0) -> list[int]:
        return [int(step) for step in self.rows(run, generation)[:, 0]]


@pytest.fixture
def driver(small_data: Images, tmp_path: Path) -> Driver:
    return Driver(tmp_path)


def undisturbed(config: RunConfig, images: Images, steps: int) -> np.ndarray:
    """The rows of a trainer that nobody interrupts: the oracle of every curve here."""
    trainer = Trainer(config, images)
    for _ in range(steps):
        trainer.step()
    return trainer.flush()


# ---- a run from beginning to end


def test_a_run_trains_to_its_end_and_reports_every_step_once(driver: Driver, small: Images) -> None:
    config = CONFIG.with_(epochs=3)
    driver.open(config=config)
    driver.idle()
    last = driver.of()[-1]
    assert last.status == FINISHED and last.step == last.total_steps == 3 * EPOCH
    assert np.array_equal(driver.rows(), undisturbed(config, small, 3 * EPOCH))


def test_the_first_update_has_a_snapshot_of_the_initial_weights(driver: Driver, small: Images) -> None:
    (first,) = driver.open()
    assert first.status == RUNNING and first.step == 0 and first.total_steps == 1000 * EPOCH
    assert first.snapshot is not None and first.snapshot.step == 0
    expected = take_snapshot(Trainer(CONFIG, small))
    assert (
        np.array_equal(first.snapshot.prior_draws, expected.prior_draws)
        and first.snapshot.terms["nll"] == expected.terms["nll"]
    )


def test_the_last_update_has_the_final_figures_and_a_snapshot_of_the_last_step(driver: Driver) -> None:
    driver.open(config=CONFIG.with_(epochs=2))
    driver.idle()
    assert driver.last().final is not None
    assert driver.last().final["images"] == 500 and driver.last().final["iw_samples"] == task_module.IW_SAMPLES
    snapshots = [u.snapshot for u in driver.of() if u.snapshot is not None]
    assert snapshots[-1].step == 2 * EPOCH


def test_figures_computed_in_an_instant_are_reported_too(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU they take less than the pause between two reports; afterwards nothing wakes the engine."""
    monkeypatch.setattr(task_module, "final_metrics", lambda *_: {"neg_elbo": 100.0})
    driver.open(config=CONFIG.with_(epochs=1))
    driver.idle()
    assert driver.last().final == {"neg_elbo": 100.0}


# ---- commands


def test_pause_stops_training_and_resume_goes_on_bit_for_bit(driver: Driver, small: Images) -> None:
    driver.open()
    driver.turn_until(lambda: driver.last().step > 5)
    (paused,) = driver.tell("pause")
    assert paused.status == PAUSED and not driver.engine.busy
    for _ in range(3):
        driver.turn()
    assert driver.last().step == paused.step
    driver.tell("resume")
    driver.turn_until(lambda: driver.last().step > paused.step + 5)
    driver.tell("pause")
    assert np.array_equal(driver.rows(), undisturbed(CONFIG, small, driver.last().step))


@pytest.mark.parametrize("status", [PAUSED, RUNNING])
def test_step_does_exactly_so_many_and_pauses(status: str, driver: Driver) -> None:
    driver.open(status=status)
    driver.tell("step", steps=3)
    driver.idle()
    assert driver.last().status == PAUSED and driver.steps() == [1, 2, 3]
    driver.tell("step", steps=1)
    driver.idle()
    assert driver.last().step == 4


def test_no_steps_are_no_steps(driver: Driver) -> None:
    driver.open(status=PAUSED)
    driver.tell("step", steps=0)
    for _ in range(3):
        driver.turn()
    assert driver.last().status == PAUSED and driver.last().step == 0


def test_steps_beyond_the_end_finish_the_run(driver: Driver) -> None:
    driver.open(config=CONFIG.with_(epochs=1), status=PAUSED)
    driver.tell("step", steps=100)
    driver.idle()
    assert driver.of()[-1].status == FINISHED and driver.last().step == EPOCH


def test_epoch_stops_at_the_end_of_the_epoch(driver: Driver) -> None:
    driver.open(status=PAUSED)
    for steps_before, expected in ((3, EPOCH), (0, 2 * EPOCH)):  # from its middle, and from the end of the one before
        if steps_before:
            driver.tell("step", steps=steps_before)
            driver.idle()
        driver.tell("epoch")
        driver.idle()
        assert (driver.last().status, driver.last().step) == (PAUSED, expected)


def test_stop_ends_a_run_with_final_figures(driver: Driver) -> None:
    driver.open(status=PAUSED)
    driver.tell("step", steps=2)
    driver.idle()
    driver.tell("stop")
    driver.idle()
    assert driver.of()[-1].status == STOPPED and driver.last().step == 2
    assert driver.last().final is not None


@pytest.mark.parametrize("command", ["pause", "resume", "stop", "epoch"])
def test_an_ended_run_takes_no_command_but_reset(command: str, driver: Driver) -> None:
    driver.open(config=CONFIG.with_(epochs=1))
    driver.idle()
    driver.tell(command)
    driver.idle()
    assert driver.last().status == FINISHED and driver.last().step == EPOCH


def test_reset_goes_back_to_the_same_initial_weights(driver: Driver) -> None:
    driver.open(config=CONFIG.with_(epochs=1))
    driver.idle()
    for generation in (1, 2):
        (reset,) = driver.tell("reset")
        assert (reset.status, reset.step, reset.generation) == (PAUSED, 0, generation)
        assert reset.final is None and reset.marks == ()
        first = driver.updates[0].snapshot
        assert np.array_equal(reset.snapshot.mu, first.mu) and reset.snapshot.terms["nll"] == first.terms["nll"]  # type: ignore[union-attr]
        driver.tell("resume")
        driver.idle()
        assert np.array_equal(driver.rows(generation=generation), driver.rows(generation=0))


def test_reset_keeps_the_weights_in_force(driver: Driver, small: Images) -> None:
    driver.open(status=PAUSED)
    driver.tell("set", beta=4.0)
    driver.tell("reset")
    driver.tell("step", steps=5)
    driver.idle()
    assert driver.last().settings == LiveSettings(
        **{"alpha": 1.0, "beta": 4.0, "learning_rate": 2e-3, "frozen": "none"}
    )
    assert np.array_equal(driver.rows(generation=1), undisturbed(CONFIG.with_(beta=4.0), small, 5))


def test_set_leaves_one_mark_and_the_new_weights(driver: Driver, small: Images) -> None:
    driver.open(status=PAUSED)
    driver.tell("step", steps=3)
    driver.idle()
    driver.tell("set", beta=0)
    driver.tell("step", steps=3)
    driver.idle()
    marks = [mark for u in driver.of() for mark in u.marks]
    assert [(mark.step, mark.text) for mark in marks] == [(3, "beta 1 → 0 at step 3")]
    assert driver.last().settings.beta == 0
    trainer = Trainer(CONFIG, small)
    for step in range(6):
        if step == 3:
            trainer.set(beta=0)
        trainer.step()
    assert np.array_equal(driver.rows(), trainer.flush())


def test_set_on_a_training_run_is_reported_at_once(driver: Driver) -> None:
    driver.open()
    driver.turn()
    (update,) = driver.tell("set", alpha=2)
    assert update.status == RUNNING and [m.text.split(" at")[0] for m in update.marks] == ["alpha 1 → 2"]


def test_weights_that_cannot_be_used_are_a_message_and_change_nothing(driver: Driver) -> None:
    driver.open()
    driver.turn()
    (update,) = driver.tell("set", alpha=0, beta=0)
    assert update.status == RUNNING and "nothing to minimise" in update.message
    assert update.settings.alpha == update.settings.beta == 1.0 and update.marks == ()


def test_close_lets_go_of_the_run_and_leaves_its_states_to_the_server(driver: Driver, tmp_path: Path) -> None:
    driver.open(status=PAUSED)
    (state,) = tmp_path.glob("a/states/*.safetensors")
    assert driver.tell("close") == []
    assert state.exists() and not driver.engine.busy
    driver.turn()
    assert len(driver.updates) == 1


def test_a_command_about_an_unknown_run_is_ignored(driver: Driver) -> None:
    for name in ("pause", "resume", "stop", "reset", "close", "epoch"):
        assert driver.tell(name, "nobody") == []


# ---- several runs


def test_two_runs_take_turns(driver: Driver) -> None:
    driver.open("a")
    driver.open("b", CONFIG.with_(seed=1))
    for _ in range(3):
        before = {run: driver.engine.tasks[run].trainer.step_count for run in "ab"}
        driver.turn()
        assert all(driver.engine.tasks[run].trainer.step_count > before[run] for run in "ab")


def test_two_runs_do_not_change_each_others_curves(driver: Driver, small: Images) -> None:
    for run, seed in (("a", 0), ("b", 1)):
        driver.open(run, CONFIG.with_(seed=seed, epochs=2))
    driver.idle()
    for run, seed in (("a", 0), ("b", 1)):
        assert np.array_equal(driver.rows(run), undisturbed(CONFIG.with_(seed=seed), small, 2 * EPOCH))


def advances(driver: Driver, run: str) -> bool:
    before = driver.engine.tasks[run].trainer.step_count
    driver.turn()
    return driver.engine.tasks[run].trainer.step_count > before


def test_a_diverging_run_fails_and_the_other_goes_on(driver: Driver) -> None:
    driver.open("bad", CONFIG.with_(learning_rate=1000.0))
    driver.open("good")
    driver.turn_until(lambda: driver.last("bad").status == FAILED)
    failed = driver.last("bad")
    assert "learning rate 1000" in failed.message
    assert np.isfinite(failed.rows).all() and np.isfinite(failed.snapshot.terms["nll"] if failed.snapshot else 0.0)
    assert driver.last("good").status == RUNNING and advances(driver, "good")
    assert not driver.engine.tasks["bad"].working


def test_a_failed_run_can_be_reset(driver: Driver) -> None:
    driver.open(config=CONFIG.with_(learning_rate=1000.0))
    driver.turn_until(lambda: driver.last().status == FAILED)
    (reset,) = driver.tell("reset")
    assert (reset.status, reset.message, reset.step, reset.generation) == (PAUSED, "", 0, 1)


def failing_for(run: str, driver: Driver, method: str, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """A method of one run's trainer raises from now on."""

    def broken(*_: Any) -> None:
        raise error

    task = driver.engine.tasks[run]
    if method == "snapshot":
        task._taker = SimpleNamespace(take=broken)  # type: ignore[assignment]
    else:
        monkeypatch.setattr(task.trainer, method, broken)


@pytest.mark.parametrize("method", ["step", "snapshot", "flush", "state"])
def test_a_fault_anywhere_in_one_run_leaves_the_other_training(
    method: str, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.open("bad")
    driver.open("good")
    failing_for("bad", driver, method, ZeroDivisionError("of ours"), monkeypatch)
    monkeypatch.setattr(task_module, "SNAPSHOT_S", 0)
    monkeypatch.setattr(task_module, "SAVE_S", 0)
    driver.engine.tasks["bad"].hurry()
    driver.tell("pause", "bad")  # saves the state
    driver.tell("resume", "bad")
    driver.turn_until(lambda: driver.last("bad").status == FAILED, seconds=20)
    assert "internal error" in driver.last("bad").message and "of ours" in driver.last("bad").message
    assert driver.last("good").status == RUNNING and advances(driver, "good")


def test_a_full_disk_fails_runs_and_not_the_engine(driver: Driver, tmp_path: Path) -> None:
    driver.open()
    driver.turn()
    shutil.rmtree(tmp_path)
    (update,) = driver.tell("pause")
    assert update.status == FAILED and update.message


@pytest.mark.parametrize("config", [{"net": "transformer"}, {"alpha": 0, "beta": 0}, {"nonsense": 1}])
def test_a_config_that_cannot_be_used_is_a_failed_update_with_a_sentence(
    config: dict[str, Any], driver: Driver
) -> None:
    args = {"config": CONFIG.to_dict() | config, "generation": 2, "resume": False, "status": RUNNING}
    (update,) = driver.tell("open", **args)
    assert (update.status, update.generation) == (FAILED, 2) and update.message.endswith(".")
    assert not driver.engine.busy


def test_damaged_data_is_a_failed_update_with_a_sentence(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(*_: Any) -> Images:
        raise DataError("The data file is damaged: restore it.")

    monkeypatch.setattr("vae_core.trainer.load", damaged)
    (update,) = driver.open()
    assert (update.status, update.message) == (FAILED, "The data file is damaged: restore it.")


# ---- after a crash


def test_after_a_crash_the_run_goes_on_bit_for_bit(driver: Driver, small: Images, tmp_path: Path) -> None:
    """A second engine knows nothing but the folder."""
    driver.open(status=PAUSED)
    driver.tell("step", steps=11)
    driver.idle()
    after = Driver(tmp_path)
    (reopened,) = after.open(resume=True, status=PAUSED)
    assert (reopened.status, reopened.step) == (PAUSED, 11)
    after.tell("step", steps=20)
    after.idle()
    further = after.rows()[after.rows()[:, 0] > 11]  # rows may come twice: the registry leaves out what it knows
    assert np.array_equal(np.concatenate([driver.rows(), further]), undisturbed(CONFIG, small, 31))


def test_after_a_crash_changed_weights_are_still_in_force(driver: Driver, tmp_path: Path) -> None:
    driver.open()
    driver.turn()
    driver.tell("set", beta=3.0, learning_rate=1e-3)
    after = Driver(tmp_path)
    (reopened,) = after.open(resume=True, status=PAUSED)
    assert reopened.settings == LiveSettings(alpha=1.0, beta=3.0, learning_rate=1e-3, frozen="none")


def test_a_crash_before_the_first_save_begins_anew(driver: Driver, small: Images, tmp_path: Path) -> None:
    after = Driver(tmp_path)
    after.open(resume=True, status=PAUSED)
    after.tell("step", steps=3)
    after.idle()
    assert np.array_equal(after.rows(), undisturbed(CONFIG, small, 3))


def test_a_crash_after_a_reset_does_not_bring_the_old_curve_back(driver: Driver, tmp_path: Path) -> None:
    driver.open(status=PAUSED)
    driver.tell("step", steps=5)
    driver.idle()
    driver.tell("reset")
    after = Driver(tmp_path)
    (reopened,) = after.open(resume=True, status=PAUSED, generation=1)
    assert (reopened.step, reopened.generation) == (0, 1)


def test_a_crash_right_after_a_save_leaves_no_gap_in_the_curve(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state may be saved while the latest rows still wait for the next report; they must not be lost with it."""
    monkeypatch.setattr(task_module, "SAVE_S", 0)  # every turn saves ...
    monkeypatch.setattr(task_module, "REPORT_S", 1e9)  # ... and none reports
    driver.open(config=CONFIG)
    for _ in range(3):
        driver.turn()
    after = Driver(tmp_path)
    after.open(resume=True, status=PAUSED)
    after.tell("step", steps=3)
    after.idle()
    known = sorted({*driver.steps(), *after.steps()})
    assert known == list(range(1, after.last().step + 1))
