"""Branches, with an engine in this process: where they begin, what they take over, and how they differ."""

import time

import numpy as np
import pytest

from tests.local_engine import LocalLink
from vae_core.config import ConfigError, LiveSettings, RunConfig
from vae_core.data import Images
from vae_core.runs.held_runs import RUNS_PER_VISITOR
from vae_core.runs.messages import PAUSED, RUNNING, STOPPED
from vae_core.runs.progress import STATES
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import Parent, RunRecord
from vae_core.runs.snapshot_file import read_frame
from vae_core.runs.storage import frame_file, frames_in, steps_in
from vae_core.thinning import add_step
from vae_core.trainer import Trainer

CONFIG = RunConfig(device="cpu", epochs=1000, widths="32")
SAME = {"alpha": 1.0, "beta": 1.0, "learning_rate": 2e-3}
NO_KL = SAME | {"beta": 0.0}


class Server:
    """A registry and the engine that works for it."""

    def __init__(self, runs: Registry, links: list[LocalLink]) -> None:
        self.runs, self.links = runs, links

    def run(self, run_id: str) -> RunRecord:
        run = self.runs.get(run_id)
        assert run is not None
        return run

    def until(self, run_id: str, step: int) -> RunRecord:
        deadline = time.monotonic() + 60
        while self.run(run_id).step < step:
            assert time.monotonic() < deadline, self.run(run_id).message
            self.links[-1].turn()
        return self.run(run_id)

    def steps(self, run_id: str, steps: int) -> RunRecord:
        """Exactly so many steps, then a pause, which keeps a state and a frame."""
        self.runs.command(run_id, "step", steps=steps)
        return self.until(run_id, self.run(run_id).step + steps)

    def parent(self, *lengths: int, config: RunConfig = CONFIG) -> str:
        run_id = self.runs.start(config, "ann", paused=True)
        for steps in lengths:
            self.steps(run_id, steps)
        return run_id


@pytest.fixture
def server(local_registry: tuple[Registry, list[LocalLink]]) -> Server:
    return Server(*local_registry)


def rows(run: RunRecord) -> np.ndarray:
    return run.train.since(-1)


def undisturbed(images: Images, steps: int) -> np.ndarray:
    trainer = Trainer(CONFIG, images)
    for _ in range(steps):
        trainer.step()
    return trainer.flush()


# ---- where it begins


def test_with_the_same_weights_a_branch_is_its_parent_bit_for_bit(server: Server, small: Images) -> None:
    parent = server.parent(30, 40)
    branch = server.until(server.runs.branch(parent, 30, SAME), 70)
    assert branch.parent == Parent(parent, 30) and branch.marks == ()
    assert np.array_equal(rows(branch)[:70], rows(server.run(parent)))
    assert np.array_equal(rows(branch), undisturbed(small, len(rows(branch))))


def test_without_kl_a_branch_has_a_mark_and_goes_its_own_way(server: Server) -> None:
    parent = server.parent(30, 40)
    before = rows(server.run(parent))
    branch = server.until(server.runs.branch(parent, 30, NO_KL), 70)
    assert [mark.text for mark in branch.marks] == ["beta 1 → 0 at step 30"]
    assert branch.settings == LiveSettings(**NO_KL)
    assert np.array_equal(rows(branch)[:30], before[:30])
    assert rows(branch)[30, 1] == before[30, 1] == rows(branch)[30, 3]  # one batch, one model: only the loss differs
    assert (rows(branch)[31:70, 1:] != before[31:, 1:]).all()
    assert rows(branch)[69, 2] > before[69, 2]
    assert np.array_equal(rows(server.run(parent)), before) and server.run(parent).marks == ()


def test_a_branch_takes_over_the_test_curve_and_the_marks_up_to_its_step(server: Server) -> None:
    parent = server.parent(20)
    server.runs.command(parent, "set", learning_rate=1e-3)
    server.steps(parent, 20)
    server.runs.command(parent, "set", alpha=2.0)
    server.steps(parent, 20)
    old = server.run(parent)
    branch = server.run(server.runs.branch(parent, 40, SAME | {"learning_rate": 5e-4, "alpha": 2.0}))
    expected = old.test.since(-1)
    assert np.array_equal(branch.test.since(-1), expected[expected[:, 0] <= 40])  # the state has the parent's figures
    assert [mark.step for mark in branch.marks] == [20, 40, 40]
    assert branch.marks[-1].text == "learning rate 0.001 → 0.0005 at step 40"


def test_a_branch_of_a_branch_has_the_whole_history(server: Server, small: Images) -> None:
    first = server.parent(20)
    second = server.runs.branch(first, 20, SAME)
    server.runs.command(second, "pause")
    server.steps(second, 15)
    at = server.run(second).step
    third = server.until(server.runs.branch(second, at, SAME), at + 5)
    assert third.parent == Parent(second, at)
    assert np.array_equal(rows(third), undisturbed(small, len(rows(third))))


def test_a_branch_survives_the_death_of_its_engine(server: Server, small: Images) -> None:
    branch = server.runs.branch(server.parent(30), 30, SAME)
    server.until(branch, 35)
    server.links[-1].die()
    found = rows(server.until(branch, 60))
    assert np.array_equal(found, undisturbed(small, len(found)))


# ---- the parent


def test_a_branch_pauses_a_parent_that_trains_and_trains_itself(server: Server) -> None:
    parent = server.parent(20)
    server.runs.command(parent, "resume")
    assert server.run(parent).status == RUNNING
    branch = server.runs.branch(parent, 20, NO_KL)
    assert (server.run(parent).status, server.run(branch).status) == (PAUSED, RUNNING)
    assert [run.run_id for run in server.runs.of("ann")] == [branch, parent]


def test_a_stopped_parent_stays_stopped(server: Server) -> None:
    parent = server.parent(20)
    server.runs.command(parent, "stop")
    server.until(server.runs.branch(parent, 20, NO_KL), 25)
    assert server.run(parent).status == STOPPED


def test_every_state_of_a_full_run_can_be_branched_from_while_it_trains(server: Server) -> None:
    """Pausing the parent keeps one more state; the one it makes superfluous must not be the one that was asked for."""
    parent = server.parent(*[10] * (STATES + 3))
    states = list(server.run(parent).states)
    assert len(states) == STATES
    server.runs.command(parent, "resume")
    for _ in range(10):
        server.links[-1].engine.tasks[parent].trainer.step()  # type: ignore[union-attr]
    endangered = add_step(states, states[-1] + 10, STATES)
    assert endangered is not None
    branch = server.run(server.runs.branch(parent, endangered, NO_KL))
    assert (branch.status, branch.message) == (RUNNING, "") and branch.step == endangered


def test_the_oldest_of_a_visitors_runs_can_be_branched_from(server: Server, small: Images) -> None:
    """One run has to leave for the branch: not the one from which it comes."""
    oldest = server.parent(20)
    others = [server.runs.start(CONFIG, "ann", paused=True) for _ in range(RUNS_PER_VISITOR - 1)]
    branch = server.until(server.runs.branch(oldest, 20, SAME), 30)
    assert np.array_equal(rows(branch), undisturbed(small, len(rows(branch))))
    assert len(server.runs.of("ann")) == RUNS_PER_VISITOR
    assert server.runs.get(oldest) is not None and server.runs.get(others[0]) is None


# ---- refused


def test_a_step_without_a_state_is_refused(server: Server) -> None:
    parent = server.parent(20)
    for run_id, step in ((parent, 19), ("nobody's", 20)):
        with pytest.raises(KeyError):
            server.runs.branch(run_id, step, SAME)
    assert len(server.runs.of("ann")) == 1


@pytest.mark.parametrize("weights", [{"alpha": 0.0, "beta": 0.0}, {"beta": -1.0}, {"learning_rate": float("nan")}])
def test_weights_that_cannot_be_used_are_refused(weights: dict[str, float], server: Server) -> None:
    parent = server.parent(20)
    server.runs.command(parent, "resume")
    with pytest.raises(ConfigError):
        server.runs.branch(parent, 20, SAME | weights)
    assert len(server.runs.of("ann")) == 1 and server.run(parent).status == RUNNING


# ---- the film


def test_a_branch_has_the_film_up_to_its_step_as_files_of_its_own(server: Server) -> None:
    parent = server.run(server.parent(20, 20, 20))
    branch = server.run(server.runs.branch(parent.run_id, 40, NO_KL))
    taken_over = [step for step in parent.film if step <= 40]
    assert list(branch.film) == frames_in(branch.film_folder) == taken_over and {0, 20, 40} <= set(taken_over)
    for step in taken_over[:-1]:  # at the last one it has a frame of its own
        assert frame_file(branch.film_folder, step).read_bytes() == frame_file(parent.film_folder, step).read_bytes()
    server.runs.close_run(parent.run_id)
    assert read_frame(frame_file(branch.film_folder, 20))[0]["step"] == 20


def test_a_scrubbed_moment_shows_the_figures_recorded_then(server: Server) -> None:
    run = server.run(server.parent(*[15] * 6))
    recorded = {int(row[0]): row for row in run.test.since(-1)}
    assert list(run.film) == sorted(recorded) == frames_in(run.film_folder) and len(run.film) >= 7
    for step, (_, nll, kl, mean_std, active) in recorded.items():
        numbers, arrays = read_frame(frame_file(run.film_folder, step))
        assert tuple(np.float32(numbers["terms"][name]) for name in ("nll", "kl")) == (nll, kl)
        assert (np.float32(numbers["meanStd"]), arrays["active"].sum()) == (mean_std, active)


def test_a_reset_begins_a_new_film(server: Server) -> None:
    run = server.run(server.parent(20, 20))
    server.runs.command(run.run_id, "reset")
    assert run.film_folder.name == "film-1" and list(run.film) == frames_in(run.film_folder) == [0]
    assert run.states_folder.name == "states-1" and list(run.states) == steps_in(run.states_folder) == [0]
    server.runs._saved.save(run)
    assert {path.name for path in run.folder.iterdir() if path.is_dir()} == {"film-1", "states-1"}


def test_reconstruction_switched_off_before_the_first_step_never_reached_the_decoder(server: Server) -> None:
    parent = server.parent()  # ready, and has not begun
    server.runs.command(parent, "set", alpha=0)
    diagnosis = server.steps(parent, 60).diagnosis
    assert diagnosis is not None and diagnosis.name == "decoder never trained"
