"""What is on the paper beside the digit: printed lines go, a second digit is a reason to refuse, and that is shown."""

import numpy as np
import pytest
from PIL import Image

from tests.test_picture import saved
from vae_core.data.picture import PictureError, read_ink
from vae_core.data.ruled import without_lines


def sheet(height: int = 240, width: int = 320) -> np.ndarray:
    """Paper with a little grain."""
    return np.full((height, width), 0.85) + 0.004 * np.random.default_rng(0).standard_normal((height, width))


def png(grey: np.ndarray) -> bytes:
    return saved(Image.fromarray(np.uint8(255 * grey.clip(0, 1))))


@pytest.mark.parametrize("slope", [0.0, 0.08])
def test_lines_go_and_what_crosses_them_stays(slope: float) -> None:
    y, x = np.mgrid[:240, :320]
    lines = 0.3 * ((y - slope * x) % 30 < 2)
    stroke = np.zeros((240, 320))
    stroke[60:190, 150:160] = 0.7
    left = without_lines(1 - (1 - lines) * (1 - stroke))
    assert left[60:190, 152:158].min() > 0.4
    assert (left[:, :140] > 0.15).mean() < 0.01 < (lines > 0.15).mean()


def test_a_stroke_is_no_line() -> None:
    """A bar of half the width, alone on plain paper."""
    ink = np.zeros((240, 320))
    ink[100:104, 80:240] = 0.5
    assert np.array_equal(without_lines(ink), ink)


def test_white_ink_on_nothing_is_ink() -> None:
    alpha = np.zeros((200, 200), np.uint8)
    alpha[50:150, 90:104] = 255
    white = np.dstack([np.full((200, 200, 3), 255, np.uint8), alpha])
    assert np.array_equal(read_ink(saved(Image.fromarray(white))).ink > 0.5, alpha > 0)


def test_two_digits_far_apart_are_refused_with_a_picture_of_them() -> None:
    grey = sheet()
    grey[60:180, 60:70] = grey[60:180, 250:260] = 0.2
    with pytest.raises(PictureError, match="More than one") as refused:
        read_ink(png(grey))
    seen = refused.value.seen
    assert seen is not None and seen.shape == (180, 240, 3)
    red = seen[..., 0].astype(int) - seen[..., 1] > 100
    assert red[90, 49] and red[90, 191] and not red[:, 80:180].any()


def test_a_hole_in_the_paper_is_no_digit() -> None:
    grey = sheet()
    y, x = np.mgrid[:240, :320]
    grey[np.hypot(y - 120, x - 30) < 14] = 0.02
    grey[60:180, 150:158] -= 0.15  # a pencil
    ink = read_ink(png(grey)).ink > 0.5
    assert ink[70:170, 152:156].all() and not ink[:, :100].any()


def test_a_photo_of_no_digit_is_refused() -> None:
    with pytest.raises(PictureError) as refused:
        read_ink(png(sheet()))
    assert refused.value.seen is not None
