"""What an engine does besides training: by urgency, in pieces, and in a share of its time.

asked    what somebody waits for: the first picture of a run, its picture where it rests, a state in a hurry
saves    states that are due
figures  of runs that have ended
looks    regular pictures, now and then with the metrics
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from vae_core.pieces import Pieces
from vae_core.runs.allowance import Allowance
from vae_core.runs.guard import Guard
from vae_core.runs.lanes import abreast, lanes_of
from vae_core.runs.messages import FAILED, Update
from vae_core.runs.task import FirstLooks, Task

SHARE = 1 / 5  # of the engine's time at most, while anything trains
MOST_S = 1.0  # so much of it can be saved up, for several who ask at once ...
RESERVE_S = 0.5  # ... and what nobody waits for leaves so much of it
FRESH_S = 0.5  # of training since the last state, at most, where the metrics begin
METRICS_REST = 20  # times as long as they took

Tell = Callable[[], Update]
Wish = tuple[Task, Callable[[], Pieces[Tell]]]  # for whom, and how to begin


@dataclass
class Job:
    """Work for one run after the other. All are told when the last is done: arms are seen at the same steps, or not."""

    parts: list[tuple[Task, Pieces[Tell]]] = field(default_factory=list)
    done: list[tuple[Task, Tell]] = field(default_factory=list)

    def drop(self, gone: Callable[[Task], bool]) -> None:
        self.parts = [(task, pieces) for task, pieces in self.parts if not gone(task)]
        self.done = [(task, tell) for task, tell in self.done if not gone(task)]

    @property
    def tasks(self) -> list[Task]:
        return [task for task, _ in [*self.parts, *self.done]]


class Upkeep:
    """One job of each kind is in work at a time, and carried to its end; a more urgent one passes it."""

    def __init__(self, tasks: Mapping[str, Task], guard: Guard, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            tasks: those of the engine, as they come and go.
        """
        self._tasks, self._guard, self._clock = tasks, guard, clock
        self._allowance = Allowance(SHARE, MOST_S, clock)
        self._kinds = (self._asked, self._saves, self._figures, self._looks)
        self._jobs = [Job() for _ in self._kinds]
        self._first: FirstLooks = {}
        self._metrics_due = 0.0
        self.spent = 0.0  # seconds, ever

    @property
    def pending(self) -> bool:
        """Whether there is anything to do."""
        return any(job.tasks for job in self._jobs) or any(kind() for kind in self._kinds)

    def do_piece(self, limited: bool) -> list[Update] | None:
        """A piece of what is most urgent; None where there is none, or no time for it.

        Args:
            limited: somebody trains, who is to have most of the time.
        """
        for urgency in range(len(self._kinds)):
            reserve = RESERVE_S if urgency >= 2 else 0.0
            if limited and not self._allowance.has(reserve):
                return None
            if self._begin(urgency):
                started = self._clock()
                with self._allowance.spending() if limited else contextlib.nullcontext():
                    updates = self._advance(self._jobs[urgency])
                self.spent += self._clock() - started
                return updates
        return None

    def _begin(self, urgency: int) -> bool:
        """Whether a job of this urgency is in work, now at the latest."""
        job = self._jobs[urgency]
        job.drop(lambda task: self._tasks.get(task.run_id) is not task)
        if not job.tasks:
            for task, begin in self._kinds[urgency]():
                with self._guard.serving(task):
                    job.parts.append((task, begin()))
        return bool(job.tasks)

    def _advance(self, job: Job) -> list[Update]:
        if job.parts:
            task, pieces = job.parts[0]
            with self._guard.serving(task):
                try:
                    next(pieces)
                    return []
                except StopIteration as end:
                    job.done.append((task, end.value))
            job.parts.pop(0)  # done, or ended by an error
        return [] if job.parts else self._tell(job)

    def _tell(self, job: Job) -> list[Update]:
        updates, done, job.done = [], job.done, []
        for task, tell in done:
            with self._guard.serving(task):
                updates.append(tell())
        return updates

    def _asked(self) -> list[Wish]:
        """Who has waited longest; but arms that are to begin together come first, as all of them wait."""
        tasks = self._tasks.values()
        looks = [(-1.0 if task.opens_group else task.due.look_asked, task) for task in tasks if task.owes_look]
        saves = [(task.due.save_asked, task) for task in tasks if task.owes_save and self._may_save(task)]
        asked, task = min(looks + saves, key=lambda wish: wish[0], default=(0.0, None))
        if task is None:
            return []
        if (asked, task) in saves:
            return [(task, task.save)]
        return [(task, partial(self._last_look, task))]

    def _last_look(self, task: Task) -> Pieces[Tell]:
        """A look that is asked for makes an earlier one that is still in work superfluous."""
        self._jobs[-1].drop(lambda other: other is task)
        return task.look(task.status == FAILED and bool(task.group), self._first)

    def _saves(self) -> list[Wish]:
        due = [task for task in self._tasks.values() if task.wants_save and self._may_save(task)]
        return [(task, task.save) for task in sorted(due, key=lambda task: task.due.trained)[-1:]]

    def _may_save(self, task: Task) -> bool:
        """Not before a picture that was begun is told: the states of a run never pass its film."""
        return not task.owes_look and all(task not in job.tasks for job in self._jobs)

    def _figures(self) -> list[Wish]:
        return [(task, task.conclude) for task in self._tasks.values() if task.concluding][:1]

    def _looks(self) -> list[Wish]:
        """Of the lane that has waited longest. Who trains in step is looked at at the same step."""
        training = [abreast(lane) for lane in lanes_of(self._tasks.values()).values()]
        due = [lane for lane in training if lane and all(task.wants_look for task in lane)]
        due += [[task] for task in self._tasks.values() if task.owes_metrics and not task.owes_look]
        lane = min(due, key=lambda lane: min(task.due.snapshot for task in lane), default=[])
        measured = all(task.owes_metrics or self._may_measure(task) for task in lane)
        return [(task, partial(self._look, task, measured)) for task in lane]

    def _may_measure(self, task: Task) -> bool:
        """They take long, and no state is kept meanwhile: so right after one."""
        fresh = task.due.trained < FRESH_S and not task.early
        return bool(task.group) and fresh and self._clock() >= self._metrics_due

    def _look(self, task: Task, measured: bool) -> Pieces[Tell]:
        pieces = task.look(measured, self._first)
        return self._rest_after(pieces) if measured else pieces

    def _rest_after(self, metrics: Pieces[Tell]) -> Pieces[Tell]:
        before = self.spent
        tell = yield from metrics
        self._metrics_due = max(self._metrics_due, self._clock()) + METRICS_REST * (self.spent - before)
        return tell
