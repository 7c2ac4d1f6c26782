"""Which of the dark pieces in a photo are the digit: no speck, no hole of a binder, no edge of a table."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

_MAP_SIDE = 200  # cells a side, in which pieces of ink are told apart
_SPECK = 0.04  # of the largest piece of ink
_NEAR = 0.35  # of the digit's size: what lies further away belongs to something else
_RIVAL = 0.6  # of the digit's ink and size, what else is written is as much a digit
_ROUND = 0.6  # of a piece's longer side, as the widest stroke in it: that is no stroke
_ALONG = 0.5  # of a piece's longer side, along the picture's edge: what goes on outside
_ALL_EIGHT = ndimage.generate_binary_structure(2, 2)  # neighbours


@dataclass(frozen=True)
class _Pieces:
    """Connected pieces of ink on a coarse map of the picture."""

    shape: tuple[int, ...]  # of the picture
    step: int  # pixels a cell
    cells: np.ndarray  # (h, w) the darkest ink in each
    of: np.ndarray  # (h, w) number of the piece, from 1; 0 where there is no ink
    boxes: list[tuple[slice, slice]]
    at_edge: np.ndarray  # (N,) cells that a piece has on the picture's edge

    @property
    def amount(self) -> np.ndarray:
        """(N,) their ink."""
        return np.bincount(self.of.ravel(), self.cells.ravel(), len(self.boxes) + 1)[1:]

    @property
    def sizes(self) -> np.ndarray:
        """(N,) their longer sides."""
        return np.array([max(s.stop - s.start for s in box) for box in self.boxes])

    def picture_of(self, keep: np.ndarray) -> np.ndarray:
        """(H, W) bool: where some of them lie, with the soft edge of their ink."""
        kept = ndimage.binary_dilation(np.append(False, keep)[self.of], _ALL_EIGHT)
        return kept.repeat(self.step, 0).repeat(self.step, 1)[: self.shape[0], : self.shape[1]]


def digit_in(ink: np.ndarray, least: float) -> tuple[np.ndarray, bool]:
    """(H, W) bool: where the digit lies, with a small margin; and whether another one lies beside it.

    What touches the picture's edge goes if something inside remains; of the rest the largest piece near the middle is
    the digit, with what lies close to it.

    Args:
        ink: (H, W). least: what counts as ink.
    """
    pieces = _pieces_of(ink, least)
    if not pieces.boxes:
        return np.zeros(ink.shape, bool), False
    amount = pieces.amount
    if amount[pieces.at_edge == 0].sum() > 0.1 * amount.sum():
        amount = np.where(pieces.at_edge, 0, amount)
    keep = _together(amount * _central(pieces), amount, pieces.boxes)
    other = np.where(keep, 0, np.minimum(amount / amount[keep].max(), pieces.sizes / pieces.sizes[keep].max()))
    return pieces.picture_of(keep), bool(other.max() > _RIVAL)


def no_strokes_in(ink: np.ndarray, least: float) -> np.ndarray:
    """(H, W) bool: where something dark lies that no pen wrote: as wide as long, or along the picture's edge.

    Args:
        ink: (H, W). least: what counts as ink.
    """
    pieces = _pieces_of(ink, least)
    if not pieces.boxes:
        return np.zeros(ink.shape, bool)
    inside = ndimage.distance_transform_cdt(np.pad(pieces.of > 0, 1))[1:-1, 1:-1]
    widest = 2 * ndimage.maximum(inside, pieces.of, np.arange(1, len(pieces.boxes) + 1)) - 1
    small = pieces.sizes < 3
    return pieces.picture_of(~small & ((widest > _ROUND * pieces.sizes) | (pieces.at_edge > _ALONG * pieces.sizes)))


def _pieces_of(ink: np.ndarray, least: float) -> _Pieces:
    step = -(-max(ink.shape) // _MAP_SIDE)
    padded = np.pad(ink, [(0, -n % step) for n in ink.shape])
    cells = padded.reshape(padded.shape[0] // step, step, padded.shape[1] // step, step).max((1, 3))
    of, count = ndimage.label(cells > least, _ALL_EIGHT)
    edge = np.concatenate([of[0], of[-1], of[1:-1, 0], of[1:-1, -1]])
    return _Pieces(ink.shape, step, cells, of, ndimage.find_objects(of), np.bincount(edge, minlength=count + 1)[1:])


def _central(pieces: _Pieces) -> np.ndarray:
    """(N,) from 1 in the middle of the picture to 0.3 at its edge."""
    middles = np.array([[(s.start + s.stop) / 2 for s in box] for box in pieces.boxes])
    away = np.abs(2 * middles / pieces.of.shape - 1).max(1)
    return 1 - 0.7 * away**2


def _together(weight: np.ndarray, amount: np.ndarray, boxes: list[tuple[slice, slice]]) -> np.ndarray:
    """(N,) bool: the heaviest piece, and those that lie near it."""
    main = int(np.argmax(weight))
    keep = np.zeros(len(weight), bool)
    keep[main] = True
    low, high = _corners(boxes[main])
    size = (high - low).max()
    for _ in range(2):  # what is near to something near
        for i, box in enumerate(boxes):
            a, b = _corners(box)
            if amount[i] > _SPECK * amount[main] and np.maximum(a - high, low - b).max() < _NEAR * size:
                keep[i] = True
                low, high = np.minimum(low, a), np.maximum(high, b)
    return keep


def _corners(box: tuple[slice, slice]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([s.start for s in box]), np.array([s.stop for s in box])
