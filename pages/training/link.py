"""The address of the page says what is on it: settings, the run and the moment. A reload, or another browser, shows
the same; what an address says and cannot be had is said in a sentence."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.training import actions, controls, rest
from pages.ui import notices
from pages.ui.words import plain, quoted
from vae_core.config import CHANGEABLE, ConfigError, RunConfig
from vae_core.runs import registry
from vae_core.runs.messages import RUNNING, STARTING
from vae_core.runs.run_record import RunRecord

_DEFAULTS = RunConfig(epochs=controls.EPOCHS).to_dict()


def open_link() -> None:
    """On the first run of a session: put what the address says into the widgets."""
    if st.session_state.get("link_read"):
        return
    st.session_state["link_read"] = True
    asked = {k: v for k, v in st.query_params.items() if k in _DEFAULTS or k in ("run", "step")}
    run_id, step = asked.pop("run", None), asked.pop("step", None)
    problems = []
    if run_id is not None:
        if registry.shared().get(run_id) is None:
            problems.append("the run that it names is not on this server any more")
        else:
            st.session_state[actions.SHOWN] = run_id
    if step is not None:
        if step.isdecimal():
            st.session_state["moment"] = int(step)
        else:
            problems.append(f"its step {quoted(step)} is no number")
    if asked:
        try:
            _fill(_read(asked))
        except (ConfigError, ValueError) as error:
            problems.append(f"its settings cannot be used ({plain(str(error))})")
    if _follow_run(asked, run_id is not None) and set(asked) & set(CHANGEABLE):
        problems.append("its weights are not those of your run in training, which are shown")
    if problems:
        notices.put("training", f"This link does not hold in full: {'; '.join(problems)}. The rest is shown.")


def _follow_run(asked: dict[str, str], named: bool) -> bool:
    """Show the weights of the visitor's own run, unless the address has others for a run that does not train now.

    Args:
        asked: settings of the address. named: whether it names the run.
    Returns:
        Whether the widgets showed others.
    """
    run = actions.shown_run()
    meant = (named or not asked) and not set(asked) & set(CHANGEABLE)
    return (meant or run.status in (STARTING, RUNNING)) and actions.follow(run)


def moment() -> int | None:
    """The step at which the film is to open, as the link says."""
    return st.session_state.get("moment")


def write(run: RunRecord, at: int | None, settings: dict[str, Any], weights: dict[str, Any]) -> None:
    """Put what is on the page into its address; what stands at its default is left out."""
    values = settings if rest.cause(weights) else {**settings, **weights}  # no link could hold them: see _follow_run
    wanted = {k: str(v) for k, v in values.items() if v != _DEFAULTS[k]}
    wanted["run"] = run.run_id
    if at is not None:
        wanted["step"] = str(at)
    if dict(st.query_params) != wanted:
        st.query_params.from_dict(wanted)


def _read(asked: dict[str, str]) -> RunConfig:
    """Settings of the address as a config.

    Raises:
        ConfigError, ValueError: one of them is none.
    """
    values = {k: type(_DEFAULTS[k])(v) for k, v in asked.items()}
    config = RunConfig.from_dict({**_DEFAULTS, **values})
    controls.check_offered(config)
    return config


def _fill(config: RunConfig) -> None:
    """Set the widgets, which have not been drawn yet."""
    state = st.session_state
    values = config.to_dict()
    for key in set(values) - {*CHANGEABLE, "model"}:
        state[key] = values[key]
    controls.show_weights(values)
