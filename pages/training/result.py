"""The figures of a run that has ended."""

from collections.abc import Iterator
from typing import Any

import streamlit as st

from pages.training.settings import PIXELS
from pages.training.sigma import DENSITY, warning_after
from vae_core.config import term_name
from vae_core.data.sets import name_of
from vae_core.digits import with_error
from vae_core.models import family
from vae_core.runs.messages import FAILED
from vae_core.runs.run_record import RunRecord

_BOUND = "−ELBO"


def result(run: RunRecord) -> None:
    """The figures of a run that has ended, computed over all test images."""
    if run.final is None:
        if run.status != FAILED:
            st.caption("Computing the figures over all test images …")
    else:
        test = run.final
        st.header("Result")
        row = st.container(horizontal=True, gap="large")  # a Gaussian run has more of them than one row of the page
        for label, value, beside in figures_of(test, run):
            about = _help(label, test, run)
            row.metric(label, value, delta=beside, delta_color="off", delta_arrow="off", help=about, width="content")
        if warning := warning_after(test, run.config):
            st.warning(warning, icon=":material/error:")
        weighted = (
            f"; importance-weighted bound: K = {test['iw_samples']}, first {test['iw_images']:,}"
            if "iw_samples" in test
            else ""
        )
        errors = "± standard error, " if test.get("errors") else ""
        of_loss = f" (−L_K: K = {run.config.samples})" if "samples" in family(run.config.model).SETTINGS else ""
        st.caption(
            f"{name_of(run.config.dataset)}, {test['protocol']} pixels, {test['images']:,} test images, "
            f"{errors}K = 1{of_loss}, seed {run.config.seed}{weighted}. {run.device}."
        )


def figures_of(test: dict[str, Any], run: RunRecord) -> Iterator[tuple[str, str, str | None]]:
    """Label and value of what the model's family has figures of, and what is to stand beside it.

    Values come with their standard errors over the images. The tighter bound is one of fewer images: how far it lies
    below the −ELBO of those very images goes with it, as the images make the error of both.
    """
    kind, errors = family(run.config.model), test.get("errors") or {}  # older records have none

    def written(name: str) -> str:
        return with_error(test[name], errors.get(name))

    if kind.has_elbo():
        yield f"{_BOUND} given the label (nats)" if kind.has.labels else f"{_BOUND} (nats)", written("neg_elbo"), None
    for term in kind.TERMS:
        name, unit = term_name(term), kind.UNITS.get(term, "nats")
        yield f"{name[0].upper()}{name[1:]} ({unit})", written(term), None
    if test.get("neg_iw_bound") is not None:
        same = test.get("iw_neg_elbo")
        beside = None if same is None else f"{same - test['neg_iw_bound']:.1f} below their −ELBO"
        yield f"−log {'p(x | y)' if kind.has.labels else 'p(x)'}, at most (nats)", written("neg_iw_bound"), beside
    if kind.has.codes:
        yield "Active units", f"{test['active_units']} of {run.config.latent_dim}", None
    if kind.has.code_map:
        in_use = f"{test['used']} of {run.config.codebook_size}"
        yield "Codes in use", in_use, f"perplexity {test['perplexity']:.1f}"
    if test.get("rmse") is not None and test.get("sigma") is not None:
        yield "Error, sigma", f"{test['rmse']:.3f}, {test['sigma']:.3f}", None


def _help(label: str, test: dict[str, Any], run: RunRecord) -> str | None:
    """What is to be known of a figure of a density."""
    if label.startswith(_BOUND) and run.config.likelihood != "bernoulli":
        return DENSITY.format(test["neg_elbo"] / PIXELS).replace("-", "−")
    if label == "Error, sigma":
        return "Root mean square error of x̂, and the sigma of p(x | z); of full scale."
    return None
