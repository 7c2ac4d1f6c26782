"""The weights that a link asks for are shown, or those of the run that it shows."""

from typing import Any

import streamlit as st

from pages.training import actions, weights
from pages.training.settings import DEFAULTS, FOLLOWS
from pages.ui.words import plain
from vae_core import models
from vae_core.config import CHANGEABLE, ConfigError, RunConfig
from vae_core.runs.messages import RUNNING, STARTING


def adopt(asked: dict[str, Any]) -> list[str]:
    """Show the weights that a link asks for, or those of the run.

    Args:
        asked: values of the address.
    Returns:
        What does not hold.
    """
    problems: list[str] = []
    st.session_state[FOLLOWS] = asked.get("follow", False)  # any other link leads away from the lecturer's run
    if given := {name: asked[name] for name in CHANGEABLE if name in asked}:
        model = asked.get("model", DEFAULTS["model"])
        terms = models.family(model).TERMS
        now = weights.weights_now(terms) | given
        try:
            models.check(RunConfig(**DEFAULTS | {"model": model} | now))
            weights.show_weights(now, terms)
        except ConfigError as error:
            problems.append(f"its weights cannot be used ({plain(str(error).rstrip('.'))})")
    named = set(st.query_params)
    if _follow_run(named) and named & set(CHANGEABLE):
        problems.append("its weights are not those of your run in training, which are shown")
    return problems


def _follow_run(named: set[str]) -> bool:
    """Show the weights of the visitor's own run, unless the address has others for a run that does not train now.

    Args:
        named: what the address names.
    Returns:
        Whether the widgets showed others.
    """
    run = actions.shown_run()
    meant = ("run" in named or not named & set(DEFAULTS)) and not named & set(CHANGEABLE)
    return (meant or run.status in (STARTING, RUNNING)) and actions.follow(run)
