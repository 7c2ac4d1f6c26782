"""The registry of runs: with an engine in this process where order matters, with a real one where the process does."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.local_engine import LocalLink
from vae_core.config import ConfigError, RunConfig
from vae_core.data import Images
from vae_core.row_buffer import ROW
from vae_core.runs.engines import DEATHS
from vae_core.runs.held_runs import RUNS_PER_VISITOR
from vae_core.runs.messages import FAILED, FINISHED, PAUSED, RUNNING, STARTING, STOPPED, Command, Update
from vae_core.runs.news import Cursor, News
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import TEST_CAPACITY, TRAIN_CAPACITY, RunRecord
from vae_core.trainer import Trainer

CONFIG = RunConfig(device="cpu", epochs=1000)
BEGINNING = Cursor()


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> None:
    """Poll until something is true; the time is only an upper bound."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def read(runs: Registry, run_id: str, since: Cursor = BEGINNING) -> News:
    news = runs.read(run_id, since)
    assert news is not None
    return news


def steps(runs: Registry, run_id: str) -> list[int]:
    return [int(step) for step in read(runs, run_id).train[:, 0]]


# ---- with an engine in this process


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
    assert server.run(run_id).weights == {"alpha": 1.0, "beta": 0, "learning_rate": 2e-3, "frozen": "none"}
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


def test_what_was_read_is_a_copy(server: Server) -> None:
    run_id = server.start(paused=True)
    server.runs.command(run_id, "step", steps=2)
    server.turn_until(lambda: server.run(run_id).step == 2)
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
    links[0].tell(Update(run_id, 0, RUNNING, step=5, total_steps=10, rows=np.ones((5, len(ROW)), np.float32)))
    assert fake_registry.read(run_id, Cursor()).train.shape == (0, len(ROW))  # type: ignore[union-attr]
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
        assert run.nbytes - snapshot.nbytes <= 1.4e6
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
    assert server.run(run_id).status == FAILED and "signal 9" in server.run(run_id).message
    assert len(server.links) == DEATHS
    again = server.start()  # and a new run gets a new engine
    assert server.run(again).status == RUNNING and len(server.links) == DEATHS + 1


# ---- who is there


def gone(runs: Registry, run_id: str) -> Callable[[], bool]:
    return lambda: runs.get(run_id) is None


@pytest.fixture
def forgetful(links: list[Any]) -> Iterator[Registry]:
    """Ends a visitor's runs a second after their last window has closed."""
    runs = Registry(gone_after_s=1)
    yield runs
    runs.close()


def test_a_visitor_gone_for_long_loses_the_runs(forgetful: Registry, links: list[Any]) -> None:
    stays, leaves = forgetful.start(CONFIG, "ann"), forgetful.start(CONFIG, "bob")
    for visitor in ("ann", "bob"):
        forgetful.arrive(visitor)
    forgetful.leave("bob")
    wait_for(gone(forgetful, leaves))
    assert forgetful.of("bob") == [] and forgetful.read(leaves, Cursor()) is None
    assert links[0].sent[-1] == Command(leaves, "close")  # the engine forgets it too
    assert forgetful.get(stays) is not None


def test_a_visitor_back_in_time_keeps_the_runs(forgetful: Registry) -> None:
    """Bob leaves for good at the same moment; once his run is gone, Ann's would be gone too."""
    kept, lost = forgetful.start(CONFIG, "ann"), forgetful.start(CONFIG, "bob")
    for visitor in ("ann", "bob"):
        forgetful.arrive(visitor)
        forgetful.leave(visitor)
    forgetful.arrive("ann")
    wait_for(gone(forgetful, lost))
    assert forgetful.get(kept) is not None


def test_one_of_two_windows_may_close(forgetful: Registry) -> None:
    kept, lost = forgetful.start(CONFIG, "ann"), forgetful.start(CONFIG, "bob")
    for visitor in ("ann", "ann", "bob"):
        forgetful.arrive(visitor)
    for visitor in ("ann", "bob"):
        forgetful.leave(visitor)
    wait_for(gone(forgetful, lost))
    assert forgetful.get(kept) is not None
    forgetful.leave("ann")
    wait_for(gone(forgetful, kept))


def test_a_run_of_a_visitor_who_never_opened_a_window_ends_too(forgetful: Registry) -> None:
    run_id = forgetful.start(CONFIG, "script")
    wait_for(gone(forgetful, run_id))
    assert forgetful.of("script") == []


def test_leaving_more_often_than_arriving_is_harmless(forgetful: Registry) -> None:
    forgetful.leave("ann")
    forgetful.arrive("ann")
    kept, lost = forgetful.start(CONFIG, "ann"), forgetful.start(CONFIG, "bob")
    wait_for(gone(forgetful, lost))
    assert forgetful.get(kept) is not None
    forgetful.leave("ann")
    wait_for(gone(forgetful, kept))


# ---- with a real engine process on the whole of MNIST


def pid_of(runs: Registry) -> int:
    return runs._engines.of_device("cpu").link.process.pid


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(scope="module")
def real() -> Iterator[Registry]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")  # one thread here and there: the same curve bit for bit
        runs = Registry()
        runs.warm_up("cpu")
        yield runs
        runs.close()


@pytest.fixture
def run_id(real: Registry) -> Iterator[str]:
    run_id = real.start(CONFIG, "ann")
    yield run_id
    real.close_run(run_id)


def test_rows_and_snapshots_arrive_from_the_engine(real: Registry, run_id: str) -> None:
    wait_for(lambda: len(read(real, run_id).train) > 100 and len(read(real, run_id).test) > 1)
    news = read(real, run_id)
    assert news.status == RUNNING and news.device.startswith("CPU") and news.images_per_s > 0
    assert steps(real, run_id) == list(range(1, len(steps(real, run_id)) + 1))
    assert news.snapshot is not None and news.snapshot.mu.shape == (5000, 2)
    assert news.total_steps == 1000 * 235


def test_the_engine_computes_what_a_trainer_computes(real: Registry, run_id: str, mnist: Images) -> None:
    wait_for(lambda: len(read(real, run_id).train) >= 50)
    real.command(run_id, "pause")
    trainer = Trainer(CONFIG, mnist)
    for _ in range(50):
        trainer.step()
    assert np.array_equal(read(real, run_id).train[:50], trainer.flush())


def test_commands_reach_the_engine(real: Registry, run_id: str) -> None:
    wait_for(lambda: read(real, run_id).step > 0)
    real.command(run_id, "pause")
    wait_for(lambda: read(real, run_id).status == PAUSED)
    before = read(real, run_id).step
    real.command(run_id, "set", beta=0)
    real.command(run_id, "step", steps=3)
    wait_for(lambda: read(real, run_id).step == before + 3 and read(real, run_id).status == PAUSED)
    assert [mark.text for mark in read(real, run_id).marks] == [f"beta 1 → 0 at step {before}"]
    real.command(run_id, "stop")
    wait_for(lambda: read(real, run_id).final is not None)
    assert read(real, run_id).status == STOPPED and read(real, run_id).final["images"] == 10_000  # type: ignore[index]


def test_a_killed_engine_is_started_again_and_no_step_is_missing(real: Registry, run_id: str, mnist: Images) -> None:
    wait_for(lambda: len(read(real, run_id).train) >= 30)
    killed = pid_of(real)
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: "signal 9" in read(real, run_id).message)
    reached = steps(real, run_id)[-1]
    wait_for(lambda: read(real, run_id).status == RUNNING and steps(real, run_id)[-1] > reached + 20)
    assert pid_of(real) != killed and alive(pid_of(real)) and not alive(killed)
    found = read(real, run_id).train
    real.command(run_id, "stop")
    assert found[:, 0].tolist() == list(range(1, len(found) + 1))
    trainer = Trainer(CONFIG, mnist)
    for _ in range(reached + 20):
        trainer.step()
    assert np.array_equal(found[: reached + 20], trainer.flush())


def test_runs_go_on_from_several_threads_at_once(real: Registry) -> None:
    """Pages read and command from their own threads while updates arrive on another."""
    failures: list[BaseException] = []

    def visitor(name: str) -> None:
        try:
            own = real.start(CONFIG, name)
            cursor, seen = Cursor(), []
            deadline = time.monotonic() + 60
            while len(seen) < 20 and time.monotonic() < deadline:
                news = read(real, own, cursor)
                cursor, seen = news.cursor, ([] if news.fresh else seen) + news.train[:, 0].tolist()
                time.sleep(0.01)
            real.close_run(own)
            assert len(seen) >= 20 and seen == list(range(1, len(seen) + 1))
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=visitor, args=(f"visitor {i}",)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_close_ends_the_process_and_removes_its_files() -> None:
    runs = Registry()
    run_id = runs.start(CONFIG, "ann")
    assert runs.get(run_id).status == STARTING  # type: ignore[union-attr]
    wait_for(lambda: read(runs, run_id).step > 0)
    pid, folder = pid_of(runs), runs._folder
    assert alive(pid) and folder.exists()
    runs.close()
    assert not alive(pid) and not folder.exists()


def test_an_idle_engine_leaves_by_itself_when_the_registry_closes() -> None:
    """It is not left to be killed: an end of its own, not a signal after three seconds of waiting."""
    runs = Registry()
    run_id = runs.start(CONFIG, "ann", paused=True)
    wait_for(lambda: read(runs, run_id).status == PAUSED)
    process = runs._engines.of_device("cpu").link.process
    runs.close()
    assert process.returncode == 0
