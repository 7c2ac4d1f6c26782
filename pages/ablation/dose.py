"""Beta from a tenth to 32: what each model pays in nats for its code, and what the code is worth to its pictures.

Rate and distortion of Alemi et al. 2018, "Fixing a broken ELBO": a model is a point (KL, reconstruction nll), and as
−ELBO = nll + KL, models with the same −ELBO lie on one falling line.
"""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from pages.ablation import rate
from pages.ablation.dose_seeds import add_seeds
from pages.ablation.swept import NO_SWEEP, Swept, add_swept
from pages.ui.palette import colours_of
from vae_core.export.colours import Colours
from vae_core.families import is_bug
from vae_core.models import family
from vae_core.runs import registry
from vae_core.runs.news import Cursor, News
from vae_core.runs.run_record import SHIPPED

COLUMNS = ("beta", "nll", "kl", "neg_elbo", "run_id", "kind", "epochs", *rate.COLUMNS)
LIVE = "live"  # the other kind, beside SHIPPED
_LABEL, _AXIS = 15, 17  # px
_NEAR = 0.035  # of an axis: labels of points nearer than this are written as one
_HOVER = (
    "beta %{customdata[1]:~g}, epochs: %{customdata[2]:~g}<br>KL %{customdata[3]:.1f} + nll %{customdata[4]:.1f}"
    "<br>= −ELBO %{customdata[5]:.1f} nats%{customdata[6]}"
)
_TALL = 30.0  # nats of the nll axis: a collapsed model would squeeze all others into a line, and is shown at the edge


def points(run_ids: Sequence[str]) -> pd.DataFrame:
    """One row a run, sorted by beta; nll, kl and neg_elbo in nats per image, on test images, one sample of z each.

    A finished run gives the figures of its card (10,000 images), one under way those of its last test row (5,000).
    What the KL is made of comes from the last snapshot (5,000 images), if it was measured.
    Left out are runs whose nll is no such distortion: plain autoencoders, which have no KL, runs without a
    reconstruction, densities, and black and white pixels.

    Args:
        run_ids: of the registry; unknown ones are left out.
    Returns:
        columns COLUMNS; `kind` is "shipped" or "live", `epochs` counts those trained so far.
    """
    news = [found for run_id in run_ids if (found := registry.shared().read(run_id, Cursor())) is not None]
    rows = [row for one in news if (row := _row(one)) is not None]
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values("beta", kind="stable", ignore_index=True)


def dose_figure(table: pd.DataFrame, seeds: pd.DataFrame, dark: bool, swept: Swept = NO_SWEEP) -> go.Figure:
    """The rate-distortion plot: shipped points joined in the order of beta, other seeds beside them.

    Live runs are diamonds, hollow as long as they have trained for fewer epochs than the shipped ones.

    The axes have scales of their own, as the nll spans several times the nats of the KL; lines of equal −ELBO
    are straight all the same. A point far above the others is a triangle at the upper edge, with its nll beside it.

    Args:
        table: of `points`; may be empty. seeds: of dose_seeds.seed_table.
        dark: the theme.
        swept: the sweep that is drawn with them.
    """
    colours = colours_of(dark)
    ink, ground = colours.ink, colours.ground
    figure = go.Figure()
    table = table.assign(short=too_short(table))
    shipped, live = (table[table["kind"] == kind] for kind in (SHIPPED, LIVE))
    right, low, high = _ranges(table)
    _equal_lines(figure, table, (right, low, high), colours.total, ground)
    rate.show_split(figure, table, (right, low, high), colours)
    _scatter(figure, shipped, "shipped", ink, "lines+markers", {"symbol": "circle", "size": 12})
    add_seeds(figure, seeds, ink, high)
    add_swept(figure, swept.bands, ink, high)
    _scatter(
        figure, live[~live["short"]], "live", colours.kl, "markers", {"symbol": "diamond", "size": 16, "line_width": 2}
    )
    hollow = {"symbol": "diamond-open", "size": 16, "line_width": 2}
    _scatter(figure, live[live["short"]], "live, fewer epochs", colours.kl, "markers", hollow)
    _show_beyond(figure, table[table["nll"] > high], right, high, ink, ground)
    _write_betas(figure, table[table["nll"] <= high], right, high - low, ink, ground)
    _lay_out(figure, (right, low, high), colours)
    return figure


def too_short(table: pd.DataFrame) -> pd.Series:
    """Which runs have trained for fewer epochs than the shipped ones: their point is not yet where beta puts it.

    Without shipped points there is nothing to fall short of.
    """
    asked = table[table["kind"] == SHIPPED]["epochs"].min()
    return (table["kind"] != SHIPPED) & (table["epochs"] < asked)


def effect(table: pd.DataFrame) -> str:
    """What beta does, by the shipped points, with words for pages.ui.glossary; empty without any."""
    shipped = table[table["kind"] == SHIPPED]
    if shipped.empty:
        return ""
    first, last = shipped.iloc[0], shipped.iloc[-1]
    return (
        f"**A larger beta makes each nat of [[rate|KL]] dearer:** from beta {first['beta']:g} to {last['beta']:g} it "
        f"falls from {first['kl']:.1f} to {last['kl']:.1f}, and the [[distortion|reconstruction]] rises from "
        f"{first['nll']:.1f} to {last['nll']:.1f}. Look for the lowest sum of both: the thick green line."
    )


def _row(news: News) -> dict[str, Any] | None:
    config = news.config
    fits = (
        "kl" in family(config.model).TERMS
        and not is_bug(config.model)
        and config.likelihood == "bernoulli"
        and config.protocol in ("grey", "dynamic")  # of the same expected value
    )
    if not fits or (measured := _measured(news)) is None or news.settings.alpha == 0:
        return None
    run = registry.shared().get(news.run_id)
    return {
        "beta": float(news.settings.beta),
        **measured,
        "neg_elbo": measured["nll"] + measured["kl"],
        "run_id": news.run_id,
        "kind": SHIPPED if run is not None and run.visitor == SHIPPED else LIVE,
        "epochs": round(news.step / news.steps_per_epoch, 1),
        **rate.split_of(news),
    }


def _measured(news: News) -> dict[str, float] | None:
    """nll and kl of the card, else of the last test row; None before the first."""
    if news.final is not None:
        found = {"nll": news.final["nll"], "kl": news.final["kl"]}
    elif len(news.test):
        found = {name: float(news.test[-1][news.columns["test"].index(name)]) for name in ("nll", "kl")}
    else:
        return None
    sane = all(value is not None and math.isfinite(value) for value in found.values())
    return found if sane and news.steps_per_epoch else None


def _ranges(table: pd.DataFrame) -> tuple[float, float, float]:
    """Right end of the KL axis, and both ends of the nll axis; room for what is written at points and lines."""
    if table.empty:
        return 20.0, 120.0, 220.0
    shipped = table[table["kind"] == SHIPPED]
    judged = table if shipped.empty else shipped  # a live point can lie above the picture, the best shipped one never
    base = float(judged["nll"].min())
    room = min(max(float(judged["nll"].max()) - base, 10.0), _TALL)
    return max(float(table["kl"].max()), 1.0) * 1.25, float(table["nll"].min()) - 0.15 * room, base + 1.1 * room


def _equal_lines(
    figure: go.Figure, table: pd.DataFrame, ranges: tuple[float, float, float], colour: str, ground: str
) -> None:
    """Lines nll + KL = const at round numbers, and a heavier one through the best shipped point."""
    right, low, high = ranges
    shipped = table[table["kind"] == SHIPPED]
    best = low if shipped.empty else float(shipped["neg_elbo"].min())
    first = True
    for value in _levels(ranges, None if shipped.empty else best):
        heavy = value == best
        start, end = max(0.0, value - high), min(right, value - low)  # where it enters and leaves the picture
        figure.add_scatter(
            x=[start, end],
            y=[value - start, value - end],
            mode="lines",
            hoverinfo="skip",
            showlegend=heavy or first,  # one entry stands for all dotted ones
            name=f"lowest −ELBO, {value:.1f} nats" if heavy else "equal −ELBO",
            line={"color": colour, "width": 3 if heavy else 1, "dash": "solid" if heavy else "dot"},
        )
        first = first and heavy
        if not heavy:  # like the heights of a map; the number stands where points hardly are
            at = end if value > best else start
            figure.add_annotation(
                x=at,
                y=value - at,
                text=f"{value:g}",
                showarrow=False,
                xanchor="right" if value > best else "left",
                bgcolor=ground,
                borderpad=1,
                font={"size": _LABEL, "color": colour},
            )


def _levels(ranges: tuple[float, float, float], best: float | None) -> list[float]:
    """Round values of −ELBO whose lines are long enough to be seen, without those beside the best; then the best."""
    right, low, high = ranges
    step = 5 * max(1, math.ceil((high - low) / 40))
    found = [float(value) for value in range(math.ceil(low / step) * step, int(high + right), step)]
    long = [value for value in found if min(right, value - low) - max(0.0, value - high) >= 0.12 * right]
    return long if best is None else [value for value in long if abs(value - best) > step / 3] + [best]


def _scatter(figure: go.Figure, rows: pd.DataFrame, name: str, colour: str, mode: str, marker: dict[str, Any]) -> None:
    if rows.empty:
        return
    figure.add_scatter(
        x=rows["kl"],
        y=rows["nll"],
        name=name,
        mode=mode,
        marker={"color": colour, **marker},
        line={"color": colour, "width": 2},
        customdata=[
            [*(row[name] for name in ("run_id", "beta", "epochs", "kl", "nll", "neg_elbo")), rate.split_words(row)]
            for row in rows.to_dict("records")
        ],
        hovertemplate=_HOVER,
    )


def _show_beyond(figure: go.Figure, rows: pd.DataFrame, right: float, high: float, ink: str, ground: str) -> None:
    """Points above the picture: where their line leaves it, to be chosen like the others."""
    _scatter(figure, rows, "above", ink, "markers", {"symbol": "triangle-up", "size": 16})
    figure.update_traces(y=[high] * len(rows), cliponaxis=False, showlegend=False, selector={"name": "above"})
    for line, group in enumerate(_together(rows, right, _TALL)):
        betas = ", ".join(f"{row['beta']:g}" for row in group)
        figure.add_annotation(
            x=group[0]["kl"],
            y=high,
            text=f"beta {betas}: nll {group[0]['nll']:.0f}, above",
            showarrow=False,
            xanchor="left",
            yanchor="top",
            xshift=13,
            yshift=-20 * line,
            bgcolor=ground,
            font={"size": _LABEL, "color": ink},
        )


def _write_betas(figure: go.Figure, table: pd.DataFrame, width: float, height: float, ink: str, ground: str) -> None:
    """Each beta above its point, clear of lines and of other seeds; betas whose points lie together share one label."""
    for group in _together(table, width, height):
        text = "beta " + ", ".join(f"{row['beta']:g}" for row in group)
        figure.add_annotation(
            x=group[0]["kl"],
            y=group[0]["nll"],
            text=text,
            showarrow=False,
            xanchor="left",
            yanchor="bottom",
            xshift=4,
            yshift=14,
            bgcolor=ground,
            borderpad=0,
            font={"size": _LABEL, "color": ink},
        )


def _together(table: pd.DataFrame, width: float, height: float) -> list[list[dict[str, Any]]]:
    groups: list[list[dict[str, Any]]] = []
    for row in table.to_dict("records"):
        near = [
            group
            for group in groups
            if abs(group[0]["kl"] - row["kl"]) < _NEAR * width and abs(group[0]["nll"] - row["nll"]) < _NEAR * height
        ]
        if not near:
            groups.append([row])
        elif row["beta"] not in [known["beta"] for known in near[0]]:
            near[0].append(row)
    return groups


def _lay_out(figure: go.Figure, ranges: tuple[float, float, float], colours: Colours) -> None:
    right, low, high = ranges
    ink = colours.ink
    tick = {"size": 15, "color": ink}
    figure.update_layout(
        dragmode=False,  # a finger scrolls
        height=450,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        font={"size": _LABEL, "color": ink},
        legend={"orientation": "h", "y": 1.0, "x": 1.0, "xanchor": "right", "yanchor": "bottom", "font": tick},
    )
    figure.update_xaxes(
        title={"text": "code: KL (nats per image)", "font": {"size": _AXIS, "color": colours.kl}},
        range=[-0.03 * right, right],
        tickfont=tick,
        zeroline=False,
    )
    figure.update_yaxes(
        title={
            "text": "copy: reconstruction (nats per image)",
            "font": {"size": _AXIS, "color": colours.reconstruction},
        },
        range=[low, high],
        tickfont=tick,
        zeroline=False,
    )
