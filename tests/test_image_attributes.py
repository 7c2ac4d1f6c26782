"""Attributes against bars, rings and ellipses of known slant, stroke, height and width, and against plain loops."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from vae_core.data import Images
from vae_core.inspect.image_attributes import ATTRIBUTES, measure

FINE = 10  # samples a pixel's side: the drawings are antialiased by averaging


def draw(inside: object, x: float = 0.0, y: float = 0.0) -> Tensor:
    """(1, 28, 28) antialiased picture of a shape about (x, y); x to the right, y upwards, in pixels from the middle."""
    place = (torch.arange(28 * FINE, dtype=torch.float64) + 0.5) / FINE - 14
    shape = inside(place[None] - x, -place[:, None] - y)  # type: ignore[operator]
    return torch.nn.functional.avg_pool2d(shape.double()[None, None], FINE)[0].float()


def bar(width: float, height: float, shear: float = 0.0, turn: float = 0.0):  # type: ignore[no-untyped-def]
    """A bar, sheared by tan(slant), then turned clockwise by an angle in degrees."""
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))

    def inside(x: Tensor, y: Tensor) -> Tensor:
        u, v = x * c - y * s, x * s + y * c
        return ((u - shear * v).abs() < width / 2) & (v.abs() < height / 2)

    return inside


def ring(radius: float, stroke: float):  # type: ignore[no-untyped-def]
    return lambda x, y: (torch.hypot(x, y) - radius).abs() < stroke / 2


def ellipse(a: float, b: float):  # type: ignore[no-untyped-def]
    return lambda x, y: (x / a) ** 2 + (y / b) ** 2 < 1


def named(picture: Tensor) -> dict[str, float]:
    return dict(zip([a.key for a in ATTRIBUTES], measure(picture)[0].tolist(), strict=True))


def test_the_attributes_come_in_the_agreed_order() -> None:
    assert [a.key for a in ATTRIBUTES] == ["slant", "thickness", "size", "width"]
    assert all(a.label and a.unit and a.says.endswith(".") for a in ATTRIBUTES)


@pytest.mark.parametrize("degrees", [-35, -10, 0, 5, 20, 40])
def test_the_slant_is_the_angle_of_the_shear(degrees: float) -> None:
    """Positive when the top lies to the right."""
    assert named(draw(bar(3, 18, shear=math.tan(math.radians(degrees)))))["slant"] == pytest.approx(degrees, abs=0.2)


@pytest.mark.parametrize("degrees", [-40, -15, 0, 15, 40])
def test_a_turned_stroke_has_the_slant_of_its_second_moments(degrees: float) -> None:
    """A bar of w by h turned by t: mu_11 / mu_02 = (h² − w²) sin t cos t / (h² cos² t + w² sin² t)."""
    width, height, t = 2.5, 20.0, math.radians(degrees)
    ratio = (height**2 - width**2) * math.sin(t) * math.cos(t)
    ratio /= (height * math.cos(t)) ** 2 + (width * math.sin(t)) ** 2
    expected = math.degrees(math.atan(ratio))
    assert named(draw(bar(width, height, turn=degrees)))["slant"] == pytest.approx(expected, abs=0.2)


@pytest.mark.parametrize("height", [1, 2, 7, 20, 27])
@pytest.mark.parametrize("width", [1, 2, 8])
def test_a_full_bar_on_whole_pixels_gives_its_height_and_width_exactly(height: int, width: int) -> None:
    picture = torch.zeros(1, 28, 28)
    picture[0, :height, 5 : 5 + width] = 0.7
    found = named(picture)
    assert (found["size"], found["width"]) == pytest.approx((height, width), rel=1e-5)


@pytest.mark.parametrize("slant", [-30, 0, 30])
def test_the_width_does_not_know_the_slant(slant: float) -> None:
    found = named(draw(bar(6.4, 18, shear=math.tan(math.radians(slant)))))
    assert found["width"] == pytest.approx(6.4, rel=0.05)
    assert found["size"] == pytest.approx(18, rel=0.01)


def test_an_ellipse_spreads_as_its_moments_say() -> None:
    """A full ellipse has variance b² / 4 along a half axis b."""
    found = named(draw(ellipse(5, 10)))
    assert (found["size"], found["width"]) == pytest.approx((math.sqrt(3) * 10, math.sqrt(3) * 5), abs=0.1)


@pytest.mark.parametrize("stroke", [2, 2.5, 3, 4])
@pytest.mark.parametrize("turn", [0, 10, 22.5, 45, -30])
def test_the_thickness_of_a_bar_is_twice_its_area_over_its_outline(stroke: float, turn: float) -> None:
    """Pixels round the corners off; a stroke of two pixels across the grid is nowhere quite white."""
    expected = stroke * 20 / (stroke + 20)
    assert named(draw(bar(stroke, 20, turn=turn), 0.3, 0.1))["thickness"] == pytest.approx(
        expected, rel=0.06 if stroke > 2 else 0.09
    )


@pytest.mark.parametrize("stroke", [2, 3, 4])
def test_the_thickness_of_a_ring_is_the_width_of_its_stroke(stroke: float) -> None:
    """A stroke without ends: area 2 pi r w over the outline 4 pi r is w / 2 exactly."""
    assert named(draw(ring(8, stroke), 0.2, -0.4))["thickness"] == pytest.approx(stroke, rel=0.03)


def test_the_thickness_of_a_disc_is_its_radius() -> None:
    assert named(draw(ellipse(8, 8)))["thickness"] == pytest.approx(8, rel=0.03)


@pytest.mark.parametrize("shift", [(0, 0), (3, -4), (-5, 2)])
def test_moving_a_digit_changes_nothing(shift: tuple[int, int], mnist: Images) -> None:
    room = torch.nn.functional.pad(mnist.x_test[:200].squeeze(1).float() / 255, (6, 6, 6, 6))
    moved = room.roll(shift, (1, 2))
    torch.testing.assert_close(measure(moved), measure(mnist.x_test[:200].float() / 255), rtol=1e-5, atol=1e-4)


def test_mirroring_turns_the_slant_around_and_turning_by_half_a_turn_keeps_everything(mnist: Images) -> None:
    x = mnist.x_test[:200].float() / 255
    values, mirrored = measure(x), measure(x.flip(-1))
    torch.testing.assert_close(mirrored * torch.tensor([-1.0, 1, 1, 1]), values, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(measure(x.flip(-1, -2)), values, rtol=1e-5, atol=1e-4)


def test_fainter_ink_changes_nothing(mnist: Images) -> None:
    x = mnist.x_test[:100].float() / 255
    torch.testing.assert_close(measure(0.3 * x), measure(x), rtol=1e-5, atol=1e-4)


def by_hand(f: np.ndarray) -> list[float]:
    """Pixel by pixel, as the formulas stand in the docstring; the gradient where four pixels meet."""
    at = [(x, -y, f[y, x]) for y in range(f.shape[0]) for x in range(f.shape[1])]
    area = math.fsum(v for _, _, v in at)
    cx, cy = (math.fsum(p[i] * p[2] for p in at) / area for i in (0, 1))

    def mu(p: int, q: int) -> float:
        return math.fsum(v * (x - cx) ** p * (y - cy) ** q for x, y, v in at) / area

    g, edge = np.pad(f, 1), 0.0
    for i in range(g.shape[0] - 1):
        for j in range(g.shape[1] - 1):
            (a, b), (c, d) = g[i : i + 2, j : j + 2]
            edge += math.hypot((b + d - a - c) / 2, (c + d - a - b) / 2)
    shear = mu(1, 1) / mu(0, 2)
    wide = mu(2, 0) - 2 * shear * mu(1, 1) + shear**2 * mu(0, 2)  # the variance of x − shear y
    return [math.degrees(math.atan(shear)), 2 * area / edge, math.sqrt(12 * mu(0, 2) + 1), math.sqrt(12 * wide + 1)]


def test_digits_are_measured_as_by_hand(mnist: Images) -> None:
    x = mnist.x_test[:20].float() / 255
    expected = [by_hand(picture.double().numpy()) for picture in x.squeeze(1)]
    np.testing.assert_allclose(measure(x), expected, rtol=1e-5, atol=1e-5)


def test_real_digits_come_in_the_order_that_everyone_sees(mnist: Images) -> None:
    values, labels = measure(mnist.x_test.float() / 255), mnist.y_test
    slant, _, size, width = torch.stack([values[labels == k].mean(0) for k in range(10)]).T.tolist()
    assert min(range(10), key=width.__getitem__) == 1 and max(range(10), key=width.__getitem__) == 0
    assert all(width[1] < 0.5 * width[k] for k in range(10) if k != 1)
    assert slant[1] > slant[7] > -2  # ones lean to the right
    assert all(12 < s < 25 for s in size)  # LeCun's 20 pixels of height
    assert not values.isnan().any() and values[:, 1].min() > 1


def test_thicker_strokes_measure_thicker(mnist: Images) -> None:
    x = mnist.x_test[:300].float() / 255
    thicker = torch.nn.functional.max_pool2d(x, 3, 1, 1)  # a grey dilation
    thickest = torch.nn.functional.max_pool2d(thicker, 3, 1, 1)
    thickness = torch.stack([measure(p)[:, 1] for p in (x, thicker, thickest)])
    assert (thickness.diff(dim=0) > 0.5).all()


def test_pictures_without_a_digit_and_of_one_pixel() -> None:
    one = torch.zeros(1, 28, 28)
    one[0, 27, 0] = 1
    row = torch.zeros(1, 28, 28)
    row[0, 4, 3:13] = 1
    assert measure(torch.zeros(3, 1, 28, 28)).tolist() == [[0.0] * 4] * 3
    assert measure(torch.zeros(0, 28, 28)).shape == (0, 4)
    assert measure(one)[0, [0, 2, 3]].tolist() == [0, 1, 1]
    assert measure(row)[0, [0, 2, 3]].tolist() == pytest.approx([0, 1, 10])
    assert not measure(torch.full((1, 28, 28), 1e-30)).isnan().any()


def test_many_pictures_are_measured_as_one_by_one(mnist: Images) -> None:
    """In parts inside; either shape of the input; grey levels 0 to 255 do as well."""
    values = measure(mnist.x_test)
    assert values.shape == (10_000, 4) and values.dtype == torch.float32
    for i in (0, 4095, 4096, 9999):
        torch.testing.assert_close(measure(mnist.x_test[i].float() / 255)[0], values[i], rtol=1e-5, atol=1e-5)
