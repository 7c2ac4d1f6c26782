"""The latent explorer: a trained model, encoder and decoder, run in the browser, and ways to look around in it.

What goes to the browser: the name of the model (its package is fetched once, see package.py), the way, and the state
that a link names. What comes back: the state, once something has come to rest; nothing while it moves.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui.assets import loader
from pages.ui.palette import css_variables

_STYLES = sorted(
    Path(__file__).resolve().parent.glob("*.css"), key=lambda path: (path.name != "explore.css", path.name)
)

_component = st.components.v2.component(
    "explorer_view",
    html="<div class='frame'>\n<div class='explore'></div></div>",
    css=css_variables(".explore") + "".join(path.read_text(encoding="utf-8") for path in _STYLES),
    js=loader("explore/explorer.js"),
)


def explorer_view(
    name: str,
    dims: int,
    way: str,
    *,
    key: str,
    version: int = 0,
    state: dict[str, Any] | None = None,
    again: int = 0,
) -> dict[str, Any] | None:
    """Show a model's latent space; the script (or fragment) that calls this runs again when the state settles.

    Args:
        name: of the model, as its package's address has it. dims: how many latents it has.
        way: which of the ways to explore is open; pages/ui/explore/ways.js names them.
        key: of the widget; the same key keeps what is on the page.
        version: another number than before has the model fetched again.
        state: what to show, as this returned it, or some of it: a part for every way, and "view" for the map. What a
            link says may come in as it is: values out of bounds are clipped, others are ignored.
        again: another number than before shows `state` once more, although the visitor has moved on since.
    Returns:
        What is shown, as last reported; `state` before the first report.
    """
    result = _component(
        key=key,
        data={"name": name, "version": str(version), "dims": dims, "way": way, "state": state, "again": again},
        default={"state": None},
        on_state_change=_nothing,
        height="content",
    )
    return state if result.state is None else dict(result.state)


def _nothing() -> None:
    """Streamlit wants a callback for every state; the run of the script is all that is needed."""
