"""The explorer on other images than MNIST's: what it fetches of a model is of the images that it was trained on."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages.ui import shipped
from pages.ui.arms.routes import arms_routes
from pages.ui.explore import sources
from pages.ui.explore.code_package import code_package_bytes
from pages.ui.explore.routes import explore_routes
from tests.explored import CONFIG, made_run, opened, read
from vae_core import datasets
from vae_core.config import RunConfig
from vae_core.data import load
from vae_core.data.own import make
from vae_core.data.own_files import Gathered
from vae_core.data.own_set import save
from vae_core.inspect.snapshot import NO_CLASS
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import RunRecord

pytest_plugins = ["tests.explored"]  # its fixtures
ANIMALS = ["ape", "bee", "cat"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ELBO_ROOM_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def wire() -> Iterator[TestClient]:
    with TestClient(Starlette(routes=[*explore_routes(), *arms_routes()])) as made:
        yield made


def own_set(name: str, labels: list[str] | None, count: int = 90, tests: int | None = None) -> None:
    """Noise, a class brighter than the other, saved as the command line and an upload do."""
    draw = np.random.default_rng(1)
    shade = np.arange(count) % 3
    x = (draw.random((count, 28, 28)) * 60 + 60 * shade[:, None, None]).astype(np.uint8)
    test = None if tests is None else np.arange(count) < tests
    found = Gathered(x, None if labels is None else np.array(labels)[shade], test)
    made = make(found, name)
    save(datasets.folder() / "own" / name, made.arrays, made.about)


def trained(registry: Registry, name: str, root: Path, **settings: object) -> RunRecord:
    run, _ = made_run(CONFIG.with_(dataset=name, batch_size=20, **settings), load(name, torch.device("cpu")), root)
    registry._runs.put(run)
    return run


@pytest.mark.parametrize("labels", [ANIMALS, None])
def test_a_model_comes_with_the_images_and_classes_of_its_own_set(
    labels: list[str] | None, registry: Registry, tmp_path: Path, wire: TestClient
) -> None:
    own_set("animals", labels)
    run = trained(registry, "animals", tmp_path)
    about, arrays = read(wire.get(f"/explore/{run.run_id}").content)
    pictures = safetensors.numpy.load(wire.get("/map-images/animals").content)
    images = load("animals", torch.device("cpu"))
    assert len(pictures["images"]) == about["tests"] == len(images.x_test) == 15
    assert np.array_equal(pictures["images"], images.x_test[pictures["numbers"].tolist()][:, 0].numpy())
    assert about["dataset"] == "animals" and about["classNames"] == (labels or []) and about["centred"] is False
    h = pictures["images"].reshape(15, 784).astype(np.float64) / 255  # by hand, in float64
    for layer in (1, 3, 5):
        weight, bias = (arrays[f"model.encoder.{layer}.{part}"].astype(np.float64) for part in ("weight", "bias"))
        h = h @ weight.T + bias
        h = np.maximum(h, 0) if layer < 5 else h
    assert np.allclose(arrays["mu"], h[:, :2], atol=1e-4)
    assert np.array_equal(arrays["labels"], pictures["labels"])
    grey = pictures["images"].reshape(15, 784) / 255.0
    apart = [min(np.sqrt(((a - b) ** 2).mean()) for j, b in enumerate(grey) if j != i) for i, a in enumerate(grey)]
    assert about["yardstick"] == pytest.approx(sorted(apart)[7], abs=1e-6)  # torch's median of 15 is the eighth
    if labels is None:
        assert "class_means" not in arrays and set(arrays["labels"]) == {NO_CLASS}
        return
    for label in range(3):
        assert np.allclose(arrays["class_means"][label], h[arrays["labels"] == label, :2].mean(0), atol=1e-4)
        assert images.class_names[label] == ANIMALS[label]
    assert sources.find(run.run_id) in sources.listed("ann") and about["twin"] is None  # what ships is of other images


def test_a_code_map_is_of_its_own_images(registry: Registry, tmp_path: Path) -> None:
    own_set("animals", ANIMALS)
    run = trained(registry, "animals", tmp_path, model="vq", codebook_size=8, net="conv")
    source = sources.find(run.run_id)
    assert source is not None
    about, arrays = read(code_package_bytes(source))
    assert arrays["codes"].shape == (15, 7, 7) and (about["count"], about["classNames"]) == (15, ANIMALS)
    assert arrays["labels"].max() == 2


def test_the_shipped_circles_open_without_classes() -> None:
    about, arrays = opened("circles-beta-tc-mlp-3")
    assert arrays["mu"].shape == (5000, 3) and about["classNames"] == [] and about["tests"] == 10_000
    assert set(arrays["labels"]) == {NO_CLASS} and "class_means" not in arrays
    assert "circles-beta-tc-mlp-3" in [source.name for source in sources.listed("nobody")]


def test_images_that_are_gone_or_too_few_are_said(registry: Registry, tmp_path: Path, wire: TestClient) -> None:
    own_set("one", None, tests=1)
    few = trained(registry, "one", tmp_path)
    answer = wire.get(f"/explore/{few.run_id}")
    assert answer.status_code == 409 and "one test image" in answer.text and "give more images" in answer.text
    own_set("gone", ANIMALS)
    run = trained(registry, "gone", tmp_path)
    assert wire.get("/map-images/gone").status_code == wire.get(f"/explore/{run.run_id}").status_code == 200
    shutil.rmtree(datasets.folder() / "own" / "gone")
    assert sources.find(run.run_id) is None and wire.get(f"/explore/{run.run_id}").status_code == 404
    for name in ("gone", "..", "nobody", "x" * 3000, "own-" + "0" * 24):
        assert wire.get(f"/map-images/{name}").status_code == 404


def test_a_set_made_anew_under_its_name_is_read_anew(wire: TestClient, registry: Registry, tmp_path: Path) -> None:
    own_set("animals", ANIMALS)
    run = trained(registry, "animals", tmp_path)
    first = safetensors.numpy.load(wire.get("/map-images/animals").content)
    assert len(read(wire.get(f"/explore/{run.run_id}").content)[1]["mu"]) == 15
    shutil.rmtree(datasets.folder() / "own" / "animals")
    own_set("animals", None, count=60)
    answer = wire.get("/map-images/animals")
    again = safetensors.numpy.load(answer.content)
    assert len(first["images"]) == 15 and len(again["images"]) == 10 and set(again["labels"]) == {NO_CLASS}
    assert answer.headers["cache-control"] == "no-store"
    about, arrays = read(wire.get(f"/explore/{run.run_id}").content)
    assert len(arrays["mu"]) == 10 and about["classNames"] == []  # not the codes of the images before
    assert "max-age" in wire.get("/map-images/circles").headers["cache-control"]


def test_mnist_comes_as_before(wire: TestClient) -> None:
    plain, named = (safetensors.numpy.load(wire.get(path).content) for path in ("/map-images", "/map-images/mnist"))
    assert all(np.array_equal(plain[key], named[key]) for key in ("images", "labels", "numbers"))
    about, arrays = opened(shipped.PLANE)
    assert about["classNames"] == list("0123456789") and about["centred"] is True
    assert arrays["class_means"].shape[0] == 10


def test_points_of_the_plane_are_no_images(wire: TestClient) -> None:
    config = RunConfig(dataset="ring", likelihood="gaussian", latent_dim=1)
    assert not sources.explorable(config)
    assert wire.get("/map-images/ring").status_code == 404
