"""From a photo of paper to the ink on it: which of the two is darker, uneven light, faint ink, specks."""

import numpy as np
from scipy import ndimage

from vae_core.data.pieces_of_ink import digit_in, no_strokes_in
from vae_core.data.ruled import without_lines

_BORDER = 0.03  # of the shorter side
_TURNS = 3
_COARSE_SIDE = 100  # pixels a side, enough to tell dark ink from light
_TAIL = 0.005  # of the pixels at either end of the scale
_BRUSH = 0.2  # of the shorter side: more than any pen
_FINE = 100  # pixels a side, from which on a pen's stroke is wider than the camera's noise
_LEAST = 0.1  # contrast below which nothing can be read
_CRUMB = 0.02  # of the largest piece
_MUCH = 0.4  # of the picture: so much ink is no digit
_EDGE = 0.6  # of the stroke's darkness: a blurred edge lies where it is half, a thin stroke looks wider
_BESIDE = 3  # pixels, from which it is told how dark a stroke is there
_NOISE = 4.0  # standard deviations of the paper's grain that are not taken for ink
_RARE = 0.0005  # of the pixels may be anything
_STROKE = 0.12  # of the size: a little less than MNIST's mean, 0.13
_COARSE = 40  # pixels: in a smaller digit one more pixel on both sides is too much
_FOUR, _ALL_EIGHT = ndimage.generate_binary_structure(2, 1), ndimage.generate_binary_structure(2, 2)  # neighbours


class NoInk(ValueError):
    """No digit on the paper. why: "nothing", "several" or "blot"; ink: (H, W), what was seen, if anything was."""

    def __init__(self, why: str = "nothing", ink: np.ndarray | None = None) -> None:
        super().__init__(why)
        self.why, self.ink = why, ink


def ink_of(grey: np.ndarray) -> np.ndarray:
    """The ink of a picture of writing: paper 0, full ink 1.

    Ink is what goes further from its surroundings, darker or lighter. Paper of one level (a drawing program) is taken
    as it is. Otherwise the paper's light is what a brush of a fifth of the picture leaves of it (a morphological
    closing): strokes are narrower and are filled, shadows are wider and stay. Ink is the share of that light it
    swallows: 1 - grey / paper. Printed lines go (ruled.py), what is left is stretched so that half the ink of a stroke
    is half everywhere, and pieces that are no part of the digit go.

    Args:
        grey: (H, W) in [0, 1].
    Returns:
        (H, W) float32 in [0, 1].
    Raises:
        NoInk: nothing stands out from the paper.
    """
    large = min(grey.shape) >= _FINE
    light = _light_ink(grey)
    flat = np.abs(light - np.median(_border(light))) < 1.5 / 255
    if flat.mean() > 0.5:
        ink = _above(light, np.median(light[flat])).clip(0, 1)
        if not large:
            return _stretched(ink)
        return _no_blot(_stretched(_digit(without_lines(ink), 0.0)))  # its greys are as they were drawn
    smooth = ndimage.gaussian_filter(light, 1.0, mode="nearest") if large else light
    ink = _above(smooth, _paper(smooth))
    ink = ink - np.median(ink)
    grain = -1.4826 * float(np.median(ink[ink <= 0]))  # the lighter half: no line and no stroke is in it
    ink = ink.clip(0, 1)
    return _without_crumbs(_no_blot(_whole_strokes(_digit(without_lines(ink) if large else ink, grain))))


def _border(grey: np.ndarray) -> np.ndarray:
    width = max(1, round(_BORDER * min(grey.shape)))
    inner = np.zeros(grey.shape, bool)
    inner[width:-width, width:-width] = True
    return grey[~inner]


def _light_ink(grey: np.ndarray) -> np.ndarray:
    """Inverted where the ink is dark: where the darkest strokes go further from the paper than the lightest.

    Ink differs from the median around it, which the inside of a ring does not, and it is narrower than the brush, which
    a sheet on a table is not.
    """
    step = -(-max(grey.shape) // _COARSE_SIDE)
    even = np.pad(grey, [(0, -n % step) for n in grey.shape], mode="edge")
    small = even.reshape(even.shape[0] // step, step, even.shape[1] // step, step).mean((1, 3))
    around = ndimage.median_filter(small[::2, ::2], [max(3, n // 4) | 1 for n in small.shape], mode="nearest")
    apart = small - around.repeat(2, 0).repeat(2, 1)[: small.shape[0], : small.shape[1]]
    darker, lighter = np.minimum(-apart, _above_brush(1 - small)), np.minimum(apart, _above_brush(small))
    low, high = np.quantile(darker, 1 - _TAIL), np.quantile(lighter, 1 - _TAIL)
    dark = low > high if max(low, high) > 0 else np.median(_border(grey)) > 0.5
    return 1 - grey if dark else grey


def _above(light: np.ndarray, paper: np.ndarray | float) -> np.ndarray:
    """How far the ink goes from the paper's level to white; on an inverted picture that is 1 - grey / paper."""
    return (light - paper) / np.maximum(1 - np.asarray(paper), 0.05)


def _paper(light: np.ndarray) -> np.ndarray:
    """(H, W) the paper's level under the ink, which is lighter and narrower than the brush."""
    brush = max(3, round(_BRUSH * min(light.shape)))
    return ndimage.grey_opening(light, (brush, brush), mode="nearest")


def _above_brush(light: np.ndarray) -> np.ndarray:
    return light - _paper(light)


def _stretched(ink: np.ndarray) -> np.ndarray:
    """Contrast up to full ink, cut off at 1."""
    if ink.max() < _LEAST:
        raise NoInk
    return np.clip(ink / np.quantile(ink[ink > ink.max() / 2], 0.9), 0, 1).astype(np.float32)


def _digit(ink: np.ndarray, grain: float) -> np.ndarray:
    """The ink without the pieces that are no part of the digit."""
    for _ in range(_TURNS):
        least = _least_ink(ink, grain)
        other = no_strokes_in(ink, least)
        if not other.any():
            break
        ink = np.where(other, 0, ink)  # and once more: beside a binder's black hole a pencil's ink was none
    at, others = digit_in(ink, least)
    digit = np.where(at, ink, 0)
    if not digit.any():
        raise NoInk
    if others:
        raise NoInk("several", np.clip(ink / digit.max(), 0, 1))
    return digit


def _whole_strokes(digit: np.ndarray) -> np.ndarray:
    """Half at the stroke's edge, however dark the stroke is there, for pencils press unevenly."""
    full = float(np.quantile(digit[digit > digit.max() / 2], 0.7))
    there = ndimage.gaussian_filter(ndimage.maximum_filter(digit, _BESIDE), _BESIDE / 2)
    share = digit / np.clip(there, 0.4 * full, full)
    return np.clip(0.5 + (share - _EDGE) / (2 - 2 * _EDGE), 0, 1).astype(np.float32)


def _no_blot(ink: np.ndarray) -> np.ndarray:
    if (ink > 0.5).mean() > _MUCH:
        raise NoInk("blot", ink)
    return ink


def _without_crumbs(ink: np.ndarray) -> np.ndarray:
    """Only strokes with their soft edges: a grey crumb beside the digit would make its box larger."""
    pieces, count = ndimage.label(ink > 0.5, _ALL_EIGHT)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    if not count:
        return ink
    strokes = np.append(False, sizes > _CRUMB * sizes.max())[pieces]
    return ink * ndimage.binary_dilation(strokes, _ALL_EIGHT, iterations=2)


def _least_ink(ink: np.ndarray, grain: float) -> float:
    """What counts as ink when its pieces are told apart."""
    peak = float(np.quantile(ink, 1 - _RARE) if grain else ink.max())
    if peak < max(_LEAST, 2 * _NOISE * grain):
        raise NoInk
    return max(_NOISE * grain, 0.3 * peak)


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
