"""Figures of p(x): where the draws lie that carry p(x), and how an estimate settles."""

import math

import numpy as np
import plotly.graph_objects as go
from torch import Tensor

from pages.elbo.figures_style import lay_out
from pages.ui.palette import colours_of
from vae_core.exact import monte_carlo
from vae_core.exact.monte_carlo import Draws
from vae_core.exact.quadrature import Evidence

BELOW, ABOVE = 40, 8  # nats around log p(x) that the figure shows
REACH = 4  # prior std to each side; of 10,000 draws one or two lie outside
EDGE = -6.0  # nats below the peak: so far around it lies nearly all of a posterior
GREY, PALE = "#888888", "rgba(136, 136, 136, 0.5)"
TICKS = [1, 10, 100, 1000, 10_000]
LEGEND = {"orientation": "h", "x": 0, "y": 1.04, "yanchor": "bottom", "bgcolor": "rgba(0, 0, 0, 0)"}


def where_figure(z: Tensor, carriers: Tensor, evidence: Evidence, dark: bool) -> go.Figure:
    """Draws from the prior in the latent plane: those that carry the estimate, and the true posterior.

    Args:
        z: (S, 2) the draws. carriers: (k,) which of them carry it.
    """
    colours = colours_of(dark)
    figure = go.Figure()
    for sigma in (1, 2, 3):
        line = {"color": colours.rule, "width": 1.5}
        figure.add_shape(type="circle", x0=-sigma, x1=sigma, y0=-sigma, y1=sigma, line=line, layer="below")
    for name, places, colour, size in (
        ("draws", z, GREY, 5),
        ("carry p(x)", z[carriers], colours.kl, 13),
    ):
        x, y = places.T.numpy()
        marker = {"color": colour, "size": size}
        figure.add_scatter(x=x, y=y, name=name, mode="markers", marker=marker, hoverinfo="skip")
    height = evidence.log_joint - evidence.log_joint.max()
    figure.add_contour(
        x=evidence.z1.numpy(),
        y=evidence.z2.numpy(),
        z=height.clamp(min=2 * EDGE).float().numpy(),
        name="p(z | x)",
        contours={"start": EDGE, "end": EDGE, "size": 1, "coloring": "lines"},
        colorscale=[[0, colours.total], [1, colours.total]],
        line_width=3,
        showscale=False,
        showlegend=True,
        hoverinfo="skip",
    )
    axis = {"range": [-REACH, REACH], "dtick": 2, "zeroline": False}
    return lay_out(
        figure,
        colours.ink,
        (485, 535),
        xaxis={"title": "z₁ (prior std)", "constrain": "domain", **axis},
        yaxis={"title": "z₂ (prior std)", "scaleanchor": "x", "constrain": "domain", **axis},
        legend=LEGEND,
    )


def settling_figure(
    prior: Draws, others: list[Draws], q: Draws, count: int, of_q: int, exact: float, dark: bool
) -> go.Figure:
    """How the estimates of log p(x) settle with the number of draws, those of other seeds pale."""
    colours = colours_of(dark)
    figure = go.Figure()
    lines = [(other, "others", PALE, 2, count) for other in others]
    lines += [(prior, "prior", GREY, 3, count), (q, "q", colours.classes[0], 3, of_q)]
    for number, (found, name, colour, width, most) in enumerate(lines):
        at = np.unique(np.geomspace(1, most, 200).round().astype(int))
        running = monte_carlo.running_log_mean(found.log_weight[:most]).numpy()
        line, first = {"color": colour, "width": width}, number == 0 or name != "others"
        figure.add_scatter(x=at, y=running[at - 1], name=name, mode="lines", line=line, showlegend=first)
    line, span = {"color": colours.total, "width": 3, "dash": "dash"}, math.log10(count) + 0.03
    figure.add_scatter(x=[1, count], y=[exact, exact], name="exactly", mode="lines", line=line)
    return lay_out(
        figure,
        colours.ink,
        (285, 300),
        xaxis={"title": "draws (log axis)", "type": "log", "tickvals": TICKS, "tickformat": ",d", "range": [0, span]},
        yaxis={"title": "log p(x) (nats)", "range": [exact - BELOW, exact + ABOVE]},
        legend=LEGEND,
    )
