"""What the buttons of the page do: commands to the visitor's run on points."""

from typing import Any

import streamlit as st

from pages.plane.settings import DRAWN, GIVEN, GROUP, MOMENT, config, dataset, link, runs_of
from pages.ui import notices, visitor
from vae_core.config import ConfigError
from vae_core.data import points
from vae_core.data.images import DataError
from vae_core.data.sets import name_of
from vae_core.runs import registry, uploads
from vae_core.runs.messages import PAUSED
from vae_core.runs.run_record import SAVED, RunRecord

TOLD = "plane told"  # in the session: the whole page has something to show, and not the pad alone
PASTED = "plane pasted"


def shown_run() -> RunRecord | None:
    """The run on the page: that of a link, else the visitor's newest."""
    runs = runs_of(st.session_state.get(GROUP) or "")
    return runs[0] if runs else None


def is_mine(run: RunRecord) -> bool:
    return run.visitor == visitor.current()


def start() -> None:
    """Callback: a new run with the widgets' settings."""
    notices.clear("plane")
    if (name := dataset()) is None:
        return notices.put("plane", f"Draw at least {points.FEWEST} points first.")
    try:
        arms = [(name_of(name), config(name))]
        st.session_state[GROUP] = registry.shared().start_group(arms, visitor.current(), place=GROUP)
        st.session_state.pop(MOMENT, None)
    except ConfigError as error:
        notices.put("plane", str(error))


def command(name: str, **args: Any) -> None:
    """Callback: tell the run something, if it is the visitor's."""
    run = shown_run()
    if run is None or not is_mine(run):
        return
    notices.clear("plane")
    if name == "reset":
        args |= {"beta": float(link.get("beta"))}  # what trains, trains with the beta that the page shows
    try:
        registry.shared().command(run.run_id, name, **args)
    except ConfigError as error:
        notices.put("plane", str(error))
    except KeyError:
        notices.put("plane", "This run is gone: press Start for a new one.")


def step() -> None:
    """Callback: one batch."""
    command("step", steps=1)


def toggle() -> None:
    """Callback of the space bar: pause or resume."""
    run = shown_run()
    if run is not None:
        command("resume" if run.status in (PAUSED, SAVED) else "pause")


def change_beta() -> None:
    """Callback: a run that trains takes the new beta at its next step."""
    run = shown_run()
    if run is not None and not run.ended:
        command("set", beta=float(link.get("beta")))


def take_drawing(drawn: list[list[float]]) -> None:
    """Keep what the hand has drawn; too few points are none yet."""
    notices.clear("plane")
    if len(drawn) < points.FEWEST:
        st.session_state.pop(DRAWN, None)
        return
    try:
        st.session_state[DRAWN] = points.keep(drawn, _in_use())
    except DataError as error:
        notices.put("plane", str(error))


def paste() -> None:
    """Callback: points as text."""
    notices.clear("plane")
    st.session_state[TOLD] = True
    try:
        found = points.parse(st.session_state.get(PASTED) or "")
        st.session_state[DRAWN] = points.keep(found.tolist(), _in_use())
        st.session_state[GIVEN] = st.session_state.get(GIVEN, 0) + 1
    except DataError as error:
        notices.put("plane", str(error))


def _in_use() -> set[str]:
    return uploads.in_use(registry.shared().runs())
