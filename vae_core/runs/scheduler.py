"""The process that trains: one per device. It takes turns among the runs of all visitors.

Commands come in, updates go out; nothing else is shared. `Scheduler` knows no process, so tests drive it
directly; process.py puts it at the far end of a pipe.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from vae_core import devices
from vae_core.config import ConfigError, RunConfig
from vae_core.data.images import DataError
from vae_core.divergence import RunError
from vae_core.pieces import Pieces
from vae_core.runs.guard import Guard
from vae_core.runs.lanes import abreast, lanes_of, round_of
from vae_core.runs.line import FEWEST, Lane, Seats
from vae_core.runs.measured import measure_pace
from vae_core.runs.messages import FAILED, PAUSED, RUNNING, STOPPED, Command, Line, Measured, Update
from vae_core.runs.task import Task
from vae_core.runs.upkeep import Upkeep
from vae_core.runs.vitals import Vitals

TURN_S = 0.05  # how long one lane trains before the next one is served
STEP_S = 0.02  # about what a step takes of a run that has made none


class Scheduler:
    """All runs of one device."""

    def __init__(
        self,
        seats: int = FEWEST,
        device: str = "",
        heard: Callable[[], bool] = lambda: False,
        name: Callable[[str], None] = lambda run_id: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            seats: how many lanes train at once, on this device.
            heard: whether a command has come in: training stops for it between two steps.
            name: told whom the engine serves, before it does.
            clock: seconds, rising.
        """
        self.tasks: dict[str, Task] = {}
        self._heard, self._clock = heard, clock
        self._guard = Guard(name)
        self._seats = Seats(seats, clock)
        self._upkeep = Upkeep(self.tasks, self._guard, clock)
        self._vitals = Vitals(device, clock)
        self._measuring: Pieces[float] | None = None

    @property
    def busy(self) -> bool:
        trains = any(task.trains for task in self.tasks.values())
        return trains or self._upkeep.pending or self._measuring is not None

    def handle(self, command: Command) -> Sequence[Update]:
        """Carry out one command. One about an unknown run is ignored: it may have been closed meanwhile."""
        if command.name == "measure":
            self._measuring = _measure(**command.args)
            return []
        if command.name == "open":
            return self._open(command.run_id, **command.args)
        tasks = [task for task in self.tasks.values() if command.run_id in (task.run_id, task.group)]
        for task in tasks:
            with self._guard.serving(task):
                COMMANDS[command.name](self, task, **command.args)
                task.settle()  # there may be nothing left to be done
        return [update for task in tasks for update in self._reports(task.run_id)]

    def work(self) -> list[Update]:
        """A piece of upkeep, or a moment of training of the lane whose turn it is."""
        lanes = lanes_of(self.tasks.values())
        updates = self._take_seats(lanes)
        done = self._upkeep.do_piece(limited=bool(self._seats.training))
        if done is not None:
            updates += done
        elif (key := self._seats.next()) is not None:
            updates += self._train(key, lanes[key])
        return updates + self._last_words()

    def line(self) -> list[Line]:
        """How the line stands, at most once a second, where that has changed."""
        if not self._vitals.due:
            return []
        lanes = lanes_of(self.tasks.values())
        forecast = zip(self._seats.waiting, self._seats.forecast(), strict=True)
        waiting = [([task.run_id for task in lanes.get(key, []) if task.trains], s) for key, s in forecast]
        return self._vitals.report(self._seats.seats, len(self._seats.training), waiting, self._upkeep.spent)

    def measure(self) -> list[Measured]:
        """A piece of what was asked for last; told when it is done."""
        if self._measuring is None:
            return []
        try:
            next(self._measuring)
            return []
        except StopIteration as end:
            pace = float(end.value)
        except Exception:  # it is said when the run begins; a family of somebody's own must not end the engine
            pace = 0.0
        self._measuring = None
        return [Measured(pace)]

    def _take_seats(self, lanes: dict[str, list[Task]]) -> list[Update]:
        """Give the seats to who is due; who has to leave one reports how far it has come."""
        before = self._seats.training
        self._seats.arrange(lane for key in lanes if (lane := _wish(key, lanes[key])) is not None)
        left = [task for key in self._seats.waiting if key in before for task in lanes[key] if task.trains]
        for task in left:
            task.wait()
        return [update for task in left for update in self._reports(task.run_id)]

    def _train(self, key: str, lane: list[Task]) -> list[Update]:
        """Train a lane for a moment, round by round; after each round all are at the same step."""
        started, spent, steps = self._clock(), 0.0, 0
        while tasks := abreast(lane):
            count = round_of(lane, tasks)
            for task in tasks:
                with self._guard.serving(task):
                    spent += task.train(count)
                    steps += count
            if self._clock() - started >= TURN_S or self._heard():
                break
        self._seats.spend(key, spent)
        self._vitals.add_steps(steps)
        for task in lane:
            with self._guard.serving(task):
                task.settle()
        return [update for task in lane for update in self._reports(task.run_id)]

    def _last_words(self) -> list[Update]:
        failed = [task.run_id for task in self.tasks.values() if task.status == FAILED]
        return [update for run_id in failed for update in self._reports(run_id)]

    def _reports(self, run_id: str) -> list[Update]:
        task = self.tasks.get(run_id)  # a reset has made another one of it, a close none
        return self._guard.reports(task) if task is not None else []

    def _open(
        self,
        run_id: str,
        config: dict[str, Any],
        folder: str,
        generation: int,
        resume: Sequence[int],
        status: str,
        branch: bool = False,
        group: str = "",
        owner: str = "",
        first: bool = False,
    ) -> list[Update]:
        """Take a run in.

        Args:
            folder: of the run.
            resume: steps of its kept states, the newest first: it goes on from the first that can be read. None: it
                begins anew.
            branch: it goes on with the weights of its own config.
            owner: its visitor.
            first: it never waits in the line.
        """
        try:
            with self._guard.naming(run_id):
                whole = RunConfig.from_dict(config)
                task = Task(run_id, whole, Path(folder), generation, group, owner or run_id, first, self._clock)
        except (ConfigError, DataError, RunError) as error:
            return [Update(run_id, generation, FAILED, str(error))]
        except torch.OutOfMemoryError:
            return [Update(run_id, generation, FAILED, "The GPU is out of memory: close other runs, then start again.")]
        except OSError as error:
            return [Update(run_id, generation, FAILED, f"The run cannot be saved ({error.strerror}): free disk space.")]
        except Exception as error:  # of a family of somebody's own: it must not end the engine
            return [Update(run_id, generation, FAILED, f"The run cannot begin ({type(error).__name__}: {error}).")]
        self.tasks[run_id] = task
        with self._guard.serving(task):
            task.restore(resume)
            if branch:
                task.trainer.set(**task.config.live.to_dict())
            task.change(status)
            task.settle()
        task.broken = task.status == FAILED  # there is nothing to be seen
        return self._reports(run_id)

    def _reset(self, task: Task, **changes: Any) -> None:
        """Back to the same initial weights of the networks, with the settings that are in force now, or new ones."""
        config = task.config.with_(**task.trainer.settings.to_dict() | changes)
        fresh = task.begin_anew(config)
        self.tasks[task.run_id] = fresh
        fresh.change(PAUSED)

    def _pause(self, task: Task) -> None:
        if task.status == RUNNING:
            task.change(PAUSED)

    def _resume(self, task: Task) -> None:
        if task.status == PAUSED:
            task.change(RUNNING)

    def _step(self, task: Task, steps: int) -> None:
        """So many steps, then pause; those that are still to be made of an earlier command count besides."""
        if task.status in (RUNNING, PAUSED) and steps > 0:
            task.change(RUNNING, until=(task.until or self._furthest(task)) + steps)

    def _furthest(self, task: Task) -> int:
        """The step that a run, or the first of its group, has reached: who is behind catches up."""
        lane = [other for other in self.tasks.values() if task.group and other.group == task.group]
        return max(other.step for other in lane or [task] if other.status in (RUNNING, PAUSED))

    def _slow(self, task: Task) -> None:
        if task.status in (RUNNING, PAUSED):
            task.slow_step()

    def _epoch(self, task: Task) -> None:
        if task.status in (RUNNING, PAUSED):
            epoch = task.trainer.steps_per_epoch
            task.change(RUNNING, until=(self._furthest(task) // epoch + 1) * epoch)

    def _stop(self, task: Task) -> None:
        if task.status in (RUNNING, PAUSED):
            task.change(STOPPED)

    def _set(self, task: Task, **changes: Any) -> None:
        """Change LiveSettings; saved at once, so that a crash cannot undo it."""
        if task.status in (RUNNING, PAUSED) and task.trainer.set(**changes):
            task.due.hurry()

    def _pin(self, task: Task) -> None:
        task.first = True

    def _unpin(self, task: Task) -> None:
        task.first = False

    def _close(self, task: Task) -> None:
        """Let go of a run; what is on disk is the server's to keep or to remove."""
        del self.tasks[task.run_id]


def _measure(config: dict[str, Any]) -> Pieces[float]:
    """How fast a run with these settings would train: nobody has begun it yet."""
    whole = RunConfig.from_dict(config)
    return (yield from measure_pace(whole, devices.resolve(whole.device)))


def _wish(key: str, lane: list[Task]) -> Lane | None:
    """What a lane wants of the device; nothing while it rests, or its arms wait for the picture they begin with."""
    running = [task for task in lane if task.trains]
    if not running or any(task.opens_group for task in lane):
        return None
    seconds = sum(task.steps_left * (task.step_s or STEP_S) for task in running)
    return Lane(key, lane[0].owner, seconds, any(task.first for task in lane))


COMMANDS: dict[str, Callable[..., None]] = {
    "pause": Scheduler._pause,
    "resume": Scheduler._resume,
    "step": Scheduler._step,
    "slow": Scheduler._slow,
    "epoch": Scheduler._epoch,
    "set": Scheduler._set,
    "stop": Scheduler._stop,
    "reset": Scheduler._reset,
    "close": Scheduler._close,
    "pin": Scheduler._pin,
    "unpin": Scheduler._unpin,
}
