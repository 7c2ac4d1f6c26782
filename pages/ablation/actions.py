"""What the buttons of the ablation page do: commands to the visitor's groups of arms."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.ablation.arms import key_of, weight_when_on
from pages.ui import notices, presses, visitor
from pages.ui.shipped import shipped_arms
from vae_core.config import ConfigError, RunConfig
from vae_core.models import family
from vae_core.runs import registry
from vae_core.runs.messages import PAUSED, RUNNING, STARTING
from vae_core.runs.run_record import SAVED, SHIPPED, RunRecord

ARMS_GROUP, BUG_GROUP, DOSE_GROUP = "ablation group", "bug group", "dose group"  # keys in session_state
MOMENT = "ablation moment"  # the step that a link asks for


def members(kept: str) -> list[RunRecord]:
    """The arms of the group that a section shows; none when it has none."""
    return registry.shared().members(st.session_state.get(kept) or "")


def arms_on_page(keys: Sequence[str]) -> list[RunRecord]:
    """The visitor's arms, or the ones of a link, or the chosen ones of those that ship (all where none is chosen)."""
    if own := members(ARMS_GROUP):
        return own
    shipped = [run for i in shipped_arms() if (run := registry.shared().get(i)) is not None]
    return [run for run in shipped if key_of(name_of(run)) in keys] or shipped


def name_of(run: RunRecord) -> str:
    """What stands above an arm's panel; a shipped one is named by its config."""
    if run.arm:
        return run.arm.name
    config = run.config
    if "kl" not in family(config.model).TERMS:
        return "plain autoencoder"
    if config.alpha == 0:
        return "no reconstruction"
    return {1.0: "full", 0.0: "no KL"}.get(config.beta, f"beta {config.beta:g}")


def is_mine(run: RunRecord) -> bool:
    return run.visitor == visitor.current()


def is_shipped(runs: Sequence[RunRecord]) -> bool:
    return all(run.visitor == SHIPPED for run in runs)


def start(kept: str, arms: Sequence[tuple[str, RunConfig]], paused: bool = False) -> None:
    """A new group for a section of the page."""
    notices.clear("ablation")
    try:
        st.session_state[kept] = registry.shared().start_group(arms, visitor.current(), paused, place=kept)
        st.session_state.pop(MOMENT, None)
    except ConfigError as error:
        notice(str(error))


def command(kept: str, name: str, **args: Any) -> None:
    """Callback: tell all arms of a section's group something."""
    runs = members(kept)
    if not runs or not is_mine(runs[0]):
        return
    notices.clear("ablation")
    try:
        registry.shared().command_group(runs[0].group, name, **args)
    except KeyError:
        notice("These arms are gone: press Train live for new ones.")


def step(kept: str, clicks: int | None = None) -> None:
    """Callback: one batch for every arm, or as many as clicks on Step have been counted and not yet carried out."""
    if steps := presses.to_carry_out(f"{kept} step", clicks):
        command(kept, "step", steps=steps)


def switch(run_id: str, on: dict[str, bool]) -> None:
    """Set both terms of one arm as its switches show them; it follows at its next step.

    Both, because what the server knows of the other one may be a moment old.

    Args:
        on: whether "alpha" and "beta" are on.
    """
    run = registry.shared().get(run_id)
    if run is None or not is_mine(run):
        return
    if not any(on.values()):
        return notice("One of an arm's two terms must stay on: switch the other one on first.")
    notices.clear("ablation")
    weights = {
        term: (getattr(run.settings, term) or weight_when_on(run.config, term)) if on[term] else 0.0 for term in on
    }
    try:
        registry.shared().command(run_id, "set", **weights)
    except ConfigError as error:
        notice(str(error))


def branch(run_id: str, at: int | None) -> None:
    """A new arm that goes on from the last kept weights at or before a moment; paused unless the group trains."""
    parent = registry.shared().get(run_id)
    if parent is None or not is_mine(parent):
        return
    step = max((s for s in parent.states if s < parent.total_steps and (at is None or s <= at)), default=None)
    if step is None:
        return notice("No weights are kept that early: move the film on a little, then branch.")
    notices.clear("ablation")
    rests = not any(run.status in (STARTING, RUNNING) for run in registry.shared().members(parent.group))
    try:
        registry.shared().branch(run_id, step, {}, paused=rests)
        st.session_state.pop(MOMENT, None)
        if rests:
            notice(f"The branch waits at step {step:,}: set its switches, then press Resume.")
    except ConfigError as error:
        notice(str(error))
    except KeyError:
        notice("The weights of that moment have just been thinned out: choose another moment.")


def remove(run_id: str) -> None:
    """Take an arm away; the last one stays."""
    run = registry.shared().get(run_id)
    if run is not None and is_mine(run) and len(registry.shared().members(run.group)) > 1:
        registry.shared().close_run(run_id)


def toggle_training(kept: str) -> None:
    """Callback of the space bar: pause or resume."""
    runs = members(kept)
    if runs:
        command(kept, "resume" if state_of(runs) in (PAUSED, SAVED) else "pause")


def state_of(runs: Sequence[RunRecord]) -> str:
    """One word for a group: it trains if any arm does, and it can go on if any can."""
    statuses = [run.status for run in runs]
    for status in (STARTING, RUNNING, PAUSED, SAVED):
        if status in statuses:
            return status
    return statuses[0]


def notice(text: str) -> None:
    """Say something on this page."""
    notices.put("ablation", text)
