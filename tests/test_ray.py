"""A real Ray cluster of two workers on this machine: engines of a class and a sweep train there, and workers die."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.run_reader import read
from tests.test_house import ROOT, SOURCES, offenders
from tests.waiting import wait_for
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.runs.messages import PAUSED, STOPPED
from vae_core.runs.ray_link import LOOPBACK
from vae_core.runs.registry import Registry
from vae_core.runs.room import room_status
from vae_core.runs.run_record import SAVED
from vae_core.runs.storage import steps_in
from vae_core.sweep import __main__ as sweep
from vae_core.sweep.cell import train_cell
from vae_core.sweep.record import read_record
from vae_core.trainer import Trainer

OWN = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "5" * 64, **LOOPBACK}
SOON = {  # a lost worker is noticed within a second, not within fifteen
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 300,
    "health_check_failure_threshold": 3,
    "health_check_timeout_ms": 5000,
}
SETTINGS = ["--betas", "1", "--steps", "20", "--widths", "16", "--device", "cpu"]
CONFIG = RunConfig(device="cpu", epochs=1000, widths="32")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head that trains nothing, and two workers of one core each."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in OWN.items():
            patch.setenv(name, value)
        from ray.cluster_utils import Cluster

        head: dict[str, Any] = {"num_cpus": 0, "node_ip_address": "127.0.0.1", "include_dashboard": False}
        head["_system_config"] = SOON
        made = Cluster(initialize_head=True, head_node_args=head)
        for _ in range(2):
            add_worker(made)
        yield made
        made.shutdown()


def add_worker(cluster: Any) -> None:
    cluster.add_node(num_cpus=1, node_ip_address="127.0.0.1")


def engines_of(worker: Any) -> list[int]:
    """Processes of the engines that a worker has: children of its raylet, as the system knows them."""
    parent = worker.all_processes["raylet"][0].process.pid
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            title = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(after_name[1]) == parent and b"RemoteEngine" in title:
            found.append(int(stat.parent.name))
    return found


@pytest.fixture
def runs(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    monkeypatch.setenv("ELBO_ROOM_RAY", cluster.address)
    made = Registry()
    made.warm_up()
    yield made
    made.close()


def undisturbed(config: RunConfig, images: Images, count: int) -> np.ndarray:
    trainer = Trainer(config, images)
    for _ in range(count):
        trainer.step()
    return trainer.flush()


def kept_steps(runs: Registry, run_id: str) -> list[int]:
    """Of the states of a run that lie on the server's disk."""
    run = runs.get(run_id)
    assert run is not None
    return steps_in(run.states_folder)


def test_runs_train_on_the_cluster_and_outlive_a_worker(cluster: Any, runs: Registry, mnist: Images) -> None:
    ann = runs.start(CONFIG, "ann")
    wait_for(lambda: len(read(runs, ann).train) >= 50)
    runs.command(ann, "pause")
    wait_for(lambda: read(runs, ann).status == PAUSED and kept_steps(runs, ann)[-1:] == [read(runs, ann).step])
    reached = read(runs, ann).step
    runs.command(ann, "step", steps=3)
    bob = runs.start(CONFIG.with_(seed=1), "bob")
    wait_for(lambda: len(read(runs, bob).train) >= 50)
    assert (read(runs, ann).status, read(runs, ann).step) == (PAUSED, reached + 3)
    assert [len(engines_of(worker)) for worker in cluster.worker_nodes] == [1, 1]
    wait_for(lambda: all(engine.line for engine in room_status(runs).engines))  # said once a second
    engines = [(engine.device.split(" on ")[1], engine.runs) for engine in room_status(runs).engines]
    assert engines == [(socket.gethostname(), 1)] * 2
    runs.command(ann, "resume")
    wait_for(lambda: read(runs, ann).step > reached + 3 and read(runs, bob).states)

    kept = {run: read(runs, run).states[-1] for run in (ann, bob)}
    cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
    wait_for(lambda: [engine.runs for engine in room_status(runs).engines] == [2])  # the other engine has both
    seen = {run: read(runs, run).step + 50 for run in (ann, bob)}
    least = dict(seen)

    def have_trained() -> bool:
        now = {run: read(runs, run).step for run in seen}
        least.update({run: min(least[run], now[run]) for run in now})
        return all(now[run] >= seen[run] for run in now)

    wait_for(have_trained)
    assert all(least[run] >= kept[run] > 0 for run in kept)  # neither began anew
    for run_id, seed in ((ann, 0), (bob, 1)):
        runs.command(run_id, "stop")
        found = read(runs, run_id).train[: seen[run_id]]
        assert np.array_equal(found, undisturbed(CONFIG.with_(seed=seed), mnist, seen[run_id]))  # no step is missing
    assert sum("was lost" in read(runs, run).message for run in (ann, bob)) == 1
    wait_for(lambda: {read(runs, run).status for run in (ann, bob)} == {STOPPED})
    add_worker(cluster)


def test_a_wrong_address_is_one_sentence_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELBO_ROOM_RAY", "127.0.0.1:1")
    runs = Registry()
    run_id = runs.start(CONFIG, "ann")
    wait_for(lambda: read(runs, run_id).status == SAVED)
    said = read(runs, run_id).message
    assert "press Resume" in said and "No Ray cluster answers at 127.0.0.1:1" in said and "`ray start --head`" in said
    assert said.count("\n") == 0 and room_status(runs).sentences[-1].text in said
    runs.close()


def test_a_worker_dies_and_the_sweep_ends_whole(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def kill_a_worker(text: str, error: bool = False) -> None:
        said.append(text)
        if len(said) == 1:
            cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)

    monkeypatch.setattr(sweep, "report", kill_a_worker)
    arguments = [*SETTINGS, "--seeds", "0", "1", "2", "--out", str(tmp_path)]
    assert sweep.main([*arguments, "--ray", cluster.address]) == 0
    assert len(said) == 3 and len(cluster.worker_nodes) == 1 and read_record(tmp_path)["missing"] == []
    for seed in range(3):
        alone = train_cell(RunConfig(steps=20, widths="16", device="cpu", seed=seed)).files
        for file in ("model.safetensors", "history.csv"):
            assert (tmp_path / f"beta-1-dim-2-seed-{seed}" / file).read_bytes() == alone[file]


def test_where_ray_is_missing_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not installed
    assert sweep.main([*SETTINGS, "--ray", "local", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "error: --ray needs Ray: python -m pip install -r requirements-ray.txt\n"


def test_ray_is_imported_in_one_place_and_pinned() -> None:
    assert {line.split()[0] for line in offenders(SOURCES, "ray")} == {"vae_core.runs.ray_link"}
    assert "ray==" in (ROOT / "requirements-ray.txt").read_text(encoding="utf-8")
    assert "ray==" not in (ROOT / "requirements.txt").read_text(encoding="utf-8")
