"""Reparameterisation: two ways to one gradient, what autograd sees of each, and why log variance."""

import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator

from pages.elbo.figures_reparameterise import (
    COMPONENTS,
    ESTIMATORS,
    REPEATS,
    SAMPLES,
    Judged,
    compared,
    histograms,
    judged,
    kl_slopes,
    of_component,
    slopes_figure,
    std_figure,
    with_constant,
)
from pages.elbo.figures_style import PLAIN, about, written
from pages.elbo.papers import KINGMA, REZENDE
from pages.elbo.settings import AXES, LOOKS, link, new_draws
from pages.elbo.subject import Key, Subject, subject
from pages.ui import glossary
from pages.ui.lesson.chance import Slice, chance_view
from pages.ui.once import computed_once
from pages.ui.palette import is_dark
from pages.ui.words import label_of
from vae_core.digits import with_error
from vae_core.exact import autograd
from vae_core.exact.autograd import Answer
from vae_core.exact.density import log_likelihood
from vae_core.exact.gradients import Comparison
from vae_core.models.vae import VAE

CONSTANT = 100  # nats
SLICE_REACH, SLICE_POINTS = 9.0, 721  # std of the encoder to each side: as far as the sliders and eps lead


def section(subject: Subject) -> None:
    """Estimators of the gradient, what autograd sees of a draw, and why the encoder says log_var."""
    with st.container(key="controls reparameterise"):
        st.segmented_control(
            "Part",
            list(LOOKS),
            format_func=label_of(LOOKS),
            required=True,
            label_visibility="collapsed",
            help="Three short looks at the same step, z = mu + std · eps.",
            **link.kept("reparameterise"),
        )
    shown = {"estimators": _estimators, "autograd": _autograd, "log variance": _log_variance}
    shown[link.get("reparameterise")](subject)


def _caption(chosen: Subject) -> None:
    st.caption(f"{chosen.caption} Seed of the draws {link.get('noise')}.")


def _estimators(chosen: Subject) -> None:
    glossary.markdown(
        "How would $\\mathbb{E}_q[\\log p(x \\mid z)]$ change with mu and std? Left the slope stops at the draw; right "
        "the chance is in [[eps]] alone."
    )
    picture, chart = st.columns([26, 27])
    key = chosen.key
    with picture:
        chance_view("elbo chance", along(key), link.get("noise"))
    with chart:
        _controls(st.container(horizontal=True, vertical_alignment="bottom", key="estimators"))
        component, samples = link.get("gradient"), link.get("estimate")
        found = compared(key, link.get("noise"), samples)
        single = compared(key, link.get("noise"), 1)
        figure = histograms(found, single, component, link.get("axis"), is_dark())
        judgements = judged(found, component)
        spread = ", ".join(f"{AXES[name]} {written(one.std)}" for name, one in judgements.items())
        spread = f"Histograms of {REPEATS} estimates each; std of one estimate: {spread}."
        st.plotly_chart(figure, key="reparameterise histograms", config=PLAIN, alt=spread)
    st.table(_table(judgements, judged(single, component), samples))
    _told(key, found, judgements)
    _caption(chosen)


def _told(key: Key, found: Comparison, judgements: dict[str, Judged]) -> None:
    """What the three estimators do, and what each of them costs."""
    component = link.get("gradient")
    exact, error = (of_component(g, component).item() for g in (found.exact, found.error))
    stds = [judgements["baseline"].std, judgements["score"].std, with_constant(key, found, component, CONSTANT)]
    fair, plain, shifted = (about((std / judgements["pathwise"].std) ** 2) for std in stds)
    glossary.markdown(
        f"{REPEATS} estimates of each, from the same draws. Exact, by [[quadrature]]: **{written(exact, 4)}** ± "
        f"{written(error, 1)} [[nats]] per unit of {component.split()[0]}. The *score function* (Williams 1992) weighs "
        "log p(x | z) by the slope of log q(z). For the same accuracy, with a baseline (the mean, taken off) it "
        f"needs about **{fair} times** the draws of the *pathwise* way ({KINGMA}, {REZENDE}), which follows "
        f"the decoder's slope. Without one it is {plain}; adding {CONSTANT} to every log p(x | z), which changes no "
        f"gradient, makes it {shifted}. SE: [[standard error]]."
    )


def _controls(row: DeltaGenerator) -> None:
    """New draws; and for the lecturer alone, how many, of which gradient, and on which axis."""
    new_draws(row, "noise", "elbo new noise", first=True, says="The next seed, in the picture and in the chart.")
    own = row.container(horizontal=True, vertical_alignment="bottom", key="controls estimators")
    own.select_slider(
        "Draws in one estimate, S",
        SAMPLES,
        width=190,
        **link.kept("estimate"),
        help="Every estimate is the mean over S draws. Four times as many draws halve its spread: 1 / √S.",
    )
    with own.popover("More", icon=":material/tune:"):
        st.segmented_control(
            "Gradient for",
            list(COMPONENTS),
            format_func=label_of(COMPONENTS),
            required=True,
            **link.kept("gradient"),
            help="The parameter of q that is moved: a mean or a log variance, of one of both latent dimensions.",
        )
        st.selectbox(
            "Axis fits",
            list(AXES),
            format_func=label_of(AXES),
            **link.kept("axis"),
            help="The estimator that fills the axis at S = 1. The axis then stays, so that spreads can be compared.",
        )


@computed_once(64)
@torch.no_grad()
def along(key: Key) -> Slice:
    """What the picture puts its z into: log p(x given z) on a line through the encoder's mu."""
    s = subject(*key)
    mu, std = s.mu[0, 0].item(), (0.5 * s.log_var[0, 0]).exp().item()
    reach = SLICE_REACH * std
    z = s.mu.double().repeat(SLICE_POINTS, 1)
    z[:, 0] = torch.linspace(mu - reach, mu + reach, SLICE_POINTS, dtype=torch.float64)
    values = log_likelihood(s.model, s.x, z)
    return Slice(mu - reach, mu + reach, tuple(values.tolist()), mu, std)


def _table(shown: dict[str, Judged], single: dict[str, Judged], samples: int) -> pd.DataFrame:
    least = shown["pathwise"].std ** 2
    rows = {
        ESTIMATORS[name]: [
            with_error(way.mean, way.error),
            f"{'✓' if way.agrees else '✗'} {way.sigmas:.1f} SE",
            written(way.std),
            written(single[name].std / samples**0.5),
            f"× {about(way.std**2 / least)}",
        ]
        for name, way in shown.items()
    }
    names = ["mean ± SE", "off by", "std of one estimate", "std at S = 1, over √S", "variance"]
    return pd.DataFrame(rows, index=names).T


def _autograd(chosen: Subject) -> None:
    st.markdown(
        "Two ways to draw z, which give the same number from the same seed. Autograd, which finds the gradients, sees "
        "a difference: through the first nothing comes back to mu. There is no error message, and the decoder goes on "
        "learning, but **the encoder hears nothing of the reconstruction** (only of the KL)."
    )
    key = chosen.key
    titles = ("`sample`: a number that forgets where it came from", "`mu + std * eps`: chance comes in from outside")
    functions: tuple[Callable[..., Any], ...] = (autograd.drawn, autograd.reparameterised)
    answers = asked(key, link.get("noise"))
    for column, title, function in zip(st.columns(2), titles, functions, strict=True):
        column.markdown(f"**{title}**")
        column.code(inspect.getsource(function), language="python", wrap_lines=True)
    for column, answer in zip(st.columns(2), answers, strict=True):
        column.markdown(
            "autograd: **the way back to mu is open**" if answer.mu_grad else "autograd: **no way back to mu**"
        )
        column.code(said(answer), language="python", wrap_lines=True)
    new_draws(st, "noise", "reparameterise again")
    with st.expander("model.sample, which trains; torch.normal, sample, rsample"):
        st.code(textwrap.dedent(inspect.getsource(VAE.sample)), language="python", wrap_lines=True)
        st.table(_by_name(key, link.get("noise")))
        st.caption(
            "`torch.normal` is quieter still than `sample`: it has a `grad_fn`, and all gradients through it are 0."
        )
    _caption(chosen)


@computed_once(256)
def asked(key: Key, seed: int) -> tuple[Answer, Answer]:
    """What autograd says of `sample` and of mu + std * eps."""
    s = subject(*key)
    return (
        autograd.ask_drawn(s.model, s.x, s.mu, s.log_var, seed),
        autograd.ask_reparameterised(s.model, s.x, s.mu, s.log_var, seed),
    )


@computed_once(256)
def _by_name(key: Key, seed: int) -> pd.DataFrame:
    """The three ways that torch has to draw from a Gaussian, and what comes back through each."""
    s = subject(*key)
    rows = {}
    for name in autograd.NAMED:
        answer = autograd.ask_named(name, s.model, s.x, s.mu, s.log_var, seed)
        grads = (_vector(answer.mu_grad), _vector(answer.log_var_grad))
        rows[f"`{name}`"] = [_vector(answer.z), str(answer.grad_fn), *grads]
    return pd.DataFrame(rows, index=["z", "z.grad_fn", "mu.grad", "log_var.grad"]).T


def said(answer: Answer) -> str:
    """The answer as an interpreter would print it."""
    lines = {
        "z": _vector(answer.z),
        "z.requires_grad": answer.requires_grad,
        "z.grad_fn": None if answer.grad_fn is None else f"<{answer.grad_fn}>",
        "nll": f"{answer.nll:.2f}  # nats",
        "nll.requires_grad": answer.nll_requires_grad,
        "mu.grad": _vector(answer.mu_grad),
        "log_var.grad": _vector(answer.log_var_grad),
    }
    return "\n".join(f"{name:18}{value}" for name, value in lines.items())


def _vector(values: tuple[float, ...] | None) -> str:
    return "None" if values is None else "[" + ", ".join(f"{v:.3f}" for v in values) + "]"


def _log_variance(chosen: Subject) -> None:
    glossary.markdown(
        "A standard deviation must be positive, but the last layer of the encoder gives any number. So that number is "
        "taken to be **log_var**, the [[log variance|log of the variance]], and std = exp(½ log_var). Move it: "
        "wherever you stand, 1 more makes std larger by the same factor."
    )
    st.slider(
        "log_var",
        step=0.1,
        format="%.1f",
        **link.number("log_var"),
        help="What the encoder says for one latent dimension. 0 is the prior's width, std = 1.",
    )
    log_var = link.get("log_var")
    left, right = st.columns(2)
    here, further = ((0.5 * torch.tensor(v, dtype=torch.float64)).exp().item() for v in (log_var, log_var + 1))
    of_std, of_log_var = (slope.item() for slope in kl_slopes(torch.tensor([log_var], dtype=torch.float64)))
    left.plotly_chart(
        std_figure(log_var, chosen.log_var[0], is_dark()),
        key="reparameterise std",
        config=PLAIN,
        alt=f"std against log_var, rising ever faster: {written(here)} at {log_var:g}.",
    )
    right.plotly_chart(
        slopes_figure(log_var, is_dark()),
        key="reparameterise slopes",
        config=PLAIN,
        alt=f"Slopes of the KL at log_var {log_var:g}: for std {written(of_std)}, for log_var {written(of_log_var)}.",
    )
    left.markdown(
        f"std **{written(here)}**, at 1 more **{written(further)}**: × {further / here:.3f} = exp(½), everywhere."
    )
    right.markdown(
        f"Slope of the KL for std: −1/std + std = **{written(of_std)}**, without bound near 0. For log_var: "
        f"½ (std² − 1) = **{written(of_log_var)}**, never below −½."
    )
    st.caption(f"Slopes by autograd through losses.gaussian_kl_dims, the code that trains. {chosen.caption}")
