"""Try this: settings that are worth seeing, and what to look for."""

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from pages.training import actions
from pages.training.claims import CLAIMS
from vae_core.claims import Claim


@dataclass(frozen=True)
class Chip:
    name: str
    look_for: Claim
    values: dict[str, Any] = field(default_factory=dict)  # keys of widgets


CHIPS = (
    Chip("As it should be", CLAIMS["chip usual"]),
    Chip(
        "Learning rate 0.1",
        CLAIMS["chip learning rate 0.1"],
        {"learning_rate": 0.1},
    ),
    Chip("beta 8", CLAIMS["chip beta 8"], {"beta": 8.0}),
    Chip("32 latents", CLAIMS["chip 32 latents"], {"latent_dim": 32}),
    Chip(
        "Gaussian, sigma 0.05",
        CLAIMS["chip sigma 0.05"],
        {"likelihood": "gaussian", "sigma": 0.05},
    ),
    Chip(
        "Mean over pixels",
        CLAIMS["chip mean over pixels"],
        {"reduction": "mean"},
    ),
    Chip(
        "Encoder frozen",
        CLAIMS["chip encoder frozen"],
        {"frozen": "encoder"},
    ),
    Chip(
        "Decoder never trained",
        CLAIMS["chip decoder never trained"],
        {"recon_on": False},
    ),
)
_USUAL = {
    "learning_rate": 0.002,
    "beta": 1.0,
    "alpha": 1.0,
    "latent_dim": 2,
    "likelihood": "bernoulli",
    "net": "mlp",
    "widths": "400-200",
    "activation": "relu",
    "recon_on": True,
    "kl_on": True,
    "reduction": "sum",
    "frozen": "none",
    "warmup_steps": 0,
    "warmup_cycles": 0,
    "free_bits": 0.0,
    "protocol": "grey",
    "batch_size": 256,
    "steps": 0,
}


def chips() -> None:
    """Buttons that set the controls; the next Start takes them."""
    with st.expander("Try this", icon=":material/lightbulb:"):
        for chip in CHIPS:
            st.button(
                chip.name,
                on_click=choose,
                args=(chip,),
                key=f"chip {chip.name}",
                width="stretch",
                help=chip.look_for.says,
            )


def choose(chip: Chip) -> None:
    """Callback: set the controls to the usual values and the chip's own, and say what to look for."""
    values = {**_USUAL, **chip.values}
    if "sigma" in values:
        st.session_state["sigma"] = values.pop("sigma")
    st.session_state.update(values)
    st.session_state["advice"], st.session_state["advice taken"] = (chip.name, chip.look_for.says), None
    if actions.is_mine(run := actions.shown_run()) and not run.ended:
        actions.command(run.run_id, "pause")  # the new weights are for the next run, unless this one is resumed
