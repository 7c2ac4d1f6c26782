"""The grids that the bound is drawn from: one around each mode of the posterior, one around q, one for the plane."""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from pages.ui.lesson.bound.view import BoundData, Gaussian, Line, Plane
from vae_core.exact.density import log_joint
from vae_core.exact.quadrature import Evidence

DEPTH = 12.0  # nats below the peak at which a mode is taken to end: e^-12 of its height
LEAST_MASS = 1e-4  # of the posterior; a smaller mode is left to the grid of the whole plane
MODE_SIDE, ENCODER_SIDE = 101, 61  # points
WHOLE, WHOLE_SIDE = 5.0, 201  # the plane is ±5 with step 0.05, so that q = prior loses 1e-6 of itself
CELLS = 48  # a side, of the raster on which modes are told apart


@dataclass(frozen=True)
class Square:
    """A square of the latent plane, prior units."""

    z1: float  # centre
    z2: float
    half: float

    def holds(self, other: "Square") -> bool:
        return max(abs(self.z1 - other.z1), abs(self.z2 - other.z2)) + other.half <= self.half

    def meets(self, other: "Square") -> bool:
        return max(abs(self.z1 - other.z1), abs(self.z2 - other.z2)) < self.half + other.half

    def around(self, other: "Square") -> "Square":
        """The smallest square that holds both."""
        ends = [(getattr(s, axis) - s.half, getattr(s, axis) + s.half) for axis in ("z1", "z2") for s in (self, other)]
        low1, high1 = min(ends[0][0], ends[1][0]), max(ends[0][1], ends[1][1])
        low2, high2 = min(ends[2][0], ends[3][0]), max(ends[2][1], ends[3][1])
        return Square((low1 + high1) / 2, (low2 + high2) / 2, max(high1 - low1, high2 - low2) / 2)


@torch.no_grad()
def bound_data(
    model: Any, x: Tensor, found: Evidence, *, image: np.ndarray, label: str, name: str, line: Line | None = None
) -> BoundData:
    """Everything that `bound_view` shows of one image; about 65,000 codes are decoded, so keep the result.

    Args:
        model: with two latents, in evaluation mode.
        x: (1, 1, 28, 28) the image as the model takes it.
        found: vae_core.exact.evidence(model, x).
        image: (28, 28) uint8, for the small picture.
        label, name: of the image and of the model.
        line: the one-dimensional model; None: the usual one.
    """
    mu, log_var = (v[0].double() for v in model.encode(x))
    width = (0.5 * log_var).exp().max().item()
    encoder = Square(mu[0].item(), mu[1].item(), 5 * width)
    squares = [(square, MODE_SIDE) for square in _with(encoder, modes(found))]
    if not any(square.holds(encoder) for square, _ in squares):
        squares.append((Square(encoder.z1, encoder.z2, 8 * width), ENCODER_SIDE))
    squares.sort(key=lambda pair: pair[0].half / pair[1])
    squares.append((Square(0.0, 0.0, WHOLE), WHOLE_SIDE))
    planes = [_plane(model, x, square, side) for square, side in squares]
    q = Gaussian(tuple(mu.tolist()), tuple(log_var.tolist()))
    return BoundData(planes, found.log_p.value, found.log_p.error, q, image, label, name, line or Line())


def modes(found: Evidence) -> list[Square]:
    """Squares around the parts of the posterior that hang together; squares that overlap become one."""
    values = found.log_joint.cpu().numpy()
    high = values > values.max() - DEPTH
    cell = -(-len(high) // CELLS)
    mass = np.exp(values - found.log_p.value) * found.step**2
    squares: list[Square] = []
    for rows, columns in _parts(high, cell):
        if mass[rows, columns].sum() >= LEAST_MASS:
            squares = _merged(squares, _square(found, rows, columns))
    return squares


def _with(encoder: Square, squares: list[Square]) -> list[Square]:
    """The squares, one of them widened if it nearly holds the encoder's q as well."""
    wider = [(square.around(encoder), square) for square in squares]
    best, square = min(wider, key=lambda pair: pair[0].half / pair[1].half)
    if best.half > 1.5 * square.half:
        return squares
    return _merged([s for s in squares if s is not square], best)


def _merged(squares: list[Square], new: Square) -> list[Square]:
    met = [square for square in squares if square.meets(new)]
    if not met:
        return [*squares, new]
    return _merged([square for square in squares if square not in met], reduce(Square.around, met, new))


def _parts(high: np.ndarray, cell: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Row and column indices of the points of each part that hangs together, cells of `cell` points being its grain."""
    rows, columns = high.nonzero()
    at = rows // cell, columns // cell
    raster = np.zeros((CELLS, CELLS), bool)
    raster[at] = True
    parts, count = ndimage.label(raster, ndimage.generate_binary_structure(2, 2))  # by all eight neighbours
    part = parts[at]
    return [(rows[part == k], columns[part == k]) for k in range(1, count + 1)]


def _square(found: Evidence, rows: np.ndarray, columns: np.ndarray) -> Square:
    """Around the points, with a margin of a tenth and of two steps for what the lattice interpolated."""
    z1, z2 = found.z1.cpu().numpy()[columns], found.z2.cpu().numpy()[rows]
    half = max(np.ptp(z1), np.ptp(z2)) / 2
    return Square(float(z1.min() + z1.max()) / 2, float(z2.min() + z2.max()) / 2, float(1.1 * half + 2 * found.step))


def _plane(model: Any, x: Tensor, square: Square, side: int) -> Plane:
    """log p(x, z) computed at every point."""
    steps = torch.linspace(-square.half, square.half, side, dtype=torch.float64)
    z2, z1 = torch.meshgrid(square.z2 - steps, square.z1 + steps, indexing="ij")  # rows fall
    values = log_joint(model, x, torch.stack([z1, z2], dim=-1).flatten(0, 1))
    z1_ends, z2_ends = ((centre - square.half, centre + square.half) for centre in (square.z1, square.z2))
    return Plane(values.reshape(side, side).cpu().numpy(), z1_ends, z2_ends)
