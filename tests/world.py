"""An engine on a clock of the test's own: its trainers, pictures, states and figures do nothing but take their time."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vae_core.config import RunConfig
from vae_core.inspect.snapshot import Snapshot, SnapshotTaker
from vae_core.pieces import Pieces, in_pieces
from vae_core.runs import task as task_module
from vae_core.runs.messages import RUNNING, Command, Line, Update
from vae_core.runs.scheduler import Scheduler
from vae_core.runs.task import Task
from vae_core.trainer import Trainer

STEP_S, PIECE_S, SAVE_S, OPEN_S = 0.005, 0.015, 0.04, 0.02  # of an mlp, about
LOOK_PIECES, METRICS_PIECES, FIGURES_PIECES = 10, 60, 40
CONFIG = RunConfig(device="cpu", epochs=1000, batch_size=16, widths="8")  # no run ends here


class World:
    """Notes what came out of the engine, and when."""

    def __init__(self, folder: Path, snapshot: Snapshot, patch: pytest.MonkeyPatch, seats: int = 64) -> None:
        self.now = 1000.0
        self.folder = folder
        self.news: list[tuple[float, Update]] = []
        self.lines: list[Line] = []
        self.pressed = False  # whether a command is always waiting
        patch.setattr(Trainer, "step", lambda trainer: self._step(trainer))
        patch.setattr(Trainer, "flush", lambda trainer: np.zeros((0, len(trainer.columns)), np.float32))
        patch.setattr(Trainer, "state", lambda trainer: self.spend(SAVE_S) or {})
        patch.setattr(
            SnapshotTaker, "take_pieces", lambda _, model, step, m: self._look(replace(snapshot, step=step), m)
        )
        patch.setattr(task_module, "final_metrics", in_pieces(lambda *_: self._pieces(FIGURES_PIECES, {"nll": 1.0})))
        self.served: list[str] = []
        self.engine = Scheduler(seats, "cpu", lambda: self.pressed, self.served.append, lambda: self.now)

    def spend(self, seconds: float) -> None:
        self.now += seconds

    def _step(self, trainer: Trainer) -> None:
        self.spend(STEP_S)
        trainer.step_count += 1

    def _look(self, snapshot: Snapshot, measured: bool) -> Pieces[Snapshot]:
        metrics = snapshot.metrics or {"kl": 1.0}
        result = replace(snapshot, metrics=metrics) if measured else snapshot
        return self._pieces(LOOK_PIECES + measured * METRICS_PIECES, result)

    def _pieces(self, count: int, result: Any) -> Pieces[Any]:
        for _ in range(count - 1):
            self.spend(PIECE_S)
            yield
        self.spend(PIECE_S)
        return result

    def tell(self, run: str, name: str, **args: Any) -> list[Update]:
        return self._note(self.engine.handle(Command(run, name, args)))

    def open(self, run: str, config: RunConfig = CONFIG, status: str = RUNNING, **more: Any) -> Task:
        self.spend(OPEN_S)
        usual = {"config": config.to_dict(), "folder": str(self.folder / run), "generation": 0, "resume": ()}
        self.tell(run, "open", **(usual | {"status": status} | more))
        return self.engine.tasks[run]

    def open_many(self, count: int, **more: Any) -> list[Task]:
        """Runs of as many owners, who have all chosen seeds of their own: no picture will do for two of them."""
        usual = [{"owner": f"owner {i}", "config": CONFIG.with_(seed=i)} for i in range(count)]
        return [self.open(f"run {i}", **(usual[i] | more)) for i in range(count)]

    def work(self, seconds: float) -> float:
        """Let the engine work; returns the longest time in which it heard no command."""
        until, longest = self.now + seconds, 0.0
        while self.now < until and self.engine.busy:
            before = self.now
            self._note(self.engine.work())
            longest = max(longest, self.now - before)
            self.lines += self.engine.line()
        return longest

    def idle(self) -> None:
        self.work(1e9)

    def _note(self, updates: list[Update]) -> list[Update]:
        self.news += [(self.now, update) for update in updates]
        return updates

    def of(self, run: str) -> list[Update]:
        return [update for _, update in self.news if update.run_id == run]

    def pictures(self) -> list[tuple[float, str, Snapshot]]:
        return [(at, update.run_id, update.snapshot) for at, update in self.news if update.snapshot is not None]

    def saves(self) -> list[tuple[float, str, int]]:
        return [(at, update.run_id, update.saved) for at, update in self.news if update.saved is not None]


@pytest.fixture
def make_world(
    small_data: Any, tmp_path: Path, snapshot_of_new_model: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., World]]:
    """Worlds, one after the other."""
    numbers = iter(range(100))
    yield lambda seats=64: World(tmp_path / str(next(numbers)), snapshot_of_new_model, monkeypatch, seats)
