"""The engine in this process, on small images: its commands, its turns, its failures, and what a crash costs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine_driver import CONFIG, EPOCH, Driver, undisturbed
from vae_core.config import LiveSettings
from vae_core.data import Images
from vae_core.inspect.snapshot import take_snapshot
from vae_core.pieces import Pieces, in_pieces
from vae_core.runs import task as task_module
from vae_core.runs.messages import FINISHED, PAUSED, RUNNING, STOPPED
from vae_core.trainer import Trainer

# ---- a run from beginning to end


def test_a_run_trains_to_its_end_and_reports_every_step_once(driver: Driver, small: Images) -> None:
    config = CONFIG.with_(epochs=3)
    driver.open(config=config)
    driver.idle()
    last = driver.of()[-1]
    assert last.status == FINISHED and last.step == last.total_steps == 3 * EPOCH
    assert np.array_equal(driver.rows(), undisturbed(config, small, 3 * EPOCH))


def test_the_first_picture_is_of_the_initial_weights(driver: Driver, small: Images) -> None:
    (answer,) = driver.open()
    assert answer.status == RUNNING and answer.step == 0 and answer.total_steps == 1000 * EPOCH
    driver.turn()
    first = driver.pictures()[0]
    assert first.step == 0
    expected = take_snapshot(Trainer(CONFIG, small))
    assert np.array_equal(first.prior_draws, expected.prior_draws) and first.terms["nll"] == expected.terms["nll"]


def test_the_last_update_has_the_final_figures_and_a_snapshot_of_the_last_step(driver: Driver) -> None:
    driver.open(config=CONFIG.with_(epochs=2))
    driver.idle()
    assert driver.last().final is not None
    assert driver.last().final["images"] == 500 and driver.last().final["iw_samples"] == task_module.IW_SAMPLES
    assert driver.pictures()[-1].step == 2 * EPOCH


def in_an_instant(*_: Any) -> Pieces[dict[str, float]]:
    yield from ()
    return {"neg_elbo": 100.0}


def test_figures_computed_in_an_instant_are_reported_too(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU they take less than the pause between two reports; afterwards nothing wakes the engine."""
    monkeypatch.setattr(task_module, "final_metrics", in_pieces(in_an_instant))
    driver.open(config=CONFIG.with_(epochs=1))
    driver.idle()
    assert driver.last().final == {"neg_elbo": 100.0}


# ---- commands


def test_pause_stops_training_and_resume_goes_on_bit_for_bit(driver: Driver, small: Images) -> None:
    driver.open()
    driver.turn_until(lambda: driver.last().step > 5)
    (paused,) = driver.tell("pause")
    assert paused.status == PAUSED
    driver.idle()
    assert driver.last().step == paused.step == driver.pictures()[-1].step == driver.saved()[-1]
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
        driver.idle()
        first, again = driver.pictures()[0], driver.pictures(generation=generation)[0]
        assert np.array_equal(again.mu, first.mu) and again.terms["nll"] == first.terms["nll"]
        driver.tell("resume")
        driver.idle()
        assert np.array_equal(driver.rows(generation=generation), driver.rows(generation=0))


def test_reset_keeps_the_weights_in_force(driver: Driver, small: Images) -> None:
    driver.open(status=PAUSED)
    driver.tell("set", beta=4.0)
    driver.tell("reset")
    driver.tell("step", steps=5)
    driver.idle()
    assert driver.last().settings == LiveSettings(alpha=1.0, beta=4.0, learning_rate=2e-3, frozen="none")
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
    driver.idle()
    (state,) = tmp_path.glob("a/states/*.safetensors")
    told = len(driver.updates)
    assert driver.tell("close") == []
    assert state.exists() and not driver.engine.busy
    driver.turn()
    assert len(driver.updates) == told


def test_a_command_about_an_unknown_run_is_ignored(driver: Driver) -> None:
    for name in ("pause", "resume", "stop", "reset", "close", "epoch"):
        assert driver.tell(name, "nobody") == []


def test_the_first_picture_that_two_runs_share_is_the_one_that_each_would_have_had(
    driver: Driver, small: Images
) -> None:
    """Before the first step what a run looks like follows from its settings; afterwards it is its own."""
    settings = {"a": CONFIG, "b": CONFIG, "other": CONFIG.with_(seed=3)}
    for run, config in settings.items():
        driver.open(run, config, status=PAUSED)
    driver.idle()
    firsts = {run: next(u.snapshot for u in driver.of(run) if u.snapshot is not None) for run in settings}
    for run, config in settings.items():
        alone = take_snapshot(Trainer(config, small))
        for name in ("mu", "reconstructions", "prior_draws", "kl_dims"):
            assert np.array_equal(getattr(firsts[run], name), getattr(alone, name)), (run, name)
        assert firsts[run].terms == alone.terms
    assert not np.array_equal(firsts["a"].mu, firsts["other"].mu)
    driver.tell("step", run="b", steps=3)
    driver.idle()
    last = {run: [u.snapshot for u in driver.of(run) if u.snapshot is not None][-1] for run in "ab"}
    assert (last["a"].step, last["b"].step) == (0, 3) and not np.array_equal(last["a"].mu, last["b"].mu)
