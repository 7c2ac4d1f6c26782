"""The figures of a run that has ended."""

from __future__ import annotations

import streamlit as st

from vae_core.runs import FAILED, Run


def result(run: Run) -> None:
    """The figures of a run that has ended, computed over all test images."""
    if run.final is None:
        if run.status != FAILED:
            st.caption("Computing the figures over all 10,000 test images …")
    else:
        test = run.final
        st.subheader("Result")
        columns = st.columns(5)
        columns[0].metric("−ELBO (nats)", f"{test['neg_elbo']:.2f}")
        columns[1].metric("Reconstruction (nats)", f"{test['nll']:.2f}")
        columns[2].metric("KL (nats)", f"{test['kl']:.2f}")
        columns[3].metric("−log p(x), at most (nats)", f"{test['neg_iw_bound']:.2f}")
        columns[4].metric("Active units", f"{test['active_units']} of {len(test['kl_dims'])}")
        st.caption(
            f"{run.config.dataset.upper()}, {test['protocol']} pixels, test split, {test['images']:,} images, K = 1, "
            f"seed {run.config.seed}; importance-weighted bound with K = {test['iw_samples']} over the first "
            f"{test['iw_images']} test images, whose −ELBO is {test['iw_neg_elbo']:.2f}. {run.device}."
        )
