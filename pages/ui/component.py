"""A component of the browser: its root, its styles and its script, and how it is shown."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui import glossary, phone, spoken
from pages.ui.assets import UI, loader
from pages.ui.palette import css_variables

Show = Callable[..., Any]


def declare(name: str, module: str, root: str, *styles: Path | str, frame: bool = False) -> Show:
    """Tell Streamlit of a component; returns the function that shows it.

    That function takes the widget's `key`, its `data`, `default`, the states that it reports at their first values, and
    a callback on_STATE_change for those of which more is wanted than that the script runs again.

    Args:
        name: of the component, and of nothing else.
        module: of its script, below pages/ui.
        root: class of the element in which it draws; the colours are variables there.
        styles: sheets below pages/ui.
        frame: whether another element frames the root.
    """
    content = (
        f"<div class='{root}' {glossary.for_components()}>\n</div>"  # a line break tells Streamlit that this is no path
    )
    mount = st.components.v2.component(
        name,
        html=f"<div class='frame'>{content}</div>" if frame else content,
        css=css_variables(f".{root}")
        + glossary.LOOKS
        + spoken.LOOKS
        + phone.TARGETS
        + "".join((UI / path).read_text(encoding="utf-8") for path in styles),
        js=loader(module, root),
    )

    def show(key: str, data: dict[str, Any], default: dict[str, Any], **callbacks: Callable[[], None]) -> Any:
        # Streamlit wants a callback for every state; mostly the run of the script is all that is needed.
        every: dict[str, Any] = {f"on_{state}_change": lambda: None for state in default} | callbacks
        return mount(key=key, data=data, default=default, height="content", **every)

    return show


def show_state(show: Show, key: str, state: Any, **data: Any) -> dict[str, Any] | None:
    """Show a component that has one state; returns it as last reported, and before the first report as it was given."""
    result = show(key, {"state": state, **data}, {"state": None})
    return state if result.state is None else dict(result.state)
