"""The figures of a run that has ended."""

from collections.abc import Iterator
from typing import Any

import streamlit as st

from vae_core.config import NAMES
from vae_core.models import family
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
        shown = list(figures_of(test, run))
        for column, (label, value, beside) in zip(st.columns(len(shown)), shown, strict=True):
            column.metric(label, value, delta=beside, delta_color="off", delta_arrow="off")
        weighted = f"; importance-weighted bound: K = {test['iw_samples']}" if "iw_samples" in test else ""
        st.caption(
            f"{run.config.dataset.upper()}, {test['protocol']} pixels, test split, {test['images']:,} images, K = 1, "
            f"seed {run.config.seed}{weighted}. {run.device}."
        )


def figures_of(test: dict[str, Any], run: RunRecord) -> Iterator[tuple[str, str, str | None]]:
    """Label and value of what the model's family has figures of, and what is to stand beside it.

    The tighter bound is one of fewer images: the −ELBO of those very images goes with it.
    """
    kind = family(run.config.model)
    if kind.has.bound:
        yield "−ELBO (nats)", f"{test['neg_elbo']:.2f}", None
    for term in kind.TERMS:
        yield f"{NAMES.get(term, term).capitalize() if term != 'kl' else 'KL'} (nats)", f"{test[term]:.2f}", None
    if test.get("neg_iw_bound") is not None:
        same = test.get("iw_neg_elbo")
        beside = None if same is None else f"first {test['iw_images']:,} images; their −ELBO {same:.2f}"
        yield "−log p(x), at most (nats)", f"{test['neg_iw_bound']:.2f}", beside
    if kind.has.codes:
        yield "Active units", f"{test['active_units']} of {run.config.latent_dim}", None
