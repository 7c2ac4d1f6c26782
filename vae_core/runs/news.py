"""What a reader of a run does not know yet: everything since a cursor."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from vae_core.config import LiveSettings, RunConfig
from vae_core.inspect.snapshot import Snapshot
from vae_core.inspect.step_trace import StepTrace
from vae_core.metrics.diagnosis import Diagnosis
from vae_core.runs.run_record import RunRecord
from vae_core.trainer import Mark


@dataclass(frozen=True)
class Cursor:
    """How far a reader has read; `Cursor()` is the beginning."""

    generation: int = -1
    thinned: int = 0
    train_step: float = -1.0
    test_step: float = -1.0
    marks: int = 0
    snapshot: int = -1  # twice its step, and 1 more where it came with its metrics
    slow_step: int = -1


@dataclass(frozen=True)
class News:
    """Everything of a run since a cursor. `fresh` tells the reader to forget what it had."""

    run_id: str
    version: int
    fresh: bool
    status: str
    message: str
    generation: int
    step: int
    steps_per_epoch: int
    total_steps: int
    images_per_s: float
    settings: LiveSettings
    device: str
    config: RunConfig
    columns: dict[str, tuple[str, ...]]  # of train and of test, by name
    train: np.ndarray  # (n, columns)
    test: np.ndarray  # (m, columns)
    marks: tuple[Mark, ...]
    film: tuple[int, ...]  # all steps of which there is a frame
    states: tuple[int, ...]  # all steps from which a branch can go on
    snapshot: Snapshot | None
    diagnosis: Diagnosis | None
    final: dict[str, Any] | None
    cursor: Cursor
    slow: StepTrace | None = None


def news_of(run: RunRecord, since: Cursor) -> News:
    """What a reader at a cursor does not know yet, as copies."""
    thinned = run.train.thinned + run.test.thinned
    fresh = since.generation != run.generation or since.thinned != thinned
    if fresh:
        since = Cursor()
    newest = 2 * run.snapshot.step + (run.snapshot.metrics is not None) if run.snapshot else -1
    slow = run.slow.step if run.slow else -1
    cursor = Cursor(run.generation, thinned, run.train.last_step, run.test.last_step, len(run.marks), newest, slow)
    return News(
        run_id=run.run_id,
        version=run.version,
        fresh=fresh,
        status=run.status,
        message=run.message,
        generation=run.generation,
        step=run.step,
        steps_per_epoch=run.steps_per_epoch,
        total_steps=run.total_steps,
        images_per_s=run.images_per_s,
        settings=run.settings,
        device=run.device,
        config=run.config,
        columns=run.columns,
        train=run.train.since(since.train_step),
        test=run.test.since(since.test_step),
        marks=tuple(run.marks[since.marks :]),
        film=tuple(run.film),
        states=run.states,
        snapshot=run.snapshot if newest != since.snapshot else None,
        diagnosis=run.diagnosis,
        final=run.final,
        cursor=cursor,
        slow=run.slow if slow != since.slow_step else None,
    )
