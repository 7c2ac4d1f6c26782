"""One cell of a sweep, trained as `python -m vae_core.train` trains it; its files come back as bytes.

So whoever has asked for it writes them, and needs no disk in common with the process or the machine that trains.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from vae_core.cards import Keeping
from vae_core.checkpoints import CheckpointError
from vae_core.config import ConfigError, RunConfig
from vae_core.data.images import DataError
from vae_core.divergence import RunError
from vae_core.runs.quick import quick_trainer
from vae_core.train import keep, learn


class Outcome(NamedTuple):
    """What has become of a cell: the files of its folder by name, or why there are none, in a sentence."""

    files: dict[str, bytes]
    error: str = ""


def train_cell(config: RunConfig, tell: Callable[[float], None] | None = None) -> Outcome:
    """Train one cell with one thread, so that its figures are the same however many are trained beside it.

    Args:
        tell: hears now and then which part of the steps is done, in [0, 1].
    """
    torch.set_num_threads(1)
    history: list[dict[str, Any]] = []
    try:
        trainer, started = quick_trainer(config), time.perf_counter()
        for row in learn(trainer, history):
            if tell is not None and row is not None:
                tell(trainer.step_count / trainer.total_steps)
        with tempfile.TemporaryDirectory() as made:
            keep(trainer, time.perf_counter() - started, Path(made), Keeping(), history, None)
            return Outcome({path.name: path.read_bytes() for path in Path(made).iterdir()})
    except (ConfigError, DataError, RunError, CheckpointError) as error:
        return Outcome({}, str(error))
