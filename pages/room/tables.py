"""The tables of the engine room, with their units."""

import time
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from vae_core.runs import registry
from vae_core.runs.log import Sentence
from vae_core.runs.messages import RUNNING
from vae_core.runs.room import EngineStatus, RoomStatus, RunStatus, pin, stop

MOST_RUNS = 60  # with buttons; of more there are only the numbers
MOST_SENTENCES = 8  # in sight at once
NOTHING = "–"
COLUMNS = {"whose": 1.1, "run": 2.4, "status": 1, "step": 1.5, "images/s": 0.9, "in line": 0.7, "": 2.1}


def figures(status: RoomStatus, followers: int) -> None:
    """Who is there and what they use, in one row."""
    trains = sum(run.status == RUNNING and run.place is None for run in status.runs)
    waits = sum(run.place is not None for run in status.runs)
    engines = [engine.memory_bytes for engine in status.engines if engine.memory_bytes is not None]
    budget = f" of {in_bytes(status.disk_budget_bytes)}" if status.disk_budget_bytes else ""
    shown = {
        "Visitors (windows)": f"{status.visitors} ({status.windows})",
        "Followers": f"{followers}",
        "Train · wait in line": f"{trains} · {waits}",
        "Memory: server": in_bytes(status.memory_bytes),
        "Memory: engines": in_bytes(sum(engines) if engines else None),
        f"Disk{budget} ({in_bytes(status.disk_free_bytes)} free)": in_bytes(status.disk_bytes),
    }
    for column, (label, value) in zip(st.columns(len(shown)), shown.items(), strict=True):
        column.metric(label, value)


def runs_table(status: RoomStatus) -> None:
    """A row a run, with its buttons. It keeps its place, so that nobody stops another one than was meant."""
    st.header("Runs", anchor=False)
    if status.runs:
        for cell, name in zip(st.columns(list(COLUMNS.values())), COLUMNS, strict=True):
            cell.caption(name)
    runs = status.runs if len(status.runs) <= MOST_RUNS else [run for run in status.runs if run.active]
    for run in runs[:MOST_RUNS]:
        _run_row(run)
    if more := len(status.runs) - len(runs[:MOST_RUNS]) + status.others:
        st.caption(f"{more} more, most of them earlier ones of the same visitors.")


def _run_row(run: RunStatus) -> None:
    *cells, buttons = st.columns(list(COLUMNS.values()), vertical_alignment="center")
    speed, place = f"{run.images_per_s:,.0f}" if run.images_per_s else NOTHING, str(run.place or NOTHING)
    status = "waiting" if run.place else run.status
    step = f"{run.step:,} of {run.total_steps:,}" if run.total_steps else NOTHING
    for cell, text in zip(cells, (run.whose, run.what, status, step, speed, place), strict=True):
        cell.text(text)  # no Markdown: the names of arms are not ours
    row = buttons.container(horizontal=True, gap="xsmall")
    row.button(
        "Unpin" if run.pinned else "Pin",
        on_click=_pin,
        args=(run.run_id, not run.pinned),
        key=f"pin {run.run_id}",
        icon=":material/keep_off:" if run.pinned else ":material/keep:",
        type="tertiary",
        disabled=not run.active,
        help="A pinned run keeps its place at the device, whoever waits.",
    )
    row.button(
        "Stop",
        on_click=_stop,
        args=(run.run_id,),
        key=f"stop {run.run_id}",
        icon=":material/stop:",
        type="tertiary",
        disabled=not run.active,
        help="It ends here, and its visitor reads who has stopped it.",
    )


def engines_table(engines: Sequence[EngineStatus]) -> None:
    """A row a device."""
    st.header("Engines", anchor=False)
    if engines:
        table = pd.DataFrame([engine_row(engine) for engine in engines]).fillna(NOTHING).set_index("device")
        st.table(table, border="horizontal")
    else:
        st.caption("No engine has been started.")


def engine_row(engine: EngineStatus) -> dict[str, str]:
    """What an engine does, as it stands in the table; of one that says nothing of its line there are fewer columns."""
    said = {}
    if line := engine.line:
        said = {
            "train (seats)": f"{line.training} ({line.seats})",
            "wait in line": f"{len(line.waiting)}",
            "steps/s": f"{line.steps_per_s:,.0f}",
            "time for pictures and saves": f"{line.upkeep_share:.0%}",
        }
    return {
        "device": engine.device,
        **said,
        "memory": in_bytes(engine.memory_bytes),
        "runs open": f"{engine.runs}",
        "started again": "once" if engine.restarts == 1 else f"{engine.restarts} times",
    }


def log_table(sentences: Sequence[Sentence]) -> None:
    """What the server said last, the newest first."""
    st.header("What the server said", anchor=False)
    if not sentences:
        st.caption("Nothing so far: all is well.")
        return
    rows = [(time.strftime("%H:%M:%S", time.localtime(s.at)), s.level.lower(), s.text) for s in reversed(sentences)]
    st.dataframe(  # a table of Markdown would make links of what stands in them
        pd.DataFrame(rows, columns=["time", "level", "sentence"]),
        hide_index=True,
        height=36 * (min(len(rows), MOST_SENTENCES) + 1),
        column_config={"time": st.column_config.TextColumn(width=90), "level": st.column_config.TextColumn(width=90)},
    )


def in_bytes(number: int | None) -> str:
    """ "412 MB", "1.2 GB"; a dash for what is not known."""
    if number is None:
        return NOTHING
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"


def _pin(run_id: str, pinned: bool) -> None:
    """Callback. Who has this page is the lecturer: nobody else gets its buttons."""
    pin(registry.shared(), run_id, pinned)


def _stop(run_id: str) -> None:
    """Callback."""
    stop(registry.shared(), run_id)
