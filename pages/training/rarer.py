"""Settings of a run that are changed more rarely: they stand folded."""

from typing import Any

import streamlit as st

from pages.training.claims import said
from pages.training.settings import link
from pages.ui.words import plain
from vae_core.config import ACTIVATIONS, ConfigError, layer_widths
from vae_core.models.base import Family


def rarer_settings(is_mlp: bool, kind: type[Family]) -> dict[str, Any]:
    """Widgets for them; returns their values as RunConfig takes them. Only an mlp has layers to choose."""
    values = _cures(kind) if "kl" in kind.TERMS else {}
    values["steps"] = st.number_input(
        "Steps in all",
        step=1000,
        **link.number("steps"),
        help="Where a published run names steps instead of epochs, such as 20,000. 0: as many as the epochs take.",
    )
    return values | (_layers() if is_mlp else {})


def _cures(kind: type[Family]) -> dict[str, Any]:
    """What keeps a KL from pressing the codes to the prior before they say anything."""
    values: dict[str, Any] = {}
    values["warmup_steps"] = st.number_input(
        "KL warm-up (steps)",
        step=100,
        **link.number("warmup_steps"),
        help=said("warmup_steps"),
    )
    if values["warmup_steps"]:
        values["warmup_cycles"] = st.number_input(
            "Warm-up cycles", **link.number("warmup_cycles"), help=said("warmup_cycles")
        )
    if kind.has.posterior == "gaussian":
        values["free_bits"] = st.number_input(
            "Free bits (nats a latent)", step=0.1, **link.number("free_bits"), help=said("free_bits")
        )
    return values


def _layers() -> dict[str, Any]:
    """The mlp's hidden layers."""
    values: dict[str, Any] = {}
    values["widths"] = st.text_input(
        "Hidden layers",
        **link.kept("widths"),
        help="Their widths from the image to the code, such as 500, or 300-300; the decoder has them the other way "
        "round.",
    )
    try:
        layer_widths(values["widths"])
    except ConfigError as error:
        st.caption(f":material/error: {plain(str(error))}")
    values["activation"] = st.segmented_control(
        "Activation",
        ACTIVATIONS,
        required=True,
        **link.kept("activation"),
        help="After each hidden layer. relu is usual today; tanh that of Burda et al. (2016).",
    )
    return values
