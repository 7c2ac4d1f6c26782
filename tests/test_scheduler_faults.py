"""Several runs in one engine, the faults of one among the others, and what a crash of the engine leaves."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.engine_driver import CONFIG, EPOCH, Driver, undisturbed
from vae_core.config import LiveSettings
from vae_core.data import Images
from vae_core.data.images import DataError
from vae_core.runs import due as due_module
from vae_core.runs.messages import FAILED, PAUSED, RUNNING
from vae_core.runs.storage import state_file, states_folder, steps_in

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
    bad = driver.engine.tasks["bad"]
    assert not (bad.trains or bad.owes_look or bad.owes_save or bad.concluding)
    assert [u.status for u in driver.of("bad")].count(FAILED) == 1  # its last word ...
    pictures = [u.snapshot.step for u in driver.of("bad") if u.snapshot is not None]
    assert pictures[-1] == failed.step  # ... and its picture has come with it or was there before


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
        task._taker = SimpleNamespace(take_pieces=broken)  # type: ignore[assignment]
    else:
        monkeypatch.setattr(task.trainer, method, broken)


@pytest.mark.parametrize("method", ["step", "snapshot", "flush", "state"])
def test_a_fault_anywhere_in_one_run_leaves_the_other_training(
    method: str, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.open("bad")
    driver.open("good")
    failing_for("bad", driver, method, ZeroDivisionError("of ours"), monkeypatch)
    monkeypatch.setattr(due_module, "SNAPSHOT_S", 0)
    monkeypatch.setattr(due_module, "SAVE_S", 0)
    driver.tell("pause", "bad")  # saves the state
    driver.tell("resume", "bad")
    driver.turn_until(lambda: driver.last("bad").status == FAILED, seconds=20)
    assert "internal error" in driver.last("bad").message and "of ours" in driver.last("bad").message
    assert driver.last("good").status == RUNNING and advances(driver, "good")


def test_a_full_disk_fails_runs_and_not_the_engine(driver: Driver, tmp_path: Path) -> None:
    driver.open()
    driver.turn()
    shutil.rmtree(tmp_path)
    driver.tell("pause")
    driver.idle()
    assert driver.last().status == FAILED and "cannot be saved" in driver.last().message


@pytest.mark.parametrize("config", [{"net": "transformer"}, {"alpha": 0, "beta": 0}, {"nonsense": 1}])
def test_a_config_that_cannot_be_used_is_a_failed_update_with_a_sentence(
    config: dict[str, Any], driver: Driver
) -> None:
    opening = {"folder": str(driver.folder / "a"), "generation": 2, "resume": (), "status": RUNNING}
    args = opening | {"config": CONFIG.to_dict() | config}
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
    driver.turn()
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
    driver.idle()
    after = Driver(tmp_path)
    (reopened,) = after.open(resume=True, status=PAUSED, generation=1)
    assert (reopened.step, reopened.generation) == (0, 1)


def test_a_crash_right_after_a_save_leaves_no_gap_in_the_curve(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state may be saved while the latest rows still wait for the next report; they must not be lost with it."""
    monkeypatch.setattr(due_module, "SAVE_S", 0)  # every turn saves ...
    monkeypatch.setattr(due_module, "REPORT_S", 1e9)  # ... and none reports
    driver.open(config=CONFIG)
    for _ in range(3):
        driver.turn()
    after = Driver(tmp_path)
    after.open(resume=True, status=PAUSED)
    after.tell("step", steps=3)
    after.idle()
    known = sorted({*driver.steps(), *after.steps()})
    assert known == list(range(1, after.last().step + 1))


def with_tensor(name: str, values: Any) -> Callable[[Path], None]:
    """A whole file in which one tensor is what none could be."""
    return lambda path: save_file({**load_file(path), name: torch.tensor(values)}, path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
        lambda path: save_file({"model.other": torch.zeros(3)}, path),
        with_tensor("trainer", [10.0, 1.0, 1.0, 0.001, 99.0]),
        with_tensor("trainer", [10.0, 1.0]),
        with_tensor("weights", [1.5, 2.5]),
    ],
    ids=["empty", "cut off", "of another model", "an unknown part is frozen", "too few settings", "no text"],
)
def test_where_the_last_state_is_damaged_it_goes_on_from_the_one_before(
    damage: Callable[[Path], Any], driver: Driver, small: Images
) -> None:
    driver.open(status=PAUSED)
    for steps in (5, 5):
        driver.tell("step", steps=steps)
        driver.idle()
    folder = states_folder(driver.folder / "a", 0)
    assert steps_in(folder)[-2:] == [5, 10]
    damage(state_file(folder, 10))
    driver.tell("close")
    driver.open(status=PAUSED, resume=True)
    driver.idle()
    assert (driver.last().status, driver.last().step) == (PAUSED, 5)
    driver.tell("step", steps=5)
    driver.idle()
    assert np.array_equal(driver.rows()[-5:], undisturbed(CONFIG, small, 10)[5:])
