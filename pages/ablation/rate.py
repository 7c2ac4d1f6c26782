"""What a rate is made of, in the dose plot: up to a mark I(n; z), from there to the point KL(q(z) ‖ p(z))."""

import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from pages.ablation.outcome import last_metrics
from vae_core.export.colours import Colours
from vae_core.metrics.definitions import Metrics
from vae_core.runs import registry
from vae_core.runs.news import News

COLUMNS = ("information", "information_error", "marginal_kl", "images")
_LABEL = 15  # px


def split_of(news: News) -> dict[str, float | None]:
    """The values of COLUMNS as the last snapshot has measured them; None for what it has not. Nats."""
    run = registry.shared().get(news.run_id)
    if news.snapshot is not None:
        found = None if news.snapshot.metrics is None else Metrics.from_dict(news.snapshot.metrics)
    else:  # a run that was read from disk: its last frame
        found = None if run is None else last_metrics(run)
    return {name: getattr(found, name, None) for name in COLUMNS}


def split_words(row: dict[str, Any]) -> str:
    """A line for the hover of a point; empty without a split."""
    if pd.isna(row["information"]):
        return ""
    return (
        f"<br>KL = I(n; z) {row['information']:.1f} ± {row['information_error']:.2f}"
        f" + KL(q(z) ‖ p(z)) {row['marginal_kl']:.1f}"
    )


def show_split(figure: go.Figure, table: pd.DataFrame, ranges: tuple[float, float, float], colours: Colours) -> None:
    """A mark at I(n; z) of each point in the picture, a thick line from there to the point, and ln N across all.

    Args:
        table: of dose.points. ranges: right end of the KL axis, both ends of the nll axis.
    """
    _, low, high = ranges
    rows = table[table["information"].notna() & (table["nll"] <= high)]
    if rows.empty:
        return
    across = [(x, y) for row in rows.to_dict("records") for x, y in _line(row)]
    figure.add_scatter(
        x=[x for x, _ in across],
        y=[y for _, y in across],
        mode="lines",
        name="KL(q(z) ‖ p(z))",
        hoverinfo="skip",
        line={"color": colours.kl, "width": 5},
    )
    figure.add_scatter(
        x=rows["information"],
        y=rows["nll"],
        mode="markers",
        name="I(n; z)",
        hoverinfo="skip",
        marker={"symbol": "line-ns", "size": 16, "line": {"color": colours.kl, "width": 3}},
    )
    for images in sorted({int(n) for n in rows["images"]}):
        most = math.log(images)
        figure.add_scatter(
            x=[most, most],
            y=[low, high],
            mode="lines",
            showlegend=False,
            hoverinfo="skip",
            name=f"ln {images:,}",
            line={"color": colours.kl, "width": 2, "dash": "dash"},
        )
        figure.add_annotation(
            x=most,
            y=low,
            text=f"ln {images:,} = {most:.1f}",
            showarrow=False,
            xanchor="left",
            yanchor="bottom",
            xshift=3,
            bgcolor=colours.ground,
            font={"size": _LABEL, "color": colours.kl},
        )


def _line(row: dict[str, Any]) -> list[tuple[float | None, float | None]]:
    """From the mark to the point, and a gap before the next."""
    return [(row["information"], row["nll"]), (row["kl"], row["nll"]), (None, None)]
