"""The figures of a run that has ended."""

from collections.abc import Iterator
from typing import Any

import streamlit as st

from vae_core.config import NAMES
from vae_core.digits import with_error
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
        for column, (label, value) in zip(st.columns(len(shown)), shown, strict=True):
            column.metric(label, value)
        bound = (
            f"; importance-weighted bound with K = {test['iw_samples']} over the first "
            f"{test['iw_images']:,}, whose −ELBO is {test['iw_neg_elbo']:.1f}"
            if test.get("iw_neg_elbo") is not None
            else ""
        )
        st.caption(
            f"{run.config.dataset.upper()}, {test['protocol']} pixels, {test['images']:,} test images, "
            f"{'± standard error, ' if test.get('errors') else ''}K = 1, seed {run.config.seed}{bound}. {run.device}."
        )


def figures_of(test: dict[str, Any], run: RunRecord) -> Iterator[tuple[str, str]]:
    """Label and value of what the model's family has figures of, with the standard errors over the images."""
    kind, errors = family(run.config.model), test.get("errors", {})  # older records have none

    def written(name: str) -> str:
        return with_error(test[name], errors.get(name))

    if kind.has.bound:
        yield "−ELBO (nats)", written("neg_elbo")
    for term in kind.TERMS:
        yield f"{NAMES.get(term, term).capitalize() if term != 'kl' else 'KL'} (nats)", written(term)
    if test.get("neg_iw_bound") is not None:
        yield "−log p(x), at most (nats)", written("neg_iw_bound")
    if kind.has.codes:
        yield "Active units", f"{test['active_units']} of {run.config.latent_dim}"
