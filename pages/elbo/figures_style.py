"""What the still figures of sections 5 and 6 share: colours, layout, and how numbers are written."""

import math
from typing import Any

import plotly.graph_objects as go

from pages.ui.palette import colours_of
from vae_core.export.colours import LIGHT

PLAIN = {"displayModeBar": False}


def colours(is_dark: bool) -> dict[str, str]:
    """The terms, the ink, the page, and colours for what is no term."""
    own = colours_of(is_dark)
    ground = LIGHT.ink if is_dark else LIGHT.ground  # of text on a full colour
    ways = {"score": own.classes[6], "baseline": own.classes[5], "pathwise": own.classes[0]}
    return {**own.terms, "ink": own.ink, "ground": ground, **ways}


def lay_out(figure: go.Figure, ink: str, height: int, **more: Any) -> go.Figure:
    """The figure with axes, tick labels and legend for the back row; Streamlit's theme has them smaller and paler.

    Args:
        more: of plotly's layout.
    """
    figure.update_layout(height=height, margin={"l": 10, "r": 10, "t": 30, "b": 10}, **more)
    figure.update_layout(font={"size": 15, "color": ink}, legend_font_size=14)
    axis = {"tickfont": {"size": 14, "color": ink}, "title_font": {"size": 15, "color": ink}}
    figure.update_xaxes(**axis)
    return figure.update_yaxes(**axis)


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
