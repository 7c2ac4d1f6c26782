"""What a visitor takes home from a run: report, checkpoint, script, curves, figures."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from pages.training import figures
from pages.ui.palette import is_dark
from vae_core import models
from vae_core.checkpoints import WEIGHTS
from vae_core.config import RunConfig
from vae_core.export.bundle import NOTEBOOK, bundle, title
from vae_core.export.report import html_report
from vae_core.export.run_notebook import run_notebook
from vae_core.export.run_report import RunReport
from vae_core.export.script import has_script, repeat_script
from vae_core.inspect.snapshot import Snapshot
from vae_core.runs.news import Cursor, news_of
from vae_core.runs.run_record import SHIPPED, RunRecord
from vae_core.runs.snapshot_file import FrameError, read_snapshot
from vae_core.runs.storage import frame_file, state_file


def take_home(run: RunRecord) -> None:
    """Downloads, made when they are asked for, and the curves as a figure that stands still."""
    if not run.step:
        return
    with st.expander("Take it home", icon=":material/download:", key="take_home", on_change="rerun") as box:
        if not box.open:  # nothing is drawn for those who only watch
            return
        row = st.container(horizontal=True)
        repeated = (
            ("Script that repeats it", lambda: repeat_script(story_of(run)), "repeat.py", "text/x-python"),
            (
                "Notebook",
                lambda: run_notebook(story := story_of(run), title(story)),
                NOTEBOOK,
                "application/x-ipynb+json",
            ),
        )
        for name, make, file, kind in (
            ("Report (HTML)", lambda: html_report(story := story_of(run), title(story)), "report.html", "text/html"),
            ("Everything (zip)", lambda: everything(run), "run.zip", "application/zip"),
            *(repeated if has_script(run.config) else ()),
            ("History (CSV)", lambda: figures.history_table(run).to_csv(index=False), "history.csv", "text/csv"),
        ):
            row.download_button(name, make, file, kind, on_click="ignore", icon=":material/download:")
        st.caption(
            "The zip holds the report, the history, a checkpoint for vae_core.checkpoints.load, a model card, "
            "TensorBoard events"
            + (
                " and a script that repeats the run with PyTorch and NumPy alone, also as a notebook "
                "(which needs plotly, too)."
                if has_script(run.config)
                else "."
            )
        )
        if said := left_out(run):
            st.warning(said, icon=":material/error:")
        curves(run)


def curves(run: RunRecord) -> None:
    """The history to hover over and zoom into; the camera saves it."""
    kind = st.segmented_control("The camera of the figure saves", ["svg", "png"], default="svg", required=True)
    config = {"toImageButtonOptions": {"format": kind, "filename": "curves", "scale": 2}, "displaylogo": False}
    st.plotly_chart(figures.history_figure(run, is_dark()), key="history", config=config, alt=figures.history_told(run))


def story_of(run: RunRecord) -> RunReport:
    """The run as it stands, with its last snapshot (from the film, where none is in memory)."""
    news = news_of(run, Cursor())
    snapshot = news.snapshot or last_frame(run)
    return RunReport(news.config, news.train, news.test, news.marks, snapshot, news.final, news.device, news.status)


def last_frame(run: RunRecord) -> Snapshot | None:
    """The newest frame of a run's film that can be read."""
    for step in reversed(run.film):
        with contextlib.suppress(FrameError, OSError):
            return read_snapshot(frame_file(run.film_folder, step))
    return None


@dataclass(frozen=True)
class Kept:
    """Weights on disk, and the step after which they were kept."""

    step: int
    tensors: dict[str, Tensor]


def weights_of(run: RunRecord) -> Kept | None:
    """The newest kept weights that can be read; None before the first save, or where none can."""
    if run.visitor == SHIPPED:
        found = _tensors_in(run.folder / WEIGHTS, "", run.config)  # arms and doses ship without their whole model
        return None if found is None else Kept(run.step, found)
    for step in reversed(run.states):
        if (found := _tensors_in(state_file(run.states_folder, step), "model.", run.config)) is not None:
            return Kept(step, found)
    return None


def _tensors_in(path: Path, prefix: str, config: RunConfig) -> dict[str, Tensor] | None:
    """The tensors of a model of these settings; None where the file is not there, is damaged or holds another one."""
    try:
        tensors = {k.removeprefix(prefix): v for k, v in load_file(path).items() if k.startswith(prefix)}
        models.build(config).load_state_dict(tensors)
        return tensors
    except (OSError, SafetensorError, ValueError, RuntimeError):
        return None


def left_out(run: RunRecord) -> str:
    """What is to be said of weights that cannot be taken home; else empty."""
    newest = run.states[-1] if run.states else None
    if newest is None or run.visitor == SHIPPED or ((kept := weights_of(run)) and kept.step == newest):
        return ""
    if kept is None:
        return "None of its saved weights can be read: the zip comes without them. Press Reset to begin anew."
    return f"The weights of step {newest:,} cannot be read: the zip holds those of step {kept.step:,}."


def everything(run: RunRecord) -> bytes:
    """The zip: with the newest weights that can be read, if there are any."""
    kept = weights_of(run)
    return bundle(story_of(run)) if kept is None else bundle(story_of(run), kept.tensors, kept.step)
