"""Cures of a collapse: what warm-up and free bits save, from starts that lose their latents; a bench's figures."""

from typing import Any

import pandas as pd
import streamlit as st

from pages.ablation.settings import link
from pages.ui.shipped import CHECKPOINTS
from vae_core.checkpoints import CheckpointError, read_card

FILE = CHECKPOINTS / "bench" / "cures.json"
TITLE = "Cures of a collapse"


def cures() -> None:
    """The expander; read once it is open."""
    with st.expander(TITLE, icon=":material/healing:", key=link.key("cures"), on_change="rerun") as box:
        if not box.open:
            return
        try:
            record = read_card(FILE)
            tables = {start: table(record, start) for start in record["starts"]}
            told = about(record)
        except (CheckpointError, KeyError, TypeError) as error:
            why = str(error) if isinstance(error, CheckpointError) else f"{FILE.name} is not whole."
            st.error(f"{why} Restore the folder checkpoints/bench.", icon=":material/error:")
            return
        for (start, found), place in zip(tables.items(), st.columns(len(tables)), strict=True):
            place.markdown(f"**{start}**{' :small[' + says + ']' if (says := unsaid(record['starts'], start)) else ''}")
            place.table(found)
        st.caption(told)


def table(record: dict[str, Any], start: str) -> pd.DataFrame:
    """A row for each cure of a start: the true −ELBO and what z says, in nats per image, whatever was minimised."""
    found = {cure: record["figures"][f"{start}: {cure}"] for cure in record["cures"]}
    dims = record["common"]["latent_dim"]
    return pd.DataFrame(
        {
            "−ELBO": {cure: f"{row['neg_elbo']:.1f}" for cure, row in found.items()},
            "active units": {cure: f"{row['active']} of {dims}" for cure, row in found.items()},
            "I(n; z)": {cure: f"{row['information']:.2f}" for cure, row in found.items()},
        }
    )


def settings(values: dict[str, Any]) -> str:
    """ "widths 64-64-64-64, learning rate 0.005"."""
    texts = {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in values.items()}
    return ", ".join(f"{name.replace('_', ' ')} {text}" for name, text in texts.items())


def unsaid(named: dict[str, dict[str, Any]], name: str) -> str:
    """The settings of a start or a cure; "" where its name says them."""
    says = settings(named[name])
    return "" if says == name else says


def about(record: dict[str, Any]) -> str:
    """What the cures are, and where the figures come from."""
    named = "; ".join(f"{cure}: {says}" for cure in record["cures"] if (says := unsaid(record["cures"], cure)))
    return (
        f"Nats per image, true −ELBO and information whatever was minimised. {named}. All: "
        f"{settings(record['common'])}; first {record['images']:,} test images, grey MNIST, K = 1. "
        f"Made by `{record['command']}`"
    )
