"""The explorer's mathematics in the browser, run under node and held against vae_core."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.node_runner import node_runner
from vae_core import latent
from vae_core.data import Images
from vae_core.data.picture import as_mnist
from vae_core.inspect.image_attributes import ATTRIBUTES, measure


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    return node_runner(tmp_path, "explore/arithmetic/attributes", "explore/shared/paths", "explore/encode/mnist")


# ---- attributes


def test_attributes_are_measured_as_in_python(mnist: Images, node: Callable[..., Any]) -> None:
    """MNIST, noise, one pixel, one row, nothing; as floats in [0, 1] and as bytes."""
    noise = torch.rand(20, 28, 28, generator=torch.Generator().manual_seed(0)) ** 8
    odd = torch.zeros(3, 28, 28)
    odd[0, 27, 0], odd[1, 5, 3:20] = 1, 1
    pixels = (torch.cat([mnist.x_test[:200, 0].float() / 255, noise, odd]) * 255).round().to(torch.uint8)
    found = node(
        "const bytes = new Uint8Array(file()); const rows = [];"
        "for (let i = 0; i < bytes.length; i += 784) { const b = bytes.subarray(i, i + 784);"
        " rows.push([b, Float32Array.from(b, (v) => v / 255)].map((p) => attributes.measure(p))); }"
        "print(rows);",
        file=pixels.numpy().tobytes(),
    )
    wanted = measure(pixels.float() / 255)
    for kind in (0, 1):
        values = [[row[kind][a.key] for a in ATTRIBUTES] for row in found]
        torch.testing.assert_close(torch.tensor(values), wanted, rtol=1e-5, atol=1e-5)
    assert found[-1][0] == {a.key: 0 for a in ATTRIBUTES}
    assert wanted.std(0).min() > 0.5  # pictures that differ


# ---- ways


def stops(dims: int) -> torch.Tensor:
    return torch.randn(5, dims, generator=torch.Generator().manual_seed(dims))


@pytest.mark.parametrize("way", ["straight", "spherical"])
@pytest.mark.parametrize("dims", [1, 2, 16])
def test_ways_are_those_of_python(way: str, dims: int, node: Callable[..., Any]) -> None:
    points, python = stops(dims), getattr(latent, way)
    found = node(
        "const p = given.points.map((row) => Float32Array.from(row));"
        f"const way = paths.{way};"
        "print({ pair: [1, 2, 9].map((n) => Array.from(way(p[0], p[1], n))),"
        " plain: Array.from(way(given.points[0], given.points[1], 9)),"
        " along: Array.from(paths.through(p, 7, way)), alone: Array.from(paths.through(p.slice(0, 1), 7, way)) });",
        {"points": points.tolist()},
    )
    for n, values in zip((1, 2, 9), found["pair"], strict=True):
        torch.testing.assert_close(torch.tensor(values).view(n, dims), python(*points[:2], n), rtol=0, atol=1e-5)
    assert found["plain"] == pytest.approx(found["pair"][2], abs=1e-6)
    along = torch.tensor(found["along"]).view(-1, dims)
    torch.testing.assert_close(along, latent.through(points, 7, python), rtol=0, atol=1e-5)
    assert found["alone"] == pytest.approx(points[0].tolist())


def test_codes_without_a_plane_between_them_are_joined_as_in_python(node: Callable[..., Any]) -> None:
    a = stops(6)[0]
    factors = [2.0, 1.0, 0.0, -1.0, -3.3]
    found = node(
        "const a = Float32Array.from(given.a);"
        "print(given.factors.map((f) => { const b = a.map((v) => v * f);"
        " return [Array.from(paths.spherical(a, b, 7)), Array.from(paths.halfWay(a, b))]; }));",
        {"a": a.tolist(), "factors": factors},
    )
    for factor, (path, middle) in zip(factors, found, strict=True):
        wanted = latent.spherical(a, factor * a, 7)
        torch.testing.assert_close(torch.tensor(path, dtype=torch.float32).view(7, 6), wanted, rtol=0, atol=1e-5)
        torch.testing.assert_close(
            torch.tensor(middle, dtype=torch.float32), latent.half_way(a, factor * a), rtol=0, atol=1e-6
        )


def test_ways_of_no_points_are_refused(node: Callable[..., Any]) -> None:
    script = (
        "const fails = (f) => { try { f(); return false; } catch (error) { return error instanceof RangeError; } };"
        "print([() => paths.straight([1], [2], 0), () => paths.spherical([1], [2], NaN),"
        " () => paths.through([[1], [2]], 1), () => mnist.asMnist(new Float32Array(5), 2, 2)].map(fails));"
    )
    assert node(script) == [True] * 4


# ---- drawings


def drawings(mnist: Images) -> list[np.ndarray]:
    """Digits as they are, off the middle, blown up and squeezed; noise; lines and dots of any shape."""
    rng = np.random.default_rng(0)
    digits = (mnist.x_test[:40, 0].double() / 255).numpy()
    made = [*digits, *(np.kron(d, np.ones((7, 5))) for d in digits[:8]), *(np.roll(d, (6, -5), (0, 1)) for d in digits)]
    made += [rng.random((h, w)) ** 6 for h, w in ((28, 28), (3, 90), (111, 37), (1, 1), (1, 50), (200, 200))]
    for size in (28, 280):
        dot = np.zeros((size, size))
        dot[size - 1, 2] = 0.4
        made.append(dot)
    return [np.float32(d) for d in made]


def test_drawings_become_the_same_mnist_images_as_in_python(mnist: Images, node: Callable[..., Any]) -> None:
    made = drawings(mnist)
    found = node(
        "const all = new Float32Array(file()); let from = 0;"
        "print(given.map(([h, w]) => { const ink = all.subarray(from, from + w * h); from += w * h;"
        " return Array.from(mnist.asMnist(ink, w, h), (v) => Math.round(v * 255)); }));",
        [list(d.shape) for d in made],
        b"".join(d.tobytes() for d in made),
    )
    for drawing, values in zip(made, found, strict=True):
        wanted = as_mnist(drawing).astype(int)
        assert np.abs(np.array(values).reshape(28, 28) - wanted).max() <= 1, drawing.shape
        assert wanted.max() == 255


def test_an_empty_drawing_is_no_image(node: Callable[..., Any]) -> None:
    script = (
        "const one = new Float32Array(400); one[10] = 0.5;"
        "print([mnist.asMnist(new Float32Array(400), 20, 20), mnist.asMnist(one, 20, 20) instanceof Float32Array]);"
    )
    assert node(script) == [None, True]
