"""What goes to and fro between the server and an engine: commands in, numbered updates out, and nothing else."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vae_core.config import LiveSettings
from vae_core.inspect.snapshot import Snapshot
from vae_core.inspect.step_trace import StepTrace
from vae_core.trainer import Mark

STARTING, RUNNING, PAUSED = "starting", "running", "paused"
FINISHED, STOPPED, FAILED = "finished", "stopped", "failed"
ENDED = (FINISHED, STOPPED, FAILED)


@dataclass(frozen=True)
class Command:
    """A wish about one run; `name` is a method of Scheduler: open, pause, resume, step, slow, set, stop, ..."""

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
    settings: LiveSettings = field(default_factory=LiveSettings)  # in force
    rows: np.ndarray | None = None  # (n, columns) of the train history
    marks: tuple[Mark, ...] = ()
    snapshot: Snapshot | None = None
    final: dict[str, Any] | None = None
    device: str = ""
    saved: int | None = None  # the step of a state just written: always that of this update
    slow: StepTrace | None = None
    diverged: bool = False  # it has failed because a loss or a weight was no number any more


@dataclass(frozen=True)
class Waiting:
    """A run that waits in the line of its device; its status is RUNNING. Arms of a group share a place."""

    run_id: str
    place: int  # 1 is next
    of: int
    seconds: float  # until it is its turn, about


@dataclass(frozen=True)
class Measured:
    """How fast a run would train with the settings asked for last; 0 where it cannot be measured."""

    images_per_s: float


@dataclass(frozen=True)
class Cluster:
    """What an engine on a cluster says of it: when it has its place there, when that changes, and before it ends."""

    engines: int  # that it has room for
    refused: str = ""  # why this one has no place; a sentence that says what to do
    lost: str = ""  # why this one ends, for the middle of a sentence


@dataclass(frozen=True)
class Line:
    """How an engine stands: who waits, and what it does for those who train."""

    seats: int  # how many lanes train at once: a lane is a run, or the arms of a group
    training: int  # lanes that do
    waiting: tuple[Waiting, ...] = ()
    memory_bytes: int = 0  # of the engine's process
    steps_per_s: float = 0.0  # of all runs together, lately
    upkeep_share: float = 0.0  # of the time lately that went into pictures, states and figures
    device: str = ""


Said = Update | Line | Measured | Cluster  # by an engine
