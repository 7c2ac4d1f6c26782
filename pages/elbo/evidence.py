"""Section 1, what we want: p(x), and why drawing from the prior hardly ever finds it."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
import torch

from pages.elbo.figures_style import PLAIN, lay_out
from pages.elbo.settings import DRAWS, draw_anew, link
from pages.elbo.subject import Key, Subject, subject
from pages.ui.lesson.transform import transform_view
from pages.ui.once import computed_once
from pages.ui.palette import colours_of, is_dark
from pages.ui.shipped import checkpoint, most_latents, title_of
from vae_core.exact import monte_carlo
from vae_core.exact.estimate import sample_mean
from vae_core.exact.monte_carlo import Draws, effective_size, log_mean

PARTS = (1000, 3000, DRAWS[-1])  # draws are made up to these numbers, as they are asked for
FEW = 1000  # draws from q, at most
MANY = 500  # draws of each kind in the model with many latents: a second of one core
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
        "A VAE draws hidden numbers, the latent **z**, from the prior p(z) = N(0, I), and its decoder turns them "
        "into data: p(x | z). How probable this makes **x**, whichever z it came from, is the evidence "
        "$p(x) = \\int p(x \\mid z)\\, p(z)\\, dz$. "
        f"{chosen.meaning}"
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
    prior, q = draws(chosen.key, seed, count)
    exact = chosen.evidence.log_p
    left, right = st.columns(2)
    dark = is_dark()
    left.plotly_chart(histogram(prior, count, exact.value, dark), key="elbo histogram", config=PLAIN)
    right.plotly_chart(settling(prior, q, count, exact.value, dark), key="elbo settling", config=PLAIN)
    from_prior, from_q = estimated(prior, count), estimated(q, min(count, FEW))
    st.markdown(told(from_prior, from_q, exact.value, chosen.bound.gap.value))
    st.table(table(from_prior, from_q, exact.value, exact.error))
    if not chosen.evidence.converged:
        st.warning(f"The grid is too coarse for this posterior: log p(x) is known to ± {exact.error:.2g} nats only.")
    st.caption(
        f"{chosen.caption} Seed {seed}. Draws from q give a K-sample bound, on average below log p(x) "
        "(Burda et al. 2016)."
    )
    with st.expander("With many latents", key="elbo many latents", on_change="rerun") as box:
        if box.open:
            many_latents(chosen, seed)


def told(prior: Estimated, q: Estimated, exact: float, gap: float) -> str:
    """What the two estimates say, in words."""
    text = (
        f"**{prior.draws:,}** draws from the prior say **{prior.log_p:.1f}** nats where log p(x) is **{exact:.1f}**: "
        f"{_carried(prior)}{_missed(prior)}. {q.draws:,} from the encoder's **q(z | x)**, its guess at which z made x, "
        f"say **{q.log_p:.1f}**: {_carried(q)}"
    ).replace("-", "−")
    if q.effective > 3 * prior.effective:
        return f"{text}. That is what the encoder is for."
    return f"{text}. For this image q lies beside the posterior (a gap of {gap:.1f} nats, see section 3)."


def _carried(found: Estimated) -> str:
    verb = "carries" if found.carriers == 1 else "carry"
    return f"**{found.carriers}** {verb} nine tenths, all are worth **{written_size(found.effective)}**"


def written_size(effective: float) -> str:
    """An effective sample size: "1.0", "143"."""
    return f"{effective:,.{0 if effective >= 9.95 else 1}f}"


def _missed(prior: Estimated) -> str:
    return ", as almost every z draws another picture" if prior.effective < prior.draws / 50 else ""


def many_latents(chosen: Subject, seed: int) -> None:
    """The same image in a model in which nothing can be put on a grid: only draws are left."""
    name = most_latents()
    if name is None:
        st.markdown("The model with more latents was left out.")
        return
    prior, q = many_draws(name, chosen.key, seed)
    from_prior, from_q = log_mean(prior.log_weight), log_mean(q.log_weight)
    dims = q.z.shape[1]
    elbo = sample_mean(q.log_weight)
    rows = {
        "from the prior p(z)": [f"{MANY:,}", f"{effective_size(prior.log_weight):.1f}", f"{from_prior.value:.1f}"],
        "from q(z | x), weighted": [
            f"{MANY:,}",
            f"{effective_size(q.log_weight):.1f}",
            f"{from_q.value:.1f} ± {from_q.error:.1g}",
        ],
        "ELBO": [f"{MANY:,}", "–", f"{elbo.value:.1f} ± {elbo.error:.1g}"],
    }
    st.table(table_of(rows))
    missed = float(f"{from_q.value - from_prior.value:.1g}")  # one digit: it hangs on one draw
    st.markdown(
        f"With {dims} latents there is no grid. {MANY:,} draws from the prior say **about {missed:,.0f} nats** less "
        "than as many from q, which give on average a lower "
        f"bound, {from_q.value - elbo.value:.1f} nats above the ELBO here. ±: standard error."
    )
    st.caption(f"Computed now by {title_of(name)} for {chosen.label}, seed {seed}.")


@computed_once(32)
def many_draws(name: str, key: Key, seed: int) -> tuple[Draws, Draws]:
    """MANY draws from the prior, and as many from q, of the image in a model with any number of latents."""
    shipped, s = checkpoint(name), subject(*key)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        mu, log_var = shipped.model.encode(s.x)
    prior = monte_carlo.from_prior(shipped.model, s.x, MANY, generator)
    return prior, monte_carlo.from_q(shipped.model, s.x, mu, log_var, MANY, generator)


def estimated(found: Draws, count: int) -> Estimated:
    """The estimate of the first `count` draws."""
    weight = found.log_weight[:count]
    share = weight.softmax(0).sort(descending=True).values.cumsum(0)
    carriers = int((share < 0.9).sum()) + 1
    log_p = weight.logsumexp(0).item() - math.log(count)
    return Estimated(count, log_p, monte_carlo.effective_size(weight), carriers)


def table(prior: Estimated, q: Estimated, exact: float, error: float) -> pd.DataFrame:
    rows = {
        "from the prior p(z)": [f"{prior.draws:,}", written_size(prior.effective), f"{prior.log_p:.1f}"],
        "from q(z | x), weighted": [f"{q.draws:,}", written_size(q.effective), f"{q.log_p:.1f}"],
        "exactly, by quadrature": ["–", "–", f"{exact:.3f} ± {error:.1g}"],
    }
    return table_of(rows)


def table_of(rows: dict[str, list[str]]) -> pd.DataFrame:
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


def draws(key: Key, seed: int, count: int) -> tuple[Draws, Draws]:
    """At least `count` draws from the prior, and FEW from q; fewer are the beginning of more."""
    parts = [_from_prior(key, seed, part) for part in range(1 + sum(end < count for end in PARTS))]
    together = (torch.cat(values) for values in zip(*(vars(part).values() for part in parts), strict=True))
    return Draws(*together), _from_q(key, seed)


@computed_once(96)
def _from_prior(key: Key, seed: int, part: int) -> Draws:
    """The draws that lead from one of PARTS to the next; every part has a generator of its own."""
    s = subject(*key)
    generator = torch.Generator().manual_seed(seed + part * 2**32)
    return monte_carlo.from_prior(s.model, s.x, PARTS[part] - (0, *PARTS)[part], generator)


@computed_once(32)
def _from_q(key: Key, seed: int) -> Draws:
    s = subject(*key)
    generator = torch.Generator().manual_seed(seed + len(PARTS) * 2**32)
    return monte_carlo.from_q(s.model, s.x, s.mu, s.log_var, FEW, generator)
