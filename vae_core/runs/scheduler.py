"""The process that trains: one per device. It takes turns among the runs of all visitors.

Commands come in, updates go out; nothing else is shared. `Scheduler` knows no process, so tests drive it
directly; process.py puts it at the far end of a pipe.
"""

import contextlib
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from vae_core.config import ConfigError, RunConfig
from vae_core.data.images import DataError
from vae_core.divergence import RunError
from vae_core.runs.allowance import Allowance
from vae_core.runs.messages import FAILED, PAUSED, RUNNING, STOPPED, Command, Update
from vae_core.runs.task import METRICS_SHARE, NOTHING, TURN_S, Task, Upkeep

UPKEEP_SHARE = 1 / 11  # of the engine's time at most for the snapshots and states of all runs that train
PROMPT_SHARE = 1 / 5  # and for those that somebody waits for, first looks above all; so many seconds of them at once:
PROMPT_S = 1.0
FIGURES_SHARE = 1 / 5  # and for the final figures of runs that have ended, while others train
ROUND = 4  # steps that a run of a group makes at a time: its weights then lie in the processor's cache


class Scheduler:
    """All runs of one device."""

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self._upkeep, self._measuring = Allowance(UPKEEP_SHARE), Allowance(1 / (1 + METRICS_SHARE))
        self._prompt, self._figures = Allowance(PROMPT_SHARE, PROMPT_S), Allowance(FIGURES_SHARE)

    @property
    def busy(self) -> bool:
        return any(task.working for task in self.tasks.values())

    def handle(self, command: Command) -> list[Update]:
        """Carry out one command. One about an unknown run is ignored: it may have been closed meanwhile."""
        if command.name == "open":
            return self._open(command.run_id, **command.args)
        tasks = [task for task in self.tasks.values() if command.run_id in (task.run_id, task.group)]
        for task in tasks:
            with _contained(task):
                COMMANDS[command.name](self, task, **command.args)
        return [update for task in tasks for update in self._speak(task)]

    def turn(self) -> list[Update]:
        """Serve every lane once: a run by itself, or the runs of a group in step with each other."""
        return [update for updates in self.slices() for update in updates]

    def slices(self, pressed: bool = False) -> Iterator[list[Update]]:
        """The same lane by lane, for whoever has commands to hand in between: they may open and close runs.

        Args:
            pressed: whether commands wait; then no final figures are computed, which takes seconds.
        """
        if not pressed and (self._figures.free or self._at_rest):
            yield self._conclude()
        for key in self._lanes():
            if lane := self._lanes().get(key):
                yield self._slice(lane)

    def _conclude(self) -> list[Update]:
        """The final figures of one run that has ended, and all that it still owes: the server lets go of it then."""
        task = next((task for task in self.tasks.values() if task.concluding), None)
        if task is None:
            return []
        with self._figures.spending():
            with _contained(task):
                task.conclude()
            return _reports(task, task.owed)

    def _lanes(self) -> dict[str, list[Task]]:
        lanes: dict[str, list[Task]] = {}
        for task in self.tasks.values():
            lanes.setdefault(task.group or task.run_id, []).append(task)
        return lanes

    def _slice(self, lane: list[Task]) -> list[Update]:
        """Train a lane for a moment; then look after it if it is at its beginning, else after who waits longest."""
        _train(lane)
        for task in lane:
            with _contained(task):
                task.settle()
        updates = [update for task in lane for update in self._speak(task)]
        if self._prompt.free and any(task.early for task in _next(lane)) and not self._somebody_waits:
            return updates + self._look_after(lane, self._prompt)
        if self._upkeep.free or self._at_rest:
            lanes = sorted(self._lanes().values(), key=lambda lane: min(task.due for task in lane))
            neediest = next((lane for lane in lanes if any(self._needs(lane).values())), [])
            return updates + self._look_after(neediest, self._upkeep)
        return updates

    @property
    def _somebody_waits(self) -> bool:
        return any(task.owed for task in self.tasks.values())

    @property
    def _at_rest(self) -> bool:
        """Whether nothing trains, so that nobody is kept from it."""
        return not any(task.status == RUNNING for task in self.tasks.values())

    def _needs(self, lane: list[Task]) -> dict[str, Upkeep]:
        """What falls due in a lane, by run. Who trains in step is looked after at the same step: when all want it."""
        training = _next(lane)
        snapshot, save = all(task.wants_snapshot for task in training), any(task.wants_save for task in training)
        metrics = snapshot and self._measuring.free and all(task.wants_metrics for task in training)
        return {task.run_id: Upkeep(snapshot, metrics, save) if task in training else task.owed for task in lane}

    def _look_after(self, lane: list[Task], allowance: Allowance) -> list[Update]:
        needs = self._needs(lane)
        if any(need.metrics for need in needs.values()):
            allowance = self._measuring
        with allowance.spending():
            return [u for task in lane if needs[task.run_id] for u in _reports(task, needs[task.run_id])]

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
    ) -> list[Update]:
        """Take a run in.

        Args:
            folder: of the run.
            resume: steps of its kept states, the newest first: it goes on from the first that can be read. None: it
                begins anew.
            branch: it goes on with the weights of its own config.
            owner: its visitor.
        """
        try:
            task = Task(run_id, RunConfig.from_dict(config), Path(folder), generation, group)
        except (ConfigError, DataError, RunError) as error:
            return [Update(run_id, generation, FAILED, str(error))]
        except torch.OutOfMemoryError:
            return [Update(run_id, generation, FAILED, "The GPU is out of memory: close other runs, then start again.")]
        except OSError as error:
            return [Update(run_id, generation, FAILED, f"The run cannot be saved ({error.strerror}): free disk space.")]
        except Exception as error:  # of a family of somebody's own: it must not end the engine
            return [Update(run_id, generation, FAILED, f"The run cannot begin ({type(error).__name__}: {error}).")]
        self.tasks[run_id] = task
        with _contained(task):
            self._enter(task, resume, status, branch)
        return self._speak(task)

    def _enter(self, task: Task, resume: Sequence[int], status: str, branch: bool) -> None:
        """Begin, or go on from the last state; a branch goes on from it with the weights of its own config."""
        task.restore(resume)
        if branch:
            task.trainer.set(**task.config.live.to_dict())
        task.change(status)

    def _reset(self, task: Task, **changes: Any) -> None:
        """Back to the same initial weights of the networks, with the settings that are in force now, or new ones."""
        config = task.config.with_(**task.trainer.settings.to_dict() | changes)
        fresh = Task(task.run_id, config, task.folder, task.generation + 1, task.group)
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
        return max(other.trainer.step_count for other in lane or [task] if other.status in (RUNNING, PAUSED))

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
            task.hurry()

    def _close(self, task: Task) -> None:
        """Let go of a run; what is on disk is the server's to keep or to remove."""
        del self.tasks[task.run_id]

    def _speak(self, task: Task) -> list[Update]:
        """What a run has to report, with what somebody waits for if there is time."""
        now = self.tasks.get(task.run_id)  # a reset has made another one of it, a close none
        if now is None:
            return []
        at_once = self._prompt.free or self._at_rest or now.opens_group or now.status == FAILED  # its last words
        if not (now.owed and at_once):
            return _reports(now, NOTHING)
        with self._prompt.spending():
            return _reports(now, now.owed)


def _reports(task: Task, upkeep: Upkeep) -> list[Update]:
    """The updates of a run; when they fail so has the run, and it says what it still can."""
    with _contained(task):
        return task.reports(upkeep)
    with contextlib.suppress(Exception):
        return task.reports(task.owed)
    return [task.obituary()]


@contextlib.contextmanager
def _contained(task: Task) -> Iterator[None]:
    """An error inside ends this run and no other."""
    try:
        yield
    except RunError as error:
        task.fail(str(error))
    except torch.OutOfMemoryError:
        task.fail("The GPU ran out of memory: lower the batch size or take fewer latents, then start again.")
    except ConfigError as error:
        task.say(str(error))
    except OSError as error:
        task.fail(f"The run cannot be saved ({error.strerror}): free some disk space, then start again.")
    except Exception as error:  # a fault of ours must not take the other visitors' runs along
        traceback.print_exc()
        task.fail(f"The run stopped on an internal error ({type(error).__name__}: {error}).")


def _next(lane: list[Task]) -> list[Task]:
    """The runs of a lane that train now: all that are in step. Who is behind catches up first."""
    running = [task for task in lane if task.status == RUNNING and task.steps_left > 0]
    least = min((task.trainer.step_count for task in running), default=0)
    return [task for task in running if task.trainer.step_count == least]


def _train(lane: list[Task]) -> None:
    """Train for a moment, round by round; after each round all are at the same step."""
    deadline = time.monotonic() + TURN_S
    while time.monotonic() < deadline and (tasks := _next(lane)):
        steps = _round(lane, tasks)
        for task in tasks:
            with _contained(task):
                for _ in range(steps):
                    task.trainer.step()


def _round(lane: list[Task], tasks: list[Task]) -> int:
    """How many steps these tasks make before they change places: not past a run of the lane that is ahead of them."""
    if len(lane) == 1:
        return 1
    gaps = [task.trainer.step_count - tasks[0].trainer.step_count for task in lane if task.status == RUNNING]
    return min(ROUND, *(task.steps_left for task in tasks), *(gap for gap in gaps if gap > 0))


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
}
