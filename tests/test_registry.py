"""The registry of runs, with an engine in this process: what is kept, what is sent, what is read."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.local_engine import LocalLink
from tests.run_reader import read
from vae_core.config import ConfigError, LiveSettings, RunConfig
from vae_core.data import Images
from vae_core.runs.engines import DEATHS
from vae_core.runs.held_runs import RUNS_PER_VISITOR
from vae_core.runs.log import last_sentences
from vae_core.runs.messages import FINISHED, PAUSED, RUNNING, STOPPED, Update
from vae_core.runs.news import Cursor
from vae_core.runs.progress import TEST_CAPACITY, TRAIN_CAPACITY
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import SAVED, RunRecord
from vae_core.trainer import Trainer

CONFIG = RunConfig(device="cpu", epochs=1000, widths="32")


class Server:
    """A registry and the engine that works for it at the moment."""

    def __init__(self, runs: Registry, links: list[LocalLink]) -> None:
        self.runs, self.links = runs, links

    @property
    def link(self) -> LocalLink:
        return self.links[-1]

    def turn_until(self, condition: Callable[[], Any], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            self.link.turn()

    def run(self, run_id: str) -> RunRecord:
        run = self.runs.get(run_id)
        assert run is not None
        return run

    def start(self, visitor: str = "ann", config: RunConfig = CONFIG, paused: bool = False) -> str:
        return self.runs.start(config, visitor, paused)


@pytest.fixture
def server(local_registry: tuple[Registry, list[LocalLink]]) -> Server:
    return Server(*local_registry)


def test_run_ids_cannot_be_guessed(server: Server) -> None:
    ids = {server.start(paused=True) for _ in range(20)}
    assert len(ids) == 20 and min(len(i) for i in ids) >= 22  # 128 bits


def test_visitors_have_runs_of_their_own_newest_first(server: Server) -> None:
    first, second, other = server.start("ann"), server.start("ann"), server.start("bob")
    assert [run.run_id for run in server.runs.of("ann")] == [second, first]
    assert [run.run_id for run in server.runs.of("bob")] == [other]
    assert server.runs.of("eve") == []


def test_a_second_run_of_a_visitor_stops_the_first_and_no_one_elses(server: Server) -> None:
    first, other = server.start("ann"), server.start("bob")
    second = server.start("ann")
    assert [server.run(i).status for i in (first, other, second)] == [STOPPED, RUNNING, RUNNING]


def test_only_the_newest_runs_of_a_visitor_are_kept(server: Server) -> None:
    ids = [server.start("ann", paused=True) for _ in range(RUNS_PER_VISITOR + 3)]
    assert [run.run_id for run in server.runs.of("ann")] == ids[::-1][:RUNS_PER_VISITOR]
    assert server.runs.get(ids[0]) is None and server.runs.read(ids[0], Cursor()) is None
    assert set(server.link.engine.tasks) == set(ids[-RUNS_PER_VISITOR:])  # type: ignore[union-attr]


def test_a_run_started_paused_waits(server: Server) -> None:
    run_id = server.start(paused=True)
    for _ in range(3):
        server.link.turn()
    assert server.run(run_id).status == PAUSED and server.run(run_id).step == 0


def test_weights_that_cannot_be_used_are_refused_and_never_sent(server: Server) -> None:
    run_id = server.start(paused=True)
    for weights in ({"alpha": 0, "beta": 0}, {"beta": float("nan")}, {"beta": -1}, {"learning_rate": 0}):
        with pytest.raises(ConfigError):
            server.runs.command(run_id, "set", **weights)
    server.runs.command(run_id, "set", beta=0)
    with pytest.raises(ConfigError, match="nothing to minimise"):  # checked against the weights in force
        server.runs.command(run_id, "set", alpha=0)
    assert server.run(run_id).settings == LiveSettings(alpha=1.0, beta=0, learning_rate=2e-3, frozen="none")
    assert [mark.text for mark in server.run(run_id).marks] == ["beta 1 → 0 at step 0"]


def test_an_unknown_device_is_refused_before_anything_is_started(server: Server) -> None:
    with pytest.raises(ConfigError):
        server.start(config=CONFIG.with_(device="mps"))
    assert server.links == [] and server.runs.of("ann") == []


def test_a_cursor_reads_only_what_is_new(server: Server) -> None:
    run_id = server.start(paused=True)
    first = read(server.runs, run_id)
    assert first.fresh and first.snapshot is not None and len(first.train) == 0
    server.runs.command(run_id, "step", steps=3)
    server.turn_until(lambda: server.run(run_id).step == 3)
    second = read(server.runs, run_id, first.cursor)
    assert not second.fresh and second.train[:, 0].tolist() == [1, 2, 3]
    assert second.snapshot is not None and second.test[-1, 0] == 3 and second.test[0, 0] > 0
    server.runs.command(run_id, "set", beta=2.0)
    third = read(server.runs, run_id, second.cursor)
    assert len(third.train) == len(third.test) == 0 and third.snapshot is None
    assert [mark.step for mark in third.marks] == [3]
    assert read(server.runs, run_id, third.cursor).marks == ()
    everything = read(server.runs, run_id)
    assert everything.train[:, 0].tolist() == [1, 2, 3]
    assert everything.test[:, 0].tolist() == [0, *second.test[:, 0]]


def test_nobody_can_write_into_what_was_read(server: Server) -> None:
    run_id = server.start(paused=True)
    server.runs.command(run_id, "step", steps=2)
    server.turn_until(lambda: server.run(run_id).step == 2)
    with pytest.raises(ValueError, match="read-only"):
        read(server.runs, run_id).train[:] = -1
    assert read(server.runs, run_id).train[:, 0].tolist() == [1, 2]


def test_after_a_reset_a_reader_starts_afresh(server: Server) -> None:
    run_id = server.start(paused=True)
    server.runs.command(run_id, "step", steps=3)
    server.turn_until(lambda: server.run(run_id).step == 3)
    before = read(server.runs, run_id)
    server.runs.command(run_id, "reset")
    after = read(server.runs, run_id, before.cursor)
    assert after.fresh and after.generation == before.generation + 1
    assert after.step == 0 and len(after.train) == 0 and after.test[:, 0].tolist() == [0]
    assert after.snapshot is not None and after.snapshot.step == 0


def test_a_late_update_of_before_the_reset_is_dropped(links: list[Any], fake_registry: Registry) -> None:
    run_id = fake_registry.start(CONFIG, "ann")
    links[0].tell(Update(run_id, 1, PAUSED, step=0, total_steps=10))
    links[0].tell(Update(run_id, 0, RUNNING, step=5, total_steps=10, rows=np.ones((5, 4), np.float32)))
    assert fake_registry.read(run_id, Cursor()).train.shape == (0, 4)  # type: ignore[union-attr]
    assert fake_registry.get(run_id).status == PAUSED  # type: ignore[union-attr]


def test_memory_of_a_run_is_bounded_as_stated(server: Server) -> None:
    """1.4 MB of curves and 1 MB of snapshot at 32 latents, however long the run."""
    run_id = server.start(config=CONFIG.with_(latent_dim=32), paused=True)
    run, many = server.run(run_id), 3 * TRAIN_CAPACITY
    rows = np.column_stack([np.arange(1, many + 1)] + [np.ones(many)] * 3).astype(np.float32)
    snapshot = run.snapshot
    assert snapshot is not None and snapshot.mu.shape == (500, 32)
    for start in range(0, many, 7_000):
        block = rows[start : start + 7_000]
        run.take(Update(run_id, 0, RUNNING, step=start, total_steps=many, rows=block, snapshot=snapshot))
        assert run.train.nbytes + run.test.nbytes <= 1.4e6
    assert TRAIN_CAPACITY * 4 * 4 + TEST_CAPACITY * 5 * 4 <= 1.4e6
    ten_times = snapshot.mu.nbytes * 10 + snapshot.xy.nbytes * 10  # the map has 5,000 images on the whole of MNIST
    assert ten_times + 60 * 28 * 28 + 5_000 <= 1e6


def test_after_thinning_a_reader_starts_afresh(server: Server) -> None:
    run = server.run(server.start(paused=True))
    rows = np.column_stack([np.arange(1, TRAIN_CAPACITY + 2)] + [np.ones(TRAIN_CAPACITY + 1)] * 3).astype(np.float32)
    run.take(Update(run.run_id, 0, RUNNING, total_steps=10**6, rows=rows[: TRAIN_CAPACITY - 1]))
    before = read(server.runs, run.run_id)
    run.take(Update(run.run_id, 0, RUNNING, total_steps=10**6, rows=rows[TRAIN_CAPACITY - 1 :]))
    after = read(server.runs, run.run_id, before.cursor)
    assert after.fresh and 0 < len(after.train) < TRAIN_CAPACITY
    assert not read(server.runs, run.run_id, after.cursor).fresh


# ---- when the engine dies


def test_a_paused_run_comes_back_paused_at_its_step(server: Server, small: Images) -> None:
    run_id = server.start(paused=True)
    server.runs.command(run_id, "step", steps=5)
    server.turn_until(lambda: server.run(run_id).step == 5)
    server.link.die()
    assert len(server.links) == 2
    assert (server.run(run_id).status, server.run(run_id).step) == (PAUSED, 5)
    assert "signal 9" in read(server.runs, run_id).message
    server.runs.command(run_id, "step", steps=5)
    server.turn_until(lambda: server.run(run_id).step == 10)
    trainer = Trainer(CONFIG, small)
    for _ in range(10):
        trainer.step()
    assert np.array_equal(read(server.runs, run_id).train, trainer.flush())


def test_a_finished_run_whose_figures_were_still_to_come_gets_them(server: Server) -> None:
    run_id = server.start(config=CONFIG.with_(epochs=1))
    server.turn_until(lambda: server.run(run_id).status == FINISHED)
    assert server.run(run_id).final is None
    server.link.die()
    server.turn_until(lambda: server.run(run_id).final is not None, seconds=5)


def test_a_finished_run_can_be_reset_although_its_engine_died(server: Server) -> None:
    run_id = server.start(config=CONFIG.with_(epochs=1))
    server.turn_until(lambda: server.run(run_id).final is not None)
    server.link.die()
    server.runs.command(run_id, "reset")
    assert (server.run(run_id).status, server.run(run_id).generation) == (PAUSED, 1)


def test_an_engine_that_keeps_dying_is_given_up_with_a_sentence(server: Server) -> None:
    run_id = server.start()
    for _ in range(DEATHS):
        assert server.run(run_id).status == RUNNING
        server.link.die()
    run = server.run(run_id)
    assert (
        run.status == SAVED and "signal 9" in run.message and "press Resume to go on from its beginning" in run.message
    )
    assert len(server.links) == DEATHS
    server.runs.command(run_id, "resume")  # there is a new engine then
    assert run.status == RUNNING and len(server.links) == DEATHS + 1


@pytest.mark.parametrize("dies", ["first", "fourth"])
def test_only_the_run_that_was_served_falls_and_can_be_resumed(dies: str, server: Server, small: Images) -> None:
    """However often: what serves nobody is no fault of the others."""
    culprit, other = server.runs.start(CONFIG, "ann"), server.runs.start(CONFIG, "bob")
    resting = server.runs.start(CONFIG, "eve", paused=True)
    server.turn_until(lambda: server.run(culprit).step > 20 and server.run(other).step > 20)
    for _ in range(1 if dies == "first" else 4):
        server.link.die(served=culprit)
        run = server.run(culprit)
        assert run.status == SAVED and "while it served this run" in run.message and "signal 9" in run.message
        assert "cpu died (signal 9) while it served a run; 3 runs were open" in last_sentences()[-1].text
        assert server.run(other).status == RUNNING and server.run(resting).status == PAUSED
        server.runs.command(culprit, "resume")
        assert run.status == RUNNING
        reached = run.step
        server.turn_until(lambda reached=reached: server.run(culprit).step > reached + 3)
    steps = read(server.runs, culprit).train[:, 0]
    assert steps.tolist() == list(range(1, len(steps) + 1))


def test_an_arm_that_fell_catches_up_with_its_group(server: Server) -> None:
    group = server.runs.start_group([("full", CONFIG), ("no KL", CONFIG.with_(beta=0))], "ann")
    arms = server.runs.members(group)
    server.turn_until(lambda: all(run.step > 5 for run in arms))
    server.link.die(served=arms[0].run_id)
    assert [run.status for run in arms] == [SAVED, RUNNING]
    server.turn_until(lambda: arms[1].step > 30)
    server.runs.command_group(group, "resume")
    server.turn_until(lambda: arms[0].step > 40)
    assert len({run.step for run in arms}) == 1


def test_states_that_an_engine_could_not_tell_of_are_removed(server: Server) -> None:
    run = server.run(server.start(paused=True))
    server.runs.command(run.run_id, "step", steps=5)
    server.turn_until(lambda: run.states[-1] == 5)
    for name in ("000000007.safetensors", ".000000009.safetensors.x8d"):
        (run.states_folder / name).write_bytes(b"half")
    server.link.die()
    assert sorted(path.name for path in run.states_folder.iterdir()) == [
        f"{step:09d}.safetensors" for step in run.states
    ]


def test_a_registry_that_has_ended_starts_no_engine_that_would_outlive_it(links: list[Any]) -> None:
    """Pages still run for a moment after Ctrl-C."""
    runs = Registry()
    run_id = runs.start(CONFIG, "ann")
    runs.close()
    for press in (lambda: runs.start(CONFIG, "bob"), lambda: runs.command(run_id, "resume"), runs.warm_up):
        with pytest.raises(ConfigError, match="ending"):
            press()
    assert len(links) == 1
