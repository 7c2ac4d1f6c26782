"""The process that trains: one per device. It takes turns among the runs of all visitors.

Commands come in, updates go out; nothing else is shared. `Engine` knows no process, so tests drive it
directly; link.py puts it at the far end of a pipe.
"""

from __future__ import annotations

import collections
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes

from vae_core import devices
from vae_core.checkpoints import replacing
from vae_core.config import ConfigError, RunConfig
from vae_core.data.images import DataError
from vae_core.snapshot import Snapshot
from vae_core.train import ROW, Mark, RunError, Trainer, final_metrics

TURN_S = 0.05  # how long one run trains before the next one is served
REPORT_S = 0.1  # history rows leave this often
SNAPSHOT_S = 0.5  # a snapshot is taken no more often than this ...
SNAPSHOT_SHARE = 10  # ... and rests at least so many times as long as it took
EARLY_STEPS = 60  # except at the very beginning, when everything changes
SAVE_S = 5.0  # a crash of the process loses no more than this
IW_SAMPLES, IW_IMAGES = 50, 200  # of the bound at a run's end: a few seconds for the slowest network

STARTING, RUNNING, PAUSED = "starting", "running", "paused"
FINISHED, STOPPED, FAILED = "finished", "stopped", "failed"
ENDED = (FINISHED, STOPPED, FAILED)


@dataclass(frozen=True)
class Command:
    """A wish about one run; `name` is a method of Engine: open, pause, resume, step, set, stop, reset, close."""

    run_id: str
    name: str
    args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Update:
    """What has happened in one run since its last update. `generation` counts its resets."""

    run_id: str
    generation: int
    status: str
    message: str = ""
    step: int = 0
    steps_per_epoch: int = 0
    total_steps: int = 0
    images_per_s: float = 0.0
    weights: dict[str, float] = field(default_factory=dict)  # alpha, beta, learning_rate in force
    rows: np.ndarray = field(default_factory=lambda: np.zeros((0, len(ROW)), np.float32))
    marks: tuple[Mark, ...] = ()
    snapshot: Snapshot | None = None
    final: dict[str, Any] | None = None
    device: str = ""


class Pace:
    """Images per second over the last seconds of wall-clock time."""

    def __init__(self, window_s: float = 3.0) -> None:
        self._window_s = window_s
        self._points: collections.deque[tuple[float, int]] = collections.deque()

    def add(self, images_seen: int) -> None:
        now = time.monotonic()
        self._points.append((now, images_seen))
        while now - self._points[0][0] > self._window_s:
            self._points.popleft()

    def clear(self) -> None:
        self._points.clear()

    @property
    def rate(self) -> float:
        if len(self._points) < 2:
            return 0.0
        (start, before), (end, after) = self._points[0], self._points[-1]
        return (after - before) / max(end - start, 1e-9)


class Job:
    """One run inside the engine: its trainer, and what it is doing."""

    def __init__(self, run_id: str, config: RunConfig, folder: Path, generation: int) -> None:
        self.run_id, self.config, self.generation = run_id, config, generation
        self.file = folder / f"{run_id}.safetensors"
        self.trainer = Trainer(config)
        self.status, self.message = RUNNING, ""
        self.final: dict[str, Any] | None = None
        self.pace = Pace()
        self._until: int | None = None  # single steps: pause there
        self._marks_sent = 0
        self._report_due = self._snapshot_due = 0.0
        self._snapshot_step = -1
        self._save_due = time.monotonic() + SAVE_S

    @property
    def working(self) -> bool:
        """Whether a turn would do anything."""
        return self.status == RUNNING or (self.status in (FINISHED, STOPPED) and self.final is None)

    def turn(self) -> None:
        """Train for a moment; of a run that has ended, compute the final figures."""
        if self.status != RUNNING:
            self.final = final_metrics(self.trainer, IW_SAMPLES, IW_IMAGES)
            return
        deadline = time.monotonic() + TURN_S
        goal = min(self._until or self.trainer.total_steps, self.trainer.total_steps)
        while self.trainer.step_count < goal and time.monotonic() < deadline:
            self.trainer.step()
        self.pace.add(self.trainer.images_seen)
        if self.trainer.done:
            self.change(FINISHED)
        elif self.trainer.step_count >= goal:
            self.change(PAUSED)
        elif time.monotonic() >= self._save_due:
            self.save()

    def change(self, status: str, message: str = "", until: int | None = None) -> None:
        """Enter a status; leaving training saves the state."""
        self.status, self.message, self._until = status, message, until
        self._report_due = 0.0
        if status == RUNNING:
            self.final = None
        else:
            self.pace.clear()
            self.save()

    def reports(self) -> Iterator[Update]:
        """An update if one is due."""
        now = time.monotonic()
        if now >= self._report_due:
            self._report_due = now + REPORT_S if self.working else float("inf")
            yield self._update()

    def hurry(self) -> None:
        """Report at the next opportunity, with a snapshot if there is anything new to see."""
        self._report_due = self._snapshot_due = 0.0

    def save(self) -> None:
        """Keep the state on disk, so that a crash of this process loses little."""
        with replacing(self.file) as file:
            file.write(to_bytes(self.trainer.state()))
        self._save_due = time.monotonic() + SAVE_S

    def restore(self) -> None:
        """Go on from the state on disk, if there is one."""
        if self.file.exists():
            self.trainer.restore(load_file(self.file))

    def _update(self) -> Update:
        trainer = self.trainer
        rows = trainer.flush()
        marks, self._marks_sent = tuple(trainer.marks[self._marks_sent :]), len(trainer.marks)
        return Update(
            self.run_id,
            self.generation,
            self.status,
            self.message,
            trainer.step_count,
            trainer.steps_per_epoch,
            trainer.total_steps,
            self.pace.rate,
            {"alpha": trainer.alpha, "beta": trainer.beta, "learning_rate": trainer.learning_rate},
            rows,
            marks,
            self._snapshot(),
            self.final,
            devices.describe(trainer.device),
        )

    def _snapshot(self) -> Snapshot | None:
        now, step = time.monotonic(), self.trainer.step_count
        if step == self._snapshot_step or (self.status == RUNNING and now < self._snapshot_due):
            return None
        snapshot = self.trainer.snapshot()
        cost = time.monotonic() - now
        rest = cost if step < EARLY_STEPS else max(SNAPSHOT_S, SNAPSHOT_SHARE * cost)
        self._snapshot_due = now + cost + rest
        self._snapshot_step = step
        return snapshot


class Engine:
    """All runs of one device."""

    def __init__(self, folder: Path) -> None:
        """
        Args:
            folder: where states are kept against a crash.
        """
        self.folder = folder
        self.jobs: dict[str, Job] = {}

    @property
    def busy(self) -> bool:
        return any(job.working for job in self.jobs.values())

    def handle(self, command: Command) -> list[Update]:
        """Carry out one command. One about an unknown run is ignored: it may have been closed meanwhile."""
        if command.name == "open":
            return self._open(command.run_id, **command.args)
        job = self.jobs.get(command.run_id)
        if job is None:
            return []
        return self._guarded(job, lambda: COMMANDS[command.name](self, job, **command.args))

    def turn(self) -> list[Update]:
        """Serve every run once."""
        updates = []
        for job in list(self.jobs.values()):
            updates += self._guarded(job, job.turn if job.working else lambda: None)
        return updates

    def _open(self, run_id: str, config: dict[str, Any], generation: int, resume: bool, status: str) -> list[Update]:
        try:
            job = Job(run_id, RunConfig.from_dict(config), self.folder, generation)
        except (ConfigError, DataError, RunError) as error:
            return [Update(run_id, generation, FAILED, str(error))]
        except torch.OutOfMemoryError:
            return [Update(run_id, generation, FAILED, "The GPU is out of memory: close other runs, then start again.")]
        self.jobs[run_id] = job
        return self._guarded(job, lambda: self._enter(job, resume, status))

    def _enter(self, job: Job, resume: bool, status: str) -> None:
        if resume:
            job.restore()
        job.change(status)

    def _reset(self, job: Job) -> None:
        """Back to the same initial weights, with the loss weights that are in force now."""
        trainer = job.trainer
        config = job.config.with_(alpha=trainer.alpha, beta=trainer.beta, learning_rate=trainer.learning_rate)
        fresh = Job(job.run_id, config, self.folder, job.generation + 1)
        self.jobs[job.run_id] = fresh
        fresh.change(PAUSED)

    def _pause(self, job: Job) -> None:
        if job.status == RUNNING:
            job.change(PAUSED)

    def _resume(self, job: Job) -> None:
        if job.status == PAUSED:
            job.change(RUNNING)

    def _step(self, job: Job, steps: int) -> None:
        if job.status in (RUNNING, PAUSED):
            job.change(RUNNING, until=job.trainer.step_count + steps)

    def _epoch(self, job: Job) -> None:
        done = job.trainer.step_count % job.trainer.steps_per_epoch
        self._step(job, job.trainer.steps_per_epoch - done)

    def _stop(self, job: Job) -> None:
        if job.status in (RUNNING, PAUSED):
            job.change(STOPPED)

    def _set(self, job: Job, **weights: float) -> None:
        """Change alpha, beta or learning_rate; saved at once, so that a crash cannot undo it."""
        if job.status in (RUNNING, PAUSED) and job.trainer.set(**weights):
            job.hurry()
            job.save()

    def _close(self, job: Job) -> None:
        """Forget a run and what it left on disk."""
        del self.jobs[job.run_id]
        job.file.unlink(missing_ok=True)

    def _guarded(self, job: Job, action: Callable[[], None]) -> list[Update]:
        """Run an action of a job and collect what it has to report; an error ends this run and no other."""
        try:
            action()
            job = self.jobs.get(job.run_id, job)
            return list(job.reports()) if job.run_id in self.jobs else []
        except RunError as error:
            job.change(FAILED, str(error))
        except ConfigError as error:
            job.message = str(error)
            job.hurry()
        except Exception as error:  # a fault of ours must not take the other visitors' runs along
            traceback.print_exc()
            job.change(FAILED, f"The run stopped on an internal error ({type(error).__name__}: {error}).")
        return list(job.reports())


COMMANDS: dict[str, Callable[..., None]] = {
    "pause": Engine._pause,
    "resume": Engine._resume,
    "step": Engine._step,
    "epoch": Engine._epoch,
    "set": Engine._set,
    "stop": Engine._stop,
    "reset": Engine._reset,
    "close": Engine._close,
}
