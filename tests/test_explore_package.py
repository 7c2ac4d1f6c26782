"""What the explorer opens: its packages against the files themselves, and models, codes and vectors made by hand."""

from __future__ import annotations

import gzip
import json
import shutil
import struct
from collections.abc import Iterator
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
from pages.ui.explore.routes import explore_routes
from pages.ui.explore.sources import Source
from vae_core import models
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.inspect.image_attributes import ATTRIBUTES, measure
from vae_core.inspect.snapshot import SnapshotTaker, map_images
from vae_core.latent import quantile_grid
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import Arm, RunRecord
from vae_core.runs.storage import state_file
from vae_core.trainer import Trainer

CONFIG = RunConfig(device="cpu", seed=3)
AUTOENCODER = "mnist-ae-mlp-2"


def read(body: bytes | None) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """`about` and the tensors of a package, by the format's own reader."""
    assert body is not None
    (length,) = struct.unpack("<Q", body[:8])
    head = json.loads(body[8 : 8 + length])["__metadata__"]
    assert head.keys() == {"about"}
    return json.loads(head["about"]), safetensors.numpy.load(body)


def opened(name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    source = sources.find(name)
    assert source is not None
    return read(package_bytes(source))


def made_run(
    config: RunConfig, data: Images, root: Path, steps: int = 2, visitor: str = "ann"
) -> tuple[RunRecord, Trainer]:
    """A run that has kept one state, and the trainer that made it."""
    run, trainer = RunRecord(visitor, config, root), Trainer(config, data)
    run.states_folder.mkdir(parents=True)
    for _ in range(steps):
        trainer.step()
    trainer.flush()
    save_file(trainer.state(), state_file(run.states_folder, steps))
    run.total_steps = trainer.total_steps
    return run, trainer


@pytest.fixture
def registry(fake_registry: Registry) -> Iterator[Registry]:
    package._packed.cache_clear()
    yield fake_registry
    package._packed.cache_clear()


@pytest.fixture
def run(registry: Registry, small: Images, tmp_path: Path) -> RunRecord:
    made, _ = made_run(CONFIG, small, tmp_path)
    registry._runs.put(made)
    return made


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(Starlette(routes=explore_routes())) as made:
        yield made


def raw(client: TestClient, path: str, accepted: str) -> tuple[Any, bytes]:
    """Headers and body as they come over the wire, unpacked by nobody."""
    with client.stream("GET", path, headers={"accept-encoding": accepted}) as response:
        return response.headers, b"".join(response.iter_raw())


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
    for name in ("net", "model", "likelihood", "protocol", "beta", "seed", "epochs"):
        assert about[name] == card["config"][name]
    assert (about["name"], about["dims"], about["step"]) == (shipped.PLANE, 2, card["steps"])
    assert f"{card['test']['neg_elbo']:.2f} nats" in about["caption"] and "K = 1" in about["caption"]
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
        {"model": "ae", "beta": 0.0, "protocol": "threshold"},
    ],
    ids=["one latent", "convolutions", "dynamic pixels", "autoencoder"],
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


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 3e38])
def test_weights_that_give_no_numbers_are_refused_in_one_sentence(
    value: float, run: RunRecord, client: TestClient
) -> None:
    path = state_file(run.states_folder, 2)
    tensors = load_file(path)
    tensors["model.encoder.1.weight"].fill_(value)  # 3e38 is finite, but not its sum over 784 pixels
    save_file(tensors, path)
    answer = client.get(f"/explore/{run.run_id}")
    assert answer.status_code == 409 and answer.headers["content-type"].startswith("text/plain")
    assert "choose another model" in answer.text and "step 2" in answer.text and answer.text.count("\n") == 0


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
    assert families == sorted(families, reverse=True) and families[-1] == "ae"  # "vae" before "ae"
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
    assert package._packed.cache_info().maxsize == 8


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
