"""Shipped runs are found, registered once, and left out when damaged; the tests of what they show are elsewhere."""

import json
import shutil
from pathlib import Path

import pytest

from pages.ui import shipped
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import SHIPPED


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the records and curves of all that ships, free to be damaged; films and weights stay away."""
    root = tmp_path / "checkpoints"
    shutil.copytree(shipped.CHECKPOINTS, root, ignore=shutil.ignore_patterns("film", "*.csv", "decoder.*", "model.*"))
    monkeypatch.setattr(shipped, "CHECKPOINTS", root)
    return root


def test_the_arms_come_in_the_order_of_the_page_and_are_everybodys(fake_registry: Registry) -> None:
    assert shipped.shipped_arms() == list(shipped.ARMS)
    for run_id in shipped.ARMS:
        run = fake_registry.get(run_id)
        assert run is not None and run.visitor == SHIPPED and run.film and run.folder.name == run_id
    assert shipped.shipped_arms() == list(shipped.ARMS)  # known by now


def test_the_dose_comes_in_the_order_of_beta(fake_registry: Registry) -> None:
    found = [fake_registry.get(run_id) for run_id in shipped.shipped_dose()]
    assert [run.config.beta for run in found if run] == [0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32]


def test_all_that_ships_can_be_opened_by_its_id(fake_registry: Registry) -> None:
    shipped.register_all()
    folders = {path.parent.name for path in shipped.CHECKPOINTS.rglob("run.json")}
    assert len(folders) == 2 + 5 + 9
    assert all(fake_registry.get(name) is not None for name in folders)


def test_a_run_that_is_known_is_not_read_again(fake_registry: Registry, copies: Path) -> None:
    first = [fake_registry.get(run_id) for run_id in shipped.shipped_arms()]
    shutil.rmtree(copies)
    assert [fake_registry.get(run_id) for run_id in shipped.shipped_arms()] == first


@pytest.mark.parametrize("damage", ["no record", "half a record", "no curves", "another config"])
def test_a_damaged_run_is_left_out_with_one_line(
    damage: str, copies: Path, fake_registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copies / "arms" / "arm-no-kl"
    record = folder / "run.json"
    if damage == "no record":
        record.unlink()
    elif damage == "half a record":
        record.write_text(record.read_text()[:100])
    elif damage == "no curves":
        (folder / "curves.safetensors").unlink()
    else:
        record.write_text(json.dumps(json.loads(record.read_text()) | {"config": {"net": "transformer"}}))
    assert shipped.shipped_arms() == [name for name in shipped.ARMS if name != "arm-no-kl"]
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "arm-no-kl" in err
    shipped.register_all()
    assert fake_registry.get("arm-no-kl") is None and fake_registry.get("arm-full") is not None


def test_neither_a_run_alone_nor_an_autoencoder_is_a_plane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (shipped.PLANE, "mnist-vae-beta4-mlp-2", "mnist-ae-mlp-2"):
        shutil.copytree(shipped.CHECKPOINTS / name, tmp_path / name, ignore=shutil.ignore_patterns("film", "*.csv"))
    shutil.copytree(shipped.CHECKPOINTS / "arms" / "arm-full", tmp_path / "arm-full")
    monkeypatch.setattr(shipped, "CHECKPOINTS", tmp_path)
    shipped.cards.cache_clear()
    try:
        assert shipped.planes() == [shipped.PLANE, "mnist-vae-beta4-mlp-2"]
        assert list(shipped.cards()) == [shipped.PLANE, "mnist-vae-beta4-mlp-2", "mnist-ae-mlp-2"]
    finally:
        shipped.cards.cache_clear()


def test_the_elbo_page_speaks_of_models_with_a_posterior_over_two_latents() -> None:
    for name in shipped.planes():
        model = shipped.checkpoint(name).model
        assert model.has.posterior == "gaussian" and model.latent_dim == 2
    named = {"mnist-vae-mlp-2", "mnist-vae-beta4-mlp-2", "mnist-vae-gaussian-mlp-2"}
    assert set(shipped.planes()) == named and shipped.planes()[0] == shipped.PLANE
