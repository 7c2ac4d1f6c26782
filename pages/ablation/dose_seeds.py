"""The shipped points of the dose once more with other seeds: what of the row is beta, and what is luck."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from vae_core.runs.run_record import SHIPPED

NAMES = ["beta", "seed", "nll", "kl", "neg_elbo"]


def seed_table(cards: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row a card, columns NAMES: nats per image on test images, one sample of z each."""
    rows = [
        (card["config"]["beta"], card["seed"], *(card["test"][name] for name in ("nll", "kl", "neg_elbo")))
        for card in cards
    ]
    return pd.DataFrame(rows, columns=NAMES)


def add_seeds(figure: go.Figure, seeds: pd.DataFrame, colour: str, high: float) -> None:
    """Small open circles beside the shipped points; those above the picture would say nothing."""
    rows = seeds[seeds["nll"] <= high]
    if rows.empty:
        return
    figure.add_scatter(
        x=rows["kl"],
        y=rows["nll"],
        name="other seeds",
        mode="markers",
        marker={"color": colour, "symbol": "circle-open", "size": 8},
        customdata=rows[NAMES],
        hovertemplate="beta %{customdata[0]:~g}, seed %{customdata[1]}<br>KL %{customdata[3]:.1f} + nll "
        "%{customdata[2]:.1f}<br>= −ELBO %{customdata[4]:.1f} nats",
    )


def lowest(table: pd.DataFrame, seeds: pd.DataFrame) -> str:
    """Which beta ends lowest, and whether the seeds can tell: one sentence; the betas that have other seeds count.

    Args:
        table: of dose.points. seeds: of `seed_table`.
    """
    shipped = table[table["kind"] == SHIPPED]
    if shipped.empty:
        return ""
    every = pd.concat([shipped[["beta", "neg_elbo"]], seeds[["beta", "neg_elbo"]]]).groupby("beta")["neg_elbo"]
    bands = every.agg(["min", "max", "mean", "count"])
    bands = bands[bands["count"] > 1]
    if bands.empty:
        best = shipped.loc[shipped["neg_elbo"].idxmin()]
        return f"Beta {best['beta']:g} ends lowest: −ELBO {best['neg_elbo']:.1f} (one seed)."
    best = bands.loc[bands["mean"].idxmin()]
    many = f"over {best['count']:.0f} seeds"
    said = f"Beta {best.name:g} ends lowest: −ELBO {best['min']:.1f} to {best['max']:.1f} {many}"
    tied = bands[(bands["min"] <= best["max"]) & (bands.index != best.name)]
    if tied.empty:
        return f"{said}, no other beta overlaps."
    others = " and ".join(
        f"beta {beta:g} ({low:.1f} to {high:.1f})" for beta, low, high in tied[["min", "max"]].itertuples()
    )
    return f"{said}; {others} overlaps." if len(tied) == 1 else f"{said}; {others} overlap."
