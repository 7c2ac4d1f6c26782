"""Circles: discs of which position and radius are known, so it can be asked which latent has learned which of them."""

import numpy as np

from vae_core.data.declaration import Declaration

SIDE = 28
CENTRE = (9.0, 19.0)  # x and y of the centre, in pixels from the upper left corner of the picture, y downwards
RADIUS = (3.0, 8.0)  # so every disc lies inside
SEED = 0  # no setting of a run changes it
DECLARED = Declaration(
    title="Circles",
    says="60,000 drawn discs to train on and 10,000 to test with: x, y and radius are all that differs.",
    factors=("x", "y", "radius"),
)
_SUB_ROWS = 16  # of a pixel's row: along each the length is exact, so the area is right to 0.03 of a pixel
_DIAGONAL = np.float32(0.71)  # half of a pixel's
_CHUNK = 500  # pictures at a time: what is worked on stays in the processor's cache


def read() -> dict[str, np.ndarray]:
    """The arrays of the set; nothing is read, all is drawn."""
    factors = draw_factors(DECLARED.train + DECLARED.test, SEED)  # (N, 3)
    pictures = draw(factors)  # (N, 28, 28)
    arrays: dict[str, np.ndarray] = {}
    for split, part in (("train", slice(DECLARED.train)), ("test", slice(DECLARED.train, None))):
        arrays[f"x_{split}"] = pictures[part]
        arrays[f"y_{split}"] = np.zeros(len(pictures[part]), np.uint8)
        arrays[f"factors_{split}"] = factors[part].astype(np.float32)
    return arrays


def draw_factors(count: int, seed: int) -> np.ndarray:
    """(count, 3) float64 x, y and radius in pixels, independent and uniform, a function of the seed."""
    low, high = np.array([CENTRE, CENTRE, RADIUS]).T
    return low + (high - low) * np.random.Generator(np.random.PCG64(seed)).random((count, 3))


def draw(factors: np.ndarray) -> np.ndarray:
    """White discs on black: a pixel's value is the share of its area that the disc covers.

    Args:
        factors: (N, 3) x, y and radius in pixels.
    Returns:
        (N, 28, 28) uint8.
    """
    pictures = np.empty((len(factors), SIDE, SIDE), np.uint8)
    for start in range(0, len(factors), _CHUNK):
        _draw(factors[start : start + _CHUNK].astype(np.float32), pictures[start : start + _CHUNK])
    return pictures


def _draw(factors: np.ndarray, pictures: np.ndarray) -> None:
    """Of all functions only the square root, which every machine rounds alike: so the checksum is one for all."""
    x, y, radius = factors.T  # (n,) each
    middles = np.arange(SIDE, dtype=np.float32) + np.float32(0.5)
    across, down = (np.square(middles - centre[:, None]) for centre in (x, y))  # (n, 28) each
    squared = across[:, None, :] + down[:, :, None]  # (n, 28, 28)
    inner, outer = (np.square(radius + end)[:, None, None] for end in (-_DIAGONAL, _DIAGONAL))
    inside = squared <= inner
    np.multiply(inside, np.uint8(255), out=pictures)
    edge = np.flatnonzero(inside ^ (squared < outer))  # pixels through which the edge may run
    image, place = np.divmod(edge.astype(np.int32), SIDE * SIDE)
    row, column = np.divmod(place, SIDE)
    left, top, square = column - x[image], row - y[image], np.square(radius[image])
    covered = np.zeros(len(edge), np.float32)
    for height in (np.arange(_SUB_ROWS, dtype=np.float32) + np.float32(0.5)) / _SUB_ROWS:
        half = np.sqrt(np.maximum(square - np.square(top + height), 0))
        covered += np.maximum(np.minimum(half, left + 1) - np.maximum(-half, left), 0)
    pictures.reshape(-1)[edge] = np.rint(covered * np.float32(255 / _SUB_ROWS))
