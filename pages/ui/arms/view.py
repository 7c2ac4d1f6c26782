"""Arms of an ablation side by side, on one clock and the same axes: drawn in the browser, one feed an arm."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from pages.ui.component import declare
from pages.ui.presses import counting

ROWS = ("map", "pictures", "draws", "grid", "curves", "pulls", "meter", "table")

_show = declare(
    "arms_view",
    "arms/view.js",
    "arms",
    *("vendor/uplot/uPlot.min.css", "arms/arms.css", "arms/details.css", "arms/stage.css", "arms/phone.css"),
    frame=True,
)


@dataclass(frozen=True)
class Predicted:
    """Three short lines, and the reason: what was said, what came, whether that is the same."""

    said: str
    came: str = ""
    verdict: str = ""
    because: str = ""


@dataclass(frozen=True)
class ArmShown:
    """One column.

    Attributes:
        run_id: what to follow.
        name: over the column; no two arms of a view share one.
        posterior: whether there is one: without, what needs it is marked as not defined.
        sampled: whether what is decoded is a sample of z, and not its mean.
        weights: a number of the shapes of its weights. noise: shape of the noise of an image, "2". Where arms with one
            seed have the same, they begin with the same weights, and are given the same eps.
        mine: whether this visitor may command it, with switches and a branch.
        predicted: what the class expects of it, and what came, told at the end; None where nothing was said.
        removable: whether it has a button that takes it away.
    """

    run_id: str
    name: str
    posterior: bool = True
    sampled: bool = True
    weights: int = 0
    noise: str = ""
    mine: bool = False
    predicted: Predicted | None = None
    removable: bool = False


@dataclass(frozen=True)
class Look:
    """How the view begins, and what is to be seen first.

    Attributes:
        at: the step at which the clock is to open; the nearest kept one is shown.
        rows: those of ROWS that are open at first; None for all.
        film: whether its film is what there is to be played: then that is the button which is seen first.
        presents: on a projector, with large type and without small print.
        asks: whether the film may not leave its first moment before something was asked; it plays on by itself when
            that is no more so.
    """

    at: int | None = None
    rows: Sequence[str] | None = None
    film: bool = False
    presents: bool = False
    asks: bool = False


@dataclass(frozen=True)
class Seen:
    """What the browser last said of the arms."""

    statuses: (
        str  # of the arms in their order, joined by commas, "and measured" at the end; "" before the first message
    )
    at: int | None  # the step at which the clock rests; None in the present


def arms_view(
    arms: Sequence[ArmShown],
    *,
    key: str,
    look: Look,
    figures: Sequence[Mapping[str, Any]] = (),
    real: Mapping[str, Any] | None = None,
    on_ask: Callable[[], None] | None = None,
    on_toggle: Callable[[dict[str, Any]], None] | None = None,
    on_branch: Callable[[dict[str, Any]], None] | None = None,
    on_remove: Callable[[dict[str, Any]], None] | None = None,
    on_space: Callable[[], None] | None = None,
    counted: str | None = None,
    on_clicks: Callable[[int], None] = lambda count: None,
) -> Seen:
    """Show runs as they train, or all at the same moment of their films.

    The script (or fragment) that calls this runs again when an arm enters another status, when one that has ended is
    measured, or the clock rests elsewhere, so that buttons and predictions can follow.

    Args:
        arms: one to five, from left to right.
        key: of the widget; the same key keeps its place.
        figures: rows of the table: key, label, unit, better, why, says, digits and needsCodes of a Figure.
        real: beside them what real images score: "figures" by key, and in "says" what these images are.
        on_ask: called when somebody plays a film that asks.
        on_toggle: called with {"run", "alpha": whether it is on, "beta"} as both switches show when one was moved.
        on_branch: called with {"run", "at": step, or None for now}.
        on_remove: called with {"run"}.
        on_space: called when the space bar is pressed and nothing but the page has the focus; without it the space
            bar scrolls, as everywhere.
        counted: key of a button whose clicks are counted in the browser, as Streamlit makes one of several quick ones.
        on_clicks: called with their number, a moment after the last one.
    """
    data = {
        "arms": [asdict(arm) for arm in arms],
        **asdict(look),
        "figures": [dict(figure) for figure in figures],
        "real": dict(real or {"says": "", "figures": {}}),
        "space": on_space is not None,
        **counting(counted),
    }
    result = _show(
        key,
        data,
        {"statuses": "", "at": None, "clicks": 0},
        on_toggle_change=_with_value(key, "toggle", on_toggle),
        on_branch_change=_with_value(key, "branch", on_branch),
        on_remove_change=_with_value(key, "remove", on_remove),
        on_ask_change=on_ask or (lambda: None),
        on_space_change=on_space or (lambda: None),
        on_clicks_change=lambda: on_clicks(st.session_state[key]["clicks"]),
    )
    return Seen(result.statuses or "", None if result.at is None else int(result.at))


def _with_value(key: str, name: str, callback: Callable[[dict[str, Any]], None] | None) -> Callable[[], None]:
    """Streamlit calls back without a word: what the browser sent lies in the session's state."""

    def call() -> None:
        value = st.session_state[key].get(name)
        if callback is not None and value:
            callback(dict(value))

    return call
