"""Arms that train in step: they differ in the loss alone, each goes as it would alone, and they stay together."""

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.local_engine import LocalLink
from vae_core.config import ConfigError, RunConfig
from vae_core.data import Images
from vae_core.runs import engines as engines_module
from vae_core.runs.groups import ARMS
from vae_core.runs.held_runs import GROUPS_PER_VISITOR
from vae_core.runs.messages import FAILED, FINISHED, PAUSED, RUNNING, STOPPED
from vae_core.runs.news import Cursor
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import SAVED, RunRecord
from vae_core.runs.snapshot_file import read_frame
from vae_core.runs.storage import frame_file
from vae_core.trainer import Trainer

CONFIG = RunConfig(device="cpu", epochs=1000, widths="32")
LOSSES: dict[str, dict[str, Any]] = {
    "full": {},
    "no KL": {"beta": 0.0},
    "no reconstruction": {"alpha": 0.0},
    "plain autoencoder": {"model": "ae", "beta": 0.0},
}
THREE = [(name, CONFIG.with_(**LOSSES[name])) for name in ("full", "no KL", "no reconstruction")]


class Server:
    """A registry, and the engine that works for it in this process."""

    def __init__(self, runs: Registry, links: list[LocalLink]) -> None:
        self.runs, self.links = runs, links

    def arms(self, group: str) -> dict[str, RunRecord]:
        return {run.arm.name: run for run in self.runs.members(group) if run.arm}

    def until(self, group: str, step: int) -> dict[str, RunRecord]:
        """Turns until every arm has made so many steps."""
        deadline = time.monotonic() + 120
        while min(run.step for run in self.arms(group).values()) < step:
            assert time.monotonic() < deadline, [run.message for run in self.arms(group).values()]
            self.links[-1].turn()
        return self.arms(group)

    def steps(self, group: str, steps: int) -> dict[str, RunRecord]:
        """Exactly so many steps, then a pause."""
        goal = max(run.step for run in self.arms(group).values()) + steps
        self.runs.command_group(group, "step", steps=steps)
        return self.until(group, goal)


@pytest.fixture
def server(local_registry: tuple[Registry, list[LocalLink]]) -> Server:
    return Server(*local_registry)


def rows(run: RunRecord) -> np.ndarray:
    return run.train.since(-1)


def test_arms_begin_with_the_same_weights_and_see_the_same_batches_and_noise(small: Images) -> None:
    trainers = [Trainer(CONFIG.with_(**changes), small) for changes in LOSSES.values()]
    first = trainers[0]
    for other in trainers[1:]:
        for (name, mine), theirs in zip(
            first.model.state_dict().items(), other.model.state_dict().values(), strict=True
        ):
            assert torch.equal(mine, theirs), name
    for _ in range(12):  # over the end of an epoch: 8 steps
        batches = [trainer.batch() for trainer in trainers]
        for x, eps in batches[1:]:
            assert torch.equal(x, batches[0][0]) and torch.equal(eps, batches[0][1])
        for trainer in trainers:
            trainer.step()


def test_the_first_nll_is_the_same_for_all_arms_that_sample(small: Images) -> None:
    first = []
    for changes in LOSSES.values():
        trainer = Trainer(CONFIG.with_(**changes), small)
        trainer.step()
        first.append(trainer.flush()[0, 1])
    assert first[0] == first[1] == first[2] != first[3]  # the autoencoder decodes mu


def test_equal_weights_give_equal_curves_in_a_group(server: Server) -> None:
    group = server.runs.start_group([("one", CONFIG), ("two", CONFIG), ("off", CONFIG.with_(beta=0.0))], "ann", True)
    arms = server.steps(group, 20)
    assert np.array_equal(rows(arms["one"]), rows(arms["two"]))
    assert not np.array_equal(rows(arms["one"]), rows(arms["off"]))


def test_an_arm_goes_as_it_would_alone(server: Server, small: Images) -> None:
    group = server.runs.start_group(THREE, "ann", paused=True)
    arms = server.steps(group, 20)
    for name, config in THREE:
        alone = Trainer(config, small)
        for _ in range(20):
            alone.step()
        assert np.array_equal(rows(arms[name]), alone.flush()), name


def test_arms_stay_in_step_and_are_filmed_at_the_same_steps(server: Server) -> None:
    group = server.runs.start_group(THREE, "ann")
    deadline = time.monotonic() + 120
    while min(run.step for run in server.arms(group).values()) < 80:
        assert time.monotonic() < deadline
        server.links[-1].turn()
        tasks = server.links[-1].engine.tasks.values()  # type: ignore[union-attr]
        assert len({task.trainer.step_count for task in tasks}) == 1
    server.runs.command_group(group, "pause")
    arms = server.arms(group)
    assert {run.status for run in arms.values()} == {PAUSED}
    films = [run.film for run in arms.values()]
    assert len(films[0]) >= 3 and films[0] == films[1] == films[2]


def test_where_arms_rest_each_has_its_meter(server: Server) -> None:
    group = server.runs.start_group([*THREE[:2], ("ae", CONFIG.with_(**LOSSES["plain autoencoder"]))], "ann", True)
    arms = server.steps(group, 10)
    for run in arms.values():
        numbers, _ = read_frame(frame_file(run.film_folder, 10))
        assert numbers["meter"] == run.snapshot.metrics is not None  # type: ignore[union-attr]
    assert arms["ae"].snapshot.metrics["kl"] is None and arms["full"].snapshot.metrics["kl"] > 0  # type: ignore


def test_a_term_is_switched_off_in_one_arm_only(server: Server) -> None:
    group = server.runs.start_group(THREE, "ann", paused=True)
    arms = server.steps(group, 5)
    server.runs.command(arms["full"].run_id, "set", beta=0.0)
    arms = server.steps(group, 5)
    assert [mark.text for mark in arms["full"].marks] == ["beta 1 → 0 at step 5"]
    assert arms["no KL"].marks == () and arms["no reconstruction"].settings.beta == 1.0


def test_a_branch_of_an_arm_joins_the_group_and_catches_up(server: Server, small: Images) -> None:
    group = server.runs.start_group(THREE, "ann", paused=True)
    server.steps(group, 6)
    arms = server.steps(group, 7)
    parent = arms["no KL"]
    assert 6 in parent.states
    branch = server.runs.branch(parent.run_id, 6, {"alpha": 1.0, "beta": 0.0, "learning_rate": 2e-3, "frozen": "none"})
    server.until(group, 13)
    server.runs.command_group(group, "pause")
    name = "no KL, branch at 6"
    assert server.arms(group)[name].run_id == branch
    server.runs.command_group(group, "resume")
    arms = server.until(group, 30)
    tasks = server.links[-1].engine.tasks.values()  # type: ignore[union-attr]
    assert len({task.trainer.step_count for task in tasks}) == 1
    server.runs.command_group(group, "pause")
    ours, theirs = rows(arms[name]), rows(arms["no KL"])
    both = min(len(ours), len(theirs))
    assert both >= 30 and np.array_equal(ours[:both], theirs[:both])  # unchanged weights: the very same curve


def test_a_reset_brings_all_arms_back_to_the_same_weights(server: Server) -> None:
    group = server.runs.start_group(THREE, "ann", paused=True)
    server.steps(group, 5)
    server.runs.command_group(group, "reset")
    arms = server.arms(group)
    assert {(run.status, run.step, run.generation) for run in arms.values()} == {(PAUSED, 0, 1)}
    first, *others = [run.snapshot for run in arms.values()]
    assert first is not None
    for other in others:
        assert other is not None and np.array_equal(first.mu, other.mu)


def test_groups_are_listed_apart_and_the_oldest_is_forgotten(server: Server) -> None:
    alone = server.runs.start(CONFIG, "ann", paused=True)
    groups = [server.runs.start_group(THREE, "ann", paused=True) for _ in range(GROUPS_PER_VISITOR + 1)]
    assert server.runs.groups_of("ann") == groups[:0:-1]
    assert [run.run_id for run in server.runs.of("ann")] == [alone]
    assert server.runs.members(groups[0]) == [] and server.runs.groups_of("bob") == []
    with pytest.raises(KeyError):
        server.runs.command_group(groups[0], "pause")


def test_one_thing_trains_per_visitor(server: Server) -> None:
    alone = server.runs.start(CONFIG, "ann")
    group = server.runs.start_group(THREE, "ann")
    assert server.runs.get(alone).status == STOPPED  # type: ignore[union-attr]
    assert {run.status for run in server.arms(group).values()} == {RUNNING}
    server.runs.start(CONFIG, "ann")
    assert {run.status for run in server.arms(group).values()} == {STOPPED}


@pytest.mark.parametrize(
    ("arms", "sentence"),
    [
        ([], "Choose one to"),
        ([(str(i), CONFIG) for i in range(ARMS + 1)], "Choose one to"),
        ([("a", CONFIG), ("a", CONFIG)], "same name"),
        ([("a", CONFIG), ("b", CONFIG.with_(seed=1))], "share their seed"),
        ([("a", CONFIG), ("b", CONFIG.with_(batch_size=64))], "share their batch size"),
    ],
)
def test_arms_that_cannot_be_in_step_are_refused(server: Server, arms: list[Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        server.runs.start_group(arms, "ann")


def test_branches_at_one_step_keep_names_of_their_own(server: Server) -> None:
    group = server.runs.start_group(THREE[:1], "ann", paused=True)
    parent = server.steps(group, 3)["full"]
    ids = [server.runs.branch(parent.run_id, 3, {"beta": 0.0}, paused=True) for _ in range(3)]
    server.runs.close_run(ids[1])
    server.runs.branch(parent.run_id, 3, {"beta": 0.0}, paused=True)
    assert len(server.arms(group)) == 4 == len({run.arm for run in server.runs.members(group)})


def test_a_step_of_the_group_takes_a_branch_that_is_behind_along(server: Server) -> None:
    group = server.runs.start_group(THREE[:2], "ann", paused=True)
    server.steps(group, 4)
    parent = server.steps(group, 5)["full"]
    server.runs.branch(parent.run_id, 4, {"beta": 0.0}, paused=True)
    arms = server.steps(group, 1)
    assert {(run.step, run.status) for run in arms.values()} == {(10, PAUSED)}


def test_an_arm_that_diverges_leaves_the_others_alone(server: Server) -> None:
    wild = CONFIG.with_(learning_rate=1e3)
    group = server.runs.start_group([("wild", wild), ("full", CONFIG)], "ann")
    deadline = time.monotonic() + 120
    while server.arms(group)["wild"].status == RUNNING and time.monotonic() < deadline:
        server.links[-1].turn()
    arms = server.arms(group)
    assert arms["wild"].status == FAILED and "learning rate 1000" in arms["wild"].message
    said = {name: run.diagnosis.name for name, run in arms.items() if run.diagnosis}
    assert arms["full"].status == RUNNING and said["wild"] == "diverged" != said["full"]
    before = arms["full"].step
    server.runs.command_group(group, "step", steps=3)
    while arms["full"].status == RUNNING and time.monotonic() < deadline:
        server.links[-1].turn()
    assert arms["full"].step > before and arms["wild"].status == FAILED


def test_a_group_outlives_its_engine(server: Server) -> None:
    group = server.runs.start_group(THREE, "ann", paused=True)
    server.steps(group, 5)
    server.links[-1].die()
    assert {(run.status, run.step) for run in server.arms(group).values()} == {(PAUSED, 5)}
    arms = server.steps(group, 5)
    alone = Trainer(THREE[1][1])
    for _ in range(10):
        alone.step()
    assert np.array_equal(rows(arms["no KL"]), alone.flush())


def test_a_rest_is_told_with_its_meter_although_its_picture_was_told_before(server: Server) -> None:
    group = server.runs.start_group(THREE[:1], "ann", paused=True)
    run = server.steps(group, 3)["full"]
    assert run.snapshot is not None
    measured, bare = run.snapshot, replace(run.snapshot, metrics=None)
    run.change(snapshot=bare)
    read = server.runs.read(run.run_id, Cursor())
    assert read is not None and read.snapshot is bare
    run.change(snapshot=measured)
    again = server.runs.read(run.run_id, read.cursor)
    assert again is not None and again.snapshot is measured


def test_what_has_ended_leaves_the_memory_of_the_engine_and_can_be_reset(server: Server) -> None:
    group = server.runs.start_group([(name, config.with_(epochs=1)) for name, config in THREE], "ann")
    deadline = time.monotonic() + 60
    while any(run.final is None for run in server.arms(group).values()) and time.monotonic() < deadline:
        server.links[-1].turn()
    assert not server.links[-1].engine.tasks  # type: ignore[union-attr]
    server.runs.command_group(group, "reset")
    assert {(run.status, run.step) for run in server.arms(group).values()} == {(PAUSED, 0)}


def test_a_full_group_takes_no_branch(server: Server) -> None:
    group = server.runs.start_group([(str(i), CONFIG) for i in range(ARMS)], "ann", paused=True)
    arms = server.steps(group, 3)
    with pytest.raises(ConfigError, match="take one away"):
        server.runs.branch(arms["0"].run_id, 3, {"beta": 0.0})
    server.runs.close_run(arms["4"].run_id)
    server.runs.branch(arms["0"].run_id, 3, {"beta": 0.0})
    assert len(server.arms(group)) == ARMS


def test_a_plain_autoencoder_has_no_kl_to_switch_on(server: Server) -> None:
    group = server.runs.start_group([("ae", CONFIG.with_(**LOSSES["plain autoencoder"]))], "ann", paused=True)
    run = server.arms(group)["ae"]
    with pytest.raises(ConfigError, match="no KL term"):
        server.runs.command(run.run_id, "set", beta=1.0)


def test_a_group_ends_together_and_no_arm_trains_on(server: Server) -> None:
    group = server.runs.start_group([(n, c.with_(epochs=2)) for n, c in THREE], "ann")
    arms = server.until(group, 16)
    deadline = time.monotonic() + 60
    while any(run.final is None for run in arms.values()) and time.monotonic() < deadline:
        server.links[-1].turn()
    assert {(run.status, run.step) for run in arms.values()} == {(FINISHED, 16)}


def test_a_group_is_found_again_after_a_restart(small_data: Images, monkeypatch: Any, tmp_path: Any) -> None:
    monkeypatch.setattr(engines_module, "EngineProcess", LocalLink)
    first = Registry(root=tmp_path)
    group = first.start_group(THREE, "ann", paused=True)
    first.close()
    again = Registry(root=tmp_path)
    try:
        again.visitors.enter("ann")
        again.find_saved("ann")
        assert again.groups_of("ann") == [group] and again.of("ann") == []
        arms = again.members(group)
        assert [run.arm.name for run in arms if run.arm] == [name for name, _ in THREE]
        assert {run.status for run in arms} == {SAVED}
        again.command_group(group, "step", steps=2)
    finally:
        again.close()
