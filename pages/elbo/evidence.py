"""Section 1, what we want: p(x), and why drawing from the prior hardly ever finds it."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
import torch

from pages.elbo import link
from pages.elbo.subject import Subject, subject
from pages.ui.lesson.transform import transform_view
from pages.ui.palette import CLASSES_DARK, CLASSES_LIGHT, DARK, INK_DARK, INK_LIGHT, LIGHT
from vae_core.exact import monte_carlo
from vae_core.exact.monte_carlo import Draws

MOST = link.DRAWS[-1]
FEW = 1000  # draws from q, at most
BELOW, ABOVE = 40, 6  # nats around log p(x) that the second figure shows


@dataclass(frozen=True)
class Estimated:
    """p(x) from the first n draws of one source."""

    draws: int
    log_p: float  # nats
    effective: float  # draws
    carriers: int  # how many draws carry nine tenths of the estimate


def evidence_section(chosen: Subject) -> None:
    st.markdown(
        "A VAE makes data by drawing **z ~ N(0, I)** and sending it through a function. Training asks how probable "
        "that makes an image: $p(x) = \\int p(x \\mid z)\\, p(z)\\, dz$."
    )
    with st.expander("A latent variable turned into data", expanded=True):
        state = transform_view("elbo transform view", st.session_state.get(link.key("transform")))
        st.session_state[link.key("transform")] = state
    st.subheader(f"p(x) of one image, by drawing z ({chosen.label})", anchor=False)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    row.select_slider(
        "Draws", link.DRAWS, width=420, **link.kept("draws"),
        help="How many z are drawn; p(x) is estimated by the mean of p(x | z) over them, and log p(x) by its log.",
    )  # fmt: skip
    row.button("New draws", icon=":material/casino:", on_click=_new_seed, help="The next seed.")
    count, seed = link.get("draws"), link.get("seed")
    prior, q = draws(chosen.model_name, chosen.digit, chosen.which, seed)
    exact = chosen.evidence.log_p
    left, right = st.columns(2)
    dark = st.context.theme.type == "dark"
    left.plotly_chart(histogram(prior, count, exact.value, dark), key="elbo histogram", config=_PLAIN)
    right.plotly_chart(settling(prior, q, count, exact.value, dark), key="elbo settling", config=_PLAIN)
    from_prior, from_q = estimated(prior, count), estimated(q, min(count, FEW))
    st.markdown(told(from_prior, from_q, chosen.bound.gap.value))
    st.table(table(from_prior, from_q, exact.value, exact.error))
    st.caption(f"{chosen.caption} Seed {seed}. Exact: quadrature on a grid of step {chosen.evidence.step:.3g}.")


def told(prior: Estimated, q: Estimated, gap: float) -> str:
    """What the two estimates say, in words."""
    text = (
        f"Of **{prior.draws:,}** draws from the prior, **{prior.carriers}** carry nine tenths of the estimate: almost "
        f"every z draws another picture, and contributes nothing. Of {q.draws:,} draws from **q(z given x)**, "
        f"**{q.carriers}** carry as much"
    )
    if q.effective > 3 * prior.effective:
        return f"{text}: q looks where x may come from. That is what the encoder is for."
    return f"{text}: for this image the encoder's q lies beside the posterior (a gap of {gap:.1f} nats, see section 3)."


def estimated(found: Draws, count: int) -> Estimated:
    """The estimate of the first `count` draws."""
    weight = found.log_weight[:count]
    share = weight.softmax(0).sort(descending=True).values.cumsum(0)
    carriers = int((share < 0.9).sum()) + 1
    log_p = weight.logsumexp(0).item() - math.log(count)
    return Estimated(count, log_p, monte_carlo.effective_size(weight), carriers)


def table(prior: Estimated, q: Estimated, exact: float, error: float) -> pd.DataFrame:
    rows = {
        "from the prior p(z)": [f"{prior.draws:,}", f"{prior.effective:.1f}", f"{prior.log_p:.2f}"],
        "from q(z given x), weighted by p(z) / q(z)": [f"{q.draws:,}", f"{q.effective:.1f}", f"{q.log_p:.2f}"],
        "exactly, by quadrature": ["–", "–", f"{exact:.3f} ± {error:.1g}"],
    }
    named = pd.DataFrame(rows, index=["draws", "effective sample size", "log p(x) (nats)"]).T
    return named.map(lambda text: text.replace("-", "−"))


def histogram(found: Draws, count: int, exact: float, dark: bool) -> go.Figure:
    """log p(x | z) of the draws, and where log p(x) lies."""
    colours, ink = (DARK, INK_DARK) if dark else (LIGHT, INK_LIGHT)
    values = found.log_lik[:count].numpy()
    edges = np.linspace(values.min(), max(values.max(), exact) + 1, 50)
    heights, _ = np.histogram(values, edges)
    middle = (edges[1:] + edges[:-1]) / 2
    figure = go.Figure(go.Bar(x=middle, y=heights, marker_color=colours["reconstruction"], width=np.diff(edges)))
    figure.add_vline(
        exact, line_color=colours["total"], line_width=3, annotation_text="log p(x)", annotation_position="top left"
    )
    figure.update_layout(
        xaxis_title="log p(x | z) of a draw from the prior (nats)", yaxis_title="draws", **_layout(ink)
    )
    return figure


def settling(prior: Draws, q: Draws, count: int, exact: float, dark: bool) -> go.Figure:
    """How both estimates of log p(x) settle with the number of draws."""
    colours, ink = (DARK, INK_DARK) if dark else (LIGHT, INK_LIGHT)
    figure = go.Figure()
    for found, name, colour, most in (
        (prior, "from the prior", "#888888", count),
        (q, "from q", (CLASSES_DARK if dark else CLASSES_LIGHT)[0], min(count, FEW)),
    ):
        at = np.unique(np.geomspace(1, most, 200).round().astype(int))
        running = monte_carlo.running_log_mean(found.log_weight[:most]).numpy()
        figure.add_scatter(x=at, y=running[at - 1], name=name, mode="lines", line={"color": colour, "width": 3})
    figure.add_hline(
        exact, line_color=colours["total"], line_width=3, line_dash="dash", annotation_text="log p(x), exactly"
    )
    figure.update_layout(
        xaxis={"title": "draws", "type": "log"}, yaxis_title="estimate of log p(x) (nats)",
        yaxis_range=[exact - BELOW, exact + ABOVE], legend={"x": 0.98, "y": 0.05, "xanchor": "right"}, **_layout(ink),
    )  # fmt: skip
    return figure


@functools.lru_cache(maxsize=32)
def draws(model_name: str, digit: int, which: int, seed: int) -> tuple[Draws, Draws]:
    """The most draws that can be asked for, from the prior and from q; fewer are their beginning."""
    s = subject(model_name, digit, which)
    generator = torch.Generator().manual_seed(seed)
    prior = monte_carlo.from_prior(s.model, s.x, MOST, generator)
    return prior, monte_carlo.from_q(s.model, s.x, s.mu, s.log_var, FEW, generator)


def _new_seed() -> None:
    st.session_state[link.key("seed")] += 1


def _layout(ink: str) -> dict[str, object]:
    return {"height": 300, "margin": {"l": 10, "r": 10, "t": 30, "b": 10}, "font": {"size": 15, "color": ink}}


_PLAIN = {"displayModeBar": False}
