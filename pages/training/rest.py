"""Nothing to minimise: a run rests until something can learn again, and it is known what it does then."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from vae_core import models
from vae_core.config import LiveSettings

_HELD = "held run"  # keys in session_state: a run that rests for this reason, and the command with which it goes on;
_LAST = "last command"  # the last command that a button gave, and to which run
_GOES_ON = {"epoch": "epoch", "pause": "", "step": "", "slow": "", "reset": ""}  # by the last command; else "resume"


def cause(weights: dict[str, Any], terms: Mapping[str, float]) -> tuple[str, str] | None:
    """Why nothing would learn, and what to do; None where something does learn.

    Args:
        weights: as LiveSettings has them. terms: of the family that is trained, each with its own weight.
    """
    nothing = models.idle(LiveSettings(**weights), terms)
    if nothing == models.ALL_OFF:
        if set(terms) == {"nll", "kl"}:
            return "Both terms are off, so there is nothing to minimise", "switch one of them on"
        return "No term is on, so there is nothing to minimise", "give one of them a weight"
    if nothing == models.KL_ALONE:
        return (
            "The reconstruction is off and the encoder is frozen, so nothing is left that learns",
            "switch the reconstruction on or train both halves",
        )
    return None


def note(run_id: str, command: str) -> None:
    """A button has given a command: whatever the run was held for is over."""
    st.session_state[_LAST] = (run_id, command)
    forget()


def hold(run_id: str, trains: bool) -> None:
    """The run rests now; it is to go on with what it was doing, unless a button had told it to pause.

    Args:
        trains: whether it trained up to now. The server hears of a pause a moment late, so the last button counts too.
    """
    of, last = st.session_state.get(_LAST, ("", ""))
    name = _GOES_ON.get(last, "resume") if of == run_id else "resume"
    if trains and name:
        st.session_state[_HELD] = (run_id, name)


def wish(run_id: str) -> None:
    """Resume was pressed while nothing can learn: it goes on as soon as something can."""
    st.session_state[_HELD] = (run_id, "resume")


def goes_on(run_id: str) -> str:
    """The command with which a run goes on once something can learn; "" for one that stays paused."""
    of, name = st.session_state.get(_HELD, ("", ""))
    return name if of == run_id else ""


def forget() -> None:
    st.session_state.pop(_HELD, None)


def sentence(why: str, remedy: str, run_id: str, waits: bool) -> str:
    """What the page says as long as nothing can learn.

    Args:
        waits: whether there is a run of the visitor's that could train.
    """
    if not waits:
        return f"{why}: {remedy}."
    remedy = remedy[0].upper() + remedy[1:]
    if goes_on(run_id):
        return f"{why}: the run rests. {remedy} and it goes on."
    return f"{why}: the run stays paused. {remedy}, then press Resume."
