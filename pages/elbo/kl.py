"""KL divergence: two Gaussians to drag, and the term of the loss with the numbers of today's image."""

import pandas as pd
import streamlit as st

from pages.elbo.settings import link
from pages.elbo.subject import Subject
from pages.ui import glossary
from pages.ui.lesson.gaussians.view import gaussians_view
from vae_core import losses


def kl_section(chosen: Subject) -> None:
    glossary.markdown(
        "How far is **q** from **p**? The [[KL|KL divergence]] is the mean of log q − log p under q: never negative, "
        "zero only where both agree, and not the same in both directions. Drag the curves."
    )
    state = gaussians_view("elbo gaussians view", link.get("gaussians"))
    st.session_state[link.key("gaussians")] = state
    st.subheader(f"The KL term of {chosen.label}", anchor=False)
    glossary.markdown(
        "The encoder gives q(z | x) a mean mu and a standard deviation std for every latent dimension; p is the "
        "[[prior]], [[N(0, I)]]. The KL term of the loss keeps q from straying far from it: "
        "$\\mathrm{KL}(q \\,\\|\\, p) = "
        "\\sum_d \\tfrac12 (\\mathrm{mu}_d^2 + \\mathrm{std}_d^2 - 1 - \\log \\mathrm{std}_d^2)$."
    )
    st.table(terms(chosen))
    st.caption(chosen.caption)


def terms(chosen: Subject) -> pd.DataFrame:
    """The formula with the encoder's numbers in it: one row a dimension, and their sum."""
    mu, log_var = chosen.mu[0], chosen.log_var[0]
    dims = losses.gaussian_kl_dims(chosen.mu, chosen.log_var)[0]
    rows = {
        f"dimension {d + 1}": [
            f"{mu[d]:.3f}",
            f"{(0.5 * log_var[d]).exp():.3f}",
            f"{mu[d].square():.3f}",
            f"{log_var[d].exp():.4f}",
            f"{-log_var[d]:.3f}",
            f"{dims[d]:.3f}",
        ]
        for d in range(len(mu))
    }
    rows["sum"] = ["", "", "", "", "", f"{losses.gaussian_kl(chosen.mu, chosen.log_var).item():.3f}"]
    names = ["mu", "std", "mu²", "std²", "−log std²", "KL (nats)"]
    table = pd.DataFrame(rows, index=names).T
    return table.map(lambda text: text.replace("-", "−"))
