"""From a photo of paper to the ink on it: which of the two is darker, uneven light, faint ink, specks."""

import numpy as np
from scipy import ndimage

_BORDER = 0.03  # of the shorter side
_TURNS = 12  # of the fit, each without what the last one found to be ink
_SAMPLES = 100  # a side: as much paper as the fit looks at
_FINE = 100  # pixels a side, from which on a pen's stroke is wider than the camera's noise
_LEAST = 0.1  # contrast below which nothing can be read
_NOISE = 4.0  # standard deviations of the paper's grain that are not taken for ink
_RARE = 0.0005  # of the pixels may be anything
_SPECK = 0.03  # of the largest piece of ink
_MAP_SIDE = 200  # cells a side, in which pieces of ink are told apart
_STROKE = 0.12  # of the size: a little less than MNIST's mean, 0.13
_COARSE = 40  # pixels: in a smaller digit one more pixel on both sides is too much
_FOUR, _ALL_EIGHT = ndimage.generate_binary_structure(2, 1), ndimage.generate_binary_structure(2, 2)  # neighbours


class NoInk(ValueError):
    """There is nothing on the paper."""


def ink_of(grey: np.ndarray) -> np.ndarray:
    """The ink of a picture of writing: paper 0, full ink 1.

    The median of the border is taken for paper: if the picture's extremes lie further below it than above, the ink is
    dark and the picture is inverted. Paper of one level (a drawing program) is taken as it is. Otherwise the light on
    it is a quadratic surface, fitted to whatever is not ink, and ink is the share of that light it swallows:
    1 - grey / paper. Then the contrast is stretched from just above the paper's grain to full ink, specks go, and so
    does what runs out of the picture (the edge of the table), unless that is all there is.

    Args:
        grey: (H, W) in [0, 1].
    Returns:
        (H, W) float32 in [0, 1].
    Raises:
        NoInk: nothing stands out from the paper.
    """
    light = _light_ink(grey)
    flat = np.abs(light - np.median(_border(light))) < 1.5 / 255
    if flat.mean() > 0.5:
        return _stretched(_above(light, np.median(light[flat])), 0.0)
    smooth = ndimage.uniform_filter(light, 3, mode="nearest") if min(light.shape) >= _FINE else light
    ink = _above(smooth, _paper(smooth))
    grain = 1.4826 * float(np.median(np.abs(ink - np.median(ink))))
    return _whole_pieces(_stretched(ink, grain))


def _border(grey: np.ndarray) -> np.ndarray:
    width = max(1, round(_BORDER * min(grey.shape)))
    inner = np.zeros(grey.shape, bool)
    inner[width:-width, width:-width] = True
    return grey[~inner]


def _light_ink(grey: np.ndarray) -> np.ndarray:
    low, high = np.quantile(grey, [_RARE, 1 - _RARE])
    paper = np.median(_border(grey))
    dark = paper - low > high - paper if low < high else paper > 0.5  # little ink on a sheet of one level
    return 1 - grey if dark else grey


def _above(light: np.ndarray, paper: np.ndarray | float) -> np.ndarray:
    """How far the ink goes from the paper's level to white; on an inverted picture that is 1 - grey / paper."""
    return (light - paper) / np.maximum(1 - np.asarray(paper), 0.05)


def _paper(light: np.ndarray) -> np.ndarray:
    """(H, W) the paper's level: a quadratic surface through everything but the ink, which is lighter."""
    height, width = light.shape
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in (height, width))
    rows, columns = (np.linspace(0, n - 1, min(n, _SAMPLES)).astype(int) for n in (height, width))
    terms = _terms(y[rows][:, None], x[columns][None]).reshape(6, -1).T
    values, keep = light[np.ix_(rows, columns)].ravel(), np.ones(len(rows) * len(columns), bool)
    for _ in range(_TURNS):
        surface = np.linalg.lstsq(terms[keep], values[keep], rcond=None)[0]
        rest = values - terms @ surface
        middle = np.median(rest[keep])
        spread = 1.4826 * np.median(np.abs(rest[keep] - middle))
        keep = rest < middle + max(2.5 * spread, 1 / 255)
    return np.tensordot(surface, _terms(y[:, None], x[None]), axes=1)


def _terms(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(6, H, W): 1, x, y, x², xy, y²."""
    return np.stack(np.broadcast_arrays(np.ones_like(x * y), x, y, x * x, x * y, y * y))


def _stretched(ink: np.ndarray, grain: float) -> np.ndarray:
    """Contrast from the paper's grain to full ink, cut off at 0 and 1."""
    peak = float(np.quantile(ink, 1 - _RARE)) if grain else float(ink.max())
    if peak < max(_LEAST, 2 * _NOISE * grain):
        raise NoInk
    full = float(np.quantile(ink[ink > peak / 2], 0.9))
    low = min(_NOISE * grain, full / 2)
    return np.clip((ink - low) / (full - low), 0, 1).astype(np.float32)


def _whole_pieces(ink: np.ndarray) -> np.ndarray:
    """Without specks, and without what touches the picture's edge if something inside remains."""
    step = -(-max(ink.shape) // _MAP_SIDE)
    padded = np.pad(ink, [(0, -n % step) for n in ink.shape])
    cells = padded.reshape(padded.shape[0] // step, step, padded.shape[1] // step, step).max((1, 3))
    pieces, _ = ndimage.label(cells > 0.25, _ALL_EIGHT)
    amount = np.bincount(pieces.ravel(), weights=cells.ravel())
    amount[0] = 0
    edge = np.unique(np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]]))
    inside = amount.copy()
    inside[edge] = 0
    chosen = inside if inside.sum() > 0.1 * amount.sum() else amount
    keep = (chosen > 0) & (chosen >= _SPECK * chosen.max())
    kept = ndimage.binary_dilation(keep[pieces], _ALL_EIGHT)  # with the soft edge of the ink
    return ink * kept.repeat(step, 0).repeat(step, 1)[: ink.shape[0], : ink.shape[1]]


def thickened(ink: np.ndarray) -> np.ndarray:
    """Ink whose strokes are at least as wide, for the digit's size, as MNIST's commonly are.

    MNIST was written with thicker pens than a ballpoint: its strokes are an eighth of the digit's size. A stroke of a
    fortieth would be half a grey pixel in the end, which no model here has ever seen. The stroke is twice the area
    over the outline, as in vae_core.inspect.image_attributes; it is widened on both sides, in turn by the four
    neighbours and by all eight, which keeps it round.

    Args:
        ink: (H, W) float32 in [0, 1]. Returns: the same shape.
    """
    full = np.argwhere(ink > 0.5)
    size = 1 + int(np.ptp(full, axis=0).max(initial=0))
    missing = round((_STROKE * size - _stroke(ink)) / 2) if size >= _COARSE else 0
    for turn in range(missing):
        ink = ndimage.grey_dilation(ink, footprint=_ALL_EIGHT if turn % 2 else _FOUR, mode="constant")
    return ink


def _stroke(ink: np.ndarray) -> float:
    """Twice the area over the sum of |gradient|, in pixels."""
    p = np.pad(ink, 1)
    across, down = np.diff(p, axis=1), np.diff(p, axis=0)
    outline = np.hypot((across[1:] + across[:-1]) / 2, (down[:, 1:] + down[:, :-1]) / 2).sum()
    return float(2 * ink.sum() / max(outline, 1e-6))
