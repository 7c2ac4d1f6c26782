"""What the still figures of this page share: colours, layout, and how numbers are written."""

import math
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages.ui.lecture.bar import PRESENT
from pages.ui.palette import colours_of
from vae_core.export.colours import LIGHT

PLAIN = {"displayModeBar": False}
LETTERS, PROJECTED = 18, 24  # px, of what the back row is to read


def colours(is_dark: bool) -> dict[str, str]:
    """The terms, the ink, the page, and colours for what is no term."""
    own = colours_of(is_dark)
    ground = LIGHT.ink if is_dark else LIGHT.ground  # of text on a full colour
    ways = {"score": own.classes[6], "baseline": own.classes[5], "pathwise": own.classes[0]}
    return {**own.terms, "ink": own.ink, "ground": ground, **ways}


def is_projected() -> bool:
    """Whether this is the presentation mode: a figure is drawn in pixels and does not follow the page's letters."""
    return bool(st.session_state.get(PRESENT))


def letters() -> int:
    """How large letters are, px."""
    return PROJECTED if is_projected() else LETTERS


def lay_out(figure: go.Figure, ink: str, height: int | tuple[int, int], **more: Any) -> go.Figure:
    """The figure with axes, tick labels and legend for the back row; Streamlit's theme has them smaller and paler.

    Args:
        height: px, on a projector by as much larger as its letters are; or both.
        more: of plotly's layout.
    """
    size = letters()
    usual, projected = height if isinstance(height, tuple) else (height, round(height * PROJECTED / LETTERS))
    letter = {"size": size, "color": ink}
    figure.update_layout(
        height=projected if is_projected() else usual,
        margin={"l": 10, "r": 1.5 * size, "t": 2 * size, "b": 10},
        font=letter,
        dragmode=False,  # a finger scrolls
        **more,
    )
    figure.layout.legend.font.size = size
    for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
        axis.tickfont, axis.title.font = letter, letter
    for axis in figure.select_xaxes():
        axis.title.standoff = 6
    for note in figure.layout.annotations:
        note.font.size = size
    return figure


def written(value: float, digits: int = 3) -> str:
    """A number with at least so many significant digits, thousands separated, and a real minus sign."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "not a number"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}" if decimals < 7 else f"{value:.{digits - 1}e}"
    return text.replace("-", "−")


def about(value: float) -> str:
    """One significant digit, which a ratio of variances over 200 estimates bears: 100,000 or 6 or 0.5."""
    return f"{float(f'{value:.1g}'):,.{0 if value >= 0.95 else 1}f}"
