"""Figures of the training page that stand still: to hover over, zoom into and save."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from pages.ui.palette import colours_of
from vae_core.row_buffer import ROW
from vae_core.runs import registry
from vae_core.runs.news import Cursor
from vae_core.runs.run_record import TEST_ROW, RunRecord

_NAMES = {"neg_elbo": ("total", "−ELBO"), "nll": ("reconstruction", "reconstruction"), "kl": ("kl", "KL")}


def history_table(run: RunRecord) -> pd.DataFrame:
    """The run's curves as a table: one row a training step or a test evaluation, nats per image."""
    news = registry.shared().read(run.run_id, Cursor())
    assert news is not None
    train = pd.DataFrame(news.train, columns=list(ROW)).assign(split="train")
    test = pd.DataFrame(news.test, columns=list(TEST_ROW)).assign(split="test")
    table = pd.concat([train, test], ignore_index=True).sort_values(["step", "split"], ignore_index=True)
    table["step"] = table["step"].astype(int)
    table["neg_elbo"] = table["nll"] + table["kl"]
    return table[["split", "step", "neg_elbo", "nll", "kl", "loss", "mean_std", "active"]]


def history_figure(table: pd.DataFrame, dark: bool) -> go.Figure:
    """Test figures as lines with markers, training batches faint behind them."""
    colours = colours_of(dark).terms
    figure = go.Figure()
    for column, (term, name) in _NAMES.items():
        for split, style in (("train", {"width": 1}), ("test", {"width": 3})):
            rows = table[table["split"] == split]
            figure.add_scatter(
                x=rows["step"],
                y=rows[column],
                name=f"{split} {name}",
                mode="lines",
                line={"color": colours[term], **style},
                opacity=0.4 if split == "train" else 1,
            )
    top = table.loc[table["step"] > min(20, table["step"].max() // 2), "neg_elbo"].max()
    bottom = min(0, table[["nll", "neg_elbo"]].min().min())
    figure.update_layout(
        xaxis_title="step",
        yaxis_title="nats per image (down is good)",
        yaxis_range=[bottom, 1.05 * top],
        height=420,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": 1.08},
        font={"size": 15},
    )
    return figure
