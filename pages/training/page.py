"""Live training: start a run, watch it, change its loss on the way, look back, branch off."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.training import actions, controls
from pages.training.chips import chips
from pages.training.code import code
from pages.training.following import class_row, follow, show_to_class
from pages.training.library import compared, library
from pages.training.linked_weights import adopt
from pages.training.names import READ_ON
from pages.training.result import result
from pages.training.settings import link, write_link
from pages.training.take_home import take_home
from pages.ui import notices
from pages.ui.buttons import command_button
from pages.ui.explore.sources import explorable
from pages.ui.gone import is_missing
from pages.ui.keeping import tell_of_runs
from pages.ui.live.view import live_view
from pages.ui.shipped import model_title
from vae_core.config import ConfigError, RunConfig
from vae_core.inspect.step_trace import can_be_traced
from vae_core.models import family
from vae_core.runs import registry
from vae_core.runs.messages import ENDED, PAUSED
from vae_core.runs.run_record import SAVED, SHIPPED, RunRecord


def page() -> None:
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
    row = st.container(horizontal=True, gap="xsmall")
    buttons(row, run, settings)
    weights = controls.weights(shown_terms(run, settings), on_change=actions.change_weights)
    config = checked(settings, weights)
    if why := actions.why_it_rests(run):
        st.warning(why, icon=":material/error:")
    notices.show("training")
    tell_of_runs()
    if advice := st.session_state.get("advice"):
        asked = "." if advice == st.session_state["advice taken"] else " is set; press **Start**."
        st.info(f"**{advice[0]}**{asked} {advice[1]}", icon=":material/lightbulb:")
    explain(run, config)
    beside = compared(run)
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
    branch_button(row, run, seen.at)
    write_link(run, seen.at, settings, weights, [run_id for run_id, _ in beside])
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


def buttons(row: Any, run: RunRecord, settings: dict[str, Any]) -> None:
    """Start, Pause, Step, Epoch, Stop, Reset: always in the same places."""
    mine = actions.is_mine(run)
    off, ended, new = not mine or run.ended, mine and run.status in ENDED, (run.run_id, settings)
    pause = "Resume" if mine and run.status in (PAUSED, SAVED) else "Pause"
    row.button(
        "Start anew" if mine else "Start",
        on_click=actions.start,
        args=(settings,),
        type="primary",
        icon=":material/play_arrow:",
        key="start",
        width=126,
        help="Begin a new run with these settings. A run that is training is stopped first.",
    )
    command_button(row, pause, actions.command, run.run_id, pause.lower(), disabled=off, width=108)
    command_button(row, "Step", actions.step, *new, disabled=ended, help="Train on one batch, then pause.")
    slow = "Train on one batch, then see it in slow motion: batch, codes, eps, decoding, losses, gradients, update."
    seen = not mine or can_be_traced(family(run.config.model))
    command_button(row, "Slow step", actions.slow, *new, disabled=ended or not seen, help=slow)
    for label, disabled, help in (
        ("Epoch", off, "Train to the end of the epoch, then pause."),
        ("Stop", off, "End the run here and compute its figures over all test images."),
        ("Reset", not mine, "Back to the very same initial weights, paused, with the switches as they stand."),
    ):
        command_button(row, label, actions.command, run.run_id, label.lower(), disabled=disabled, help=help)


def branch_button(row: Any, run: RunRecord, at: int | None) -> None:
    """Branch from the kept state nearest to the moment that is shown (at or before it)."""
    step = actions.state_before(run, at)
    whence = "the last kept state up to the moment shown" if step is None else f"step {step:,}"
    command_button(  # one label, short: a longer one would break the row, and move all below it
        row,
        "Branch",
        actions.branch,
        run.run_id,
        at,
        disabled=step is None or not actions.is_mine(run),
        help=f"Go on from {whence} as a second run, with the switches and weights as they stand, with the same batches "
        f"and noise. Weights are kept at {len(run.states)} moments; this is the last one up to the moment shown.",
    )


def explain(run: RunRecord, config: RunConfig | None) -> None:
    """One line above the live view: whose run this is, or what the next Start would change."""
    if run.visitor == SHIPPED:
        own = f"{model_title(run.config)}, {run.config.epochs} epochs, learning rate {run.config.learning_rate:g}"
        st.caption(
            f"This run ships with the program ({own}): drag through it. **Start** trains your own, as set here.",
            help="Yours goes on when you visit another page, and stops "
            f"{registry.shared().gone_after_s / 60:.0f} minutes "
            "after your last window on this server has closed; it stays saved, and is offered again.",
        )
    elif not actions.is_mine(run):
        st.caption("Somebody else's run: you can watch it and drag through it. Press **Start** to train your own.")
    elif config and (changes := controls.differences(run.config, config)):
        st.caption(f"Changed for the next Start: {', '.join(changes)}.")


def checked(settings: dict[str, Any], weights: dict[str, Any]) -> RunConfig | None:
    try:
        return RunConfig(**settings, **weights)
    except ConfigError:
        return None


page()
