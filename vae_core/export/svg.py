"""Small parts of which the drawings are made: numbers, ticks, paths."""

import math

import numpy as np


def number(value: float, digits: int = 2) -> str:
    """A number for reading: thousands with a comma, a true minus, a dash where it is none."""
    return f"{value:,.{digits}f}".replace("-", "−") if math.isfinite(value) else "–"


def tick_label(value: float) -> str:
    """A tick as short as it can be: 0, 0.5, 1,000, −200."""
    return "0" if abs(value) < 1e-9 else f"{value:,.6g}".replace("-", "−")


def text_width(text: str) -> float:
    """About how wide a text of 14 pixels is, in pixels: rather too much, for wide and bold fonts."""
    return 9.2 * len(text)


def ticks(low: float, high: float, at_most: int = 6) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) from low to high.

    Args:
        at_most: so many intervals between them.
    """
    step = nice(max(high - low, 1e-12) / at_most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def nice(value: float) -> float:
    """The least of 1, 2, 5, 10 times a power of ten that is not below value > 0."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= value * (1 - 1e-9))


def path(xs: np.ndarray, ys: np.ndarray) -> str:
    """The points (n,), (n,) as a line, to a tenth of a pixel."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(xs, ys, strict=True))


def dots(xs: np.ndarray, ys: np.ndarray) -> str:
    """The points (n,), (n,) as a path of strokes without length: with round caps each is a dot."""
    return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in zip(xs, ys, strict=True))


def spread(wanted: list[float], gap: float, low: float, high: float) -> list[float]:
    """Places as near as possible to those wanted, in the same order, at least `gap` apart, within low to high."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = [min(max(wanted[i], low), high) for i in order]
    for k in range(1, len(placed)):
        placed[k] = max(placed[k], placed[k - 1] + gap)
    overflow = max(0.0, (placed[-1] if placed else low) - high)
    placed = [p - overflow for p in placed]
    result = [0.0] * len(wanted)
    for i, p in zip(order, placed, strict=True):
        result[i] = p
    return result
