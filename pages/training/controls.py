"""The settings of a run as widgets, and the config that they make."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.training.claims import said
from pages.training.own_images import own_images
from pages.training.rarer import rarer_settings
from pages.training.settings import (
    LATENT_DIMS,
    LEAST_ALPHA,
    PIXELS,
    TERMS,
    datasets_offered,
    families_offered,
    link,
    own_terms,
)
from pages.training.sigma import usual_error, warning_before
from pages.training.weights import prepare, weight_key, weights_now
from pages.ui.terms import label_of_term
from pages.ui.words import label_of
from vae_core import devices
from vae_core.config import CHANGEABLE, LETTERS, LIKELIHOODS, NETS, PROTOCOLS, RunConfig
from vae_core.data.sets import declared, name_of, why_missing
from vae_core.models import family

LIKELIHOOD_NAMES = {
    "bernoulli": "Bernoulli",
    "gaussian": "Gaussian, sigma fixed",
    "gaussian-learned": "Gaussian, sigma learned",
    "gaussian-per-pixel": "Gaussian, a sigma per pixel",
}
OF_FAMILY: dict[str, tuple[str, Any]] = {
    "samples": ("Samples K", 1),
    "corruption": ("Noise (std of a pixel)", 0.05),
    "codebook_size": ("Codebook size", 1),
}
REDUCTIONS = {"sum": "sum over pixels", "mean": "mean over pixels"}
HALVES = {"none": "both halves", "encoder": "decoder only", "decoder": "encoder only"}


def settings() -> dict[str, Any]:
    """Widgets for what is fixed during a run; returns their values as RunConfig takes them."""
    prepare()
    values = _model() | _data() | _training()
    with st.expander("More", icon=":material/tune:"):
        return values | rarer_settings(values.get("net") == "mlp", family(values["model"]))


def _model() -> dict[str, Any]:
    values: dict[str, Any] = {}
    st.header("Model")
    values["model"] = st.selectbox(
        "Family",
        families_offered(),
        format_func=lambda name: family(name).title,
        **link.kept("model"),
        help="What is trained, and which terms its loss has. The VAE has the ELBO.",
    )
    kind = family(values["model"])
    for name in kind.SETTINGS:
        label, step = OF_FAMILY[name]
        values[name] = st.number_input(label, step=step, **link.number(name), help=said(name))
    if "net" not in kind.FIXED:
        values["net"] = st.segmented_control("Network", NETS, required=True, **link.kept("net"), help=said("net"))
    values["latent_dim"] = st.segmented_control(
        "Latent dimensions",
        LATENT_DIMS,
        required=True,
        **link.kept("latent_dim"),
        help=said("latent_dim"),
    )
    if "likelihood" not in kind.FIXED:
        values["likelihood"] = st.selectbox(
            "Likelihood p(x | z)",
            LIKELIHOODS,
            format_func=label_of(LIKELIHOOD_NAMES),
            **link.kept("likelihood"),
            help=said("likelihood"),
        )
    if values.get("likelihood", "bernoulli") != "bernoulli":
        values["sigma"] = _sigma(values["likelihood"])
    return values | kind.FIXED


def _sigma(likelihood: str) -> float:
    """The field, and below it what a fixed sigma costs that lies far below the errors of these data."""
    usual = usual_error(link.get("protocol"), link.get("dataset"))
    off = f" The mean image is off by {usual:.2f}." if usual == usual else ""  # NaN where the images are not here
    chosen = st.number_input(
        "Sigma",
        step=0.05,
        **link.number("sigma"),
        help=said("sigma") + off,
    )
    if likelihood == "gaussian" and (warning := warning_before(chosen, link.get("protocol"), link.get("dataset"))):
        st.caption(warning)
    return chosen


def _data() -> dict[str, Any]:
    values: dict[str, Any] = {}
    st.header("Data")
    place = st.container()
    own_images()
    titles = datasets_offered()
    if link.get("dataset") not in titles:  # it has given way since
        st.session_state[link.key("dataset")] = "mnist"
    values["dataset"] = place.selectbox(
        "Dataset",
        list(titles),
        format_func=label_of(titles),
        **link.kept("dataset"),
        help=declared(link.get("dataset")).says,
    )
    if why := why_missing(values["dataset"]):
        place.warning(why, icon=":material/error:")
    values["protocol"] = st.segmented_control(
        "Pixels",
        PROTOCOLS,
        required=True,
        **link.kept("protocol"),
        help="grey: as they are. dynamic: redrawn black or white each time, at equal z the same expected loss. "
        "static: drawn so once and for all. threshold: cut at one half, an easier task whose numbers compare with "
        "none of these.",
    )
    return values


def _training() -> dict[str, Any]:
    values: dict[str, Any] = {}
    st.header("Training")
    values["epochs"] = st.number_input(
        "Epochs",
        **link.number("epochs"),
        help=said("epochs"),
    )
    values["batch_size"] = st.number_input(
        "Batch size",
        step=32,
        **link.number("batch_size"),
        help="Small batches: noisier curves, more updates an epoch. Large ones: smooth and fast on a GPU.",
    )
    values["seed"] = st.number_input(
        "Seed",
        **link.number("seed"),
        help="The same seed gives the same curve, digit for digit, on the same machine. Change it to see what is luck.",
    )
    values["device"] = st.selectbox(
        "Device",
        ["auto", *devices.available()],
        **link.kept("device"),
        help="auto takes a CUDA GPU, then Apple's, then the CPU.",
    )
    return values


def switches(terms: Mapping[str, float], on_change: Any) -> None:
    """The switches of the two terms, which say how they stand; what else may change during a run is `weights`."""
    st.session_state[TERMS] = dict(terms)
    prepare()
    for term, key, name in (("nll", "recon_on", "Reconstruction"), ("kl", "kl_on", "KL")):
        st.toggle(
            f"{name} {('on' if st.session_state[key] else 'off') if term in terms else 'none'}",
            on_change=on_change,
            disabled=term not in terms,
            key=key,
            persist_state="session",
            help=said(key),
        )


def _counts(letter: str) -> str:
    """What a weight that stands in its field really does."""
    if not st.session_state["recon_on" if letter == "alpha" else "kl_on"]:
        return " (off)"
    return f" (÷ {PIXELS})" if letter == "alpha" and st.session_state["reduction"] == "mean" else ""


def weights(terms: Mapping[str, float], on_change: Any) -> None:
    """What else may change during a run: the weights of the two terms, those of a family's own, and what is rarer."""
    for term, letter in LETTERS.items():
        least = {"min_value": LEAST_ALPHA} if letter == "alpha" else {}
        st.number_input(
            letter + _counts(letter),
            disabled=term not in terms,
            step=0.5,
            on_change=on_change,
            **link.number(letter) | least,
            help=said(letter),
        )
    st.number_input(
        "Learning rate",
        step=1e-3,
        format="%.4f",
        on_change=on_change,
        **link.number("learning_rate"),
        help=said("learning_rate"),
    )
    for term in own_terms(terms):
        st.number_input(
            f"Weight of {label_of_term(term)}",
            0.0,
            1e6,
            step=0.1,
            on_change=on_change,
            key=weight_key(term),
            persist_state="session",
        )
    st.segmented_control(
        "Reconstruction term",
        REDUCTIONS,
        format_func=label_of(REDUCTIONS),
        required=True,
        on_change=on_change,
        key="reduction",
        persist_state="session",
        help="Averaging it over the pixels, with the KL summed, is another beta in disguise.",
    )
    st.segmented_control(
        "Train",
        HALVES,
        format_func=label_of(HALVES),
        required=True,
        on_change=on_change,
        **link.kept("frozen"),
        help="The other half keeps the weights it has: see what each half can do alone.",
    )


def remarks() -> None:
    """What an unusual reduction or a frozen half means, in one line each."""
    now = weights_now()
    if st.session_state["reduction"] == "mean" and now["alpha"] and now["beta"]:
        st.caption(
            f"Mean over {PIXELS} pixels: the loss is alpha · reconstruction / {PIXELS} + beta · KL, the same "
            f"minimum as **beta = {now['beta'] / now['alpha']:g}** (the scale 1/{PIXELS} of the whole loss is divided "
            "out again by Adam)."
        )
    if now["frozen"] == "encoder" and now["alpha"]:
        st.caption(said("encoder frozen"))
    if now["frozen"] == "decoder":
        st.caption(said("decoder frozen"))


def differences(old: RunConfig, new: RunConfig) -> list[str]:
    """What a new run would change, without the weights that a running one takes at once."""
    before, after = ({**c.to_dict(), "dataset": name_of(c.dataset)} for c in (old, new))
    fixed = [k for k in after if k not in CHANGEABLE and before[k] != after[k]]
    return [f"{k.replace('_', ' ')} {before[k]} → {after[k]}" for k in fixed]
