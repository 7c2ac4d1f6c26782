"""Autoencoder against VAE at equal nets, over sizes of z: the shipped row that `vae_core.sizes` makes."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from pages.ablation.settings import link
from pages.ui.palette import colours_of, is_dark
from pages.ui.shipped import CHECKPOINTS
from vae_core.checkpoints import CheckpointError
from vae_core.export.colours import Colours
from vae_core.export.pictures import data_uri
from vae_core.metrics.definitions import METRICS
from vae_core.sizes import Sizes, read_sizes

FOLDER = CHECKPOINTS / "sizes"
TITLE = "Autoencoder against VAE, over latent sizes"
NAMES = {"ae": "autoencoder", "vae": "VAE"}
WAYS = {"prior": "z ~ N(0, I)", "fitted": "z ~ a fitted Gaussian"}
COLUMNS = 12  # pictures beside each other
_GAPS = {"prior": "draw_gap", "fitted": "draw_gap_fitted"}
_SIDE = 28  # pixels of a picture


def sizes() -> None:
    """The expander; read and drawn once it is open."""
    with st.expander(TITLE, icon=":material/compare_arrows:", key=link.key("sizes"), on_change="rerun") as box:
        if not box.open:
            return
        try:
            found = read_sizes(FOLDER)
        except CheckpointError as error:
            st.error(str(error), icon=":material/error:")
            return
        rows, dark = pd.DataFrame(found.record["rows"]), is_dark()
        plain = {"displayModeBar": False}
        st.plotly_chart(figure(rows, found.record["real_gap"], dark), key="sizes figure", config=plain, alt=told(rows))
        st.plotly_chart(
            draws(found.pictures, rows, dark),
            key="sizes draws",
            config=plain,
            alt="What both decode from draws, a row for each size.",
        )
        st.caption(f"{told(rows)} {about(found)}")


def figure(rows: pd.DataFrame, real_gap: float, dark: bool) -> go.Figure:
    """nll of copies and gap of draws over latent dimensions: the mean of the seeds in a band from least to most.

    Args:
        rows: of the record. real_gap: of real images in place of draws.
    """
    colours = colours_of(dark)
    unit = next(metric.unit for metric in METRICS if metric.key == "draw_gap")
    plot = make_subplots(1, 2, subplot_titles=["Copies", "Draws"], horizontal_spacing=0.08)
    left, right = {"row": 1, "col": 1}, {"row": 1, "col": 2}
    for model, name in NAMES.items():
        own, colour = rows[rows["model"] == model], _colour(model, colours)
        _add_band(plot, own, "nll_at_mu", colour, f"{name}, z = mu", "solid", left)
        if model == "vae":
            _add_band(plot, own, "nll", colour, f"{name}, a sample of z", "dot", left)
        for way, dash in (("prior", "solid"), ("fitted", "dash")):
            _add_band(plot, own, _GAPS[way], colour, f"{name}, {WAYS[way]}", dash, right)
    ends = [rows["latent_dim"].min(), rows["latent_dim"].max()]
    grey = {"color": colours.ink, "width": 1, "dash": "dot"}
    plot.add_scatter(x=ends, y=[real_gap] * 2, mode="lines", name="real images", line=grey, legend="legend2", **right)
    _lay_out(plot, 340, colours)
    for side, x, y in (("legend", 0.46, 1.0), ("legend2", 1.0, 0.7)):  # where no line comes by
        place = {"x": x, "xanchor": "right", "y": y, "yanchor": "top", "bgcolor": "rgba(0,0,0,0)"}
        plot.update_layout({side: place | {"font": {"size": 14, "color": colours.ink}}})
    ticks = sorted(rows["latent_dim"].unique().tolist())
    plot.update_xaxes(type="log", tickvals=ticks, title_text="latent dimensions", title_standoff=4)
    plot.update_yaxes(title_text="nll, nats per image", title_font_color=colours.reconstruction, **left)
    return plot.update_yaxes(title_text=f"energy distance, {unit}", rangemode="tozero", **right)


def _colour(model: str, colours: Colours) -> str:
    return {"ae": colours.classes[6], "vae": colours.classes[0]}[model]  # a model is no term of a loss


def _add_band(
    plot: go.Figure, rows: pd.DataFrame, key: str, colour: str, name: str, dash: str, place: dict[str, int]
) -> None:
    seen = rows.groupby("latent_dim")[key].agg(["mean", "min", "max"])
    across, legend = seen.index.tolist(), "legend" if place["col"] == 1 else "legend2"
    plot.add_scatter(
        x=[*across, *across[::-1]],
        y=[*seen["max"], *seen["min"][::-1]],
        fill="toself",
        fillcolor=colour,
        opacity=0.2,
        line_width=0,
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        **place,
    )
    line, mark = {"color": colour, "width": 3, "dash": dash}, {"color": colour, "size": 8}
    plot.add_scatter(
        x=across, y=seen["mean"], name=name, line=line, marker=mark, mode="lines+markers", legend=legend, **place
    )


def draws(pictures: dict[str, np.ndarray], rows: pd.DataFrame, dark: bool) -> go.Figure:
    """What both models' decoders make of draws: a row of pictures for each size of z, of one seed."""
    colours = colours_of(dark)
    dims = sorted(rows["latent_dim"].unique().tolist())
    panels = list(itertools.product(WAYS, NAMES))
    titles = [f"{NAMES[model]}, {WAYS[way]}" for way, model in panels]
    plot = make_subplots(2, 2, subplot_titles=titles, horizontal_spacing=0.05, vertical_spacing=0.09)
    for place, (way, model) in enumerate(panels):
        strips = [np.hstack(list(pictures[f"{model}-{dim}-{way}"][:COLUMNS])) for dim in dims]
        plot.add_image(source=data_uri(np.vstack(strips)), hoverinfo="skip", row=place // 2 + 1, col=place % 2 + 1)
    _lay_out(plot, 560, colours)
    plot.update_xaxes(visible=False)
    middles = [_SIDE * (i + 0.5) for i in range(len(dims))]
    return plot.update_yaxes(tickvals=middles, ticktext=[str(dim) for dim in dims], showgrid=False, ticks="")


def _lay_out(plot: go.Figure, height: int, colours: Colours) -> None:
    plot.update_layout(
        dragmode=False,  # a finger scrolls
        height=height,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        font={"size": 14, "color": colours.ink},
    )
    plot.update_annotations(font={"size": 15, "color": colours.ink})
    axis = {"tickfont": {"size": 14, "color": colours.ink}, "title_font": {"size": 15, "color": colours.ink}}
    plot.update_xaxes(zeroline=False, **axis)
    plot.update_yaxes(zeroline=False, **axis)


def told(rows: pd.DataFrame) -> str:
    """What the row shows, each sentence of the sizes at which it holds for every seed."""
    copies = _holds(rows, lambda ae, vae: ae["nll_at_mu"] < vae["nll_at_mu"])
    nearer = _holds(rows, lambda ae, vae: vae["draw_gap"] < ae["draw_gap"])
    fitted = _holds(rows, lambda ae, vae: ae["draw_gap_fitted"] < vae["draw_gap"])
    active = rows[rows["model"] == "vae"].groupby("latent_dim")["active_units"].agg(list)
    used = [f"{_span(units)} of {dim}" for dim, units in active.items()]
    return (
        f"The autoencoder, which pays for no KL, copies better {copies}. It has no prior, so N(0, I) is a guess where "
        f"its codes lie; the VAE's draws from there come nearer to real images {nearer}. Draws from a Gaussian that "
        "was fitted to the autoencoder's codes afterwards (Ghosh et al. 2020) come nearer than the VAE's from its "
        f"prior {fitted}. "
        f"Active units of the VAE: {', '.join(used)}."
    )


def _holds(rows: pd.DataFrame, of: Callable[[pd.Series, pd.Series], bool]) -> str:
    """At which sizes something holds of the two models, in every seed."""
    by_dim: dict[int, list[bool]] = {}
    for (dim, _), pair in rows.groupby(["latent_dim", "seed"]):
        ae, vae = (pair[pair["model"] == model].iloc[0] for model in NAMES)
        by_dim.setdefault(dim, []).append(bool(of(ae, vae)))
    found = [dim for dim, held in by_dim.items() if all(held)]
    if len(found) == len(by_dim):
        return "at every size"
    return f"with {_spoken(found)} latents only" if found else "at no size"


def _spoken(values: Sequence[int]) -> str:
    *first, last = map(str, values)
    return f"{', '.join(first)} and {last}" if first else last


def _span(values: Sequence[int]) -> str:
    low, high = int(min(values)), int(max(values))
    return str(low) if low == high else f"{low} to {high}"


def about(found: Sizes) -> str:
    """Where the row comes from."""
    config, seeds = found.record["config"], {row["seed"] for row in found.record["rows"]}
    spread = f"mean and band of {len(seeds)} seeds" if len(seeds) > 1 else "one seed"
    return (
        f"The same nets ({config['net']}), {config['epochs']} epochs, batch {config['batch_size']}, {spread}; "
        f"{config['protocol']} MNIST, {found.record['images']:,} test images, K = 1; "
        f"{found.record['draws']:,} draws. Made by `{found.record['command']}`"
    )
