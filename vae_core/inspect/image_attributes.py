"""Attributes of a drawing, measured from its pixels alone: no label and no model has a say in them.

Image moments after Hu (1962), "Visual pattern recognition by moment invariants", IRE Transactions on Information
Theory 8:179-187. With grey levels f, x to the right, y upwards and both counted from the centre of mass:

    mu_pq = sum f x^p y^q / sum f

The perimeter of a grey picture is the sum of |gradient f| (coarea formula: Fleming and Rishel 1960, "An integral
formula for total gradient variation", Archiv der Mathematik 11:218-222): the mean length, over all grey levels, of
the line that encloses what is brighter. Multiplying f by a constant changes no attribute.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

EMPTY = 1e-6  # a picture whose grey levels sum to less has no digit in it
_FLAT = 1e-9  # px²: ink in one row has no slant
_CHUNK = 4096  # pictures at a time: float64 copies of MNIST would fill a small machine


@dataclass(frozen=True)
class Attribute:
    """One column of `measure`.

    Attributes:
        key: its name in code. label: its name on the screen. unit: of its values. says: one sentence for students.
    """

    key: str
    label: str
    unit: str
    says: str


ATTRIBUTES = (
    Attribute("slant", "Slant", "degrees", "How far the ink leans to the right; negative: it leans to the left."),
    Attribute("thickness", "Thickness", "pixels", "Width of the stroke: twice the ink's area over its outline."),
    Attribute("size", "Height", "pixels", "Height of a full bar whose ink spreads as far up and down as this one's."),
    Attribute("width", "Width", "pixels", "Width of a full bar that spreads as far sideways, once the slant is out."),
)


def measure(pixels: Tensor) -> Tensor:
    """The attributes of pictures, in the order of ATTRIBUTES.

        slant = atan(mu_11 / mu_02)                     degrees; the shear that makes the digit upright
        thickness = 2 area / perimeter                  pixels; of a long stroke its width, of a disc its radius
        size = sqrt(12 mu_02 + 1)                       pixels; a full bar of height h gives h
        width = sqrt(12 (mu_20 - mu_11² / mu_02) + 1)   pixels; the same sideways after the shear is taken out

    A bar of height h has variance h² / 12; the 1 is the variance of a pixel, which is a square and no point. An
    outline spreads further than a full bar: a thin ring as high as the bar measures 1.22 times its height.

    Args:
        pixels: (N, 1, H, W) or (N, H, W), ink 1 and background 0.
    Returns:
        (N, 4) float32, never NaN; an empty picture gives zeros.
    """
    pictures = pixels.reshape(len(pixels), *pixels.shape[-2:])
    parts = [_measure(part.double()) for part in pictures.split(_CHUNK)]
    return torch.cat(parts).float() if len(pictures) else torch.zeros(0, len(ATTRIBUTES))


def perimeter(f: Tensor) -> Tensor:
    """Sum of |gradient| of (N, H, W) pictures on a black ground: (N,) pixels.

    The gradient lives where four pixels meet: differences over one pixel, each the mean of two rows or columns. Wider
    differences (Sobel) would take a stroke of one or two pixels for a blurred one.
    """
    p = torch.nn.functional.pad(f, (1, 1, 1, 1))
    across = p[:, :, 1:] - p[:, :, :-1]
    down = p[:, 1:] - p[:, :-1]
    gx = (across[:, 1:] + across[:, :-1]) / 2
    gy = (down[:, :, 1:] + down[:, :, :-1]) / 2
    return torch.hypot(gx, gy).sum((-2, -1))


def _measure(f: Tensor) -> Tensor:
    area = f.sum((-2, -1))
    full = area > EMPTY
    mu_20, mu_11, mu_02 = _second_moments(f, area.clamp(min=EMPTY))
    shear = torch.where(mu_02 > _FLAT, mu_11 / mu_02.clamp(min=_FLAT), 0.0)
    thickness = 2 * area / perimeter(f).clamp(min=EMPTY)
    upright = (mu_20 - shear * mu_11).clamp(min=0)
    columns = [shear.atan().rad2deg(), thickness, (12 * mu_02 + 1).sqrt(), (12 * upright + 1).sqrt()]
    return torch.where(full[:, None], torch.stack(columns, dim=-1), 0.0)


def _second_moments(f: Tensor, area: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(N,) each: mu_20, mu_11, mu_02 in px², y upwards."""
    y, x = (torch.arange(n, dtype=f.dtype, device=f.device) for n in f.shape[-2:])
    rows, columns = f.sum(-1), f.sum(-2)  # (N, H), (N, W)
    dx = x - (columns @ x / area)[:, None]  # (N, W)
    dy = (rows @ y / area)[:, None] - y  # (N, H)
    mu_20 = (columns * dx**2).sum(-1) / area
    mu_02 = (rows * dy**2).sum(-1) / area
    mu_11 = torch.einsum("nhw,nh,nw->n", f, dy, dx) / area
    return mu_20, mu_11, mu_02
