"""Figures of the likelihood: what a pixel costs, what sigma does, and what a reduction makes of both terms."""

import math

import plotly.graph_objects as go
import torch

from pages.elbo.figures_style import colours, lay_out, written
from vae_core import losses
from vae_core.config import SIGMA_FLOOR
from vae_core.exact.likelihood import GaussianParts, Reduced, best_gaussian_nll, best_sigma

SIGMAS = (0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0)
ERRORS = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1)
_COSTS = (-4.0, 8.0)  # nats of one pixel that the figure shows


def pixel_costs(x: float, sigma: float, x_hat: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What one pixel x costs for every x_hat: Bernoulli and Gaussian, (N,) nats each, by vae_core.losses.

    Args:
        x: in [0, 1]. sigma: > 0. x_hat: (N,) in (0, 1).
    """
    pixels = x_hat.double().view(-1, 1, 1, 1)  # N images of one pixel
    target = torch.full_like(pixels, x)
    return losses.bernoulli_nll(pixels.logit(), target), losses.gaussian_nll(pixels, target, sigma)


def pixel_figure(x: float, sigma: float, is_dark: bool) -> go.Figure:
    """Cost of one pixel against what the decoder says."""
    paint = colours(is_dark)
    x_hat = torch.linspace(0.0025, 0.9975, 400)
    figure = go.Figure()
    names = ("Bernoulli", f"Gaussian, sigma {sigma:g}")
    for name, cost, dash in zip(names, pixel_costs(x, sigma, x_hat), ("solid", "dash"), strict=True):
        line = {"color": paint["reconstruction"], "width": 3, "dash": dash}
        figure.add_scatter(x=x_hat.numpy(), y=cost.numpy(), name=name, mode="lines", line=line)
    figure.add_vline(
        x,
        line_color=paint["ink"],
        line_width=2,
        line_dash="dot",
        annotation_text=f"x = {x:g}",
        annotation_position="top left" if x > 0.5 else "top right",
    )
    figure.add_hline(0, line_color=paint["ink"], line_width=1)
    return lay_out(
        figure,
        paint["ink"],
        (340, 390),
        xaxis={"title": "x̂ of the decoder (0 black, 1 white)", "range": [-0.01, 1.01]},
        yaxis={"title": "cost of this pixel (nats)", "range": _COSTS},
        legend={"orientation": "h", "y": 1.16},
    )


def sigma_figure(parts: GaussianParts, is_dark: bool) -> go.Figure:
    """Gaussian nll of this image against sigma, with the best sigma and the chosen one."""
    paint = colours(is_dark)
    best = best_sigma(parts.squared_error / parts.pixels)
    grid = torch.logspace(-2, 0.05, 200).tolist()
    values = [GaussianParts(parts.squared_error, parts.pixels, s).total for s in grid]
    bottom = GaussianParts(parts.squared_error, parts.pixels, best).total
    figure = go.Figure()
    line = {"color": paint["reconstruction"], "width": 3}
    figure.add_scatter(x=grid, y=values, mode="lines", line=line, showlegend=False)
    for name, sigma, symbol in (("best", best, "star"), ("yours", parts.sigma, "circle")):
        total = GaussianParts(parts.squared_error, parts.pixels, sigma).total
        marker = {"size": 15 if symbol == "star" else 11, "symbol": symbol, "color": paint["ink"]}
        figure.add_scatter(x=[sigma], y=[total], name=name, mode="markers", marker=marker)
    return lay_out(
        figure,
        paint["ink"],
        (300, 325),
        xaxis={"title": "sigma (log axis, units of x)", **_log_axis(SIGMAS[0], 1.2, (0.01, 0.03, 0.1, 0.3, 1))},
        yaxis={"title": "Gaussian nll (nats per image)", "range": [bottom - 150, bottom + 2500]},
        legend={"orientation": "h", "y": 1.16},
    )


def floor_figure(mean_squared_error: float, pixels: int, is_dark: bool) -> go.Figure:
    """The nll at the best sigma against the error: no bottom without a floor for sigma."""
    paint = colours(is_dark)
    errors = torch.logspace(-6, -0.7, 200).tolist()
    figure = go.Figure()
    for name, floor, dash in (("sigma free", 0.0, "dash"), (f"sigma at least {SIGMA_FLOOR:g}", SIGMA_FLOOR, "solid")):
        values = [best_gaussian_nll(e, pixels, floor) for e in errors]
        line = {"color": paint["reconstruction"], "width": 3, "dash": dash}
        figure.add_scatter(x=errors, y=values, name=name, mode="lines", line=line)
    here = best_gaussian_nll(mean_squared_error, pixels, SIGMA_FLOOR)
    marker = {"size": 15, "symbol": "star", "color": paint["ink"]}
    figure.add_scatter(x=[mean_squared_error], y=[here], name="this image", mode="markers", marker=marker)
    return lay_out(
        figure,
        paint["ink"],
        (300, 325),
        xaxis={"title": "mean squared error of a pixel (log axis)", **_log_axis(1e-6, 0.2, ERRORS)},
        yaxis_title="lowest nll (nats per image)",
        legend={"orientation": "h", "y": 1.16},
    )


def shares_figure(found: dict[str, tuple[str, Reduced]], chosen: str, is_dark: bool) -> go.Figure:
    """How much of the loss each term is, for every reduction; the chosen one in full colour."""
    paint = colours(is_dark)
    names = [f"{label}<br>loss {written(r.loss, 4)}, beta {r.implied_beta:g}" for label, r in found.values()]
    strength = [1.0 if name == chosen else 0.35 for name in found]
    ink = [paint["ground" if name == chosen else "ink"] for name in found]
    figure = go.Figure()
    for term, title in (("nll", "reconstruction"), ("kl", "KL")):
        shares = [100 * getattr(r, term) / (abs(r.nll) + abs(r.kl)) for _, r in found.values()]
        figure.add_bar(
            y=names,
            x=shares,
            name=title,
            orientation="h",
            text=[_percent(s) for s in shares],
            textposition="inside",
            marker={"color": paint["reconstruction" if term == "nll" else "kl"], "opacity": strength},
            insidetextfont={"size": 15, "color": ink},
            insidetextanchor="middle",
            textangle=0,
            constraintext="none",
            hovertemplate="%{x:.1f}%<extra></extra>",
        )
    return lay_out(
        figure,
        paint["ink"],
        (250, 305),
        barmode="relative",
        xaxis={"title": "share of the loss (%)"},
        yaxis={"autorange": "reversed"},
        legend={"orientation": "h", "y": 1.2, "traceorder": "normal"},
    )


def _percent(share: float) -> str:
    """For a bar that has room for it, on a phone too; the other term says the rest."""
    return f"{share:.0f}%".replace("-", "−") if abs(share) >= 20 else ""


def _log_axis(least: float, most: float, ticks: tuple[float, ...]) -> dict[str, object]:
    ends = torch.tensor([least, most], dtype=torch.float64).log10().tolist()
    return {"type": "log", "range": ends, "tickvals": list(ticks), "ticktext": [_tick(t) for t in ticks]}


def _tick(value: float) -> str:
    """0.01, and below that 10⁻³ and so on."""
    return f"{value:g}" if value >= 0.01 else "10⁻" + "⁰¹²³⁴⁵⁶⁷⁸⁹"[round(-math.log10(value))]
