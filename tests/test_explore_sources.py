"""What the explorer offers to open, and how its packages come over the wire."""

import gzip
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import save_file
from starlette.testclient import TestClient

from pages.ui import shipped
from pages.ui.explore import package, sources
from pages.ui.explore.package import package_bytes
from pages.ui.explore.sources import Source
from tests.explored import AUTOENCODER, CONFIG, made_run, read
from vae_core.data import Images
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import Arm, RunRecord
from vae_core.runs.storage import state_file
from vae_core.trainer import Trainer

pytest_plugins = ["tests.explored"]  # its fixtures


def raw(client: TestClient, path: str, accepted: str) -> tuple[Any, bytes]:
    """Headers and body as they come over the wire, unpacked by nobody."""
    with client.stream("GET", path, headers={"accept-encoding": accepted}) as response:
        return response.headers, b"".join(response.iter_raw())


# ---- what can be opened


def test_the_shipped_models_come_in_their_order_and_then_ones_own_runs(
    registry: Registry, small: Images, tmp_path: Path
) -> None:
    mine = [made_run(CONFIG, small, tmp_path, steps=i)[0] for i in (1, 2)]
    theirs, _ = made_run(CONFIG, small, tmp_path, visitor="bob")
    empty = RunRecord("ann", CONFIG, tmp_path)
    arm, _ = made_run(CONFIG, small, tmp_path)
    arm.arm = Arm("a group", "beta 4")
    for run in (*mine, theirs, empty, arm):
        registry._runs.put(run)
    listed = sources.listed("ann")
    names = [source.name for source in listed]
    whole = {path.parent.name for path in shipped.CHECKPOINTS.glob("*/model.safetensors")}
    assert names[0] == shipped.PLANE and set(names[: len(whole)]) == whole
    families = [source.config.model for source in listed[: len(whole)]]
    assert list(dict.fromkeys(families)) == ["vae", "beta-tc", "cvae", "iwae", "ae", "dae", "vq"]
    assert names[len(whole) :] == [mine[1].run_id, mine[0].run_id]
    assert [source.title for source in listed[len(whole) :]] == [
        "Run 2: VAE, mlp, 2 latents",
        "Run 1: VAE, mlp, 2 latents",
    ]  # the third one of mine has no state yet, but counts on the Live training page
    assert len({source.title for source in listed}) == len(listed)
    found = sources.find(theirs.run_id)
    assert found is not None and found.name == theirs.run_id and sources.find(empty.run_id) is None
    in_group = sources.find(arm.run_id)
    assert in_group is not None and in_group.title.startswith("beta 4: VAE")


@pytest.mark.parametrize("name", ["nobody", "", ".", "..", "arms", "arm-full", "README.md", "%2e%2e", "x" * 5000])
def test_what_is_no_whole_model_is_404(name: str, registry: Registry, client: TestClient) -> None:
    shipped.register_all()  # finished runs without a model: they keep no state
    assert sources.find(name) is None
    assert client.get(f"/explore/{name}").status_code == 404


def test_the_mistakes_of_the_bug_lab_are_not_for_exploring(registry: Registry, small: Images, tmp_path: Path) -> None:
    run, _ = made_run(CONFIG.with_(model="bug-log-var"), small, tmp_path)
    registry._runs.put(run)
    assert sources.find(run.run_id) is None and run.run_id not in [s.name for s in sources.listed("ann")]


def test_a_twin_has_the_same_network_and_latents() -> None:
    for source in sources.listed("nobody"):
        twin = sources.find(sources.twin_of(source) or "")
        if twin is not None:
            assert twin.config.model == "ae" and source.config.model != "ae"
            assert (twin.config.net, twin.config.latent_dim) == (source.config.net, source.config.latent_dim)
    other = Source("other", "", "", CONFIG.with_(latent_dim=7), 1, Path("nowhere"))
    assert sources.twin_of(other) is None


# ---- over the wire


def test_it_comes_compressed_to_those_who_take_it(registry: Registry, client: TestClient) -> None:
    expected = package_bytes(sources.find(shipped.PLANE) or pytest.fail("no such model"))
    assert expected is not None
    headers, body = raw(client, f"/explore/{shipped.PLANE}", "gzip, br")
    assert headers["content-encoding"] == "gzip" and int(headers["content-length"]) == len(body) < len(expected)
    assert gzip.decompress(body) == expected
    headers, body = raw(client, f"/explore/{shipped.PLANE}", "identity")
    assert "content-encoding" not in headers and body == expected
    assert "Accept-Encoding" in headers["vary"] and "max-age=3600" in headers["cache-control"]
    assert "private" in headers["cache-control"]


def test_a_run_is_not_kept_by_the_browser(run: RunRecord, client: TestClient) -> None:
    answer = client.get(f"/explore/{run.run_id}")
    assert answer.headers["cache-control"] == "no-store" and read(answer.content)[0]["name"] == run.run_id


def test_a_package_is_made_once_and_anew_when_the_state_is_another(
    run: RunRecord, small: Images, client: TestClient
) -> None:
    first = client.get(f"/explore/{run.run_id}").content
    assert client.get(f"/explore/{run.run_id}").content == first and package._packed.cache_info().misses == 1
    trainer = Trainer(CONFIG.with_(seed=99), small)  # after a reset: the same run, the same step, other weights
    for _ in range(2):
        trainer.step()
    path = state_file(run.states_folder, 2)
    path.unlink()
    save_file(trainer.state(), path)
    again = client.get(f"/explore/{run.run_id}").content
    assert package._packed.cache_info().misses == 2
    expected = trainer.model.state_dict()["decoder.0.weight"].numpy()
    assert np.array_equal(read(again)[1]["model.decoder.0.weight"], expected)


def test_no_more_than_eight_packages_are_kept() -> None:
    assert package._packed.cache_info().maxsize == 20


def test_a_damaged_card_leaves_its_model_out_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], registry: Registry
) -> None:
    for name in (shipped.PLANE, AUTOENCODER):
        shutil.copytree(shipped.CHECKPOINTS / name, tmp_path / name, ignore=shutil.ignore_patterns("film", "*.csv"))
    (tmp_path / AUTOENCODER / "card.json").write_text('{"config": {"net": "transformer"}}')
    monkeypatch.setattr(shipped, "CHECKPOINTS", tmp_path)
    shipped.cards.cache_clear()
    try:
        assert [source.name for source in sources.listed("nobody")] == [shipped.PLANE]
        assert capsys.readouterr().err.count("\n") == 1
    finally:
        shipped.cards.cache_clear()


def test_a_class_that_opens_a_model_at_once_has_it_packed_once(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, slow = [], threading.Event()

    def pack(source: sources.Source) -> bytes:
        made.append(source.name)
        slow.wait(0.2)
        return b"packed"

    monkeypatch.setattr(package, "package_bytes", pack)
    source = sources.find(shipped.PLANE)
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(package.packed, [source] * 16))
    assert made == [shipped.PLANE] and len(found) == 1
