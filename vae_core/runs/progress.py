"""Where a run stands: all that its readers see, as one value that is swapped for the next and never changed."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from vae_core.config import LiveSettings, RunConfig
from vae_core.inspect.snapshot import Snapshot
from vae_core.inspect.step_trace import StepTrace
from vae_core.metrics.states import Diagnosis, decoder_trained, diagnose
from vae_core.models import family
from vae_core.runs.messages import ENDED, FAILED, RUNNING, STARTING, Update, Waiting
from vae_core.runs.thinned_history import ThinnedHistory
from vae_core.thinning import add_step
from vae_core.trainer import Mark

TRAIN_CAPACITY = 65_536  # rows: every step up to there, then thinned
TEST_CAPACITY = 16_384
MARKS = 500  # changes of weights that are remembered
STATES = 12  # kept of a run, 10 MB each at most


@dataclass(frozen=True)
class Progress:
    """One moment of a run. In memory at most 1.4 MB of curves (shared with the moments before it), one snapshot (1 MB
    at 32 latents) and one slow step (0.2 MB)."""

    config: RunConfig
    settings: LiveSettings  # in force
    train: ThinnedHistory
    test: ThinnedHistory
    generation: int = 0  # counts the resets
    version: int = 0  # rises with every change
    status: str = STARTING
    message: str = ""
    notice: str = ""  # a message of the server's own, kept beside the engine's
    device: str = ""
    step: int = 0
    steps_per_epoch: int = 0
    total_steps: int = 0
    images_per_s: float = 0.0
    marks: tuple[Mark, ...] = ()
    film: tuple[int, ...] = ()  # steps of its frames on disk
    states: tuple[int, ...] = ()  # steps on disk from which training, or a branch, can go on
    snapshot: Snapshot | None = None
    diagnosis: Diagnosis | None = None
    slow: StepTrace | None = None  # the last step in slow motion
    final: dict[str, Any] | None = None
    waits: Waiting | None = None  # in the line of its device

    @classmethod
    def begin(cls, config: RunConfig) -> Self:
        """Of a run that nothing is known of yet."""
        columns = columns_of(config)
        train = ThinnedHistory(len(columns["train"]), TRAIN_CAPACITY)
        return cls(config, config.live, train, ThinnedHistory(len(columns["test"]), TEST_CAPACITY))

    @property
    def consistent(self) -> bool:
        """Whether a state is kept of this very step, so that it can be saved as one; after a failure none will come."""
        return self.status == FAILED or self.step == (self.states[-1] if self.states else 0)

    @property
    def complete(self) -> bool:
        """Whether nothing more is expected of an engine."""
        return self.status == FAILED or (self.status in ENDED and self.final is not None)

    def with_(self, **changes: Any) -> Self:
        """The next moment."""
        return replace(self, version=self.version + 1, **changes)

    def with_frame(self, step: int) -> Self:
        """A frame of this step lies on disk."""
        return self.with_(film=_with_step(self.film, step))

    def receive(self, update: Update) -> Self:
        """The next moment, by what an update brings."""
        if update.generation < self.generation:
            return self
        before = self if update.generation == self.generation else self._begin_anew(update)
        status, message = update.status, update.message or before.notice
        if not update.total_steps:  # it failed before it began
            return before.with_(status=status, message=message)
        now = before.with_(
            status=status,
            message=message,
            step=update.step,
            steps_per_epoch=update.steps_per_epoch,
            total_steps=update.total_steps,
            images_per_s=update.images_per_s,
            settings=update.settings,
            device=update.device,
            final=update.final,
            marks=(before.marks + update.marks)[-MARKS:],
            train=before.train if update.rows is None else before.train.with_rows(update.rows),
            slow=update.slow or before.slow,
            waits=before.waits if status == RUNNING else None,
            states=before.states if update.saved is None else _with_step(before.states, update.saved, STATES),
        )
        if update.snapshot is not None:
            now = now._look(update.snapshot)
        return now._name_state(update.diverged) if update.snapshot is not None or update.diverged else now

    def _begin_anew(self, update: Update) -> Self:
        """After a reset: it begins again with the settings then in force."""
        fresh = type(self).begin(self.config.with_(**update.settings.to_dict()))
        return replace(fresh, generation=update.generation, version=self.version, status=self.status)

    def _look(self, s: Snapshot) -> Self:
        seen = {
            "step": s.step,
            **s.terms,
            "mean_std": s.mean_std,
            "active": s.active.sum(),
            **s.scales,
            **s.usage,
            **s.exact,
        }
        row = np.array([[seen[name] for name in columns_of(self.config)["test"]]], np.float32)
        return replace(self, snapshot=s, test=self.test.with_rows(row))

    def _name_state(self, diverged: bool) -> Self:
        """Of the last snapshot, of images; what diverged has its last good weights there."""
        if (s := self.snapshot) is None or s.points:
            return self
        trained = decoder_trained(self.config, self.marks, s.step)
        return replace(self, diagnosis=diagnose(s, self.settings, trained, diverged))


def columns_of(config: RunConfig) -> dict[str, tuple[str, ...]]:
    """Of the curves of a run with this config, by name."""
    kind = family(config.model)
    return {"train": kind.columns(), "test": kind.evaluation_columns(config)}


def _with_step(steps: tuple[int, ...], step: int, *capacity: int) -> tuple[int, ...]:
    """The kept steps, and one more; of too many the one that is missed least is left out."""
    kept = list(steps)
    add_step(kept, step, *capacity)
    return tuple(kept)
