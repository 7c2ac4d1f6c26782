"""The registry with a real engine process, on the whole of MNIST."""

import os
import signal
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from tests.run_reader import read, steps
from tests.waiting import is_there, wait_for
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.runs.messages import PAUSED, RUNNING, STARTING, STOPPED
from vae_core.runs.news import Cursor
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import SAVED
from vae_core.trainer import Trainer

CONFIG = RunConfig(device="cpu", epochs=1000)


def pid_of(runs: Registry) -> int:
    return runs._engines.of_device("cpu").link.process.pid


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
    """Whom it served at that moment is set aside and goes on when asked to; the other one goes on by itself."""
    runs = [run_id, real.start(CONFIG, "bob")]
    wait_for(lambda: all(len(read(real, run).train) >= 30 for run in runs))
    killed = pid_of(real)
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: all("signal 9" in read(real, run).message for run in runs))
    aside = [run for run in runs if read(real, run).status == SAVED]
    assert len(aside) <= 1  # none, if it served nobody
    reached = {run: steps(real, run)[-1] for run in runs}
    for run in aside:
        real.command(run, "resume")
    wait_for(lambda: all(steps(real, run)[-1] > reached[run] + 20 for run in runs))
    assert pid_of(real) != killed and is_there(pid_of(real)) and not is_there(killed)
    found = {run: read(real, run).train for run in runs}
    for run in runs:
        real.command(run, "stop")
    trainer = Trainer(CONFIG, mnist)
    for _ in range(max(reached.values()) + 20):
        trainer.step()
    undisturbed = trainer.flush()
    for run in runs:
        assert found[run][:, 0].tolist() == list(range(1, len(found[run]) + 1))
        assert np.array_equal(found[run][: reached[run] + 20], undisturbed[: reached[run] + 20])
    real.close_run(runs[1])


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
    pid, folder = pid_of(runs), runs._saved.folder
    assert is_there(pid) and folder.exists()
    runs.close()
    assert not is_there(pid) and not folder.exists()


def test_an_idle_engine_leaves_by_itself_when_the_registry_closes() -> None:
    """It is not left to be killed: an end of its own, not a signal after three seconds of waiting."""
    runs = Registry()
    run_id = runs.start(CONFIG, "ann", paused=True)
    wait_for(lambda: read(runs, run_id).status == PAUSED)
    process = runs._engines.of_device("cpu").link.process
    runs.close()
    assert process.returncode == 0
