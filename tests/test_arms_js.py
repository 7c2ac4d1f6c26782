"""The arms view's mathematics, run under node and held against torch, autograd and vae_core.metrics."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save
from safetensors.torch import save_file
from torch.distributions import Normal, kl_divergence

from pages.ablation.stage import beginning_of
from pages.ui.arms.routes import decoder_bytes
from tests.node_runner import node_runner
from vae_core import models
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.inspect.latent_gradients import latent_gradients
from vae_core.metrics.draws import nearest
from vae_core.models import family
from vae_core.runs.run_record import RunRecord
from vae_core.runs.storage import DECODER
from vae_core.trainer import Trainer, warm_up

MODULES = (
    "lib/plane",
    "arms/pulls",
    "arms/origin",
    "lib/distances",
    "arms/meter",
    "arms/words",
    "arms/axes",
    "lib/tensors",
    "net/model",
)


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    return node_runner(tmp_path, *MODULES)


def array(tensor: torch.Tensor | np.ndarray) -> list[Any]:
    values = np.asarray(tensor, dtype=np.float64)
    return [list(values.shape), values.flatten().tolist()]


def orthonormal(dims: int, seed: int = 0) -> torch.Tensor:
    return torch.linalg.qr(torch.randn(dims, 2, generator=torch.Generator().manual_seed(seed)))[0]


# ---- the decoder


@pytest.mark.parametrize("net", ["mlp", "conv"])
@pytest.mark.parametrize("dims", [1, 2, 16])
def test_the_decoder_that_the_route_sends_decodes_as_torch_does(
    net: str, dims: int, tmp_path: Path, node: Callable[..., Any]
) -> None:
    config = RunConfig(device="cpu", net=net, latent_dim=dims)
    run, model = RunRecord("shipped", config, tmp_path), models.build(config)
    run.change(step=470)
    run.folder.mkdir()
    save_file(model.decoder.state_dict(), run.folder / DECODER)
    z = 2 * torch.randn(4, dims, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        wanted = model.eval().mean_image(model.decode(z)).flatten(1)
    found = node(
        "const { metadata, arrays } = tensors.readTensors(file());"
        "const decode = model.decoderOf({ net: metadata.net, dims: JSON.parse(metadata.config).latent_dim }, arrays);"
        "print({ step: metadata.step, pictures: given.map((z) => Array.from(decode(z))) });",
        z.tolist(),
        decoder_bytes(run, 470) or b"",
    )
    assert found["step"] == "470"
    assert torch.allclose(torch.tensor(found["pictures"]), wanted, atol=1e-4)
    assert wanted.std() > 0.001  # pictures that differ from one grey


def test_the_nearest_image_is_the_one_that_vae_core_finds(mnist: Images, node: Callable[..., Any]) -> None:
    pixels = mnist.x_test[:300]
    pictures = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(1)) * pixels[7:12] / 255
    index, distance = nearest(pictures, pixels)
    found = node(
        "const { images, labels } = tensors.readTensors(file()).arrays;"
        "const near = (p) => distances.nearestImage(images.data, p.map((v) => 255 * v));"
        "print({ first: labels.data[0], near: given.map(near) });",
        pictures.flatten(1).tolist(),
        save({"images": pixels.squeeze(1).numpy(), "labels": mnist.y_test[:300].numpy().astype(np.uint8)}),
    )
    assert found["first"] == int(mnist.y_test[0])
    assert [near["index"] for near in found["near"]] == index.tolist()
    assert [near["distance"] for near in found["near"]] == pytest.approx(distance.tolist(), abs=1e-5)


# ---- the plane


@pytest.mark.parametrize("dims", [2, 5, 16])
def test_a_cloud_in_the_plane_has_the_covariance_of_its_projected_samples(dims: int, node: Callable[..., Any]) -> None:
    generator = torch.Generator().manual_seed(dims)
    basis, log_var = orthonormal(dims), torch.randn(dims, generator=generator)
    samples = torch.randn(400_000, dims, generator=generator) * (0.5 * log_var).exp() @ basis
    wanted = torch.cov(samples.T)
    found = node(
        "const basis = array(given.basis); const cloud = plane.cloudInPlane(given.logVar, basis);"
        "print({ cloud, ellipse: plane.ellipseOf(cloud) });",
        {"basis": array(basis), "logVar": log_var.tolist()},
    )
    xx, xy, yy = found["cloud"]
    assert torch.allclose(torch.tensor([[xx, xy], [xy, yy]]), wanted, atol=0.02 * float(wanted.diagonal().max()))
    variances, axes = torch.linalg.eigh(torch.tensor([[xx, xy], [xy, yy]], dtype=torch.float64))
    ellipse = found["ellipse"]
    assert [ellipse["short"] ** 2, ellipse["long"] ** 2] == pytest.approx(variances.tolist(), rel=1e-6)
    along = torch.tensor([math.cos(ellipse["angle"]), math.sin(ellipse["angle"])], dtype=torch.float64)
    assert abs(float(along @ axes[:, 1])) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("dims", [2, 7])
def test_places_go_to_the_plane_and_back(dims: int, node: Callable[..., Any]) -> None:
    basis, mu = orthonormal(dims, 4), torch.randn(dims, generator=torch.Generator().manual_seed(9))
    found = node(
        "const basis = array(given.basis);"
        "print({ xy: plane.toPlane(given.mu, basis), z: plane.fromPlane([0.7, -1.2], basis) });",
        {"basis": array(basis), "mu": mu.tolist()},
    )
    assert found["xy"] == pytest.approx((mu @ basis).tolist(), abs=1e-5)
    assert torch.allclose(torch.tensor(found["z"]) @ basis, torch.tensor([0.7, -1.2]), atol=1e-5)


def test_one_latent_lies_on_the_x_axis_and_an_old_frame_of_many_has_no_plane(node: Callable[..., Any]) -> None:
    found = node(
        "const none = { shape: [0, 2], data: [] }; const dims = (d) => ({ basis: none, active: { shape: [d] } });"
        "const one = plane.basisOf(dims(1));"
        "print([plane.toPlane([1.5], one), plane.fromPlane([1.5, 3], one), plane.basisOf(dims(2)).shape,"
        " plane.basisOf(dims(16))]);"
    )
    assert found == [[1.5, 0], [1.5], [2, 2], None]


# ---- the tug of war

WEIGHTS = [(1.0, 1.0), (1.0, 8.0), (0.5, 0.0), (0.0, 2.0)]


@pytest.mark.parametrize(("alpha", "beta"), WEIGHTS)
def test_pulls_are_minus_the_gradient_of_the_weighted_loss(
    alpha: float, beta: float, small: Images, node: Callable[..., Any]
) -> None:
    """Both pulls together are what autograd says of alpha nll + beta KL, with torch's own KL."""
    model = Trainer(RunConfig(device="cpu", latent_dim=3), small).model
    x = small.x_test[:4].float() / 255
    eps = torch.randn(6, 4, 3, generator=torch.Generator().manual_seed(5))
    close = latent_gradients(model, x, eps)
    mu, log_var = (torch.tensor(v, requires_grad=True) for v in (close.mu, close.log_var))
    z = mu + (0.5 * log_var).exp() * eps
    nll = model.nll(model.decode(z.flatten(0, 1)), x.repeat(6, 1, 1, 1)).sum() / 6
    kl = kl_divergence(Normal(mu, (0.5 * log_var).exp()), Normal(0.0, 1.0)).sum()
    wanted = [-g for g in torch.autograd.grad(alpha * nll + beta * kl, (mu, log_var))]
    found = node(
        "const picture = { ten_mu: array(given.mu), ten_log_var: array(given.logVar), ten_pull_mu: array(given.pullMu),"
        " ten_pull_log_var: array(given.pullLogVar) };"
        "print([0, 1, 2, 3].map((i) => pulls.pullsOf(picture, i, given.weights)));",
        {
            "mu": array(close.mu),
            "logVar": array(close.log_var),
            "pullMu": array(close.pull_mu),
            "pullLogVar": array(close.pull_log_var),
            "weights": {"alpha": alpha, "beta": beta},
        },
    )
    zero = [0.0] * 3
    for name, gradient in zip(("mu", "logVar"), wanted, strict=True):
        both = [torch.tensor(f[name]["nll"] or zero) + torch.tensor(f[name]["kl"] or zero) for f in found]
        assert torch.allclose(torch.stack(both), gradient, rtol=1e-3, atol=2e-3)
    assert all((f["mu"]["nll"] is None) == (alpha == 0) and (f["mu"]["kl"] is None) == (beta == 0) for f in found)


def test_without_a_posterior_only_the_reconstruction_pulls_and_only_on_mu(node: Callable[..., Any]) -> None:
    found = node(
        "const none = { shape: [0, 2], data: new Float32Array() };"
        "const picture = { ten_mu: array([[1, 2], [3, 4]]), ten_log_var: none, ten_pull_mu: array([[1, 2], [5, -6]]),"
        " ten_pull_log_var: none };"
        "print(pulls.pullsOf(picture, 0, { alpha: 2, beta: 1 }));"
    )
    assert found == {"mu": {"nll": [10, -12], "kl": None}, "logVar": None}


def test_weights_of_a_moment_follow_the_marks_and_the_warm_up(node: Callable[..., Any]) -> None:
    marks = [
        {"step": 10, "text": "", "weights": {"alpha": 1, "beta": 4}},
        {"step": 50, "text": "", "weights": {"alpha": 0, "beta": 4}},
    ]
    found = node(
        "const config = { alpha: 1, beta: 2, warmup_steps: 0 };"
        "print([[9, config], [10, config], [60, config], [30, { ...config, warmup_steps: 60 }]]"
        ".map(([step, c]) => pulls.weightsAt(step, c, given)));",
        marks,
    )
    assert found == [
        {"alpha": 1, "beta": 2},
        {"alpha": 1, "beta": 4},
        {"alpha": 0, "beta": 4},
        {"alpha": 1, "beta": 2},
    ]


def test_the_warm_up_in_cycles_is_that_of_the_trainer(node: Callable[..., Any]) -> None:
    given = [(step, cycles, total) for cycles in (0, 1, 3, 4) for total in (11, 100) for step in (0, 1, 3, 4, 9, 10)]
    script = (
        "const warmup_steps = 3, one = { alpha: 1, beta: 1 };"
        "print(given.map(([s, c, t]) => pulls.warmed(one, s, { warmup_steps, warmup_cycles: c }, t).beta));"
    )
    assert node(script, given) == pytest.approx([warm_up(step, 3, cycles, total) for step, cycles, total in given])


def test_the_common_scale_keeps_the_longest_arrow_within_two_units(node: Callable[..., Any]) -> None:
    lengths = [0.003, 0.09, 0.2, 1.0, 9.5, 10.0, 41.0, 730.0]
    units = node("print(given.map((v) => pulls.unitOf([v, v / 3])));", lengths)
    for length, unit in zip(lengths, units, strict=True):
        assert length / unit <= 2 + 1e-9 and length / unit > 0.75  # 1, 2, 5: the next smaller one would not do
        assert f"{unit:e}"[0] in "125"
    assert node("print([pulls.unitOf([]), pulls.unitOf([0])]);") == [1, 1]


# ---- where samples come from


def test_the_place_of_a_point(node: Callable[..., Any]) -> None:
    points = [[0, 0.5], [2.5, 2.5], [-1, -1], [6, 6], [3.9, 0]]
    found = node(
        "const picture = { xy: { shape: [2, 2], data: [0, 0, 400, 0] }, xyUnit: 0.01 };"
        "print(given.map((p) => { const near = origin.nearestCode(p, picture);"
        " return [near.index, near.distance, origin.placeOf(p, near.distance, 1)]; }));",
        points,
    )
    codes = torch.tensor([[0.0, 0.0], [4.0, 0.0]])
    distances = torch.cdist(torch.tensor(points, dtype=torch.float32), codes)
    assert [f[0] for f in found] == distances.argmin(-1).tolist()
    assert [f[1] for f in found] == pytest.approx(distances.amin(-1).tolist(), rel=1e-5)
    assert [f[2] for f in found] == ["both", "nowhere", "prior", "nowhere", "code"]


# ---- axes


@pytest.mark.parametrize(("count", "early"), [(12, 0), (200, 20)])
def test_all_curves_after_the_first_steps_fit_on_the_shared_axes(
    count: int, early: int, node: Callable[..., Any]
) -> None:
    """The axis ends at the highest value of any arm; the first 20 steps of a longer run do not count."""
    r = np.random.RandomState(count)
    arms = []
    for length in (count, count // 2):
        steps = np.arange(1, length + 1)
        nll = r.rand(length) + 1000.0 * (steps <= early)
        split = {"step": steps.tolist(), "nll": nll.tolist()}
        arms.append({"train": split, "test": {"step": [1, length], "nll": [0.25, 0.75]}})
    found = node("print(axes.sharedAxes(given, 'nll'));", arms)
    late = [
        value
        for arm in arms
        for split in arm.values()
        for step, value in zip(split["step"], split["nll"], strict=True)
        if step > early
    ]
    assert found == {"last": count, "top": max(late)}


# ---- words


def test_the_label_names_what_differs_besides_the_loss(node: Callable[..., Any]) -> None:
    configs = [RunConfig().to_dict(), RunConfig(beta=0.0).to_dict(), RunConfig(alpha=0.0).to_dict()]
    other = [RunConfig().to_dict(), RunConfig(seed=1, latent_dim=5).to_dict()]
    same, different = node("print(given.map((configs) => words.sameness(configs)));", [configs, other])
    assert "differ in nothing but the loss" in same and "seed 0" in same
    assert different == "These arms differ in more than the loss: latent dimensions, seed."


def test_of_models_with_other_noise_or_weights_it_says_so(node: Callable[..., Any]) -> None:
    """By what the models themselves take and hold: of the same shapes the same seed makes the same."""
    groups = [("vae", "ae"), ("vae", "iwae"), ("vae", "dae"), ("vae", "cvae"), ("vae", "bug-mean")]
    arms = []
    for models_of in groups:
        configs = [RunConfig(model=model) for model in models_of]
        shown = [
            {"posterior": family(c.model).has.posterior is not None, "weights": weights, "noise": noise}
            for c in configs
            for weights, noise in [beginning_of(c)]
        ]
        arms.append([[c.to_dict() for c in configs], shown])
    said = dict(zip(groups, node("print(given.map((one) => words.sameness(...one)));", arms), strict=True))
    start = (
        "Same initial weights, same batches, same eps, same evaluation noise (seed 0): the arms differ in nothing but "
    )
    assert said["vae", "ae"] == f"{start}the loss, and in that the plain autoencoder draws no z."
    assert said["vae", "bug-mean"] == f"{start}the one line."
    noise = "Same initial weights, same batches (seed 0). The arms differ in the loss, and in the noise, of which an "
    noise += "image takes"
    assert said["vae", "iwae"] == f"{noise} 2, or 5 × 2 numbers."
    assert said["vae", "dae"] == f"{noise} 2, or 1 × 28 × 28 numbers."
    assert said["vae", "cvae"].startswith("Same batches, same eps, same evaluation noise (seed 0). The arms differ in")
    assert "the initial weights, as their networks have other shapes" in said["vae", "cvae"]


def test_of_the_same_shapes_the_same_seed_makes_the_same_weights() -> None:
    made = {}
    for model in ("vae", "ae", "iwae", "dae", "cvae"):
        torch.manual_seed(0)
        made[model] = models.build(RunConfig(model=model))
    vae, weights = made["vae"].state_dict(), beginning_of(RunConfig())[0]
    for model, other in made.items():
        same = all(torch.equal(vae[name], weight) for name, weight in other.state_dict().items() if name in vae)
        assert same == (beginning_of(RunConfig(model=model))[0] == weights) == (model != "cvae")
