"""The figures of a run that has ended."""

from __future__ import annotations

import streamlit as st

from vae_core.runs.messages import FAILED
from vae_core.runs.run_record import RunRecord


def result(run: RunRecord) -> None:
    """The figures of a run that has ended, computed over all test images."""
    if run.final is None:
        if run.status != FAILED:
            st.caption("Computing the figures over all 10,000 test images …")
    else:
        test = run.final
        st.subheader("Result")
        columns = st.columns(5)
        columns[0].metric("−ELBO (nats)", nats(test["neg_elbo"]))
        columns[1].metric("Reconstruction (nats)", nats(test["nll"]))
        columns[2].metric("KL (nats)", nats(test["kl"]))
        columns[3].metric("−log p(x), at most (nats)", nats(test["neg_iw_bound"]))
        columns[4].metric("Active units", f"{test['active_units']} of {run.config.latent_dim}")
        st.caption(
            f"{run.config.dataset.upper()}, {test['protocol']} pixels, test split, {test['images']:,} images, K = 1, "
            f"seed {run.config.seed}; importance-weighted bound with K = {test['iw_samples']} over the first "
            f"{test['iw_images']} test images, whose −ELBO is {nats(test['iw_neg_elbo'])}. {run.device}."
        )


def nats(value: float | None) -> str:
    """A plain autoencoder has no posterior, and so neither KL nor bound."""
    return "not defined" if value is None else f"{value:.2f}"
