"""Estimates of one gradient in three ways, and the slope of the KL in two parametrisations."""

import itertools
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import torch
from torch import Tensor

from pages.elbo.figures_style import colours, lay_out
from pages.elbo.subject import Key, subject
from pages.ui.once import computed_once
from vae_core import losses
from vae_core.exact import gradients
from vae_core.exact.estimate import rounding, sample_mean
from vae_core.exact.expectation import expectation
from vae_core.exact.gradients import Comparison, Gradient
from vae_core.exact.lines import LIMIT

REPEATS = 200  # estimates in a histogram
SAMPLES = (1, 2, 4, 8, 16, 32, 64)  # draws of an estimate
COMPONENTS = {"mu 1": "mu₁", "mu 2": "mu₂", "log_var 1": "log_var₁", "log_var 2": "log_var₂"}
ESTIMATORS = {"score": "score function", "baseline": "score function with baseline", "pathwise": "pathwise"}
BINS = 61
WIDTH = 3.0  # the axis reaches so many standard deviations of one draw to either side
LOG_VARS = (-10.0, 4.0)
STD_TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]


@dataclass(frozen=True)
class Judged:
    """One estimator of one component, over all estimates."""

    mean: float  # nats per unit of the component
    error: float  # standard error of the mean
    std: float  # of one estimate
    sigmas: float  # |mean − exact| in standard errors of their difference

    @property
    def agrees(self) -> bool:
        return self.sigmas <= LIMIT


def compared(key: Key, seed: int, samples: int) -> Comparison:
    """REPEATS estimates of `samples` draws each in all ways, on the same draws. More draws keep the fewer ones."""
    edges = [0, *(s for s in SAMPLES if s <= samples)]
    parts = [_evaluated(key, seed, a, b) for a, b in itertools.pairwise(edges)]
    eps, values, slopes = (torch.cat(part, dim=1) for part in zip(*parts, strict=True))
    baseline, exact, error = truth(key)
    log_var = subject(*key).log_var
    return Comparison(
        score=gradients.score(values, eps, log_var),
        score_baseline=gradients.score(values, eps, log_var, baseline),
        pathwise=gradients.pathwise(slopes, eps, log_var),
        exact=exact,
        error=error,
    )


@computed_once(64)
def truth(key: Key) -> tuple[float, Gradient, Gradient]:
    """E_q[log p(x given z)], its gradient, and the error of that, by quadrature."""
    s = subject(*key)
    f = gradients.likelihood_of(s.model, s.x)
    baseline = expectation(f, s.mu, s.log_var).value.item()
    return baseline, *gradients.exact(f, s.mu, s.log_var, shift=baseline)


@computed_once(256)
def _evaluated(key: Key, seed: int, start: int, end: int) -> tuple[Tensor, Tensor, Tensor]:
    """eps, f and its slope for the draws start to end of every estimate: what costs time."""
    s = subject(*key)
    eps = gradients.draw_eps(s.mu, REPEATS, SAMPLES[-1], torch.Generator().manual_seed(seed))[:, start:end]
    return eps, *gradients.evaluate(gradients.likelihood_of(s.model, s.x), s.mu, s.log_var, eps)


def of_component(gradient: Gradient, component: str) -> Tensor:
    """(R,) estimates of one of COMPONENTS."""
    name, number = component.split()
    return getattr(gradient, name)[:, int(number) - 1]


def ways(found: Comparison) -> dict[str, Gradient]:
    """By the names of ESTIMATORS."""
    return {"score": found.score, "baseline": found.score_baseline, "pathwise": found.pathwise}


def judged(found: Comparison, component: str) -> dict[str, Judged]:
    """Every estimator held against the exact gradient."""
    exact, error = (of_component(g, component).item() for g in (found.exact, found.error))
    return {name: _judge(of_component(way, component), exact, error) for name, way in ways(found).items()}


def with_constant(key: Key, found: Comparison, component: str, nats: float) -> float:
    """The std of the score function without a baseline when every log p(x given z) is so much larger.

    It is affine in what is taken off: score = score_baseline + baseline · (mean of the slope of log q).
    """
    baseline = truth(key)[0]
    plain, centred = (of_component(way, component) for way in (found.score, found.score_baseline))
    return (centred + (baseline + nats) / baseline * (plain - centred)).std().item()


def _judge(estimates: Tensor, exact: float, exact_error: float) -> Judged:
    mean = sample_mean(estimates)
    # The net computes in single precision: sums of its slopes are not better than that.
    apart = float(np.hypot(mean.error, exact_error) + rounding(torch.float32, exact))
    return Judged(mean.value, mean.error, estimates.std().item(), abs(mean.value - exact) / apart)


def histograms(found: Comparison, single: Comparison, component: str, fit: str, is_dark: bool) -> go.Figure:
    """Three histograms on one axis, with the exact gradient.

    Args:
        found: what is shown. single: the same with one draw an estimate; it sets the axis, which so stays where it is.
        component: of COMPONENTS. fit: the one of ESTIMATORS that fills the axis.
    """
    paint, exact = colours(is_dark), of_component(found.exact, component).item()
    half = WIDTH * of_component(ways(single)[fit], component).std().item()
    edges = np.linspace(exact - half, exact + half, BINS + 1)
    rows = [(name, of_component(way, component)) for name, way in ways(found).items()]
    bars, axes, titles, lines = [], {}, [], []
    for (name, estimates), number, bottom in zip(rows, ("", "2", "3"), (0.75, 0.375, 0.0), strict=True):
        heights, _ = np.histogram(estimates.numpy(), edges)
        hover = "%{y} estimates near %{x:.3g}<extra></extra>"
        look = {"marker": {"color": paint[name], "line": {"width": 0}}, "width": np.diff(edges), "hovertemplate": hover}
        bars.append(go.Bar(x=(edges[1:] + edges[:-1]) / 2, y=heights, yaxis=f"y{number}", **look))
        most = 1.1 * max(heights.max(), 4)
        axes[f"yaxis{number}"] = {"domain": [bottom, bottom + 0.25], "range": [0, most], "nticks": 3}
        place = {"x": 0, "xref": "paper", "xanchor": "left", "y": bottom + 0.25, "yref": "paper", "yanchor": "bottom"}
        titles.append({"text": _row_name(name, int((abs(estimates - exact) > half).sum())), "showarrow": False} | place)
        line = {"color": paint["ink"], "width": 2, "dash": "dash"}
        ends = {"x0": exact, "x1": exact, "y0": 0, "y1": 1, "yref": f"y{number} domain"}
        lines.append({"type": "line", "line": line} | ends)
    label = f"for {COMPONENTS[component]}, nats per unit of {component.split()[0]} (dashed: exact)"
    axes["xaxis"] = {"range": [edges[0], edges[-1]], "anchor": "y3", "title": label}
    more = {"annotations": titles, "shapes": lines, "showlegend": False, "bargap": 0}
    return lay_out(go.Figure(bars), paint["ink"], (350, 430), **axes, **more)


def _row_name(name: str, outside: int) -> str:
    return ESTIMATORS[name] + (f" ({outside} outside)" if outside else "")


def kl_slopes(log_var: Tensor) -> tuple[Tensor, Tensor]:
    """Slopes of the KL of one dimension for std and for log_var, by autograd through losses.gaussian_kl_dims.

    Args:
        log_var: (N,).
    Returns:
        (N,), (N,): nats per unit of std, nats per unit of log_var.
    """
    log_var = log_var.detach().double().requires_grad_()
    std = (0.5 * log_var).exp().detach().requires_grad_()
    of_std = losses.gaussian_kl_dims(torch.zeros_like(std), 2 * std.log()).sum()
    of_log_var = losses.gaussian_kl_dims(torch.zeros_like(log_var), log_var).sum()
    return torch.autograd.grad(of_std, std)[0], torch.autograd.grad(of_log_var, log_var)[0]


def std_figure(log_var: float, encoded: Tensor, is_dark: bool) -> go.Figure:
    """std = exp(½ log_var): where the slider stands, at 1 more, and what the encoder says of the image (D,)."""
    paint = colours(is_dark)
    line = torch.linspace(*LOG_VARS, 241)
    at = torch.tensor([log_var, log_var + 1])
    figure = go.Figure()
    figure.add_scatter(
        x=line.numpy(), y=_std(line), mode="lines", line={"color": paint["ink"], "width": 3}, showlegend=False
    )
    figure.add_scatter(
        x=at.numpy(),
        y=_std(at),
        mode="markers",
        name="here and at 1 more",
        marker={"size": 11, "color": paint["kl"]},
    )
    figure.add_scatter(
        x=encoded.numpy(),
        y=_std(encoded),
        mode="markers",
        name="the encoder, for this image",
        marker={"size": 13, "color": paint["ink"], "symbol": "circle-open", "line": {"width": 2}},
    )
    return lay_out(
        figure,
        paint["ink"],
        320,
        xaxis={"title": "log_var (what the encoder says)", "range": [LOG_VARS[0] - 0.5, LOG_VARS[1] + 1.3]},
        yaxis={"title": "std (prior units)", "range": [-0.4, 12.5]},
        legend={"x": 0.02, "y": 0.98},
    )


def slopes_figure(log_var: float, is_dark: bool) -> go.Figure:
    """What the KL pulls with, as a function of std, in both parametrisations."""
    paint = colours(is_dark)
    line = torch.linspace(*LOG_VARS, 241)
    at = torch.tensor([log_var])
    figure = go.Figure()
    for name, curve, mark, dash in zip(
        ("with respect to std", "with respect to log_var"),
        kl_slopes(line),
        kl_slopes(at),
        ("dash", "solid"),
        strict=True,
    ):
        style = {"color": paint["kl"], "width": 3, "dash": dash}
        figure.add_scatter(x=_std(line), y=curve.numpy(), name=name, mode="lines", line=style)
        figure.add_scatter(
            x=_std(at),
            y=mark.numpy(),
            mode="markers",
            showlegend=False,
            marker={"size": 11, "color": paint["kl"]},
            hovertemplate="%{y:.3g}<extra></extra>",
        )
    return lay_out(
        figure,
        paint["ink"],
        320,
        xaxis={"title": "std (prior units, log axis)", "type": "log", "tickvals": STD_TICKS},
        yaxis={"title": "slope of the KL (nats per unit)", "range": [-30, 8]},
        legend={"x": 0.98, "y": 0.05, "xanchor": "right"},
    )


def _std(log_var: Tensor) -> np.ndarray:
    return (0.5 * log_var).exp().numpy()
