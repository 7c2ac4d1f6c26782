"""What is known of a run when it is taken home."""

import platform
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

import vae_core
from vae_core.config import RunConfig
from vae_core.inspect.snapshot import Snapshot
from vae_core.metrics.states import Diagnosis, decoder_trained, diagnose
from vae_core.trainer import Mark

FINISHED, FAILED = "finished", "failed"  # two of the words for a run's status, as scheduler.py has them


@dataclass(frozen=True)
class RunReport:
    """A run as it is told: nothing but values, so that the same story gives the same files.

    Attributes:
        config: the settings with which step 1 was made; alpha, beta and learning_rate may have changed since.
        train: (n, columns of the family), one row a step (fewer once thinned), nats per image.
        test: (m, test columns of the family), over 5,000 fixed test images, nats per image, one sample of z each.
        marks: changes of alpha, beta or learning_rate, each in force from the step after it.
        snapshot: the last one, if there is any. final: what evaluate.final_metrics returned, if it was computed.
        device: its name as devices.describe gives it. status: "finished", "stopped", "failed", "running" ...
    """

    config: RunConfig
    train: np.ndarray
    test: np.ndarray
    marks: tuple[Mark, ...]
    snapshot: Snapshot | None
    final: dict[str, Any] | None
    device: str
    status: str

    @property
    def steps(self) -> int:
        """Updates made, as far as the curves tell."""
        return int(self.train[-1, 0]) if len(self.train) else 0

    @property
    def changes(self) -> tuple[Mark, ...]:
        """The marks that had an effect: those after which at least one more step was made."""
        return tuple(mark for mark in self.marks if mark.step < self.steps)

    @property
    def diagnosis(self) -> Diagnosis | None:
        """The state that the last snapshot shows, by the settings in force then."""
        if self.snapshot is None:
            return None
        step, settings = self.snapshot.step, self.config.live
        for mark in self.marks:
            settings = mark.settings if mark.step <= step else settings
        return diagnose(self.snapshot, settings, decoder_trained(self.config, self.marks, step))


def versions() -> dict[str, str]:
    """What computes here, for cards and reports."""
    return {
        "vae_core": vae_core.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
