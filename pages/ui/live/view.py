"""The live view of a run: everything that moves, drawn in the browser and fed only with what is new."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from pages.ui.assets import loader
from pages.ui.palette import css_variables

_HERE = Path(__file__).resolve().parent
VENDOR = _HERE.parent / "vendor" / "uplot"

_component = st.components.v2.component(
    "live_view",
    html="<div class='frame'><div class='live'></div></div>",
    css=(VENDOR / "uPlot.min.css").read_text() + css_variables(".live") + (_HERE / "live.css").read_text(),
    js=loader("live/live.js"),
)


def live_view(run_id: str, *, key: str, on_status_change: Callable[[], None] = lambda: None) -> str:
    """Show a run as it trains.

    Args:
        run_id: what to follow.
        key: of the widget; the same key keeps its place and its zoom.
        on_status_change: called when the run enters another status, so that buttons can follow.
    Returns:
        The status last seen by the browser, or "".
    """
    result = _component(
        key=key, data={"run": run_id}, default={"status": ""}, on_status_change=on_status_change, height="content"
    )
    return result.status or ""
