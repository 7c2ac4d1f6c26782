"""Schematic latent maps for the questions: blobs, not points, and the word "sketch" on each, so none is a result."""

import base64
import math
import random

from pages.ui.palette import colours_of

_REACH = 4.2  # the plane shows so many prior standard deviations to each side
_Blob = tuple[float, float, float, float, float]  # x, y, radius along, radius across, direction in degrees
SKETCHES = {
    "patches": "blobs of all classes that touch and overlap inside the circles",
    "islands": "ten blobs far apart, inside the circles",
    "point": "one point in the middle",
    "far": "long blobs that leave the circles on all sides, with gaps between",
    "cloud": "one round cloud with all classes mixed",
    "small": "overlapping blobs drawn in well inside the innermost circles",
}


def sketch(name: str, dark: bool) -> str:
    """SVG of a map that might be; circles at 1, 2 and 3 prior standard deviations.

    Args:
        name: a key of SKETCHES.
    """
    colours = colours_of(dark)
    ink, classes = colours.ink, colours.classes
    blobs = "".join(_ellipse(blob, classes[i % 10]) for i, blob in enumerate(_BLOBS[name]()))
    middle = f'<circle r="0.2" fill="{ink}"/>' if name == "point" else ""
    r = _REACH
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-r} {-r} {2 * r} {2 * r}" font-family="sans-serif">'
        f'<g fill-opacity="0.6">{blobs}</g>{middle}'
        f'<g fill="none" stroke="{ink}" stroke-width="0.05" stroke-dasharray="0.2 0.16" stroke-opacity="0.75">'
        f'<circle r="1"/><circle r="2"/><circle r="3"/></g>'
        f'<text x="2.3" y="{0.95 - r}" fill="{ink}" font-size="0.75">3σ</text>'
        f'<text x="{0.2 - r}" y="{r - 0.25}" fill="{ink}" font-size="0.8" font-style="italic">sketch</text></svg>'
    )


def as_image(name: str, dark: bool) -> str:
    """The sketch as an HTML image; inline SVG would be removed from the page."""
    content = base64.b64encode(sketch(name, dark).encode()).decode()
    return f'<img alt="Sketch: {SKETCHES[name]}" src="data:image/svg+xml;base64,{content}">'


def _ellipse(blob: _Blob, colour: str) -> str:
    x, y, along, across, turn = blob
    where = f"translate({x:.2f} {-y:.2f}) rotate({-turn:.0f})"
    return f'<ellipse rx="{along:.2f}" ry="{across:.2f}" fill="{colour}" transform="{where}"/>'


def _patches(scale: float = 1.0) -> list[_Blob]:
    outer = [_at(2.05 * scale, 52 * i + 10, 1.1 * scale, 0.85 * scale) for i in range(7)]
    inner = [_at(0.65 * scale, 120 * i + 40, 0.75 * scale, 0.6 * scale) for i in range(3)]
    return outer + inner


def _islands() -> list[_Blob]:
    return [_at(2.35, 360 / 7 * i, 0.4, 0.4) for i in range(7)] + [_at(0.95, 120 * i + 30, 0.4, 0.4) for i in range(3)]


def _far() -> list[_Blob]:
    return [_at(3.3 + 0.4 * (i % 3), 36 * i + 9 * (i % 2), 2.3, 0.42) for i in range(10)]


def _cloud() -> list[_Blob]:
    draw = random.Random(0)
    return [(draw.gauss(0, 1.1), draw.gauss(0, 1.1), 0.3, 0.3, 0) for _ in range(90)]


def _at(radius: float, degrees: float, along: float, across: float) -> _Blob:
    """A blob that points away from 0."""
    angle = math.radians(degrees)
    return radius * math.cos(angle), radius * math.sin(angle), along, across, degrees


_BLOBS = {
    "patches": _patches,
    "islands": _islands,
    "point": list,
    "far": _far,
    "cloud": _cloud,
    "small": lambda: _patches(0.42),
}
