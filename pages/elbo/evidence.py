"""The first section, what we want: p(x), and why drawing from the prior hardly ever finds it."""

import math
from dataclasses import dataclass

import pandas as pd
import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from pages.elbo.figures_evidence import settling_figure, where_figure
from pages.elbo.figures_style import PLAIN, is_projected
from pages.elbo.papers import BURDA, DOERSCH
from pages.elbo.settings import DRAWS, link, new_draws
from pages.elbo.subject import Key, Subject, subject
from pages.ui import glossary
from pages.ui.lesson.transform import transform_view
from pages.ui.once import computed_once
from pages.ui.palette import is_dark
from pages.ui.shipped import checkpoint, most_latents, title_of
from vae_core.exact import monte_carlo
from vae_core.exact.estimate import sample_mean
from vae_core.exact.monte_carlo import Draws, effective_size, log_mean

PARTS = (1000, 3000, DRAWS[-1])  # draws are made up to these numbers, as they are asked for
FEW = 1000  # draws from q, at most
MANY = 500  # draws of each kind in the model with many latents: a second of one core
BEFORE = 3  # seeds before this one that the figure shows as well


@dataclass(frozen=True)
class Estimated:
    """p(x) from the first n draws of one source."""

    draws: int
    log_p: float  # nats
    effective: float  # draws
    carriers: Tensor  # (k,) which draws carry nine tenths of the estimate, the heaviest first


def evidence_section(chosen: Subject) -> None:
    glossary.markdown(
        "The [[evidence]] $p(x) = \\int p(x \\mid z)\\, p(z)\\, dz$ is a mean over z from the [[prior]], [[N(0, I)]]."
    )
    seed = link.get("seed")
    plane, side = st.columns(2)
    with side:
        numbers, row = st.container(), st.container(horizontal=True, vertical_alignment="bottom")
        _controls(row)
        if is_projected():  # there is no sidebar that shows it
            row.image(chosen.pixels[0, 0].numpy(), width=64, alt=chosen.label)
        count = link.get("draws")
        prior, q = draws(chosen.key, seed, count)
        from_prior, from_q = estimated(prior, count), estimated(q, min(count, FEW))
        exact = chosen.evidence.log_p
        numbers.html(in_large(from_prior, exact.value))
        others = [draws(chosen.key, other, count)[0] for other in range(max(0, seed - BEFORE), seed)]
        figure = settling_figure(prior, others, q, count, min(count, FEW), exact.value, is_dark())
        estimates = (
            f"Estimates of log p(x) against the number of draws: from the prior they end at {from_prior.log_p:.1f} "
            f"nats, from q at {from_q.log_p:.1f}; exact is {exact.value:.1f}."
        )
        st.plotly_chart(figure, key="elbo settling", config=PLAIN, alt=estimates)
    figure = where_figure(prior.z[:count], from_prior.carriers, chosen.evidence, is_dark())
    carried = (
        f"{count:,} draws from the prior on the plane of z; {len(from_prior.carriers)} carry 9/10 of the estimate."
    )
    plane.plotly_chart(figure, key="elbo where", config=PLAIN, alt=carried)
    glossary.markdown(f"{told(from_prior, from_q, exact.value, chosen.bound.gap.value)} {chosen.meaning}")
    _details(chosen, from_prior, from_q)
    with st.expander("A latent variable turned into data", expanded=True):
        state = transform_view("elbo transform view", link.get("transform"))
        st.session_state[link.key("transform")] = state
        st.caption(f"The ring: {DOERSCH}, figure 2.")
    with st.expander("With many latents", key="elbo many latents", on_change="rerun") as box:
        if box.open:
            many_latents(chosen, seed)


def _controls(row: DeltaGenerator) -> None:
    """The one thing to press, and how many draws it makes; on a projector the first alone."""
    new_draws(row, "seed", "elbo new draws", first=True)
    row.container(key="controls draws").select_slider(
        "Draws",
        DRAWS,
        width=230,
        **link.kept("draws"),
        help="How many z are drawn; p(x) is estimated by the mean of p(x | z) over them, and log p(x) by its log.",
    )


def _details(chosen: Subject, prior: Estimated, q: Estimated) -> None:
    exact = chosen.evidence.log_p
    st.table(table(prior, q, exact.value, exact.error))
    if not chosen.evidence.converged:
        st.warning(f"The grid is too coarse for this posterior: log p(x) is known to ± {exact.error:.2g} nats only.")
    st.caption(
        f"{chosen.caption} Seed {link.get('seed')}. Draws from q give a K-sample bound, on average below log p(x) "
        f"({BURDA})."
    )


def in_large(prior: Estimated, exact: float) -> str:
    """The three numbers of the section, for the back row."""
    count = len(prior.carriers)
    rows = (
        (f"{prior.draws:,} prior draws say", f"{prior.log_p:.1f} nats"),
        ("log p(x), exactly", f"{exact:.1f} nats"),
        ("nine tenths of the estimate come from", f"{count} draw{'' if count == 1 else 's'}"),
    )
    lines = "".join(f"<span>{name}</span><b>{value}</b>" for name, value in rows)
    return f"<div class='in-large'>{lines}</div>{_LOOKS}".replace(">-", ">−")


_LOOKS = """<style>
.in-large { display: grid; grid-template-columns: 1fr auto; gap: 0 1rem; align-items: baseline; line-height: 1.35; }
.in-large span { font-size: 1.1rem; }
.in-large b { font-size: 1.5rem; text-align: right; font-variant-numeric: tabular-nums; }
</style>"""


def told(prior: Estimated, q: Estimated, exact: float, gap: float) -> str:
    """What the two estimates say, in words."""
    text = (
        f"**{prior.draws:,}** draws from the prior say **{prior.log_p:.1f}** [[nats]] where log p(x) is "
        f"**{exact:.1f}**: {_carried(prior)}{_missed(prior)}. {q.draws:,} from the encoder's "
        f"**q(z | x)**, its guess at which z made x, say **{q.log_p:.1f}**: {_carried(q)}"
    ).replace("-", "−")
    if q.effective > 3 * prior.effective:
        return f"{text}. That is what the encoder is for."
    return f"{text}. For this image q lies beside the posterior (a gap of {gap:.1f} nats: *See the bound*)."


def _carried(found: Estimated) -> str:
    count = len(found.carriers)
    verb = "carries" if count == 1 else "carry"
    return f"**{count}** {verb} nine tenths, all are worth **{written_size(found.effective)}**"


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
    glossary.markdown(
        f"With {dims} latents there is no grid. {MANY:,} draws from the prior say **about {missed:,.0f} nats** less "
        "than as many from q, which give on average a lower "
        f"bound, {from_q.value - elbo.value:.1f} nats above the [[ELBO]] here. ±: [[standard error]]."
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
    share, order = weight.softmax(0).sort(descending=True)
    enough = int((share.cumsum(0) < 0.9).sum()) + 1
    log_p = weight.logsumexp(0).item() - math.log(count)
    return Estimated(count, log_p, monte_carlo.effective_size(weight), order[:enough])


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
