"""What the death of a server, or of an engine, costs: killed at moments that nobody chose, again and again."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.bench.crash_server import CONFIG, LONG, VISITORS
from tests.bench.measure import descendants, is_alive
from tests.waiting import wait_for
from vae_core.config import RunConfig
from vae_core.runs import storage
from vae_core.runs.messages import PAUSED, RUNNING, STARTING
from vae_core.runs.news import Cursor
from vae_core.runs.process import EngineProcess
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import SAVED, RunRecord
from vae_core.runs.served import Served
from vae_core.runs.storage import CURVES, RECORD, frame_file, state_file
from vae_core.trainer import Trainer

ROOT = Path(__file__).resolve().parents[2]
GOAL_S = 5.0


@dataclass
class Losses:
    """What was found after so many kills.

    Attributes:
        faults: one sentence each. steps: lost of a run, at each kill. step_s: that a step takes of one run alone.
    """

    kills: int = 0
    folders: int = 0  # of runs, looked at
    faults: list[str] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    step_s: float = 0.0

    def lines(self) -> list[str]:
        worst = max(self.steps, default=0)
        seen = f"{self.kills} kills, {self.folders} run folders looked at, {len(self.faults)} faults"
        lost = (
            f"training lost: {worst} steps = {worst * self.step_s:.2f} s of the run's own at most (goal {GOAL_S:g} s)"
        )
        return [f"{seen}; {lost}, {np.mean(self.steps or [0]) * self.step_s:.2f} s on average", *self.faults]


def seconds_a_step(config: RunConfig = CONFIG, steps: int = 30) -> float:
    """Of one run alone: of the processor, so that whoever else is busy does not count."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    trainer = Trainer(config)
    trainer.step()
    started = time.process_time()
    for _ in range(steps):
        trainer.step()
    torch.set_num_threads(before)
    return (time.process_time() - started) / steps


def servers(times: int, seed: int = 0, longest_s: float = 10.0) -> Losses:
    """Kill a server so many times; each one finds what its predecessor left.

    Args:
        longest_s: it lives so long at most, from when its visitors are there, or from when their runs train.
    """
    found, rng = Losses(step_s=seconds_a_step()), random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        root, log = Path(name) / "runs", Path(name) / "log"
        for number in range(times):
            with running(root, log, seed + number) as server:
                wait_for(lambda: "ready" in log.read_text(), 180)
                if rng.random() > 0.2:
                    wait_for(lambda: _train(log), 180)
                time.sleep(rng.uniform(0, longest_s))
                kill(server)
            found.kills += 1
            check_folder(root, log, found)
            for owner in storage.entries(root):  # guests would fill the disk
                if owner.name not in {storage.folder_of(root, visitor).name for visitor in VISITORS}:
                    storage.forget(owner)
    return found


@contextmanager
def running(root: Path, log: Path, seed: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server as crash_server.py has it, which writes to a log."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.bench.crash_server", str(root), str(seed)]
    with log.open("wb") as out:
        server = subprocess.Popen(command, stdout=out, env=env, cwd=ROOT)
    try:
        yield server
    finally:
        if server.poll() is None:
            kill(server)


def kill(server: subprocess.Popen[bytes]) -> None:
    """At once; then wait until its engine has noticed that nobody listens any more."""
    server.send_signal(signal.SIGSTOP)  # it starts no other engine while we look for them
    engines = descendants(server.pid)[1:]
    server.kill()
    server.wait()
    wait_for(lambda: not any(is_alive(engine) for engine in engines), 120)


def steps_told(log: Path) -> dict[str, list[int]]:
    """The steps that a server has told of, by run; its last line may be cut off."""
    told: dict[str, list[int]] = {}
    for line in log.read_text().splitlines(keepends=True):
        if line.startswith("step ") and line.endswith("\n"):
            told.setdefault(line.split()[1], []).append(int(line.split()[2]))
    return told


def _train(log: Path) -> bool:
    told = steps_told(log)
    return len(told) == len(VISITORS) and all(steps[-1] > steps[0] for steps in told.values())


def check_folder(root: Path, log: Path, found: Losses) -> None:
    """What a killed server has left, before and after the next one has read it."""
    folders = [folder for owner in storage.entries(root) for folder in storage.runs_in(owner)]
    found.folders += len(folders)
    records = {folder: json.loads((folder / RECORD).read_bytes()) for folder in folders if (folder / RECORD).is_file()}
    for folder, record in records.items():
        missing = [path.name for path in listed(folder, record) if not path.is_file()]
        found.faults += [f"{folder.name} lists {name}, which is not there" for name in missing]
    visitors = {line[8:-1] for line in log.read_text().splitlines(keepends=True) if line.startswith("visitor ")}
    runs = Registry(root=root)
    for visitor in sorted(visitors | {record["visitor"] for record in records.values()}):
        runs.visitors.enter(visitor)
        runs.find_saved(visitor)
    for folder, record in records.items():
        if (run := runs.get(folder.name)) is None:
            found.faults.append(f"{folder.name} is not found again")
        else:
            found.faults += left_over(run, record) + gaps(run.train.since(-1)[:, 0], run.step, folder.name)
    found.faults += [
        f"{folder.name}, never saved, is left over" for folder in set(folders) - {*records} if folder.exists()
    ]
    for run_id, steps in steps_told(log).items():
        found.steps.append(max(0, steps[-1] - (run.step if (run := runs.get(run_id)) else 0)))
    runs.close()


# ---- an engine


@dataclass
class EngineLosses(Losses):
    """And how many runs were set aside, with Resume to be pressed."""

    aside: int = 0

    def lines(self) -> list[str]:
        return [*super().lines(), f"{self.aside} runs were set aside and resumed, by {self.kills} kills"]


class Reader:
    """Reads a run as a page does: whatever is new, again and again."""

    def __init__(self, runs: Registry, run_id: str) -> None:
        self._runs, self.run_id, self._cursor = runs, run_id, Cursor()
        self.steps: list[int] = []

    def read(self) -> None:
        news = self._runs.read(self.run_id, self._cursor)
        assert news is not None
        self.steps = ([] if news.fresh else self.steps) + news.train[:, 0].astype(int).tolist()
        self._cursor = news.cursor


@contextmanager
def living() -> Iterator[Registry]:
    """A registry that keeps runs while the block lasts."""
    with tempfile.TemporaryDirectory() as name:
        runs = Registry(root=Path(name))
        try:
            yield runs
        finally:
            runs.close()


def engines(times: int, seed: int = 0, longest_s: float = 8.0, among: Registry | None = None) -> EngineLosses:
    """Kill the engine so many times, below a registry that lives on.

    Args:
        among: the registry; one of its own when left out.
    """
    found, rng = EngineLosses(step_s=seconds_a_step()), random.Random(seed)
    with nullcontext(among) if among else living() as runs:
        for visitor in (*VISITORS, "paused"):
            runs.visitors.enter(visitor)  # who is not there counts as gone ten minutes later, and so do their runs
        paused = runs.get(runs.start(CONFIG, "paused", paused=True))
        assert paused is not None
        runs.command(paused.run_id, "step", steps=10)
        wait_for(lambda: paused.status == PAUSED and paused.step == 10 and 10 in paused.states, 180)
        for _ in range(times):
            kill_engine(runs, paused, rng.uniform(0, longest_s), found)
        for run in [run for visitor in (*VISITORS, "paused") for run in runs.of(visitor)]:
            runs.close_run(run.run_id)
    return found


def kill_engine(runs: Registry, paused: RunRecord, after_s: float, found: EngineLosses) -> None:
    """While three visitors train and a fourth has paused; afterwards all is as it should be."""
    own = [_training(runs, visitor) for visitor in VISITORS]
    begun = {run.run_id: run.step for run in own}
    readers = [Reader(runs, run.run_id) for run in [*own, paused]]
    wait_for(lambda: all(run.step > begun[run.run_id] for run in own) and paused.status == PAUSED, 180)
    time.sleep(after_s)
    for reader in readers:
        reader.read()
    before, rested = {run.run_id: run.step for run in own}, paused.step
    served = _kill(runs.engines()["cpu"].link)
    found.kills += 1
    wait_for(lambda: not any(run.status == RUNNING for run in own))
    found.steps += [max(0, before[run.run_id] - max(run.states, default=0)) for run in own]
    aside = [run for run in own if run.status == SAVED]
    found.aside += len(aside)
    found.faults += [f"{run.run_id} rests without a sentence" for run in aside if "press Resume" not in run.message]
    all_at_once = any("times in a minute" in run.message for run in aside)
    culprits = [run.run_id for run in own if run.run_id == served]
    if not all_at_once and [run.run_id for run in aside] != culprits:
        found.faults.append(
            f"{len(aside)} runs were set aside by the death of an engine that served {served or 'nobody'}"
        )
    for run in [*aside, *([paused] if paused.status == SAVED else [])]:
        runs.command(run.run_id, "resume" if run is not paused else "pause")
    wait_for(lambda: all(run.status == RUNNING and run.step > before[run.run_id] + 5 for run in own), 180)
    wait_for(lambda: paused.status != STARTING, 60)
    if (paused.status, paused.step) != (PAUSED, rested):
        found.faults.append(f"who had paused at step {rested} is {paused.status} at step {paused.step}")
    for reader in readers:
        reader.read()
        found.faults += gaps(np.array(reader.steps), len(reader.steps), f"{reader.run_id}, as a page reads it,")
        reached = runs.read(reader.run_id, Cursor())
        assert reached is not None
        found.faults += gaps(reached.train[:, 0], len(reached.train), reader.run_id)
    found.folders += len(readers)


def _kill(engine: EngineProcess) -> str:
    """Kill an engine; returns the id of the run that it served at its end."""
    with os.fdopen(os.dup(engine._channel.served_file.fileno())) as file:
        os.kill(engine.process.pid, signal.SIGKILL)
        engine.process.wait()
        return Served(file.fileno()).read()


def _training(runs: Registry, visitor: str) -> RunRecord:
    """The visitor's run that trains, or another one where that has become long."""
    newest = next(iter(runs.of(visitor)), None)
    run = newest if newest and newest.step < LONG else runs.get(runs.start(CONFIG, visitor))
    assert run is not None
    return run


# ---- what lies on the disk


def listed(folder: Path, record: dict[str, Any]) -> list[Path]:
    """The files that a record names, and itself."""
    film, states = (at(folder, record["generation"]) for at in (storage.film_folder, storage.states_folder))
    frames = [frame_file(film, step) for step in record["film"]]
    return [
        folder / RECORD,
        folder / record.get("curves", CURVES),
        *frames,
        *[state_file(states, step) for step in record["states"]],
    ]


def left_over(run: RunRecord, record: dict[str, Any]) -> list[str]:
    there = {path for path in run.folder.rglob("*") if path.is_file()}
    return [f"{run.run_id}: {path.name} is left over" for path in there - {*listed(run.folder, record)}]


def gaps(steps: np.ndarray, last: int, name: str) -> list[str]:
    """Whether a curve has every step once."""
    return (
        [] if np.array_equal(steps, np.arange(1, last + 1)) else [f"the curve of {name} has a gap before step {last}"]
    )
