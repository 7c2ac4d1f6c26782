"""Figures of pictures: how close draws from the prior are to real images, in pixels.

Three figures, as no one of them says it alone (Kynkäänniemi et al. 2019 and Naeem et al. 2020 separate fidelity,
"is each draw like a real image", from coverage, "is each real image like a draw"):

fidelity   draw to its nearest test image. A blank picture has it smaller than a real digit has, as all digits are
           mostly black; so it ranks nothing alone. For the same reason the precision and the density of those
           papers are useless on raw pixels: the mean image gets a precision of 1.
coverage   test image to its nearest draw. One good picture, the mean image and a blank one all score worse than real
           images do. Blur is favoured: digits under a Gaussian of one pixel score better (0.186) than the same digits
           sharp (0.209; 500 training images).
gap        energy distance between the two sets as wholes (Székely and Rizzo 2013): 0 for equal distributions and
           for no others, so neither blur nor a few perfect pictures can win. Real images score best.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vae_core.pieces import Pieces, in_pieces

REFERENCE = 2_000  # images of the gap, evenly spaced among those given


@dataclass(frozen=True)
class DrawQuality:
    """Of full scale: black to white is 1. `fidelity`, `coverage` and `gap` are root mean squares over the pixels."""

    fidelity: float
    coverage: float
    gap: float
    variety: float  # standard deviation over the pictures, mean over the pixels


def rows(pictures: Tensor) -> Tensor:
    """(B, 1, 28, 28) or (B, 28, 28), uint8 or float in [0, 1], to (B, 784) float32 in [0, 1]."""
    flat = pictures.flatten(1)
    return flat / 255 if flat.dtype == torch.uint8 else flat.float()


@in_pieces
def nearest(pictures: Tensor, pixels: Tensor, chunk: int = 250) -> Pieces[tuple[Tensor, Tensor]]:
    """For each picture the nearest image: where samples come from.

    Args:
        pictures: (B, 1, 28, 28) or (B, 28, 28), uint8 or float in [0, 1].
        pixels: (N, 1, 28, 28) likewise, on the same device.
    Returns:
        index (B,) int64 into pixels; distance (B,) root mean square difference of the pixels, of full scale.
    """
    these, those = rows(pictures), rows(pixels)
    index, distance = [], []
    for part in these.split(chunk):
        index.append(torch.cdist(part, those).argmin(-1))
        # cdist multiplies matrices and is off by 0.0001 near 0; the difference itself is exact.
        distance.append((part - those[index[-1]]).square().mean(-1).sqrt())
        yield
    return torch.cat(index), torch.cat(distance)


@in_pieces
def draw_quality(pictures: Tensor, pixels: Tensor) -> Pieces[DrawQuality]:
    """The figures of pictures against images; no labels. Give it other real images to see what is possible.

    Args:
        pictures: (K, 1, 28, 28), K >= 2, uint8 or float in [0, 1].
        pixels: (N, 1, 28, 28) likewise, on the same device.
    """
    _, to_an_image = yield from nearest.pieces(pictures, pixels)
    _, to_a_picture = yield from nearest.pieces(pixels, pictures)
    gap = yield from energy_distance.pieces(rows(pictures), rows(pixels))
    return DrawQuality(
        fidelity=to_an_image.mean().item(),
        coverage=to_a_picture.mean().item(),
        gap=gap,
        variety=rows(pictures).std(0).mean().item(),
    )


@in_pieces
def energy_distance(a: Tensor, b: Tensor) -> Pieces[float]:
    """2 E‖A − B‖ − E‖A − A'‖ − E‖B − B'‖ over all pairs of the two sets; never negative, 0 only for equal sets.

    Distances are divided by √(number of pixels), as everywhere here. A set of more than REFERENCE rows is thinned.

    Args:
        a: (K, P). b: (N, P).
    """
    a, b = thinned(a), thinned(b)
    scale = a.shape[-1] ** 0.5
    between = yield from _mean_distance(a, b)
    within_a = yield from _mean_distance(a, a)
    within_b = yield from _mean_distance(b, b)
    return max(0.0, 2 * between - within_a - within_b) / scale


def thinned(x: Tensor, keep: int = REFERENCE) -> Tensor:
    """At most `keep` rows, evenly spaced."""
    if len(x) <= keep:
        return x
    return x[torch.linspace(0, len(x) - 1, keep, device=x.device).long()]


def _mean_distance(a: Tensor, b: Tensor, chunk: int = 250) -> Pieces[float]:
    total = 0.0
    for part in a.split(chunk):
        total += torch.cdist(part, b).sum().item()
        yield
    return total / (len(a) * len(b))
