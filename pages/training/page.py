"""Live training: start a run, watch it, change its loss on the way, look back, branch off."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.training import actions, controls, stage
from pages.training.chips import chips
from pages.training.code import code
from pages.training.estimate import how_long, pace_of
from pages.training.following import class_row, follow, show_to_class
from pages.training.library import compared, library
from pages.training.linked_weights import adopt
from pages.training.names import READ_ON
from pages.training.result import result
from pages.training.settings import link, write_link
from pages.training.take_home import take_home
from pages.ui import notices, spoken
from pages.ui.explore.sources import explorable
from pages.ui.gone import is_missing
from pages.ui.keeping import tell_of_runs
from pages.ui.live.view import live_view
from pages.ui.shipped import model_title
from vae_core.config import ConfigError, RunConfig
from vae_core.models import family
from vae_core.runs import registry
from vae_core.runs.run_record import SHIPPED, RunRecord

ASKS_S = 1.0  # between two looks whether the pace of such a run has been measured


def page() -> None:
    spoken.heading(1, "Live training")
    link.open(adopt)
    if link.get("follow"):
        follow()
        return
    with st.sidebar:
        chips()
        settings = controls.settings()
    if not is_missing(link):
        lesson(settings)


@st.fragment
def lesson(settings: dict[str, Any]) -> None:
    """Everything but the settings; it runs again by itself when a button is pressed or the run changes status."""
    run = actions.shown_run()
    show_to_class(run)
    stage.style()
    beside = compared(run)
    with st.container(key="stage"):
        menu, weights = stage.controls_row(run, settings, shown_terms(run, settings))
        with st.container(key="said"):
            say(run, checked(settings, weights))
        seen = live_view(
            run.run_id,
            run.config,
            key="live",
            compare=beside,
            at=link.get("step"),
            read_on=READ_ON,
            on_space=lambda: actions.toggle(settings),
            on_slow=lambda: actions.slow(run.run_id, settings),
            counted="step",
            on_clicks=actions.steps_clicked,
        )
    stage.branch_button(menu, run, seen.at)
    write_link(run, seen.at, settings, weights, [run_id for run_id, _ in beside])
    controls.remarks()
    class_row(run)
    library(run)
    st.page_link(
        "explorer/page.py",
        label="Explore its latent space",
        icon=":material/explore:",
        query_params={"model": run.run_id},
        disabled=not explorable(run.config),
        help="With its last kept weights: the first are kept after seconds.",
    )
    if run.ended:
        result(run)
    take_home(run)
    code(run)


def shown_terms(run: RunRecord, settings: dict[str, Any]) -> Mapping[str, float]:
    """Terms whose weights are on the page: of the run that would take them, else of the one that Start makes."""
    follows = actions.is_mine(run) and not run.ended
    return family(run.config.model if follows else settings["model"]).TERMS


def say(run: RunRecord, config: RunConfig | None) -> None:
    """The line above the live view: what is to be known now; where that is nothing, see stage.py, the explanation."""
    if why := actions.why_it_rests(run):
        st.warning(why, icon=":material/error:")
    notices.show("training")
    tell_of_runs()
    if advice := st.session_state.get("advice"):
        asked = "." if advice == st.session_state["advice taken"] else " is set; press **Start**."
        st.info(f"**{advice[0]}**{asked} {advice[1]}", icon=":material/lightbulb:")
    measures = pace_of(config) is None
    st.fragment(explain, run_every=ASKS_S if measures else None)(run, config, measures)


def explain(run: RunRecord, config: RunConfig | None, waits: bool) -> None:
    """Whose run this is, or what the next Start would change; and how long a new one takes.

    Args:
        waits: for the pace to be measured; this runs again and again until it is.
    """
    pace = pace_of(config)
    if waits and pace is not None:
        st.rerun()
    takes = how_long(config, pace)
    if run.visitor == SHIPPED:
        own = f"{model_title(run.config)}, {run.config.epochs} epochs, learning rate {run.config.learning_rate:g}"
        st.caption(
            f"This run ships with the program ({own}). **Start** trains your own{takes and f': {takes}'}.",
            help="Yours goes on when you visit another page, and stops "
            f"{registry.shared().gone_after_s / 60:.0f} minutes "
            "after your last window on this server has closed; it stays saved, and is offered again.",
        )
        return
    if not actions.is_mine(run):
        st.caption(f"Somebody else's run, to watch. **Start** trains your own{takes and f': {takes}'}.")
        return
    changes = controls.differences(run.config, config) if config else []
    changed = f"Changed for the next Start: {', '.join(changes)}." if changes else ""
    again = f"A new run: {takes}." if takes else ""
    st.caption(f"{changed} {again}".strip() or "&nbsp;")  # its line is there even when it has nothing to say


def checked(settings: dict[str, Any], weights: dict[str, Any]) -> RunConfig | None:
    try:
        return RunConfig(**settings, **weights)
    except ConfigError:
        return None


page()
