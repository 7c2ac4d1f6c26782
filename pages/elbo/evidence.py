"""Section 1, what we want: p(x), and why drawing from the prior hardly ever finds it."""

import functools
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
import torch

from pages.elbo.figures_style import PLAIN, lay_out
from pages.elbo.settings import DRAWS, draw_anew, link
from pages.elbo.subject import Subject, subject
from pages.ui.lesson.transform import transform_view
from pages.ui.palette import colours_of, is_dark
from vae_core.exact import monte_carlo
from vae_core.exact.monte_carlo import Draws

PARTS = (1000, 3000, DRAWS[-1])  # draws are made up to these numbers, as they are asked for
FEW = 1000  # draws from q, at most
BELOW, ABOVE = 40, 8  # nats around log p(x) that the second figure shows


@dataclass(frozen=True)
class Estimated:
    """p(x) from the first n draws of one source."""

    draws: int
    log_p: float  # nats
    effective: float  # draws
    carriers: int  # how many draws carry nine tenths of the estimate


def evidence_section(chosen: Subject) -> None:
    st.markdown(
        "A VAE makes data in two steps. It draws a few hidden numbers, the latent **z**, from the prior "
        "p(z) = N(0, I), and turns them into data by a function, the decoder: p(x | z). Training asks how probable "
        "this makes an image **x**, whichever z it came from: the evidence $p(x) = \\int p(x \\mid z)\\, p(z)\\, dz$."
    )
    with st.expander("A latent variable turned into data", expanded=True):
        state = transform_view("elbo transform view", link.get("transform"))
        st.session_state[link.key("transform")] = state
    st.subheader(f"p(x) of one image, by drawing z ({chosen.label})", anchor=False)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    row.select_slider(
        "Draws",
        DRAWS,
        width=420,
        **link.kept("draws"),
        help="How many z are drawn; p(x) is estimated by the mean of p(x | z) over them, and log p(x) by its log.",
    )
    row.button("New draws", icon=":material/casino:", on_click=draw_anew, args=("seed",), help="The next seed.")
    count, seed = link.get("draws"), link.get("seed")
    prior, q = draws(chosen.model_name, chosen.digit, chosen.which, seed, count)
    exact = chosen.evidence.log_p
    left, right = st.columns(2)
    dark = is_dark()
    left.plotly_chart(histogram(prior, count, exact.value, dark), key="elbo histogram", config=PLAIN)
    right.plotly_chart(settling(prior, q, count, exact.value, dark), key="elbo settling", config=PLAIN)
    from_prior, from_q = estimated(prior, count), estimated(q, min(count, FEW))
    st.markdown(told(from_prior, from_q, chosen.bound.gap.value))
    st.table(table(from_prior, from_q, exact.value, exact.error))
    if not chosen.evidence.converged:
        st.warning(f"The grid is too coarse for this posterior: log p(x) is known to ± {exact.error:.2g} nats only.")
    st.caption(
        f"{chosen.caption} Seed {seed}. Exact: quadrature on a grid of step {chosen.evidence.step:.3g}. "
        "The log of the mean of K weights from q is on average below log p(x): the K-sample bound (Burda et al. 2016)."
    )


def told(prior: Estimated, q: Estimated, gap: float) -> str:
    """What the two estimates say, in words."""
    text = (
        f"Of **{prior.draws:,}** draws from the prior, **{prior.carriers}** carry nine tenths of the estimate, worth "
        f"**{prior.effective:.1f}** equal ones{_missed(prior)}. Of {q.draws:,} draws from the encoder's **q(z | x)**, "
        f"its guess at which z made x, **{q.carriers}** carry as much, worth {q.effective:.1f}"
    )
    if q.effective > 3 * prior.effective:
        return f"{text}: q looks where x may come from. That is what the encoder is for."
    return f"{text}: for this image the encoder's q lies beside the posterior (a gap of {gap:.1f} nats, see section 3)."


def _missed(prior: Estimated) -> str:
    few = prior.effective < prior.draws / 50
    return ": almost every z draws another picture, and contributes next to nothing" if few else ""


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
        "from q(z | x), weighted by p(z) / q(z | x)": [f"{q.draws:,}", f"{q.effective:.1f}", f"{q.log_p:.2f}"],
        "exactly, by quadrature": ["–", "–", f"{exact:.3f} ± {error:.1g}"],
    }
    named = pd.DataFrame(rows, index=["draws", "effective sample size", "log p(x) (nats)"]).T
    return named.map(lambda text: text.replace("-", "−"))


def histogram(found: Draws, count: int, exact: float, dark: bool) -> go.Figure:
    """log p(x | z) of the draws, and where log p(x) lies."""
    colours = colours_of(dark)
    values = found.log_lik[:count].numpy()
    edges = np.linspace(values.min(), max(values.max(), exact) + 1, 50)
    heights, _ = np.histogram(values, edges)
    middle = (edges[1:] + edges[:-1]) / 2
    figure = go.Figure(go.Bar(x=middle, y=heights, marker_color=colours.reconstruction, width=np.diff(edges)))
    figure.add_vline(exact, line_color=colours.total, line_width=3)
    figure.add_annotation(
        text="log p(x), exactly",
        x=exact,
        xref="x",
        xanchor="right",
        y=1,
        yref="paper",
        yanchor="bottom",
        showarrow=False,
        font={"size": 14},
    )
    return lay_out(
        figure,
        colours.ink,
        300,
        xaxis_title="log p(x | z) of a draw from the prior (nats)",
        yaxis_title="draws",
    )


def settling(prior: Draws, q: Draws, count: int, exact: float, dark: bool) -> go.Figure:
    """How both estimates of log p(x) settle with the number of draws."""
    colours = colours_of(dark)
    figure = go.Figure()
    for found, name, colour, most in (
        (prior, "from the prior", "#888888", count),
        (q, "from q", colours.classes[0], min(count, FEW)),
    ):
        at = np.unique(np.geomspace(1, most, 200).round().astype(int))
        running = monte_carlo.running_log_mean(found.log_weight[:most]).numpy()
        figure.add_scatter(x=at, y=running[at - 1], name=name, mode="lines", line={"color": colour, "width": 3})
    figure.add_hline(
        exact,
        line_color=colours.total,
        line_width=3,
        line_dash="dash",
        annotation_text="log p(x), exactly",
        annotation_position="top left",
        annotation_font_size=14,
    )
    return lay_out(
        figure,
        colours.ink,
        300,
        xaxis={"title": "draws (log axis)", "type": "log", "dtick": 1},
        yaxis_title="estimate of log p(x) (nats)",
        yaxis_range=[exact - BELOW, exact + ABOVE],
        legend={"x": 0.98, "y": 0.05, "xanchor": "right"},
    )


def draws(model_name: str, digit: int, which: int, seed: int, count: int) -> tuple[Draws, Draws]:
    """At least `count` draws from the prior, and FEW from q; fewer are the beginning of more."""
    image = (model_name, digit, which)
    parts = [_from_prior(*image, seed, part) for part in range(1 + sum(end < count for end in PARTS))]
    together = (torch.cat(values) for values in zip(*(vars(part).values() for part in parts), strict=True))
    return Draws(*together), _from_q(*image, seed)


@functools.lru_cache(maxsize=96)
def _from_prior(model_name: str, digit: int, which: int, seed: int, part: int) -> Draws:
    """The draws that lead from one of PARTS to the next; every part has a generator of its own."""
    s = subject(model_name, digit, which)
    generator = torch.Generator().manual_seed(seed + part * 2**32)
    return monte_carlo.from_prior(s.model, s.x, PARTS[part] - (0, *PARTS)[part], generator)


@functools.lru_cache(maxsize=32)
def _from_q(model_name: str, digit: int, which: int, seed: int) -> Draws:
    s = subject(model_name, digit, which)
    generator = torch.Generator().manual_seed(seed + len(PARTS) * 2**32)
    return monte_carlo.from_q(s.model, s.x, s.mu, s.log_var, FEW, generator)
