"""Try this: settings that are worth seeing, and what to look for."""

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from pages.training import actions


@dataclass(frozen=True)
class Chip:
    name: str
    look_for: str
    values: dict[str, Any] = field(default_factory=dict)  # keys of widgets


CHIPS = (
    Chip("As it should be", "The loss falls fast, then slowly; the KL rises to about 6 nats: the code fills."),
    Chip(
        "Learning rate 0.1",
        "Jumps in the curves, and often an encoder that gives every image the same q.",
        {"learning_rate": 0.1},
    ),
    Chip("beta 8", "Blurred digits, codes pressed towards the centre, the KL far below that of beta 1.", {"beta": 8.0}),
    Chip("32 latents", "A far lower loss, and yet only some of the 32 bars rise.", {"latent_dim": 32}),
    Chip(
        "Gaussian, sigma 0.05",
        "1 / (2 sigma²) = 200 weighs the squared error: the KL hardly counts, codes spread.",
        {"likelihood": "gaussian", "sigma": 0.05},
    ),
    Chip(
        "Mean over pixels",
        "Averaging the reconstruction over 784 pixels and summing the KL is beta = 784 in disguise: watch it collapse.",
        {"reduction": "mean"},
    ),
    Chip(
        "Encoder frozen",
        "A random encoder gives all images nearly the same code: the decoder learns the mean image, the KL is fixed.",
        {"frozen": "encoder"},
    ),
    Chip(
        "Decoder never trained",
        "Without the reconstruction the decoder gets no gradient: its pictures stay those of the first second.",
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
    "protocol": "grey",
    "batch_size": 256,
    "steps": 0,
}


def chips() -> None:
    """Buttons that set the controls; the next Start takes them."""
    with st.expander("Try this", icon=":material/lightbulb:"):
        for chip in CHIPS:
            st.button(
                chip.name, on_click=choose, args=(chip,), key=f"chip {chip.name}", width="stretch", help=chip.look_for
            )


def choose(chip: Chip) -> None:
    """Callback: set the controls to the usual values and the chip's own, and say what to look for."""
    values = {**_USUAL, **chip.values}
    if "sigma" in values:
        st.session_state["sigma"] = values.pop("sigma")
    st.session_state.update(values)
    st.session_state["advice"] = f"**{chip.name}** is set; press **Start**. {chip.look_for}"
    if actions.is_mine(run := actions.shown_run()) and not run.ended:
        actions.command(run.run_id, "pause")  # the new weights are for the next run, unless this one is resumed
