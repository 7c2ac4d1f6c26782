"""Live training: start a run, watch it, change its loss on the way."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.training import controls, figures
from pages.ui import visitor
from pages.ui.live.view import live_view
from vae_core.config import ConfigError, RunConfig
from vae_core.runs import ENDED, GONE_AFTER_S, PAUSED, RUNNING, STARTING, Run, registry


def page() -> None:
    with st.sidebar:
        settings = controls.settings()
    lesson(settings)


@st.fragment
def lesson(settings: dict[str, Any]) -> None:
    """Everything but the settings; it runs again by itself when a button is pressed or the run changes status."""
    run = current_run()
    buttons(run, settings)
    weights = controls.weights(on_change=change_weights)
    config = checked(settings, weights)
    if notice := st.session_state.pop("notice", None):
        st.warning(notice, icon=":material/error:")
    if run is None:
        invitation()
        return
    if config and (changes := controls.differences(run.config, config)):
        st.caption(f"Changed for the next Start: {', '.join(changes)}.")
    live_view(run.run_id, key="live")
    if run.ended:
        result(run)


def current_run() -> Run | None:
    """The run on this page: the newest of this visitor, whichever page or reload they come from."""
    newest = registry().of(visitor.current())
    return newest[0] if newest else None


def buttons(run: Run | None, settings: dict[str, Any]) -> None:
    """Start, Pause, Step, Epoch, Stop, Reset: always in the same places."""
    status = run.status if run else None
    active = status in (STARTING, RUNNING, PAUSED)
    row = st.container(horizontal=True, gap="small")
    row.button(
        "Start anew" if run else "Start", on_click=start, args=(settings,), type="primary",
        icon=":material/play_arrow:", key="start",
        help="Begin a new run with these settings. A run that is training is stopped first.",
    )  # fmt: skip
    if status == PAUSED:
        row.button("Resume", on_click=command, args=("resume",), icon=":material/resume:", key="resume")
    else:
        row.button(
            "Pause", on_click=command, args=("pause",), icon=":material/pause:", key="pause", disabled=not active,
        )  # fmt: skip
    row.button(
        "Step", on_click=step, args=(settings,), icon=":material/skip_next:", key="step", disabled=status in ENDED,
        help="Train on one batch, then pause.",
    )  # fmt: skip
    row.button(
        "Epoch", on_click=command, args=("epoch",), icon=":material/fast_forward:", key="epoch", disabled=not active,
        help="Train to the end of the epoch, then pause.",
    )  # fmt: skip
    row.button(
        "Stop", on_click=command, args=("stop",), icon=":material/stop:", key="stop", disabled=not active,
        help="End the run here and compute its figures over all test images.",
    )  # fmt: skip
    row.button(
        "Reset", on_click=command, args=("reset",), icon=":material/restart_alt:", key="reset", disabled=run is None,
        help="Back to the very same initial weights, paused, with the switches as they stand.",
    )  # fmt: skip


def start(settings: dict[str, Any], paused: bool = False) -> None:
    """Callback: a new run with the widgets' settings."""
    try:
        config = controls.config_of(settings, controls.weights_now())
        registry().start(config, visitor.current(), paused)
    except ConfigError as error:
        st.session_state["notice"] = str(error)


def step(settings: dict[str, Any]) -> None:
    """Callback: one batch, of a new run if there is none."""
    if current_run() is None:
        start(settings, paused=True)
    command("step", steps=1)


def command(name: str, **args: Any) -> None:
    """Callback: tell the current run something."""
    run = current_run()
    if run is None:
        return
    try:
        registry().command(run.run_id, name, **args)
    except ConfigError as error:
        st.session_state["notice"] = str(error)


def change_weights() -> None:
    """Callback: a switch or a weight was changed; a run in training follows at its next step."""
    weights = controls.weights_now()
    run = current_run()
    if weights["alpha"] == weights["beta"] == 0:
        st.session_state["notice"] = "Both terms are off, so there is nothing to minimise: switch one of them on."
    elif run is not None and not run.ended:
        command("set", **weights)


def checked(settings: dict[str, Any], weights: dict[str, float]) -> RunConfig | None:
    try:
        return controls.config_of(settings, weights)
    except ConfigError:
        return None


def invitation() -> None:
    st.info(
        "Press **Start**: a new network begins to learn 60,000 handwritten digits, and every term of its loss is "
        "drawn as it falls. After a few seconds switch **KL on** off and watch the latent map.",
        icon=":material/school:",
    )
    st.caption(
        f"Training goes on when you visit another page. It ends {GONE_AFTER_S / 60:.0f} minutes after your last "
        "window on this server has closed."
    )


def result(run: Run) -> None:
    """The figures of a run that has ended, computed over all test images, and its curves to take home."""
    if run.final is None:
        if run.status != "failed":
            st.caption("Computing the figures over all 10,000 test images …")
    else:
        test = run.final
        st.subheader("Result")
        columns = st.columns(5)
        columns[0].metric("−ELBO (nats)", f"{test['neg_elbo']:.2f}")
        columns[1].metric("Reconstruction (nats)", f"{test['nll']:.2f}")
        columns[2].metric("KL (nats)", f"{test['kl']:.2f}")
        columns[3].metric("−log p(x), at most (nats)", f"{test['neg_iw_bound']:.2f}")
        columns[4].metric("Active units", f"{test['active_units']} of {len(test['kl_dims'])}")
        st.caption(
            f"{run.config.dataset.upper()}, {test['protocol']} pixels, test split, {test['images']:,} images, K = 1, "
            f"seed {run.config.seed}; importance-weighted bound with K = {test['iw_samples']} over the first "
            f"{test['iw_images']} test images, whose −ELBO is {test['iw_neg_elbo']:.2f}. {run.device}."
        )
    with st.expander("Curves to zoom into and to save", icon=":material/show_chart:"):
        table = figures.history_table(run)
        if len(table):
            st.plotly_chart(figures.history_figure(table, st.context.theme.type == "dark"), key="history")
        st.download_button("History as CSV", table.to_csv(index=False), "history.csv", "text/csv", on_click="ignore")


page()
