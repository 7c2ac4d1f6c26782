"""The weights that the widgets show: read for a family's terms, and shown as a run or a link has them."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.training.settings import DEFAULTS, LEAST_ALPHA, PIXELS, TERMS, own_terms, terms_on_page
from vae_core.config import LETTERS, own_weights

_SWITCHES = {"nll": ("alpha", "recon_on"), "kl": ("beta", "kl_on")}  # of the terms that have one
_DEFAULTS = {**DEFAULTS, "recon_on": True, "kl_on": True, "reduction": "sum"}


def weights_now(terms: Mapping[str, float] | None = None) -> dict[str, Any]:
    """The CHANGEABLE settings as the switches and numbers stand; a term switched off has weight 0.

    Args:
        terms: of the family that they are for; those on the page, if left out.
    """
    prepare()
    terms = terms_on_page() if terms is None else terms
    state = st.session_state
    alpha = state["alpha"] / PIXELS if state["reduction"] == "mean" else state["alpha"]
    letters = {"alpha": alpha if state["recon_on"] else 0.0, "beta": state["beta"] if state["kl_on"] else 0.0}
    has = {LETTERS[term] for term in terms if term in LETTERS}
    own = {term: state.get(weight_key(term), usual) for term, usual in own_terms(terms).items()}
    return {
        **{letter: value if letter in has else DEFAULTS[letter] for letter, value in letters.items()},
        "weights": ", ".join(f"{term}={weight:.12g}" for term, weight in own.items() if weight != terms[term]),
        "learning_rate": state["learning_rate"],
        "frozen": state["frozen"],
    }


def show_weights(weights: dict[str, Any], terms: Mapping[str, float]) -> None:
    """Set the widgets so that `weights_now` gives these CHANGEABLE settings. They must not have been drawn yet.

    Args:
        terms: of the family that they are for.
    """
    st.session_state[TERMS] = dict(terms)
    prepare()
    state = st.session_state
    shown = [(letter, switch) for term, (letter, switch) in _SWITCHES.items() if term in terms]
    for weight, switch in shown:
        state[switch] = weights[weight] > 0
        state[weight] = weights[weight] or state[weight]
    if weights["alpha"]:
        state["reduction"] = "sum"
    if 0 < weights["alpha"] < LEAST_ALPHA:  # no alpha of the widget: the mean over pixels was on
        state["reduction"], state["alpha"] = "mean", round(PIXELS * weights["alpha"], 9)
    state["learning_rate"], state["frozen"] = weights["learning_rate"], weights["frozen"]
    for term, own in (own_terms(terms) | own_weights(weights["weights"])).items():
        state[weight_key(term)] = own


def prepare() -> None:
    """Defaults go through the session state, so that a link or a chip can set a widget without a quarrel."""
    for key, value in (
        _DEFAULTS | {weight_key(term): weight for term, weight in own_terms(terms_on_page()).items()}
    ).items():
        st.session_state.setdefault(key, value)


def weight_key(term: str) -> str:
    """Where the weight of a family's own term stands in the session."""
    return f"weight of {term}"
