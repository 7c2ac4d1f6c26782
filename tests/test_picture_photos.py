"""Photos and drawings of a digit become what MNIST would have of it, and a VAE knows them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.test_picture import enlarged, off, saved
from vae_core import checkpoints
from vae_core.data import Images
from vae_core.data.paper import ink_of
from vae_core.data.picture import as_mnist, read_picture

CHECKPOINT = Path(__file__).resolve().parents[1] / "checkpoints" / "mnist-vae-mlp-2"


@pytest.fixture(scope="module")
def digits(mnist: Images) -> np.ndarray:
    """(10, 28, 28) uint8: the first test image of each class."""
    return mnist.x_test[mnist.one_per_class(), 0].numpy()


def photo(digit: np.ndarray, rng: np.random.Generator, dark: bool = True) -> bytes:
    """A JPEG of a pen's digit somewhere on a sheet: light from one side, grain, a speck, no full contrast."""
    pen = np.clip((enlarged(digit, 12) - 0.5) * 6 + 0.5, 0, 1)  # sharp edges
    sheet = np.zeros((700, 900))
    y, x = rng.integers(40, 300, 2)
    sheet[y : y + 336, x : x + 336] = pen
    sheet[20:26, 30:36] = 1
    across, down = np.linspace(-1, 1, 900)[None], np.linspace(-1, 1, 700)[:, None]
    light = 0.7 + 0.2 * rng.choice([-1, 1]) * across + 0.1 * down - 0.08 * (across**2 + down**2)
    grey = light * (1 - 0.75 * sheet) if dark else 0.1 + 0.15 * light + 0.6 * sheet
    grey = grey + 0.012 * rng.standard_normal(sheet.shape)
    return saved(Image.fromarray(np.uint8(255 * grey.clip(0, 1))), "JPEG", quality=80)


@pytest.mark.parametrize("dark", [True, False])
def test_a_photo_of_a_digit_gives_nearly_the_digit(dark: bool, digits: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    apart = [off(as_mnist(read_picture(photo(digit, rng, dark))), digit) for digit in digits]
    others = [off(digits[i - 1], digits[i]) for i in range(10)]
    assert np.mean(apart) < 15 < min(others)


def test_the_table_at_the_edge_of_a_photo_is_not_taken_for_ink(digits: np.ndarray) -> None:
    grey = np.full((300, 400), 0.8) + 0.01 * np.random.default_rng(0).standard_normal((300, 400))
    grey[50:246, 90:286] -= 0.7 * enlarged(digits[3], 7)
    grey[:, :12] = 0.1
    assert ink_of(grey.clip(0, 1))[:, :40].max() == 0
    assert off(as_mnist(ink_of(grey.clip(0, 1))), digits[3]) < 15


@pytest.mark.parametrize("paper", [0, 255])
def test_a_small_digit_of_a_drawing_program_is_found(paper: int) -> None:
    page = np.full((800, 800), paper, np.uint8)
    page[300:330, 500:502] = 255 - paper
    found = read_picture(saved(Image.fromarray(page)))
    assert found[300:330, 500:502].min() == 1 and found.sum() == 60


def test_a_thin_pen_is_thickened_to_the_strokes_of_mnist(digits: np.ndarray) -> None:
    """Straight lines a sixtieth of the size would be a third of a pixel wide."""
    page = np.full((600, 600), 255, np.uint8)
    page[100:500, 200:207], page[493:500, 200:400] = 0, 0  # an L
    found = read_picture(saved(Image.fromarray(page)))
    stroke = (found[300] > 0.5).sum()
    assert 0.08 * 400 < stroke < 0.16 * 400


def test_the_vae_knows_the_digits_in_photos(mnist: Images, digits: np.ndarray) -> None:
    """Encoded by the shipped VAE, at least 8 of 10 lie among codes of their own class."""
    model = checkpoints.load(CHECKPOINT).model

    def mu(pixels: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return model.encode(pixels.float().view(-1, 1, 28, 28) / 255)[0]

    rng = np.random.default_rng(2)
    seen = np.stack([as_mnist(read_picture(photo(digit, rng))) for digit in digits])
    near = torch.cdist(mu(torch.from_numpy(seen)), mu(mnist.x_train[:20_000])).topk(15, largest=False).indices
    votes = mnist.y_train[near].mode(-1).values
    assert (votes == torch.arange(10)).sum() >= 8, votes
