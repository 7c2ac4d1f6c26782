"""What is pressed on the page of live training, in one row: Start before all else, then what acts on the run."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from pages.training import actions, controls
from pages.training.weights import weights_now
from pages.ui.buttons import command_button
from pages.ui.lecture.bar import PRESENT
from vae_core.inspect.step_trace import can_be_traced
from vae_core.models import family
from vae_core.runs.messages import ENDED, PAUSED
from vae_core.runs.run_record import SAVED, RunRecord

MENU = "menu of the run"  # in the session: whether it is open

# Widths are those of the longest label, so that nothing moves when a label changes. The line of what is said is there
# before anything is, and holds one sentence: whose run it is gives way to a warning.
_STYLE = """
.stMain .stVerticalBlock.st-key-stage { gap: 0.3rem; }
.stMain .st-key-start button { min-width: 8.8rem; }
.stMain .st-key-start button p { font-size: 1.1rem; }
.stMain .st-key-pause button { min-width: 7.2rem; }
.stMain .st-key-recon_on { min-width: 12.4rem; }
.stMain .st-key-kl_on { min-width: 7.2rem; }
.stMain .st-key-said { min-height: 1.75rem; gap: 0.2rem; }
.stMain .st-key-said [data-testid="stAlertContainer"] { padding: 0.1rem 0.6rem; }
.stMain .st-key-said:has([data-testid="stAlert"]) [data-testid="stCaptionContainer"] { display: none; }
"""
# Start stands beside the loss line, and a warning at the foot of the screen.
_ON_PROJECTOR = """
.stMain .st-key-stage { position: relative; margin-top: -0.4rem; }
.stMain .st-key-buttons { position: absolute; top: 0; right: 0; width: auto; z-index: 2; }
.stMain .st-key-buttons > :has([class*="st-key-controls"]) { display: none; }
.stMain .st-key-buttons button { min-height: 2.1rem; padding-top: 0; padding-bottom: 0; }
.stMain .st-key-said { position: fixed; inset: auto 1rem 0.5rem; width: auto; min-height: 0; z-index: 3; }
"""


def style() -> None:
    presenting = _ON_PROJECTOR if st.session_state.get(PRESENT) else ""
    st.html(f"<style>{_STYLE}{presenting}</style>")


def controls_row(run: RunRecord, settings: dict[str, Any], terms: Mapping[str, float]) -> tuple[Any, dict[str, Any]]:
    """Start, Pause, a menu of what is rarer, and what changes the loss of a run on its way.

    Args:
        terms: those whose weights are on the page.
    Returns:
        the menu, and the CHANGEABLE settings as they stand.
    """
    row = st.container(key="buttons", horizontal=True, vertical_alignment="center", gap="xsmall")
    _start(row, run, settings)
    menu = row.container(key="controls-menu", width="content").popover(
        "More", icon=":material/more_horiz:", key=MENU, on_change="rerun"
    )
    _commands(menu, run, settings)
    with row.container(
        key="controls-weights", horizontal=True, vertical_alignment="center", gap="xsmall", width="content"
    ):
        controls.switches(terms, on_change=actions.change_weights)
        with st.popover("Weights", icon=":material/tune:"):
            controls.weights(terms, on_change=actions.change_weights)
    return menu, weights_now()


def _start(row: Any, run: RunRecord, settings: dict[str, Any]) -> None:
    mine = actions.is_mine(run)
    row.button(
        "Start anew" if mine else "Start",
        on_click=actions.start,
        args=(settings,),
        type="primary",
        icon=":material/play_arrow:",
        key="start",
    )
    pause = "Resume" if mine and run.status in (PAUSED, SAVED) else "Pause"
    command_button(row, pause, actions.command, run.run_id, pause.lower(), disabled=not mine or run.ended)


def _commands(menu: Any, run: RunRecord, settings: dict[str, Any]) -> None:
    """Step, Slow step, Epoch, Stop, Reset: Step may be wanted several times, so it leaves the menu open."""
    mine = actions.is_mine(run)
    off, ended, new = not mine or run.ended, mine and run.status in ENDED, (run.run_id, settings)
    command_button(
        menu, "Step", actions.step, *new, disabled=ended, width="stretch", help="Train on one batch, then pause."
    )
    slow = "Train on one batch, then see it in slow motion: batch, codes, eps, decoding, losses, gradients, update."
    seen = not mine or can_be_traced(family(run.config.model))
    command_button(
        menu, "Slow step", _closing(actions.slow), *new, disabled=ended or not seen, width="stretch", help=slow
    )
    for label, disabled, help in (
        ("Epoch", off, "Train to the end of the epoch, then pause."),
        ("Stop", off, "End the run here and compute its figures over all test images."),
        ("Reset", not mine, "Back to the very same initial weights, paused, with the switches as they stand."),
    ):
        name = label.lower()
        command_button(
            menu, label, _closing(actions.command), run.run_id, name, disabled=disabled, width="stretch", help=help
        )


def branch_button(menu: Any, run: RunRecord, at: int | None) -> None:
    """Branch from the kept state nearest to the moment that is shown (at or before it)."""
    step = actions.state_before(run, at)
    whence = "the last kept state up to the moment shown" if step is None else f"step {step:,}"
    command_button(
        menu,
        "Branch",
        _closing(actions.branch),
        run.run_id,
        at,
        disabled=step is None or not actions.is_mine(run),
        width="stretch",
        help=f"Go on from {whence} as a second run, with the switches and weights as they stand, with the same batches "
        f"and noise. Weights are kept at {len(run.states)} {'moment' if len(run.states) == 1 else 'moments'}; this is "
        "the last one up to the moment shown.",
    )


def _closing(call: Callable[..., None]) -> Callable[..., None]:
    """The same callback, after which the menu is out of the way."""

    def close_and_call(*args: Any) -> None:
        st.session_state[MENU] = False
        call(*args)

    return close_and_call
