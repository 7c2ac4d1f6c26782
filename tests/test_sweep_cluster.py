"""A sweep on a real Ray cluster of two workers on this machine, one of which dies in its midst."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.test_house import ROOT, SOURCES, offenders
from vae_core.config import RunConfig
from vae_core.sweep import __main__ as sweep
from vae_core.sweep.cell import train_cell
from vae_core.sweep.cluster import LOOPBACK
from vae_core.sweep.record import read_record

OWN = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "5" * 64, **LOOPBACK}
SETTINGS = ["--betas", "1", "--steps", "20", "--widths", "16", "--device", "cpu"]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head that trains nothing, and two workers of one core each."""
    for name, value in OWN.items():
        monkeypatch.setenv(name, value)
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "node_ip_address": "127.0.0.1", "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(2):
        made.add_node(num_cpus=1, node_ip_address="127.0.0.1")
    yield made
    made.shutdown()


def test_a_worker_dies_and_the_sweep_ends_whole(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def kill_a_worker(text: str, error: bool = False) -> None:
        said.append(text)
        if len(said) == 1:
            cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)

    monkeypatch.setattr(sweep, "report", kill_a_worker)
    arguments = [*SETTINGS, "--seeds", "0", "1", "2", "3", "--out", str(tmp_path)]
    assert sweep.main([*arguments, "--ray", cluster.address]) == 0
    assert len(said) == 4 and len(cluster.worker_nodes) == 1 and read_record(tmp_path)["missing"] == []
    for seed in range(4):
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
    assert {line.split()[0] for line in offenders(SOURCES, "ray")} == {"vae_core.sweep.cluster"}
    assert "ray==" in (ROOT / "requirements-ray.txt").read_text("utf-8")
    assert "ray==" not in (ROOT / "requirements.txt").read_text("utf-8")
