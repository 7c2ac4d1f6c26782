"""The code that ran: the source of the very functions, beside their formulas."""

import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import streamlit as st

from vae_core import losses
from vae_core.models import family
from vae_core.models.vae import VAE
from vae_core.runs.run_record import RunRecord
from vae_core.trainer import Trainer

_BERNOULLI = r"-\log p(x \mid z) = -\sum_i \left[ x_i \log \hat x_i + (1 - x_i) \log (1 - \hat x_i) \right]"
_GAUSSIAN = (
    r"-\log p(x \mid z) = \sum_i \left[ \frac{(x_i - \hat x_i)^2}{2\,\mathrm{sigma}^2} "
    r"+ \log \mathrm{sigma} + \tfrac12 \log 2\pi \right]"
)
_KL = r"\mathrm{KL}(q \,\|\, p) = \tfrac12 \sum_d (\mathrm{mu}_d^2 + \mathrm{std}_d^2 - 1 - \log \mathrm{std}_d^2)"
_SAMPLE = r"z = \mathrm{mu} + \mathrm{std} \odot \mathrm{eps}, \qquad \mathrm{eps} \sim \mathcal N(0, I)"
_TERMS = r"x, \mathrm{eps} \mapsto \text{term}_{1}, \dots, \text{term}_{T}"
_LOSS_OF_TERMS = r"\text{loss} = \frac1B \sum_{b} \sum_{t} w_t \, \text{term}_{t,b}"
_LOSS = r"\text{loss} = \frac1B \sum_{b} (\text{alpha} \cdot \text{nll}_b + \text{beta} \cdot \text{KL}_b)"


def code(run: RunRecord) -> None:
    """What computed the run on the page."""
    nll: Callable[..., Any] = losses.bernoulli_nll
    likelihood = _BERNOULLI
    if run.config.likelihood != "bernoulli":
        likelihood, nll = _GAUSSIAN, losses.gaussian_nll
    if run.config.likelihood == "gaussian-per-pixel":
        likelihood = likelihood.replace(r"\mathrm{sigma}", r"\mathrm{sigma}_i")
    parts: list[tuple[str, str, list[Callable[..., Any]]]] = [
        ("Sample", _SAMPLE, [VAE.sample]),
        ("Reconstruction", likelihood, [nll]),
        ("KL", _KL, [losses.gaussian_kl_dims, losses.gaussian_kl]),
        ("Loss and update", _LOSS, [Trainer._update]),
    ]
    if not (kind := family(run.config.model)).is_elbo():
        parts = [
            ("Terms", _TERMS, [kind.forward, *kind.points()]),
            ("Loss and update", _LOSS_OF_TERMS, [Trainer._update]),
        ]
    with st.expander("The code that ran", icon=":material/code:", key="code", on_change="rerun") as box:
        if not box.open:  # to colour source costs a browser more than all else on the page
            return
        for name, formula, functions in parts:
            st.markdown(f"**{name}**")
            st.latex(formula)
            for function in functions:
                st.code(textwrap.dedent(inspect.getsource(function)), language="python", wrap_lines=True)
