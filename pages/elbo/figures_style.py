"""What the still figures of sections 5 and 6 share: colours, layout, and how numbers are written."""

from __future__ import annotations

import math
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages.ui.palette import CLASSES_DARK, CLASSES_LIGHT, DARK, INK_DARK, INK_LIGHT, LIGHT

PLAIN = {"displayModeBar": False}


def dark() -> bool:
    return st.context.theme.type == "dark"


def colours(is_dark: bool) -> dict[str, str]:
    """The terms, the ink, the page, and colours for what is no term."""
    classes = CLASSES_DARK if is_dark else CLASSES_LIGHT
    terms = DARK if is_dark else LIGHT
    ink = INK_DARK if is_dark else INK_LIGHT
    ground = INK_LIGHT if is_dark else "#FFFFFF"  # of text on a full colour
    return {**terms, "ink": ink, "ground": ground, "score": classes[6], "baseline": classes[5], "pathwise": classes[0]}


def layout(ink: str, height: int, **more: Any) -> dict[str, Any]:
    base = {"height": height, "margin": {"l": 10, "r": 10, "t": 30, "b": 10}, "font": {"size": 15, "color": ink}}
    return {**base, **more}


def readable(figure: go.Figure) -> go.Figure:
    """Tick labels and legend for the back row; Streamlit's theme would make them smaller and paler."""
    ink = figure.layout.font.color
    axis = {"tickfont": {"size": 14, "color": ink}, "title_font": {"size": 15, "color": ink}}
    figure.update_layout(legend_font_size=14)
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    return figure


def written(value: float, digits: int = 3) -> str:
    """A number with at least so many significant digits, thousands separated, and a real minus sign."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "not a number"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}" if decimals < 7 else f"{value:.{digits - 1}e}"
    return text.replace("-", "−")


def about(value: float) -> str:
    """Two significant digits: 110,000 or 98 or 1.5."""
    return f"{float(f'{value:.2g}'):,.{0 if value >= 9.95 else 1}f}"
