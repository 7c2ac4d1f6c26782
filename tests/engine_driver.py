"""An engine in the process of the test, and the curve that it must give."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.inspect.snapshot import Snapshot
from vae_core.runs.messages import RUNNING, Command, Update
from vae_core.runs.scheduler import Scheduler
from vae_core.runs.storage import states_folder, steps_in
from vae_core.trainer import Trainer

EPOCH = 8  # steps: 2,000 images in batches of 256
CONFIG = RunConfig(device="cpu", epochs=1000, widths="32")


def turn(engine: Scheduler) -> list[Update]:
    """So much work that everybody who has a seat has trained."""
    before = {run: task.step for run, task in engine.tasks.items()}
    updates = engine.work()
    for _ in range(500):
        seated = [task for task in engine.tasks.values() if (task.group or task.run_id) in engine._seats.training]
        if not any(task.trains and task.step == before.get(task.run_id) for task in seated):
            break
        updates += engine.work()
    return updates


def attend(engine: Scheduler) -> list[Update]:
    """All that somebody waits for, as if nobody trained."""
    updates: list[Update] = []
    while any(task.owes_look or task.owes_save for task in engine.tasks.values()):
        updates += engine._upkeep.do_piece(limited=False) or []
        updates += engine._last_words()
    return updates


def rest(engine: Scheduler) -> list[Update]:
    """The same, and the metrics of arms that rest."""
    updates = attend(engine)
    while any(task.owes_metrics for task in engine.tasks.values()):
        updates += engine._upkeep.do_piece(limited=False) or []
    return updates


class Driver:
    """An engine and all that came out of it."""

    def __init__(self, folder: Path) -> None:
        self.engine, self.folder = Scheduler(), folder
        self.updates: list[Update] = []

    def tell(self, name: str, run: str = "a", **args: Any) -> list[Update]:
        updates = self.engine.handle(Command(run, name, args))
        self.updates += updates
        return updates

    def open(
        self,
        run: str = "a",
        config: RunConfig = CONFIG,
        status: str = RUNNING,
        generation: int = 0,
        resume: bool = False,
    ) -> list[Update]:
        folder = self.folder / run
        kept = steps_in(states_folder(folder, generation))[::-1] if resume else []
        args = {"config": config.to_dict(), "generation": generation, "resume": kept, "status": status}
        args["folder"] = str(folder)
        return self.tell("open", run, **args)

    def turn(self) -> None:
        self.updates += turn(self.engine)

    def turn_until(self, done: Callable[[], Any], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, "it did not happen"
            self.turn()

    def idle(self) -> None:
        """Take turns as the process does: until there is nothing to do."""
        self.turn_until(lambda: not self.engine.busy)

    def of(self, run: str = "a", generation: int = 0) -> list[Update]:
        return [u for u in self.updates if u.run_id == run and u.generation == generation]

    def last(self, run: str = "a") -> Update:
        return [u for u in self.updates if u.run_id == run][-1]

    def pictures(self, run: str = "a", generation: int = 0) -> list[Snapshot]:
        return [u.snapshot for u in self.of(run, generation) if u.snapshot is not None]

    def saved(self, run: str = "a", generation: int = 0) -> list[int]:
        """Steps of the states that were told of."""
        return [u.saved for u in self.of(run, generation) if u.saved is not None]

    def rows(self, run: str = "a", generation: int = 0) -> np.ndarray:
        return np.concatenate([u.rows for u in self.of(run, generation)])

    def steps(self, run: str = "a", generation: int = 0) -> list[int]:
        return [int(step) for step in self.rows(run, generation)[:, 0]]


def undisturbed(config: RunConfig, images: Images, steps: int) -> np.ndarray:
    """The rows of a trainer that nobody interrupts: the oracle of every curve here."""
    trainer = Trainer(config, images)
    for _ in range(steps):
        trainer.step()
    return trainer.flush()
