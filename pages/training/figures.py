"""Figures of the training page that stand still: to hover over, zoom into and save."""

import pandas as pd
import plotly.graph_objects as go

from pages.ui.terms import colour_of_term, label_of_term
from vae_core.models import family
from vae_core.runs import registry
from vae_core.runs.news import Cursor
from vae_core.runs.run_record import RunRecord


def history_table(run: RunRecord) -> pd.DataFrame:
    """The run's curves as a table: one row a training step or a test evaluation, nats per image."""
    news = registry.shared().read(run.run_id, Cursor())
    assert news is not None
    train = pd.DataFrame(news.train, columns=list(news.columns["train"])).assign(split="train")
    test = pd.DataFrame(news.test, columns=list(news.columns["test"])).assign(split="test")
    table = pd.concat([train, test], ignore_index=True).sort_values(["step", "split"], ignore_index=True)
    table["step"] = table["step"].astype(int)
    kind = family(run.config.model)
    terms = list(kind.TERMS)
    if kind.has.bound:
        table["neg_elbo"] = table[terms].sum(axis=1)
    names = dict.fromkeys(("split", "step", "neg_elbo", *terms, "loss", *news.columns["test"]))
    return table[[name for name in names if name in table]]


def history_told(run: RunRecord) -> str:
    """The figure in a sentence: where its terms stand at the last test."""
    test, kind = history_table(run).query("split == 'test'"), family(run.config.model)
    if test.empty:
        return "Curves of the run: no test yet."
    last, drawn = test.iloc[-1], ["neg_elbo"] * kind.has.bound + list(kind.TERMS)
    terms = ", ".join(f"{label_of_term(term)} {last[term]:.1f}" for term in drawn)
    return f"Curves of the run. On test images at step {last['step']:,}: {terms}."


def history_figure(run: RunRecord, dark: bool) -> go.Figure:
    """−ELBO, where there is a bound, and the terms: test figures as lines, training batches faint behind them."""
    table, kind = history_table(run), family(run.config.model)
    figure, terms = go.Figure(), list(kind.TERMS)
    drawn = ["neg_elbo", *terms] if kind.has.bound else terms
    for column in drawn:
        name, colour = label_of_term(column), colour_of_term(column, terms, dark)
        for split, style in (("train", {"width": 1}), ("test", {"width": 3})):
            rows = table[table["split"] == split]
            figure.add_scatter(
                x=rows["step"],
                y=rows[column],
                name=f"{split} {name}",
                mode="lines",
                line={"color": colour, **style},
                opacity=0.4 if split == "train" else 1,
            )
    later = table["step"] > min(20, table["step"].max() // 2)
    unit = "; ".join(dict.fromkeys(["nats per image", *kind.UNITS.values()]))
    figure.update_layout(
        xaxis_title="step",
        yaxis_title=f"{unit} (down is good)",
        yaxis_range=[min(0, table[drawn].min().min()), 1.05 * table.loc[later, drawn].max().max()],
        height=420,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": 1.08},
        font={"size": 15},
    )
    return figure
