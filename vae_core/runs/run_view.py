"""What can be read of a run: the fields of the moment at which it stands, each by its name."""

from typing import Any

from vae_core.config import LiveSettings, RunConfig
from vae_core.inspect.snapshot import Snapshot
from vae_core.inspect.step_trace import StepTrace
from vae_core.metrics.states import Diagnosis
from vae_core.runs.messages import ENDED, PAUSED, RUNNING, STARTING
from vae_core.runs.progress import Progress, columns_of
from vae_core.runs.thinned_history import ThinnedHistory
from vae_core.trainer import Mark


class RunView:
    """Each field is of the present moment; who wants several of the same moment takes `now`."""

    now: Progress

    @property
    def config(self) -> RunConfig:
        return self.now.config

    @property
    def settings(self) -> LiveSettings:
        return self.now.settings

    @property
    def generation(self) -> int:
        return self.now.generation

    @property
    def version(self) -> int:
        return self.now.version

    @property
    def status(self) -> str:
        return self.now.status

    @property
    def message(self) -> str:
        return self.now.message

    @property
    def device(self) -> str:
        return self.now.device

    @property
    def step(self) -> int:
        return self.now.step

    @property
    def steps_per_epoch(self) -> int:
        return self.now.steps_per_epoch

    @property
    def total_steps(self) -> int:
        return self.now.total_steps

    @property
    def images_per_s(self) -> float:
        return self.now.images_per_s

    @property
    def train(self) -> ThinnedHistory:
        return self.now.train

    @property
    def test(self) -> ThinnedHistory:
        return self.now.test

    @property
    def marks(self) -> tuple[Mark, ...]:
        return self.now.marks

    @property
    def film(self) -> tuple[int, ...]:
        return self.now.film

    @property
    def states(self) -> tuple[int, ...]:
        return self.now.states

    @property
    def snapshot(self) -> Snapshot | None:
        return self.now.snapshot

    @property
    def diagnosis(self) -> Diagnosis | None:
        return self.now.diagnosis

    @property
    def slow(self) -> StepTrace | None:
        return self.now.slow

    @property
    def final(self) -> dict[str, Any] | None:
        return self.now.final

    @property
    def ended(self) -> bool:
        return self.now.status in ENDED

    @property
    def training(self) -> bool:
        return self.now.status in (STARTING, RUNNING, PAUSED)

    @property
    def complete(self) -> bool:
        """Whether nothing more is expected of an engine."""
        return self.now.complete

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """Of its curves, by name."""
        return columns_of(self.config)
