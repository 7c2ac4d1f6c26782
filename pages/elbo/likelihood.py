"""Which likelihood: what a pixel costs, which sigma is best, and what the reduction does to beta."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
import torch

from pages.elbo.figures_likelihood import (
    SIGMAS,
    floor_figure,
    pixel_costs,
    pixel_figure,
    shares_figure,
    sigma_figure,
)
from pages.elbo.figures_style import PLAIN, written
from pages.elbo.papers import MATTEI, RYBKIN
from pages.elbo.settings import COSTS, REDUCTIONS, link
from pages.elbo.subject import Subject, subject
from pages.ui.once import computed_once
from pages.ui.palette import is_dark
from pages.ui.shipped import checkpoint, images
from pages.ui.words import label_of
from vae_core import losses
from vae_core.config import SIGMA_FLOOR
from vae_core.data import prepare
from vae_core.exact.likelihood import (
    GaussianParts,
    Reduced,
    best_gaussian_nll,
    best_sigma,
    gaussian_parts,
    pixel_entropy,
    reduced,
)
from vae_core.inspect.snapshot import SIGMA_WHITE

SEED = 0  # of the one sample of z in the loss
PIXEL_IMAGES = 2_000  # over which the error of a pixel is averaged


@dataclass(frozen=True)
class Costs:
    """One image and its reconstruction from mu under both likelihoods; and the loss from one sample of z."""

    x: np.ndarray  # (28, 28) in [0, 1]
    x_hat: np.ndarray  # (28, 28), from mu
    bernoulli: float  # nats, from mu
    entropy: float  # nats, the least that Bernoulli can be
    squared_error: float
    pixels: int
    nll: float  # nats, the model's own likelihood, one sample of z
    kl: float  # nats
    latent_dim: int

    @property
    def mean_squared_error(self) -> float:
        return self.squared_error / self.pixels


def section(subject: Subject) -> None:
    """Which likelihood, which sigma, and which reduction."""
    st.segmented_control(
        "Part",
        list(COSTS),
        format_func=label_of(COSTS),
        required=True,
        label_visibility="collapsed",
        help="What the reconstruction term is made of.",
        **link.kept("likelihood"),
    )
    found = costs(*subject.key)
    shown = {"pixel": _pixel, "sigma": _sigma, "reduction": _reduction}
    shown[link.get("likelihood")](subject, found)


@computed_once(64)
@torch.no_grad()
def costs(model: str, digit: int, which: int, redraw: int | None = None) -> Costs:
    """Everything that the section needs of one image."""
    s = subject(model, digit, which, redraw)
    logits = s.model.decode(s.mu)
    x_hat = s.model.mean_image(logits)
    eps = torch.randn(s.mu.shape, generator=torch.Generator().manual_seed(SEED))
    terms = s.model(s.x, eps).terms
    return Costs(
        x=s.x[0, 0].numpy(),
        x_hat=x_hat[0, 0].numpy(),
        bernoulli=losses.bernoulli_nll(logits[:, :1], s.x).item(),
        entropy=pixel_entropy(s.x).item(),
        squared_error=gaussian_parts(x_hat, s.x, 1.0).squared_error,
        pixels=s.x.numel(),
        nll=terms["nll"].item(),
        kl=terms["kl"].item(),
        latent_dim=s.mu.shape[-1],
    )


def _pixel(_chosen: Subject, _found: Costs) -> None:
    st.markdown(
        "The reconstruction term is −log p(x | z), the **negative log likelihood** (nll). Pixel by pixel it asks: how "
        "improbable is **x**, if the decoder says **x̂**? That depends on the distribution that we assume. Move x: both "
        "are cheapest at x̂ = x, but they punish differently."
    )
    left, right = st.columns(2)
    left.slider(
        "The pixel, x",
        step=0.05,
        **link.number("x"),
        help="Grey value of the pixel in the data: 0 is black, 1 is white.",
    )
    _sigma_slider(right)
    x, sigma = link.get("x"), link.get("sigma")
    st.plotly_chart(
        pixel_figure(x, sigma, is_dark()),
        key="likelihood pixel",
        config=PLAIN,
        alt=f"Cost of the pixel against x̂, Bernoulli and Gaussian with sigma {sigma:g}: both are lowest at x̂ = {x:g}.",
    )
    said = torch.tensor([0.01, 0.5, 0.99], dtype=torch.float64)
    bernoulli, gaussian = (cost.tolist() for cost in pixel_costs(x, sigma, said))
    table = pd.DataFrame(
        {f"x̂ = {v:g}": [written(b), written(g)] for v, b, g in zip(said.tolist(), bernoulli, gaussian, strict=True)},
        index=["Bernoulli (nats)", f"Gaussian, sigma {sigma:g} (nats)"],
    )
    st.table(table)
    st.caption(
        "Bernoulli: being sure and wrong costs without limit. Gaussian: a parabola, steeper for small sigma; it is a "
        "density, so its cost may be negative. Computed now by losses.bernoulli_nll and losses.gaussian_nll."
    )


def _sigma(chosen: Subject, found: Costs) -> None:
    st.markdown(
        "One reconstruction, two costs (nll). The Gaussian is the squared error divided by 2 sigma², **plus what sigma "
        "itself costs**. Move sigma to the lowest nll."
    )
    pictures, numbers = st.columns([1, 2.6], gap="medium")
    images = pictures.container(horizontal=True)
    images.image(found.x, width=100, caption="x", alt=chosen.label)
    images.image(found.x_hat, width=100, caption="x̂, from z = mu", alt=f"{chosen.label}, decoded from its mu")
    pictures.markdown(
        f"Bernoulli **{written(found.bernoulli, 4)}** nats. The grey pixels' own entropy, {written(found.entropy, 3)} "
        "nats, is the least that any x̂ could reach."
    )
    with numbers:
        _sigma_slider(st)
        parts = GaussianParts(found.squared_error, found.pixels, link.get("sigma"))
        st.table(_parts_table(parts))
    best = best_sigma(found.mean_squared_error)
    left, right = st.columns(2)
    lowest = best_gaussian_nll(found.mean_squared_error, found.pixels)
    left.plotly_chart(
        sigma_figure(parts, is_dark()),
        key="likelihood sigmas",
        config=PLAIN,
        alt=f"Gaussian nll against sigma: lowest, {written(lowest, 4)} nats, at {written(best)}; "
        f"{written(parts.total, 4)} at your {parts.sigma:g}.",
    )
    right.plotly_chart(
        floor_figure(found.mean_squared_error, found.pixels, is_dark()),
        key="likelihood floor",
        config=PLAIN,
        alt=f"Lowest nll against the mean squared error: it falls without end, unless sigma is at least "
        f"{SIGMA_FLOOR:g}. This image has {written(found.mean_squared_error)}.",
    )
    left.markdown(
        f"Best: sigma² = mean squared error, so sigma = √{written(found.mean_squared_error)} = **{written(best)}**, "
        f"with an nll of **{written(lowest, 4)}** nats."
    )
    right.markdown(
        f"Learned, it settles so for all images ({RYBKIN}). Only where "
        "the error can be 0 has the nll no lowest value "
        f"({MATTEI}): hence a floor, {SIGMA_FLOOR:g}."
    )
    with st.expander("A sigma per pixel", key="sigma per pixel", on_change="rerun") as box:
        if box.open:
            _sigma_per_pixel(chosen)
    st.caption(chosen.caption)


def _sigma_per_pixel(chosen: Subject) -> None:
    """The best sigma of each pixel over test images, and what it gains."""
    errors = pixel_errors(chosen.key.model)
    one = best_gaussian_nll(errors.mean().item(), errors.numel(), SIGMA_FLOOR)
    sigma = errors.sqrt().clamp(min=SIGMA_FLOOR)  # (28, 28)
    own = sum(best_gaussian_nll(error, 1, SIGMA_FLOOR) for error in errors.flatten().tolist())
    held = int((sigma == SIGMA_FLOOR).sum())
    left, right = st.columns([1, 2.6], gap="medium", vertical_alignment="center")
    left.image(
        (sigma / SIGMA_WHITE).clamp(max=1).numpy(),
        width=210,
        caption=f"sigma: black 0, white {SIGMA_WHITE:g}",
        alt="The best sigma of each of 28 × 28 pixels.",
    )
    right.markdown(
        f"The best sigma of each pixel: sigma² = its mean squared error, here over {PIXEL_IMAGES:,} test images. It is "
        f"large where digits differ. In **{held}** of {errors.numel()} pixels, hardly ever inked, it would be below "
        f"the floor of {SIGMA_FLOOR:g}: where an error can be 0, nothing else bounds the likelihood. "
        f"Mean nll with one sigma for all pixels: **{written(one, 4)}** nats; one for each: **{written(own, 4)}**. On "
        "the Live training page a decoder says both of each pixel of each image: its mean and its sigma."
    )


@computed_once(8)
@torch.no_grad()
def pixel_errors(model_name: str) -> torch.Tensor:
    """(28, 28) mean squared error of each pixel over the first test images, from z = mu."""
    shipped = checkpoint(model_name)
    generator = torch.Generator().manual_seed(SEED)
    x = prepare(images().x_test[:PIXEL_IMAGES], shipped.card["config"]["protocol"], generator)
    x_hat = shipped.model.mean_image(shipped.model.decode(shipped.model.encode(x)[0]))  # (N, 1, 28, 28)
    return (x - x_hat).square().mean(0)[0]


def _parts_table(parts: GaussianParts) -> pd.DataFrame:
    """The Gaussian nll and its parts, which add up."""
    columns = {
        "squared error / (2 sigma²)": f"{parts.weighted:,.1f}",
        f"{parts.pixels} · log sigma": f"{parts.log_sigma:+,.1f}",
        f"{parts.pixels} · ½ log 2π": f"{parts.constant:+,.1f}",
        "Gaussian nll": f"= {parts.total:,.1f}",
    }
    text = [value.replace("-", "−") for value in columns.values()]
    return pd.DataFrame([text], columns=list(columns), index=["nats"])


def _reduction(chosen: Subject, found: Costs) -> None:
    st.markdown(
        "The loss adds two sums: over pixels and over latent dimensions. Many programs write **mean** instead. That "
        "looks harmless, but changes how much the KL counts: it is another **beta**, the weight of the KL, in disguise."
    )
    st.segmented_control(
        "Reduction",
        list(REDUCTIONS),
        format_func=label_of(REDUCTIONS),
        required=True,
        **link.kept("reduction"),
        help="How the costs of 784 pixels become one number. The mean over the batch is taken in all of them.",
    )
    name = link.get("reduction")
    every = {key: (label, _reduced(key, found)) for key, label in REDUCTIONS.items()}
    now = every[name][1]
    row = st.container(horizontal=True)
    for label, value in (("reconstruction", now.nll), ("+ KL", now.kl), ("= loss", now.loss)):
        row.metric(label, written(value, 4), width=145)
    row.metric("implied beta", f"{now.implied_beta:g}", width=145)
    shares = "; ".join(f"{label} {100 * r.kl / (abs(r.nll) + abs(r.kl)):.1f}%" for label, r in every.values())
    st.plotly_chart(
        shares_figure(every, name, is_dark()),
        key="likelihood shares",
        config=PLAIN,
        alt=f"Share of the KL in the loss, by reduction: {shares}. The rest is reconstruction.",
    )
    st.markdown(_sentence(name, found))
    st.caption(f"{chosen.caption} One sample of z, seed {SEED}; sums in nats per image.")


def _reduced(name: str, found: Costs) -> Reduced:
    return reduced(name, found.nll, found.kl, found.pixels, found.latent_dim)


def _sentence(name: str, found: Costs) -> str:
    """What the reduction really minimises."""
    pixels, dims = found.pixels, found.latent_dim
    return {
        "sum": "This is the −ELBO itself: **beta = 1**, both terms in nats per image.",
        "pixels": f"Times {pixels} it is reconstruction + {pixels} · KL: **beta = {pixels}**. With such a weight the "
        "KL wins, and every code falls on the prior.",
        "both": f"Times {pixels} it is reconstruction + {pixels}/{dims} · KL: **beta = {pixels / dims:g}**. It changes "
        "with the number of latent dimensions, so two models are no longer trained for the same goal.",
    }[name]


def _sigma_slider(place: Any) -> None:
    place.select_slider(
        "sigma of the Gaussian",
        SIGMAS,
        **link.kept("sigma"),
        help="Standard deviation that the Gaussian likelihood assumes for every pixel, in grey values from 0 to 1.",
    )
