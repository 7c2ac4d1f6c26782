"""The explorer's pad under node: how usual a place is, the nearest codes and images, planes, states of a link."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import Chi2, Normal

from pages.ui import shipped
from tests.node_runner import node_runner
from vae_core.inspect.snapshot import map_images

MODULES = ("lib/distances", "explore/shared/density", "explore/neighbours", "explore/shared/plane", "explore/state")


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    return node_runner(tmp_path, *MODULES)


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).numpy()


def further_out(r: float, dims: int) -> float:
    """P(|z| > r), in closed form (the tail of chi-squared), by recursion from the dimensions 1 and 2."""
    x, a = r * r / 2, 0.5 if dims % 2 else 1.0
    total = math.erfc(math.sqrt(x)) if dims % 2 else math.exp(-x)
    while a < dims / 2:
        total += math.exp(a * math.log(x) - x - math.lgamma(a + 1)) if x else 0
        a += 1
    return total


def test_the_share_further_out_is_that_of_the_chi_distribution(node: Callable[..., Any]) -> None:
    cases = [(r, dims) for dims in (1, 2, 3, 5, 16, 32, 64) for r in (0.0, 0.01, 0.5, 1.0, 2.0, 4.0, 6.0, 9.0, 14.0)]
    found = node("print(given.map(([r, dims]) => density.chiSurvival(r, dims)))", cases)
    assert np.allclose(found, [further_out(r, dims) for r, dims in cases], rtol=1e-11, atol=1e-14)
    rough = [1 - Chi2(float(d)).cdf(torch.tensor(r * r)).item() for r, d in cases]
    assert np.allclose(found, rough, atol=1e-5)


def test_prior_quantiles_are_those_of_the_normal_distribution(node: Callable[..., Any]) -> None:
    zs = np.linspace(-6, 6, 49).tolist()
    wanted = Normal(0.0, 1.0).cdf(torch.tensor(zs).double())
    assert np.allclose(node("print(given.map(density.normalShare))", zs), wanted, rtol=1e-7, atol=1e-13)


@pytest.mark.parametrize("dims", [1, 2, 32])
def test_the_nearest_code_and_what_is_near(dims: int, node: Callable[..., Any]) -> None:
    """The radius by brute force, with torch's own draws."""
    mu, z, log_var = numbers(400, dims), numbers(dims, seed=1), numbers(400, dims, seed=2) - 2
    found = node(
        "const mu = Float32Array.from(given.mu), logVar = Float32Array.from(given.logVar), dims = given.z.length;"
        "print([distances.nearestCode(given.z, mu), density.nearRadius({ mu, logVar, dims }),"
        " density.nearRadius({ mu, logVar: null, dims })])",
        {"mu": mu.ravel().tolist(), "logVar": log_var.ravel().tolist(), "z": z.tolist()},
    )
    away = np.linalg.norm(mu - z, axis=1)
    assert found[0]["index"] == away.argmin() and found[0]["distance"] == pytest.approx(away.min(), rel=1e-5)
    for samples, radius in ((mu + np.exp(log_var / 2) * numbers(400, dims), found[1]), (mu, found[2])):
        between = np.linalg.norm(samples[:, None] - mu[None], axis=-1) + np.diag([np.inf] * 400)
        assert radius == pytest.approx(np.sort(between.min(1))[380], rel=1e-4)


@pytest.mark.parametrize("name", ["mnist-vae-mlp-2", "mnist-vae-beta4-mlp-2", "mnist-vae-conv-32"])
def test_samples_of_the_posterior_are_hardly_ever_far_from_a_code(name: str, node: Callable[..., Any]) -> None:
    """In every dimension: about 5 of 100, of other samples than those that the radius was made of."""
    x = map_images(shipped.images())[0].float() / 255
    with torch.no_grad():
        mu, log_var = (part.numpy() for part in shipped.checkpoint(name).model.encode(x))
    radius = node(
        "const values = new Float32Array(file()), half = values.length / 2;"
        "print(density.nearRadius({ mu: values.subarray(0, half), logVar: values.subarray(half), dims: given }))",
        mu.shape[1],
        np.stack([mu, log_var]).astype(np.float32).tobytes(),
    )
    others = np.arange(1, 5000, 13)
    z = mu[others] + np.exp(log_var[others] / 2) * numbers(len(others), mu.shape[1], seed=9)
    between = np.linalg.norm(z[:, None] - mu[None], axis=-1)
    between[np.arange(len(others)), others] = np.inf
    assert 0.01 < (between.min(1) > radius).mean() < 0.10


@pytest.mark.parametrize(
    ("r", "dims", "distance", "place"),
    [
        (0.0, 2, 0.1, "both"),
        (2.9, 2, 0.1, "both"),
        (2.9, 2, 0.31, "prior"),
        (3.1, 2, 0.1, "code"),
        (3.1, 2, 0.4, "nowhere"),
        (0.5, 32, 0.1, "inner"),
        (5.6, 32, 0.1, "both"),
        (9.0, 32, 0.4, "nowhere"),
    ],
)
def test_places_are_named(r: float, dims: int, distance: float, place: str, node: Callable[..., Any]) -> None:
    script = (
        "const [r, dims, distance] = given;"
        "print(density.placeOf({ further: density.chiSurvival(r, dims), distance, near: 0.3, dims }))"
    )
    assert node(script, [r, dims, distance]) == place


def test_a_plain_autoencoder_has_no_prior_to_speak_of(node: Callable[..., Any]) -> None:
    places = ["inner", "both", "prior", "code", "nowhere"]
    vae, ae = node("print([true, false].map((p) => given.map((place) => density.placeText(place, p))))", places)
    assert all("prior draw" in text.lower() and "N(0, I)" not in text for text in vae)
    assert all("N(0, I)" in text and "prior" not in text.lower() for text in ae)


def test_neighbours_are_those_of_brute_force_however_the_search_is_cut(node: Callable[..., Any]) -> None:
    images = (numbers(730, 784, seed=2) * 40 + 128).clip(0, 255).astype(np.uint8)
    pictures = (numbers(3, 784, seed=3) * 0.2 + 0.5).clip(0, 1)
    found = node(
        "const images = new Uint8Array(file()), lists = [];"
        "const search = new neighbours.Neighbours(images, (list) => lists.push(list));"
        "search.look(given[0]); while (search.busy) search.work(0.01);"
        "search.look(given[1]); search.work(0); search.look(given[0]); search.look(given[2]);"  # the last one counts
        "while (search.busy) search.work(1);"
        "print(lists)",
        pictures.tolist(),
        images.tobytes(),
    )
    assert len(found) == 3
    for list_, picture in zip(found, pictures, strict=True):
        away = np.sqrt(((images / 255 - picture) ** 2).mean(1))
        assert [one["index"] for one in list_] == np.argsort(away)[:5].tolist()
        assert np.allclose([one["distance"] for one in list_], np.sort(away)[:5], rtol=1e-5)


@pytest.mark.parametrize("axes", ["pca", [4, 1]])
def test_moving_in_a_plane_keeps_the_rest(axes: Any, node: Callable[..., Any]) -> None:
    basis = np.linalg.qr(numbers(6, 2, seed=4))[0]
    z, mu, log_var = numbers(6, seed=5), numbers(9, 6, seed=6), numbers(6, seed=7)
    found = node(
        "const p = new plane.Plane(given.axes, 6, array([[6, 2], given.basis]));"
        "print([Array.from(p.from([1.5, -2], given.z)), Array.from(p.project(Float32Array.from(given.mu))),"
        " p.ellipse(given.logVar), p.off(given.z), p.labels])",
        {
            "axes": axes,
            "basis": basis.ravel().tolist(),
            "z": z.tolist(),
            "mu": mu.ravel().tolist(),
            "logVar": log_var.tolist(),
        },
    )
    b = basis if axes == "pca" else np.eye(6)[:, axes]
    assert np.allclose(found[0] @ b, [1.5, -2], atol=1e-5)
    off = np.eye(6) - b @ b.T
    assert np.allclose(off @ found[0], off @ z, atol=1e-5)
    assert np.allclose(np.reshape(found[1], (-1, 2)), mu @ b, atol=1e-5)
    widths = np.sqrt(np.linalg.eigvalsh(b.T @ np.diag(np.exp(log_var)) @ b))
    assert [found[2]["short"], found[2]["long"]] == pytest.approx(widths.tolist(), rel=1e-5)
    assert found[3] == pytest.approx(np.linalg.norm(off @ z), rel=1e-5)
    assert found[4] == (["PC 1", "PC 2"] if axes == "pca" else ["z₅", "z₂"])


@pytest.mark.parametrize(
    "raw",
    [
        None,
        3,
        [],
        "text",
        {"pad": None},
        {"pad": {"z": [1]}},
        {"pad": {"z": ["1", 2]}},
        {"pad": {"z": [None, 0]}},
        {"pad": {"pins": [[1, 2], [1], "x", {}]}},
        {"view": {"axes": [0, 0], "grid": 1}},
        {"view": {"axes": [0, 9]}},
        {"view": "pca"},
        {"pad": {"pins": {"length": 1e9}}},
    ],
)
def test_whatever_a_link_says_a_whole_state_comes_of_it(raw: Any, node: Callable[..., Any]) -> None:
    found = node("print(state.cleanState(given, { dims: 2, count: 5000 }, { pad: state.cleanPad }))", raw)
    pinned = [[1, 2]] if isinstance(raw, dict) and isinstance((raw.get("pad") or {}).get("pins"), list) else []
    view = {"axes": "pca", "grid": False, "ellipses": False, "automatic": False}
    assert found == {"view": view, "pad": {"z": [0, 0], "pins": pinned}}


def test_a_state_that_holds_is_kept(node: Callable[..., Any]) -> None:
    raw = {
        "view": {"axes": [3, 1], "grid": True, "ellipses": True, "automatic": True},
        "pad": {"z": [0.1234567, -999, 2, 3], "pins": [[0.0, 1, 2, 3]] * 20},
    }
    found = node("print(state.cleanState(given, { dims: 4, count: 5000 }, { pad: state.cleanPad }))", raw)
    assert found["view"] == raw["view"] and found["pad"]["z"] == [0.123, -100, 2, 3] and len(found["pad"]["pins"]) == 8
