"""What the explorer opens: its packages against the files themselves, and models, codes and vectors made by hand."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from safetensors.torch import load_file, save_file
from starlette.applications import Starlette
from starlette.testclient import TestClient
from torch.distributions import Normal, kl_divergence

from pages.ui import shipped
from pages.ui.arms.routes import arms_routes
from pages.ui.explore import package, sources
from pages.ui.explore.package import package_bytes
from tests.explored import AUTOENCODER, CONFIG, made_run, opened
from vae_core import models
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.inspect.image_attributes import ATTRIBUTES, measure
from vae_core.inspect.snapshot import Snapshot, SnapshotTaker, map_images
from vae_core.latent import quantile_grid
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import RunRecord
from vae_core.runs.snapshot_file import frame_bytes, packed
from vae_core.runs.storage import frame_file, state_file

pytest_plugins = ["tests.explored"]  # its fixtures


# ---- a shipped model


def test_the_weights_are_those_of_the_models_file_bit_for_bit() -> None:
    for name in (shipped.PLANE, AUTOENCODER):  # float32, float16
        file = safetensors.numpy.load_file(shipped.CHECKPOINTS / name / "model.safetensors")
        found = {k.removeprefix("model."): v for k, v in opened(name)[1].items() if k.startswith("model.")}
        assert found.keys() == file.keys()
        assert all(found[k].dtype == file[k].dtype and np.array_equal(found[k], file[k]) for k in file)
    assert {v.dtype for v in file.values()} == {np.dtype(np.float16)}


@pytest.mark.parametrize("name", [shipped.PLANE, AUTOENCODER])
def test_the_codes_are_the_encoders_by_hand(name: str, mnist: Images) -> None:
    """784-400-200-4 in float64, on the images that /map-images gives."""
    with TestClient(Starlette(routes=arms_routes())) as client:
        pixels = safetensors.numpy.load(client.get("/map-images").content)
    about, arrays = opened(name)
    h = pixels["images"].reshape(5000, 784).astype(np.float64) / 255
    for layer in (1, 3, 5):
        weight, bias = (arrays[f"model.encoder.{layer}.{part}"].astype(np.float64) for part in ("weight", "bias"))
        h = h @ weight.T + bias
        h = np.maximum(h, 0) if layer < 5 else h
    assert arrays["mu"].dtype == np.float32 and np.allclose(arrays["mu"], h[:, :2], atol=1e-4)
    assert np.array_equal(arrays["labels"], pixels["labels"]) and arrays["labels"].dtype == np.uint8
    assert about["model"] == ("ae" if name == AUTOENCODER else "vae")
    if name == AUTOENCODER:
        assert "log_var" not in arrays and "kl_dims" not in arrays
    else:
        assert arrays["log_var"].dtype == np.float16
        assert np.allclose(arrays["log_var"], np.clip(h[:, 2:], -14, 10), rtol=1e-3, atol=1e-2)


def test_what_is_said_of_the_codes_is_counted_again(mnist: Images) -> None:
    about, arrays = opened(shipped.PLANE)
    mu, labels = arrays["mu"].astype(np.float64), arrays["labels"]
    pixels, _ = map_images(mnist)
    values = measure(pixels.squeeze(1).float() / 255).numpy()
    for column, note in enumerate(about["attributes"]):
        order = sorted(range(5000), key=lambda i, column=column: values[i, column])
        low, high = order[: 5000 // 3], order[-(5000 // 3) :]
        way = [sum(mu[i, d] for i in high) / len(high) - sum(mu[i, d] for i in low) / len(low) for d in range(2)]
        assert np.allclose(arrays["attribute_vectors"][column], way, atol=1e-4)
        assert note["low"] == pytest.approx(sum(values[i, column] for i in low) / len(low), abs=1e-3)
        assert note["high"] == pytest.approx(sum(values[i, column] for i in high) / len(high), abs=1e-3)
        assert note["mean"] == pytest.approx(values[:, column].mean(dtype=np.float64), abs=1e-3)
    for digit in range(10):
        assert np.allclose(arrays["class_means"][digit], mu[labels == digit].mean(0), atol=1e-4)
    assert np.allclose(arrays["var_mu"], mu.var(0, ddof=1), rtol=1e-4) and arrays["active"].tolist() == [1, 1]
    q = Normal(torch.from_numpy(mu), torch.from_numpy(arrays["log_var"].astype(np.float64) / 2).exp())
    kl = kl_divergence(q, Normal(torch.zeros(2).double(), 1.0)).mean(0)
    assert np.allclose(arrays["kl_dims"], kl, atol=0.01)  # log_var came in float16
    assert np.array_equal(arrays["basis"], np.eye(2)) and arrays["basis"].dtype == np.float32


def test_it_says_what_it_is_and_with_which_figures() -> None:
    about, _ = opened(shipped.PLANE)
    card = json.loads((shipped.CHECKPOINTS / shipped.PLANE / "card.json").read_text(encoding="utf-8"))
    config = RunConfig.from_dict(card["config"])
    for name in ("net", "widths", "activation", "model", "likelihood", "protocol", "beta", "seed", "epochs"):
        assert about[name] == getattr(config, name)
    assert (about["name"], about["dims"], about["step"]) == (shipped.PLANE, 2, card["steps"])
    assert f"{card['test']['neg_elbo']:.1f} ± 0.5 nats" in about["caption"] and "K = 1" in about["caption"]
    assert about["twin"] == AUTOENCODER and opened(AUTOENCODER)[0]["twin"] is None
    assert "ELBO" not in opened(AUTOENCODER)[0]["caption"]
    keys = [(note["key"], note["label"], note["unit"]) for note in about["attributes"]]
    assert keys == [(a.key, a.label, a.unit) for a in ATTRIBUTES]


# ---- a run


@pytest.mark.parametrize(
    "changes",
    [
        {"latent_dim": 1},
        {"net": "conv", "latent_dim": 5, "likelihood": "gaussian-learned"},
        {"protocol": "dynamic", "latent_dim": 3},
        {"protocol": "static", "widths": "30", "activation": "tanh"},
        {"model": "ae", "beta": 0.0, "protocol": "threshold"},
    ],
    ids=["one latent", "convolutions", "dynamic pixels", "one redraw", "autoencoder"],
)
def test_a_state_gives_the_codes_that_the_runs_own_map_shows_or_those_of_grey_pixels(
    changes: dict[str, Any], registry: Registry, small: Images, mnist: Images, tmp_path: Path
) -> None:
    config = CONFIG.with_(**changes)
    run, trainer = made_run(config, small, tmp_path, steps=3)
    registry._runs.put(run)
    about, arrays = opened(run.run_id)
    dims, model = config.latent_dim, trainer.model.eval()
    assert (about["step"], about["dims"], about["name"], about["beta"]) == (3, dims, run.run_id, config.beta)
    camera = SnapshotTaker(config.with_(protocol="grey") if config.protocol == "dynamic" else config, mnist)
    with torch.no_grad():
        mu, *log_var = model.encode(camera._prepared(camera.pixels))
    assert np.allclose(arrays["mu"], mu.numpy(), atol=1e-5)
    assert ("log_var" in arrays) == ("kl_dims" in arrays) == (config.model == "vae")
    if config.model == "vae":
        assert np.allclose(arrays["log_var"], log_var[0].numpy(), rtol=1e-3, atol=1e-3)
    weights = {k.removeprefix("model."): v for k, v in arrays.items() if k.startswith("model.")}
    kept = {k for k in model.state_dict() if k.split(".")[0] in ("encoder", "decoder")}
    assert weights.keys() == {k for k in kept if not k.endswith("num_batches_tracked")}
    assert all(np.array_equal(v, model.state_dict()[k].numpy()) for k, v in weights.items())
    shapes = {"basis": (dims, min(dims, 2)), "class_means": (10, dims), "attribute_vectors": (4, dims)}
    assert {name: arrays[name].shape for name in shapes} == shapes
    assert np.allclose(arrays["basis"].T @ arrays["basis"], np.eye(min(dims, 2)), atol=1e-5)
    z = quantile_grid(20)[:, : min(dims, 2)] @ torch.from_numpy(arrays["basis"]).T
    with torch.no_grad():
        pictures = model.mean_image(model.decode(z)).flatten(1).double().numpy()
    off_mean, axes = pictures - pictures.mean(0), arrays["picture_axes"]
    assert axes.shape == (784, 2) and np.allclose(axes.T @ axes, np.eye(2), atol=1e-5)
    largest = np.linalg.svd(off_mean, compute_uv=False)[:2]
    assert np.allclose(np.linalg.norm(off_mean @ axes, axis=0), largest, rtol=1e-4, atol=1e-5 * largest[0])


def test_the_beta_of_a_state_is_the_one_in_force_then(registry: Registry, small: Images, tmp_path: Path) -> None:
    run, trainer = made_run(CONFIG, small, tmp_path, steps=1)
    registry._runs.put(run)
    trainer.set(beta=4.0)
    trainer.step()
    save_file(trainer.state(), state_file(run.states_folder, 2))
    about, _ = opened(run.run_id)
    assert (about["step"], about["beta"]) == (2, 4.0)


def test_a_state_that_vanishes_or_is_damaged_is_no_package(run: RunRecord, client: TestClient) -> None:
    source = sources.find(run.run_id)
    assert source is not None
    whole = source.path.read_bytes()
    for damaged in (whole[:-5000], whole[:30], b"", b"\xff" * 5000):
        source.path.write_bytes(damaged)
        assert package_bytes(source) is None
        assert client.get(f"/explore/{run.run_id}").status_code == 404
    other = load_file(shipped.CHECKPOINTS / shipped.PLANE / "model.safetensors")  # tensors of another kind of file
    save_file(other, source.path)
    assert package_bytes(source) is None
    save_file({f"model.{k}": v for k, v in models.build(CONFIG.with_(latent_dim=7)).state_dict().items()}, source.path)
    assert package_bytes(source) is None
    source.path.unlink()
    assert package_bytes(source) is None and package.packed(source) is None
    assert sources.find(run.run_id) is None and client.get(f"/explore/{run.run_id}").status_code == 404


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 3e38])
def test_weights_that_give_no_numbers_are_refused_in_one_sentence(
    value: float, dims: int, registry: Registry, small: Images, tmp_path: Path, client: TestClient
) -> None:
    run, _ = made_run(CONFIG.with_(latent_dim=dims), small, tmp_path)
    registry._runs.put(run)
    path = state_file(run.states_folder, 2)
    tensors = load_file(path)
    tensors["model.encoder.1.weight"].fill_(value)  # 3e38 is finite, but not its sum over 784 pixels
    save_file(tensors, path)
    answer = client.get(f"/explore/{run.run_id}")
    assert answer.status_code == 409 and answer.headers["content-type"].startswith("text/plain")
    assert "choose another model" in answer.text and "step 2" in answer.text and answer.text.count("\n") == 0


@pytest.mark.parametrize("generation", [0, 1])
def test_the_map_lies_as_the_runs_own_did_last(
    generation: int, registry: Registry, small: Images, tmp_path: Path, snapshot_of_new_model: Snapshot
) -> None:
    """Principal axes are known up to a turn only; after a reset the film lies in a folder of its own."""
    run, _ = made_run(CONFIG.with_(latent_dim=3), small, tmp_path)
    registry._runs.put(run)
    folder = run.states_folder
    run.change(generation=generation)
    if generation:
        folder.rename(run.states_folder)
    basis = opened(run.run_id)[1]["basis"]
    run.film_folder.mkdir()
    for turned in (-basis, basis[:, ::-1]):
        frame = replace(snapshot_of_new_model, step=2, basis=np.ascontiguousarray(turned))
        frame_file(run.film_folder, 2).write_bytes(packed(frame_bytes(frame)))
        assert np.allclose(opened(run.run_id)[1]["basis"], turned, atol=1e-5)
    for none in (np.full_like(basis, np.nan), basis[:2]):
        frame = replace(snapshot_of_new_model, step=2, basis=none)
        frame_file(run.film_folder, 2).write_bytes(packed(frame_bytes(frame)))
        assert np.allclose(opened(run.run_id)[1]["basis"], basis, atol=1e-5)
