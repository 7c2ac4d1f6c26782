"""A damaged model among those that ship is left out with one line, and everything else stays usable."""

import asyncio
import gc
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

import app
from pages.ablation import dose
from pages.ui import shipped
from pages.ui.explore import sources
from pages.ui.explore.routes import explore_routes
from vae_core.checkpoints import CheckpointError
from vae_core.runs.registry import Registry

BETA4, AUTOENCODER, CONV = "mnist-vae-beta4-mlp-2", "mnist-ae-mlp-2", "mnist-vae-conv-32"


def changed(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change a JSON file in place."""
    values = json.loads(path.read_text(encoding="utf-8"))
    change(values)
    path.write_text(json.dumps(values), encoding="utf-8")


def with_figure(name: str, value: Any) -> Callable[[Path], object]:
    return lambda folder: changed(folder / "card.json", lambda card: card["test"].update({name: value}))


def with_entry(name: str, value: Any) -> Callable[[Path], object]:
    return lambda folder: changed(folder / "card.json", lambda card: card.update({name: value}))


def without(name: str) -> Callable[[Path], object]:
    return lambda folder: changed(folder / "card.json", lambda card: card.pop(name))


def without_figure(name: str) -> Callable[[Path], object]:
    return lambda folder: changed(folder / "card.json", lambda card: card["test"].pop(name))


def cut_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no test figures": without("test"),
    "test figures no object": with_entry("test", [1, 2]),
    "no steps": without("steps"),
    "steps as text": with_entry("steps", "7050"),
    "steps below 0": with_entry("steps", -1),
    "no seed": without("seed"),
    "no nll": without_figure("nll"),
    "nll as text": with_figure("nll", "132"),
    "no -ELBO of a VAE": with_figure("neg_elbo", None),
    "-ELBO no number": with_figure("neg_elbo", float("nan")),
    "a count of images that is none": with_figure("images", True),
    "no protocol": without_figure("protocol"),
    "a list of KLs that is none": with_figure("kl_dims", 3.5),
    "no settings": without("config"),
    "no object": lambda folder: (folder / "card.json").write_text("[]"),
    "no JSON": lambda folder: (folder / "card.json").write_text("{"),
    "no card": lambda folder: (folder / "card.json").unlink(),
    "no weights": lambda folder: (folder / "model.safetensors").unlink(),
    "half the weights": cut_weights,
    "weights of another model": lambda folder: shutil.copy(folder.parent / CONV / "model.safetensors", folder),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_it_is_left_out_with_one_line_and_all_others_are_there(
    damage: Callable[[Path], object], copied_models: Path, fake_registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(copied_models / BETA4)
    whole = {path.name for path in copied_models.iterdir()} - {BETA4}
    assert set(shipped.cards()) == whole and len(whole) == 9
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and err.startswith(f"The model {BETA4} is left out: {copied_models / BETA4}")
    assert BETA4 not in shipped.planes() and shipped.planes()[0] == shipped.PLANE
    assert {source.name for source in sources.listed("nobody")} == whole and sources.find(BETA4) is None
    for name in whole:
        assert shipped.checkpoint(name).card["steps"] > 0 and sources.find(name) is not None
    with TestClient(Starlette(routes=explore_routes())) as client:
        assert client.get(f"/explore/{BETA4}").status_code == 404
    with pytest.raises(CheckpointError, match=f"^The model {BETA4} cannot be read: restore .*/{BETA4} and start"):
        shipped.checkpoint(BETA4)


def test_what_an_autoencoder_does_not_have_is_no_damage_and_what_it_must_have_is(
    copied_models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shipped.cards()[AUTOENCODER]["test"]["neg_elbo"] is None
    shipped.cards.cache_clear()
    with_figure("nll", None)(copied_models / AUTOENCODER)
    assert AUTOENCODER not in shipped.cards() and "no usable nll" in capsys.readouterr().err


def test_a_card_that_is_older_than_a_setting_has_it_at_its_default(copied_models: Path) -> None:
    assert "frozen" not in json.loads((copied_models / shipped.PLANE / "card.json").read_text())["config"]
    assert shipped.checkpoint(shipped.PLANE).card["config"]["frozen"] == "none"


def test_a_model_with_a_mistake_of_the_bug_lab_is_not_for_exploring(
    copied_models: Path, fake_registry: Registry
) -> None:
    changed(copied_models / BETA4 / "card.json", lambda card: card["config"].update(model="bug-mean"))
    assert BETA4 in shipped.cards()
    assert BETA4 not in [source.name for source in sources.listed("nobody")] and sources.find(BETA4) is None


def test_a_run_by_itself_is_no_damaged_model(copied_models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    real = Path(shipped.__file__).resolve().parents[2] / "checkpoints"
    shutil.copytree(real / "arms" / "arm-full", copied_models / "arm-full")
    assert "arm-full" not in shipped.cards() and capsys.readouterr().err == ""


@pytest.mark.parametrize("damage", ["no test figures", "half the weights", "no folder"])
def test_without_the_main_model_the_log_says_what_to_restore(
    damage: str, copied_models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied_models / shipped.PLANE
    if damage == "no folder":
        shutil.rmtree(folder)
    else:
        DAMAGES[damage](folder)
    assert shipped.PLANE not in shipped.cards() and shipped.planes()[0] == BETA4
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and str(folder) in err


def test_without_the_main_model_the_server_starts(
    copied_models: Path, fake_registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    DAMAGES["no test figures"](copied_models / shipped.PLANE)
    monkeypatch.setattr(app, "warm_up", lambda: None)  # seconds of a thread that would outlast the test
    monkeypatch.setattr(gc, "freeze", lambda: None)

    async def start() -> dict[str, Any]:
        async with app.lifespan(None) as state:
            return state

    assert asyncio.run(start()) == {}


# ---- runs


@pytest.fixture
def copied_runs(copied_models: Path) -> Path:
    """The records of the finished runs beside the models; films stay away."""
    real = Path(shipped.__file__).resolve().parents[2] / "checkpoints"
    for name in ("arms", "dose"):
        shutil.copytree(real / name, copied_models / name, ignore=shutil.ignore_patterns("film", "decoder.*"))
    return copied_models


def test_without_the_main_run_an_arm_is_watched_in_its_place(
    copied_runs: Path, fake_registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    (copied_runs / shipped.PLANE / "curves.safetensors").write_bytes(b"")
    assert [shipped.shipped_run() for _ in range(3)] == ["arm-full"] * 3
    assert fake_registry.get("arm-full") is not None and fake_registry.get(shipped.PLANE) is None
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and shipped.PLANE in err  # not again with every visit


@pytest.mark.parametrize("final", [{"nll": 1.0}, "none", {"nll": "140", "kl": 3.0}])
def test_a_run_with_figures_that_cannot_be_used_is_left_out_of_the_dose(
    final: Any, copied_runs: Path, fake_registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    record = copied_runs / "dose" / "dose-beta-4" / "run.json"
    changed(record, lambda values: values.update(final=final))
    found = dose.points(shipped.shipped_dose())
    assert found["beta"].tolist() == [0.1, 0.25, 0.5, 1, 2, 8, 16, 32]
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and err.startswith("The saved run dose-beta-4 is damaged (") and "figures" in err
