"""The live view of a run: everything that moves, drawn in the browser and fed only with what is new."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from pages.ui.component import declare
from pages.ui.presses import counting
from pages.ui.terms import describe
from vae_core.config import RunConfig
from vae_core.metrics.states import EXPLAINED

_STYLES = ("vendor/uplot/uPlot.min.css", "live/live.css", "live/slow/slow.css", "live/present.css")
_show = declare("live_view", "live/live.js", "live", *_STYLES, frame=True)


@dataclass(frozen=True)
class Seen:
    """What the browser last said of the live view."""

    status: str  # of the run, "" before the first message
    at: int | None  # the step at which the film rests; None in the present


def live_view(
    run_id: str,
    config: RunConfig,
    *,
    key: str,
    compare: Sequence[tuple[str, str]] = (),
    at: int | None = None,
    read_on: Mapping[str, tuple[str, str]] | None = None,
    on_space: Callable[[], None] = lambda: None,
    on_slow: Callable[[], None] = lambda: None,
    counted: str | None = None,
    on_clicks: Callable[[int], None] = lambda count: None,
    quiet: bool = False,
) -> Seen:
    """Show a run as it trains, or at any moment of its film.

    The script (or fragment) that calls this runs again when the run enters another status or the film rests
    elsewhere, so that buttons can follow.

    Args:
        run_id: what to follow. config: of the run: the terms of its family are drawn.
        key: of the widget; the same key keeps its place and its zoom.
        compare: ids and labels of runs to draw beside it.
        at: the step at which the film is to open; the nearest kept frame is shown.
        read_on: for the name of a diagnosis, where more is said of it: address and title.
        on_space: called when the space bar is pressed and nothing but the page has the focus.
        on_slow: called when the next batch is wanted in slow motion.
        counted: key of a button whose clicks are counted in the browser, as Streamlit makes one of several quick ones.
        on_clicks: called with their number in this session, a moment after the last one.
        quiet: to look at only: nothing that happens in it runs a script, whatever the run or the visitor does.
    """
    data = {
        "run": run_id,
        "family": describe(config),
        "at": at,
        "compare": [{"run": run, "label": label} for run, label in compare],
        "explained": EXPLAINED,
        "readOn": read_on or {},
        "quiet": quiet,
        **counting(counted),
    }
    result = _show(
        key,
        data,
        {"status": "", "at": None, "clicks": 0},
        on_space_change=on_space,
        on_slow_change=on_slow,
        on_clicks_change=lambda: on_clicks(st.session_state[key]["clicks"]),
    )
    return Seen(result.status or "", None if result.at is None else int(result.at))
