"""What a visitor takes home from a run: report, checkpoint, script, curves, figures."""

import pandas as pd
import streamlit as st
from safetensors.torch import load_file
from torch import Tensor

from pages.training import figures
from pages.ui.palette import is_dark
from vae_core.checkpoints import WEIGHTS
from vae_core.export.bundle import bundle, title
from vae_core.export.report import html_report
from vae_core.export.run_report import RunReport
from vae_core.export.script import repeat_script
from vae_core.models import family
from vae_core.runs.news import Cursor, news_of
from vae_core.runs.run_record import SHIPPED, RunRecord
from vae_core.runs.snapshot_file import read_snapshot
from vae_core.runs.storage import frame_file, state_file


def take_home(run: RunRecord) -> None:
    """Downloads, made when they are asked for, and the curves as a figure that stands still."""
    if not run.step:
        return
    if not family(run.config.model).is_elbo():
        st.caption("This model has no ELBO to report: take home its curves, or a run of a VAE.")
        st.download_button("History (CSV)", lambda: figures.history_table(run).to_csv(index=False), "history.csv")
        return
    with st.expander("Take it home", icon=":material/download:", key="take_home", on_change="rerun") as box:
        if not box.open:  # nothing is drawn for those who only watch
            return
        row = st.container(horizontal=True)
        for name, make, file, kind in (
            ("Report (HTML)", lambda: html_report(story := story_of(run), title(story)), "report.html", "text/html"),
            ("Everything (zip)", lambda: bundle(story_of(run), tensors_of(run)), "run.zip", "application/zip"),
            ("Script that repeats it", lambda: repeat_script(story_of(run)), "repeat.py", "text/x-python"),
            ("History (CSV)", lambda: figures.history_table(run).to_csv(index=False), "history.csv", "text/csv"),
        ):
            row.download_button(name, make, file, kind, on_click="ignore", icon=":material/download:")
        st.caption(
            "The zip holds the report, the history, a checkpoint for vae_core.checkpoints.load, TensorBoard events and "
            "a script that repeats the run with PyTorch and NumPy alone."
        )
        curves(figures.history_table(run))


def curves(table: pd.DataFrame) -> None:
    """The history to hover over and zoom into; the camera saves it."""
    kind = st.segmented_control("The camera of the figure saves", ["svg", "png"], default="svg", required=True)
    config = {"toImageButtonOptions": {"format": kind, "filename": "curves", "scale": 2}, "displaylogo": False}
    st.plotly_chart(figures.history_figure(table, is_dark()), key="history", config=config)


def story_of(run: RunRecord) -> RunReport:
    """The run as it stands, with its last snapshot (from the film, where none is in memory)."""
    news = news_of(run, Cursor())
    snapshot = news.snapshot
    if snapshot is None and news.film:
        snapshot = read_snapshot(frame_file(run.film_folder, news.film[-1]))
    return RunReport(news.config, news.train, news.test, news.marks, snapshot, news.final, news.device, news.status)


def tensors_of(run: RunRecord) -> dict[str, Tensor] | None:
    """The weights last saved, or None before the first save."""
    if run.visitor == SHIPPED:
        path = run.folder / WEIGHTS  # arms and doses ship without their whole model
        return load_file(path) if path.is_file() else None
    if not run.states:
        return None
    state = load_file(state_file(run.states_folder, run.states[-1]))
    return {k.removeprefix("model."): v for k, v in state.items() if k.startswith("model.")}
