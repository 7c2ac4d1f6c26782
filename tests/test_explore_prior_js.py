"""The explorer's prior under node, held against torch and numpy; states of a link to it and to a traversal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.node_runner import node_runner
from vae_core.latent import prior_quantiles, quantile_grid
from vae_core.models.vae import VAE

MODULES = (
    "lib/distances",
    "explore/prior/math as prior_math",
    "explore/prior/way as prior",
    "explore/prior/mesh",
    "explore/traverse/way as traverse",
)


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    return node_runner(tmp_path, *MODULES)


def decoded(n: int) -> np.ndarray:
    """(n * n, 784) uint8: what an untrained but lively decoder makes of the grid at prior quantiles."""
    torch.manual_seed(3)
    model = VAE("mlp", 2).eval()
    with torch.no_grad():
        pictures = model.mean_image(6 * model.decode(3 * quantile_grid(n)))
    return (255 * pictures).round().byte().flatten(1).numpy()


BYTES = "const pictures = new Uint8Array(file());"


# ---- states


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ({}, {"tab": "grid", "n": 12, "labels": "quantile", "temperature": 1, "seed": 0, "warp": 0, "heat": False}),
        (
            {"tab": "draws", "n": 9, "labels": "z", "temperature": 0.707, "seed": 7, "warp": 0.5, "heat": True},
            {"tab": "draws", "n": 9, "labels": "z", "temperature": 0.71, "seed": 7, "warp": 0.5, "heat": True},
        ),
        (
            {"tab": "toString", "n": 3, "labels": {}, "temperature": 99, "seed": 2**32, "warp": -1, "heat": 1},
            {"tab": "grid", "n": 8, "labels": "quantile", "temperature": 2, "seed": 0, "warp": 0, "heat": False},
        ),
        (
            {"tab": None, "n": 12.5, "temperature": "1", "seed": -1, "warp": [1], "heat": "yes"},
            {"tab": "grid", "n": 12, "labels": "quantile", "temperature": 1, "seed": 0, "warp": 0, "heat": False},
        ),
    ],
)
def test_a_link_to_the_prior_becomes_whole_and_harmless(raw: Any, wanted: Any, node: Callable[..., Any]) -> None:
    assert node("print(prior.cleanPrior(given));", raw) == wanted


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ({}, {"from": "z", "reach": 3, "steps": 9, "latent": None}),
        (
            {"from": 4999, "reach": 2.6, "steps": 13, "latent": 1},
            {"from": 4999, "reach": 2.5, "steps": 13, "latent": 1},
        ),
        ({"from": 5000, "reach": 9, "steps": 8, "latent": 2}, {"from": "z", "reach": 4, "steps": 9, "latent": None}),
        (
            {"from": -1, "reach": None, "steps": "9", "latent": "0"},
            {"from": "z", "reach": 3, "steps": 9, "latent": None},
        ),
        (
            {"from": "<b>", "reach": {}, "steps": 1e9, "latent": -1},
            {"from": "z", "reach": 3, "steps": 9, "latent": None},
        ),
    ],
)
def test_a_link_to_a_traversal_becomes_whole_and_harmless(raw: Any, wanted: Any, node: Callable[..., Any]) -> None:
    assert node("print(traverse.cleanTraverse(given, { dims: 2, count: 5000 }));", raw) == wanted


def test_many_latents_start_at_a_test_image(node: Callable[..., Any]) -> None:
    """0 is no usual place where there are many: no prior draw comes near it."""
    script = "print(given.map((from) => traverse.cleanTraverse({ from }, { dims: 32, count: 5000 }).from));"
    assert node(script, [None, "z", 7, "x"]) == [0, "z", 7, 0]


def test_whatever_comes_in_is_no_error(node: Callable[..., Any]) -> None:
    raws = [None, 3, "x", [], [1, 2], True, {"tab": {"a": 1}}, {"seed": 1.5}, {"from": [3]}]
    limits = "{ dims: 2, count: 5000 }"
    found = node(
        f"print(given.map((raw) => [prior.cleanPrior(raw, {limits}), traverse.cleanTraverse(raw, {limits})]));", raws
    )
    assert found == [found[0]] * len(raws)


# ---- the prior


@pytest.mark.parametrize("n", [1, 8, 13, 16])
def test_the_grid_is_that_of_the_core(n: int, node: Callable[..., Any]) -> None:
    found = node("print([Array.from(prior_math.quantiles(given)), prior_math.quantileGrid(given)]);", n)
    assert np.allclose(found[0], prior_quantiles(n), atol=1e-6)
    assert np.allclose(found[1], quantile_grid(n), atol=1e-6)


def test_every_picture_lies_in_its_own_cell_and_draws_spread_evenly(node: Callable[..., Any]) -> None:
    z = torch.randn(20_000, 2, generator=torch.Generator().manual_seed(1))
    own, cells = node(
        "const { cellOf, quantileGrid } = prior_math;"
        "print([quantileGrid(12).map((at) => cellOf(at, 12)), given.map((at) => cellOf(at, 4))]);",
        z.tolist(),
    )
    assert own == list(range(144))
    counts = np.bincount(cells, minlength=16)
    assert counts.sum() == 20_000 and abs(counts - 1250).max() < 5 * np.sqrt(1250)
    assert node("print([[9, 9], [-9, -9], [40, -40]].map((at) => prior_math.cellOf(at, 8)));") == [7, 56, 63]


@pytest.mark.parametrize(("seed", "dims", "temperature"), [(0, 2, 1.0), (7, 32, 0.5), (2**32 - 1, 5, 2.0), (3, 1, 0.0)])
def test_draws_are_those_of_torch(seed: int, dims: int, temperature: float, node: Callable[..., Any]) -> None:
    found = node("print(Array.from(prior_math.draws(...given)));", [seed, 40, dims, temperature])
    eps = torch.randn(40, dims, generator=torch.Generator().manual_seed(seed))
    assert np.allclose(np.array(found).reshape(40, dims), temperature * eps, atol=2e-6)


def test_variety_is_the_mean_square_distance_of_all_pairs(node: Callable[..., Any]) -> None:
    pictures = decoded(5)
    found = node(
        BYTES + "print([prior_math.variety(pictures), distances.apart(pictures, 3, 20)]);", None, pictures.tobytes()
    )
    x = torch.from_numpy(pictures).double() / 255
    assert found[0] == pytest.approx((torch.pdist(x).square().mean() / 784).sqrt().item(), rel=1e-9)
    assert found[1] == pytest.approx(((x[3] - x[20]).square().mean()).sqrt().item(), rel=1e-9)
    assert node(BYTES + "print(prior_math.variety(pictures));", None, pictures[:1].tobytes() * 4) == 0


# ---- the warp


def axes_of(pictures: np.ndarray) -> np.ndarray:
    """(784, 2) the first two principal axes, by numpy."""
    x = pictures.astype(float)
    axes = np.linalg.svd(x - x.mean(0), full_matrices=True)[2][:2].T
    return axes.astype(np.float32)


def test_on_its_principal_axes_a_sheet_lies_as_numpy_says(node: Callable[..., Any]) -> None:
    pictures = decoded(12)
    script = (
        BYTES + "const { xy, kept } = mesh.onAxes(pictures, Float32Array.from(given));"
        "print({ xy: Array.from(xy), kept });"
    )
    found = node(script, axes_of(pictures).ravel().tolist(), pictures.tobytes())
    x = pictures / 255 / 28
    u, s, _ = np.linalg.svd(x - x.mean(0), full_matrices=False)
    wanted, got = u[:, :2] * s[:2], np.array(found["xy"]).reshape(-1, 2)
    assert found["kept"] == pytest.approx((s[:2] ** 2).sum() / (s**2).sum(), rel=1e-6)
    signs = np.sign((wanted * got).sum(0))
    assert np.allclose(got * signs, wanted, atol=1e-5 * s[0]) and s[1] > 1.05 * s[2]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_or_equal_pictures_lie_on_axes_too(count: int, node: Callable[..., Any]) -> None:
    pictures = decoded(4)[[0, 5, 10][:count]]
    for given, kept in ((pictures, min(1, count - 1)), (np.repeat(pictures[:1], 6, axis=0), 0)):
        script = "const { xy, kept } = mesh.onAxes(pictures, Float32Array.from(given));"
        found = node(
            BYTES + script + "print([Array.from(xy), kept]);", axes_of(given).ravel().tolist(), given.tobytes()
        )
        assert found[1] == pytest.approx(kept, abs=1e-6) and np.isfinite(found[0]).all()
        x, xy = given / 255 / 28, np.array(found[0]).reshape(-1, 2)
        apart = np.linalg.norm(x[:, None] - x[None], axis=-1)  # two axes hold all distances of three pictures
        assert np.allclose(np.linalg.norm(xy[:, None] - xy[None], axis=-1), apart, atol=1e-7)


def test_stretch_is_that_of_numpy_and_near_the_decoders_jacobian(node: Callable[..., Any]) -> None:
    n = 9
    xs = np.linspace(-0.5, 0.5, n, dtype=np.float32)
    torch.manual_seed(3)
    model = VAE("mlp", 2).eval()

    def picture(z: torch.Tensor) -> torch.Tensor:
        return model.mean_image(6 * model.decode(3 * z)).flatten(-3)

    grid = torch.tensor([[x, y] for y in xs[::-1] for x in xs])
    with torch.no_grad():
        pictures = (255 * picture(grid)).round().byte().numpy()
    script = (
        BYTES + "const xs = Float32Array.from(given);"
        "print(Array.from(prior_math.stretches(pictures, xs, xs.toReversed())));"
    )
    found = np.array(node(script, xs.tolist(), pictures.tobytes())).reshape(n - 1, n - 1)
    x = pictures.reshape(n, n, 784) / 255
    step = xs[1] - xs[0]
    across, down = (((np.diff(x, axis=a) / step) ** 2).mean(-1) for a in (1, 0))
    wanted = np.sqrt((across[1:] + across[:-1] + down[:, 1:] + down[:, :-1]) / 4)
    assert np.allclose(found, wanted, rtol=1e-5)
    middle = torch.tensor([0.5 * (xs[3] + xs[4]), 0.5 * (xs[4] + xs[5])])  # of the cell in row 3, column 3
    jacobian = torch.autograd.functional.jacobian(picture, middle[None])
    assert found[3, 3] == pytest.approx((jacobian.square().sum() / 2 / 784).sqrt().item(), rel=0.1)


def test_the_sheet_goes_from_z_to_its_pictures(node: Callable[..., Any]) -> None:
    """At warp 0 places are those of z to scale, at 1 distances are those on the axes, and no axis is flipped."""
    n, size = 6, 1000
    pictures = decoded(n)
    script = (
        BYTES + "const xs = prior_math.quantiles(given.n), ys = xs.toReversed();"
        "const axes = Float32Array.from(given.axes), parts = mesh.onAxes(pictures, axes);"
        "const sheet = mesh.meshOf({ xs, ys, pictures, axes, stretch: [] });"
        "const places = (w) => sheet.z.map((_, i) => mesh.placeAt(sheet, i, w, 1000));"
        "print({ z: places(0), image: places(1), half: places(0.5), reach: sheet.reach, xy: Array.from(parts.xy),"
        " point: [0, 1].map((w) => mesh.placeOfPoint(sheet, [xs[2], ys[1]], w, 1000)),"
        " off: mesh.placeOfPoint(sheet, [9, 0], 0, 1000) });"
    )
    given = {"n": n, "axes": axes_of(pictures).ravel().tolist()}
    found = node(script, given, pictures.tobytes())
    z, image, half = (np.array(found[name]) for name in ("z", "image", "half"))
    scale = size / 2 / np.array(found["reach"])
    grid = quantile_grid(n).numpy()
    assert np.allclose((z - size / 2) / scale[0] * [1, -1], grid, atol=1e-5)
    xy = np.array(found["xy"]).reshape(-1, 2)
    back = (image - size / 2) / scale[1] * [1, -1]
    assert np.allclose(np.abs(back), np.abs(xy), atol=1e-9) and ((back * grid).sum(0) >= 0).all()
    assert np.allclose(half, (z + image) / 2)
    assert np.allclose(found["point"], [z[n + 2], image[n + 2]]) and found["off"] is None
    assert z.min() > 0 and z.max() < size and image.min() > 0 and image.max() < size
