"""Ruled and squared paper: its printed lines are found and taken out of the ink, and strokes that cross them stay.

A printed line runs through the whole sheet, a stroke does not: along a line most pixels are dark, and their median is
the line's own darkness, whatever is written across it. Seen by a camera parallel lines meet in one point, so their
slope is a linear function of where they lie. Two numbers for each direction say where all of them are.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

_ALONG, _ACROSS = 40, 320  # blocks in which slopes are looked for
_SLOPES = np.linspace(-0.36, 0.36, 61)  # up to 20 degrees
_TURN, _MEET = np.linspace(-0.03, 0.03, 7), np.linspace(-0.24, 0.24, 7)  # what is tried around the best slope
_LEAST = 0.012  # contrast of a line
_CLEAR = 6.0  # standard deviations of the profile that a line rises above it
_WHOLE, _PARTLY, _MANY = 0.9, 0.55, 3  # a line alone must run through so much of the picture; of so many, each so much
_BOW = 0.006  # of the picture: paper is not flat, and a lens bends lines
_STRONGER = 1.6  # a line is nowhere so much darker than it mostly is
_WINDOW = 0.2  # of the width, in which a line's darkness is measured


@dataclass(frozen=True)
class _Bundle:
    """Lines across a picture: at x they lie at y = y0 + (slope + meeting y0 / height) x, all from the middle."""

    slope: float
    meeting: float

    def straightened(self, ink: np.ndarray) -> np.ndarray:
        """The picture sheared so that the lines are its rows."""
        y0, x = _places(ink.shape)
        y = y0 + (self.slope + self.meeting * y0 / len(ink)) * x
        return _read(ink, y, np.broadcast_to(x, y.shape), "nearest")

    def back(self, rows: np.ndarray) -> np.ndarray:
        """What `straightened` did, undone."""
        y, x = _places(rows.shape)
        y0 = (y - self.slope * x) / np.maximum(1 + self.meeting * x / len(rows), 0.1)
        return _read(rows, y0, np.broadcast_to(x, y0.shape), "constant")


def without_lines(ink: np.ndarray) -> np.ndarray:
    """The ink without the lines that the paper came with.

    Args:
        ink: (H, W) share of the paper's light that is swallowed, 0 to 1. Returns: the same.
    """
    for _ in range(2):  # across the page, then along it
        ink = np.ascontiguousarray(_cleared(ink).T)
    return ink


def _cleared(ink: np.ndarray) -> np.ndarray:
    """Without the lines that run from the left to the right."""
    bundle = _find_bundle(ink)
    rows = bundle.straightened(ink)
    at, above = _lines_in(rows)
    if not at.any():
        return ink
    lines = np.minimum(bundle.back(_darkness(rows, at, above)), 0.9)
    left = np.clip(1 - (1 - ink) / (1 - lines) - 0.3 * lines, 0, 1)
    return _bridged(left, lines > _LEAST / 2, at)


# ---- where they are


def _find_bundle(ink: np.ndarray) -> _Bundle:
    """The slope, and how it changes, for which the rows of the picture differ most."""
    step_y, step_x = (max(1, n // most) for n, most in zip(ink.shape, (_ACROSS, _ALONG), strict=True))
    height, width = ink.shape[0] // step_y, ink.shape[1] // step_x
    small = ink[: height * step_y, : width * step_x].reshape(height, step_y, width, step_x).mean((1, 3))
    shape = (step_x / step_y, width)  # slopes in blocks
    best = max((_contrast(small, slope * shape[0], 0.0), slope, 0.0) for slope in _SLOPES)
    for near in (1.0, 0.3):
        _, slope, meeting = best
        tried = [(slope + near * turn, meeting + near * meet) for turn in _TURN for meet in _MEET]
        best = max((_contrast(small, s * shape[0], m * shape[0]), s, m) for s, m in tried)
    return _Bundle(best[1], best[2])


def _contrast(small: np.ndarray, slope: float, meeting: float) -> float:
    """How much the rows of a sheared picture stand out from those beside them."""
    y0, x = _places(small.shape)
    y = np.rint(y0 + (slope + meeting * y0 / len(small)) * x + (len(small) - 1) / 2).astype(int)
    rows = np.take_along_axis(small, y.clip(0, len(small) - 1), axis=0)
    middle = rows.shape[1] // 2
    profile = np.partition(rows, middle, axis=1)[:, middle]  # the median, or what is next to it
    return float(np.square(np.diff(profile)).sum())


def _lines_in(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(H,) for each row its line's number from 1, or 0 where there is none; and how far it stands out."""
    size = len(rows)
    profile = np.median(rows, axis=1)
    above = profile - ndimage.median_filter(profile, max(5, size // 16) | 1, mode="nearest")
    noise = 1.4826 * np.median(np.abs(above - np.median(above)))
    peak = max(_LEAST, _CLEAR * noise)
    pieces, count = ndimage.label(above > peak / 2)
    numbers = np.arange(1, count + 1)
    if not count:
        return pieces, above
    high = ndimage.maximum(above, pieces, numbers)
    wide = ndimage.sum(np.ones(size), pieces, numbers)
    dark = np.stack([_extent(rows, pieces == i) for i in numbers])
    fits = (high > peak) & (wide < size / 20) & (dark > _PARTLY)
    if fits.sum() < _MANY:
        fits &= dark > _WHOLE
    elif fits.any():
        fits &= (high < 2 * _STRONGER * np.median(high[fits])) | (dark > _WHOLE)  # ink is darker than what was printed
    return np.where(np.append(False, fits)[pieces], pieces, 0), above


def _extent(rows: np.ndarray, at: np.ndarray) -> float:
    """The share of the picture's width in which a line is seen."""
    band = rows[at].max(0)
    return float((band > np.median(band) / 2).mean())


# ---- what they are taken for


def _darkness(rows: np.ndarray, at: np.ndarray, above: np.ndarray) -> np.ndarray:
    """(H, W) how dark the lines themselves are: medians along them, so that no stroke across them counts."""
    height, width = rows.shape
    bow = max(1, round(_BOW * max(rows.shape)))
    result = np.zeros_like(rows)
    for number in np.unique(at[at > 0]):
        lie = np.flatnonzero(at == number)
        band = slice(max(0, lie[0] - bow), min(height, lie[-1] + 1 + bow))
        along = ndimage.median_filter(rows[band], (1, max(3, round(_WINDOW * width)) | 1), mode="nearest")
        result[band] = np.minimum(along, _STRONGER * above[lie].max())
    return result


def _bridged(left: np.ndarray, lines: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Strokes that a line has cut are whole again: there the ink is that of the stroke's two ends."""
    thick = np.count_nonzero(at) / len(np.unique(at[at > 0]))
    reach = round(thick) + 4
    return np.where(lines, ndimage.grey_closing(left, (reach, 1)), left)


def _places(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns counted from the middle: (H, 1) and (1, W)."""
    y, x = (np.arange(n, dtype=np.float32) - (n - 1) / 2 for n in shape)
    return y[:, None], x[None]


def _read(picture: np.ndarray, y: np.ndarray, x: np.ndarray, outside: str) -> np.ndarray:
    middle = [(n - 1) / 2 for n in picture.shape]
    return ndimage.map_coordinates(picture, [y + middle[0], x + middle[1]], order=1, mode=outside)
