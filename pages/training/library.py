"""The visitor's runs: which one is shown, which are drawn beside it, and in what they differ."""

import math

import pandas as pd
import streamlit as st

from pages.training import actions
from pages.training.names import label, label_among, name
from pages.training.settings import COMPARABLE, link
from pages.ui import visitor
from pages.ui.shipped import shipped_run
from pages.ui.words import label_of
from vae_core.config import term_name
from vae_core.models import family
from vae_core.models.base import Family
from vae_core.runs import registry
from vae_core.runs.messages import RUNNING
from vae_core.runs.run_record import RunRecord


def everyone() -> list[RunRecord]:
    """The visitor's runs, newest first, then the one that ships, and what else a link compares."""
    ids = [run.run_id for run in registry.shared().of(visitor.current())]
    found = (registry.shared().get(i) for i in dict.fromkeys([*ids, shipped_run(), *link.get("compare")]))
    return [run for run in found if run is not None]


def compared(shown: RunRecord) -> list[tuple[str, str]]:
    """Ids and labels of the runs to draw beside the shown one."""
    own = registry.shared().of(visitor.current())
    by_id = {run.run_id: run for run in everyone()}
    chosen = [by_id[i] for i in link.get("compare") if i in by_id and i != shown.run_id]
    return [(run.run_id, label(run, shown, own)) for run in chosen[:COMPARABLE]]


def library(shown: RunRecord) -> None:
    """Choose what is shown and compared; a table of the settings that differ.

    The widgets are new ones for every run shown, and whenever a name changes: the browser reports a choice by its name.
    A browser that still reports the widgets of a moment ago makes Streamlit call their callbacks once more; what Start
    or Branch has just put on the page must outlast that, so a choice counts for the run beside which it was made.
    """
    runs = everyone()
    if len(runs) < 2:
        return
    own = registry.shared().of(visitor.current())
    names = {run.run_id: label_among(run, runs, own) for run in runs}
    version = f"{shown.run_id} {' | '.join(names.values())}"
    left, right = st.columns([1, 2])
    key = f"show {version}"
    left.selectbox(
        "Run on the page",
        list(names),
        format_func=label_of(names),
        key=key,
        on_change=_show,
        args=(key, shown.run_id),
        index=list(names).index(shown.run_id) if shown.run_id in names else None,
        placeholder="somebody else's run",
        help="The last six of your runs are kept.",
    )
    others = [run.run_id for run in runs if run.run_id != shown.run_id]
    key = f"compare {version}"
    right.multiselect(
        "Compare with",
        others,
        default=[i for i in link.get("compare") if i in others],
        format_func=label_of(names),
        key=key,
        on_change=_compare,
        args=(key, shown.run_id),
        max_selections=COMPARABLE,
        help="Their test curves are drawn dashed in the same charts, their maps on the same axes.",
    )
    chosen = [run for run in runs if run.run_id in link.get("compare") and run is not shown]
    if chosen:
        st.table(differing([shown, *chosen], own))


def differing(runs: list[RunRecord], own: list[RunRecord]) -> pd.DataFrame:
    """A column a run: the settings in which they differ, changes on the way, and where each stands."""
    columns = {}
    for run in runs:
        column = {k.replace("_", " "): str(v) for k, v in run.config.to_dict().items()}
        column["changed on the way"] = "; ".join(mark.text for mark in run.marks) or "–"
        column["status"] = run.status if run.status == RUNNING else f"{run.status} at step {run.step:,}"
        last = run.test.since(-1)[-1:]
        if len(last) and run.status != RUNNING:  # a table stands still: no figures that are old when they are read
            column |= figures_of(
                dict(zip(run.columns["test"], last[0].tolist(), strict=True)), family(run.config.model)
            )
        columns[name(run, own)] = column
    table = pd.DataFrame(columns).fillna("–")
    return table[table.nunique(axis=1) > 1]


def figures_of(row: dict[str, float], kind: type[Family]) -> dict[str, str]:
    """The last test row of a run, as it stands in the table."""
    found = {"−ELBO, test (nats)": f"{sum(row[term] for term in kind.TERMS):.1f}"} if kind.has.bound else {}
    for term in kind.TERMS:
        label = f"{term_name(term)} ({kind.UNITS.get(term, 'nats')})"
        found[label] = f"{row[term]:.{1 if term == 'nll' else 2}f}"
    sigma = row.get("sigma", math.nan)  # no number in a run from before it was recorded
    found |= {} if math.isnan(sigma) else {"error, sigma": f"{row['rmse']:.3f}, {sigma:.3f}"}
    found |= {"mean posterior std": f"{row['mean_std']:.3f}"} if "mean_std" in row else {}
    found |= {"perplexity of the codes": f"{row['perplexity']:.1f}"} if "perplexity" in row else {}
    return found | ({"active units": f"{row['active']:.0f}"} if "active" in row else {})


def _show(key: str, beside: str) -> None:
    chosen = st.session_state[key]
    if chosen and chosen != beside == actions.shown_run().run_id:
        actions.show(chosen)
        actions.follow(actions.shown_run())


def _compare(key: str, beside: str) -> None:
    if beside == actions.shown_run().run_id:
        st.session_state[link.key("compare")] = st.session_state[key]
