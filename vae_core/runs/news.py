"""What a reader of a run does not know yet: everything since a cursor."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from vae_core.config import LiveSettings, RunConfig
from vae_core.inspect.snapshot import Snapshot
from vae_core.inspect.step_trace import StepTrace
from vae_core.metrics.states import Diagnosis
from vae_core.runs.messages import Waiting
from vae_core.runs.progress import columns_of
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
    waits: Waiting | None = None  # its place in the line of its device


def news_of(run: RunRecord, since: Cursor) -> News:
    """What a reader at a cursor does not know yet."""
    now = run.now
    thinned = now.train.thinned + now.test.thinned
    fresh = since.generation != now.generation or since.thinned != thinned
    if fresh:
        since = Cursor()
    newest = 2 * now.snapshot.step + (now.snapshot.metrics is not None) if now.snapshot else -1
    slow = now.slow.step if now.slow else -1
    cursor = Cursor(now.generation, thinned, now.train.last_step, now.test.last_step, len(now.marks), newest, slow)
    return News(
        run_id=run.run_id,
        version=now.version,
        fresh=fresh,
        status=now.status,
        message=now.message,
        generation=now.generation,
        step=now.step,
        steps_per_epoch=now.steps_per_epoch,
        total_steps=now.total_steps,
        images_per_s=now.images_per_s,
        settings=now.settings,
        device=now.device,
        config=now.config,
        columns=columns_of(now.config),
        train=now.train.since(since.train_step),
        test=now.test.since(since.test_step),
        marks=now.marks[since.marks :],
        film=now.film,
        states=now.states,
        snapshot=now.snapshot if newest != since.snapshot else None,
        diagnosis=now.diagnosis,
        final=now.final,
        cursor=cursor,
        waits=now.waits,
        slow=now.slow if slow != since.slow_step else None,
    )
