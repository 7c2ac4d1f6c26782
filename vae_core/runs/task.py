"""One run inside an engine: its trainer, what it is doing, and what it reports and saves as it goes."""

import collections
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes

from vae_core import devices
from vae_core.checkpoints import replacing
from vae_core.config import RunConfig
from vae_core.divergence import RunError
from vae_core.evaluate import final_metrics
from vae_core.inspect.snapshot import Snapshot, SnapshotTaker
from vae_core.inspect.step_trace import StepTrace, can_be_traced, trace_step
from vae_core.runs import storage
from vae_core.runs.messages import FAILED, FINISHED, PAUSED, RUNNING, STOPPED, Update
from vae_core.runs.storage import state_file
from vae_core.trainer import Trainer

TURN_S = 0.05  # how long one run trains before the next one is served
REPORT_S = 0.1  # history rows leave this often
SNAPSHOT_S = 0.5  # a snapshot of a run is taken no more often than this ...
EARLY_STEPS = 60  # ... except at the very beginning, when everything changes
SAVE_S = 5.0  # a state is kept so often, more rarely where many runs train
IW_SAMPLES, IW_IMAGES = 50, 200  # of the bound at a run's end: a few seconds for the slowest network

METRICS_SHARE = 20  # in training, the metrics rest at least so many times as long as they took

EARLY_STATES = 1.6  # before SAVE_S has passed, a state is kept whenever the steps have grown by this factor


@dataclass(frozen=True)
class Upkeep:
    """What of a run falls due besides a report, and takes longer."""

    snapshot: bool = False
    metrics: bool = False  # the snapshot comes with the metrics
    save: bool = False

    def __bool__(self) -> bool:
        return self.snapshot or self.save


NOTHING = Upkeep()


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


class Task:
    """One run inside the engine: its trainer, and what it is doing."""

    def __init__(self, run_id: str, config: RunConfig, folder: Path, generation: int, group: str = "") -> None:
        """
        Args:
            folder: of the run; its states lie there.
        """
        self.run_id, self.config, self.generation, self.group = run_id, config, generation, group
        self.folder = folder
        self.states_folder = storage.states_folder(folder, generation)
        self.states_folder.mkdir(parents=True, exist_ok=True)
        self.trainer = Trainer(config)
        self.status, self.message = RUNNING, ""
        self.final: dict[str, Any] | None = None
        self.pace = Pace()
        self.until: int | None = None  # single steps: pause there
        self._marks_sent = 0
        self._taker: SnapshotTaker | None = None
        self._slow: StepTrace | None = None  # waits for the next report
        self._report_due = self._snapshot_due = self._measuring_due = 0.0
        self._snapshot_step = self._saved_step = self._measured_step = -1
        self._save_due = float("inf")

    @property
    def steps_left(self) -> int:
        """Until it pauses or is done."""
        total = self.trainer.total_steps
        return min(self.until or total, total) - self.trainer.step_count

    @property
    def wants_snapshot(self) -> bool:
        return time.monotonic() >= self._snapshot_due

    @property
    def wants_metrics(self) -> bool:
        """Runs of a group are compared by the metrics: now and then while they train, and always where they rest."""
        return bool(self.group) and not self.early and time.monotonic() >= self._measuring_due

    @property
    def wants_save(self) -> bool:
        early = self.trainer.step_count >= EARLY_STATES * self._saved_step + EARLY_STEPS
        return time.monotonic() >= self._save_due or early

    @property
    def due(self) -> float:
        """Since when, or from when on, it wants a snapshot or a save; 0 where somebody waits for it."""
        return min(self._snapshot_due, self._save_due)

    @property
    def owed(self) -> Upkeep:
        """What somebody waits for: the first look at a run, what it looks like where it rests, a save in a hurry."""
        step, running = self.trainer.step_count, self.status == RUNNING
        metrics = not running and bool(self.group) and step != self._measured_step
        unseen = self._snapshot_step < 0 if running else step != self._snapshot_step
        return Upkeep(unseen or metrics, metrics, self._save_due == 0)

    @property
    def opens_group(self) -> bool:
        """Whether it is an arm that nobody has seen yet: all begin with a picture of the same step, so none waits."""
        return bool(self.group) and self._snapshot_step < 0

    @property
    def early(self) -> bool:
        """Whether it is at the very beginning, when everything changes."""
        return self.trainer.step_count < EARLY_STEPS

    @property
    def concluding(self) -> bool:
        """Whether it has ended and its final figures are still to be computed."""
        return self.status in (FINISHED, STOPPED) and self.final is None

    @property
    def working(self) -> bool:
        """Whether a turn would do anything."""
        return self.status == RUNNING or self.concluding or bool(self.owed)

    def settle(self) -> None:
        """After the steps of a turn: where it stands now."""
        if self.status == RUNNING:
            self.pace.add(self.trainer.images_seen)
            if self.steps_left <= 0:
                self.change(FINISHED if self.trainer.done else PAUSED)

    def conclude(self) -> None:
        """The final figures of a run that has ended; takes seconds."""
        self.final = final_metrics(self.trainer.model, self.trainer.images, self.config, IW_SAMPLES, IW_IMAGES)
        self._report_due = 0.0

    def slow_step(self) -> None:
        """One step, then pause; in slow motion where there is a posterior to show."""
        if not self.trainer.done and can_be_traced(self.trainer.model):
            self._slow = trace_step(self.trainer)
        elif not self.trainer.done:
            self.trainer.step()
        self.change(FINISHED if self.trainer.done else PAUSED)

    def change(self, status: str, message: str = "", until: int | None = None) -> None:
        """Enter a status; leaving training saves the state with the next report."""
        self.status, self.message, self.until = status, message, until
        if status == RUNNING:
            self.final = None
            self._report_due, self._save_due = 0.0, min(self._save_due, time.monotonic() + SAVE_S)
        else:
            self.pace.clear()
            self.hurry()

    def say(self, message: str) -> None:
        """With the next report."""
        self.message, self._report_due = message, 0.0

    def fail(self, message: str) -> None:
        """End on an error. Touches nothing that may itself be broken."""
        self.status, self.message, self.until = FAILED, message, None
        self._save_due, self._report_due = float("inf"), 0.0

    def reports(self, upkeep: Upkeep = NOTHING) -> list[Update]:
        """An update if one is due. States are saved behind it, so none is ahead of the rows that were reported.

        Args:
            upkeep: what is to be done besides; then there is an update in any case.
        """
        now = time.monotonic()
        if now < self._report_due and not upkeep:
            return []
        self._report_due = now + REPORT_S if self.status == RUNNING else float("inf")
        rows = self.trainer.flush()
        saved = self.save() if upkeep.save else None
        return [self._update(rows, saved, self._snapshot(upkeep.metrics) if upkeep.snapshot else None)]

    def obituary(self) -> Update:
        """What can be said of a run whose trainer or disk is broken; nothing more is expected of it."""
        self._snapshot_step = self._measured_step = self.trainer.step_count
        return Update(self.run_id, self.generation, FAILED, self.message)

    def hurry(self) -> None:
        """Report now; a snapshot, if there is anything new to see, and a save follow as soon as there is time."""
        self._report_due = self._snapshot_due = self._save_due = 0.0

    def save(self) -> int:
        """Keep the state on disk: against a crash, and for branches. Returns its step; who reads that lists it."""
        self._saved_step = self.trainer.step_count
        with replacing(state_file(self.states_folder, self._saved_step)) as file:
            file.write(to_bytes(self.trainer.state()))
        self._save_due = time.monotonic() + SAVE_S if self.status == RUNNING else float("inf")
        return self._saved_step

    def restore(self, steps: Sequence[int]) -> None:
        """Go on from the first of these states that can be read; without any, from the beginning.

        Raises:
            RunError: none can be read.
        """
        for step in steps:
            try:
                self.trainer.restore(load_file(state_file(self.states_folder, step)))
            except (OSError, SafetensorError, RuntimeError, KeyError, ValueError):
                continue
            self._saved_step = step
            return
        if steps:
            raise RunError("None of its saved weights can be read: press Reset to begin anew.")

    def _update(self, rows: np.ndarray, saved: int | None, snapshot: Snapshot | None) -> Update:
        trainer = self.trainer
        marks, self._marks_sent = tuple(trainer.marks[self._marks_sent :]), len(trainer.marks)
        slow, self._slow = self._slow, None
        return Update(
            run_id=self.run_id,
            generation=self.generation,
            status=self.status,
            message=self.message,
            step=trainer.step_count,
            steps_per_epoch=trainer.steps_per_epoch,
            total_steps=trainer.total_steps,
            images_per_s=self.pace.rate,
            settings=trainer.settings,
            rows=rows,
            marks=marks,
            snapshot=snapshot,
            final=self.final,
            device=devices.describe(trainer.device),
            saved=saved,
            slow=slow,
        )

    def _snapshot(self, measured: bool) -> Snapshot:
        started, step = time.monotonic(), self.trainer.step_count
        self._taker = self._taker or SnapshotTaker(self.config, self.trainer.images)
        snapshot = self._taker.take(self.trainer.model, step, measured)
        now = time.monotonic()
        self._snapshot_step, self._snapshot_due = step, now + (now - started if self.early else SNAPSHOT_S)
        if measured:
            self._measured_step, self._measuring_due = step, now + METRICS_SHARE * (now - started)
        return snapshot
