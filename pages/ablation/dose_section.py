"""Dose: how much KL is good? A row of betas as rate and distortion; a point opens its run."""

import pandas as pd
import streamlit as st

from pages.ablation import actions, stage
from pages.ablation.actions import DOSE_GROUP
from pages.ablation.cures import cures
from pages.ablation.dose import dose_figure, effect, points
from pages.ablation.dose_seeds import lowest, seed_table
from pages.ablation.settings import link
from pages.ablation.sizes import sizes
from pages.ablation.swept import read_swept
from pages.ui import glossary, visitor
from pages.ui.palette import is_dark
from pages.ui.shipped import dose_seeds, shipped_dose
from pages.ui.words import label_of
from vae_core.config import RunConfig
from vae_core.runs import environment, registry
from vae_core.runs.run_record import SHIPPED, RunRecord

MOST = 3  # runs side by side


def dose_section() -> int | None:
    told, row = st.container(), st.container(horizontal=True, vertical_alignment="bottom", key="controls dose")
    row.number_input("beta", step=0.5, **link.number("dose_beta"), help="A point of your own.", width=150)
    row.number_input("Epochs", **link.number("dose_epochs"), width=150, help="The shipped points took 10.")
    stage.buttons(DOSE_GROUP, train, label="Train this beta", row=row)
    table = points([*shipped_dose(), *(run.run_id for run in own_points())])
    seeds, swept = seed_table(dose_seeds()), read_swept(environment.sweep_folder())
    with told:
        glossary.markdown(effect(table))
    st.plotly_chart(
        dose_figure(table, seeds, is_dark(), swept),
        key="dose figure",
        on_select=_open_pressed,
        selection_mode="points",
        width="stretch",
        config={"displayModeBar": False},
        alt=f"Rate (KL) against distortion (nll) of {len(table)} betas. {lowest(table, seeds)} {swept.said}".strip(),
    )
    st.caption(f"{lowest(table, seeds)} Points open runs. {swept.said}".strip())
    _choose_runs(table)
    sizes()
    cures()
    runs = opened()
    return stage.side_by_side(DOSE_GROUP, runs) if runs else None


def own_points() -> list[RunRecord]:
    """The visitor's runs that belong in the plot: VAEs with two latents and the reconstruction on all the way."""
    own = [run for group in registry.shared().groups_of(visitor.current()) for run in registry.shared().members(group)]
    return [
        run
        for run in own
        if run.config.model == "vae"
        and run.config.latent_dim == 2
        and run.config.alpha == 1
        and run.config.beta > 0
        and not run.marks
    ]


def _open_pressed() -> None:
    """Callback: the runs of the points that were pressed; those of other seeds are no runs."""
    pressed = st.session_state["dose figure"]["selection"]["points"]
    names = [point["customdata"][0] for point in pressed if point.get("customdata")]
    if chosen := [name for name in names if isinstance(name, str)][:MOST]:
        st.session_state[link.key("points")] = chosen


def _choose_runs(table: pd.DataFrame) -> None:
    """What a press on a point does, for who presses keys."""
    names = {run.run_id: f"beta {run.config.beta:g}" for run in _chosen()}
    names |= {
        run_id: f"beta {beta:g}" if kind == SHIPPED else f"beta {beta:g}, yours"
        for run_id, beta, kind in zip(table.run_id, table.beta, table.kind, strict=True)
    }
    st.session_state[link.key("points")] = [run.run_id for run in _chosen()][:MOST]
    st.multiselect("Runs", list(names), format_func=label_of(names), max_selections=MOST, **link.kept("points"))


def _chosen() -> list[RunRecord]:
    return [run for i in link.get("points") if (run := registry.shared().get(i)) is not None]


def opened() -> list[RunRecord]:
    """The run in training, and those that were chosen: at most three."""
    return list(dict.fromkeys([*actions.members(DOSE_GROUP), *_chosen()]))[:MOST]


def train() -> None:
    """Callback: one more point."""
    beta = link.get("dose_beta")
    config = RunConfig(latent_dim=2, epochs=link.get("dose_epochs"), beta=beta)
    actions.start(DOSE_GROUP, [(f"beta {beta:g}", config)])
