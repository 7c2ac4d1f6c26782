"""One run inside an engine: its trainer, what it is doing, and what it reports and saves as it goes."""

import copy
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from safetensors.torch import save as to_bytes

from vae_core import devices
from vae_core.checkpoints import replacing
from vae_core.config import RunConfig
from vae_core.divergence import RunError
from vae_core.evaluate import final_metrics
from vae_core.inspect.points import PointsTaker, exact_figures, taker_of
from vae_core.inspect.snapshot import Snapshot, SnapshotTaker
from vae_core.inspect.step_trace import StepTrace, can_be_traced, trace_step
from vae_core.models.base import Family
from vae_core.pieces import Pieces
from vae_core.runs.due import EARLY_STEPS, NEVER, Due
from vae_core.runs.messages import FAILED, FINISHED, PAUSED, RUNNING, STOPPED, Update
from vae_core.runs.pace import Pace
from vae_core.runs.quick import quick_trainer
from vae_core.runs.storage import state_file, states_folder

FirstLooks = dict[tuple[RunConfig, bool], Snapshot]  # by settings, and whether with metrics
FIRST_LOOKS = 20  # kept, 1 MB each at 32 latents
IW_SAMPLES, IW_IMAGES = 50, 200  # of the bound at a run's end: a few seconds for the slowest network


class Task:
    """One run inside the engine: its trainer, and what it is doing."""

    def __init__(
        self,
        run_id: str,
        config: RunConfig,
        folder: Path,
        generation: int,
        group: str = "",
        owner: str = "",
        first: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            folder: of the run; its states lie there.
            owner: its visitor.
            first: it never waits in the line (line.py).
        """
        self.run_id, self.config, self.generation, self.group = run_id, config, generation, group
        self.owner, self.first, self.clock = owner, first, clock
        self.folder, self.states_folder = folder, states_folder(folder, generation)
        self.states_folder.mkdir(parents=True, exist_ok=True)
        self.trainer = quick_trainer(config)
        self._total = self.trainer.total_steps
        self.status, self.message = RUNNING, ""
        self.broken = False  # it cannot even say what it looks like
        self.diverged = False  # a loss or a weight was no number any more
        self.final: dict[str, Any] | None = None
        self.due, self.pace = Due(clock), Pace(clock=clock)
        self.until: int | None = None  # single steps: pause there
        self.step_s: float | None = None  # that a step takes, as measured lately
        self._marks_sent = 0
        self._taker: SnapshotTaker | PointsTaker | None = None
        self._slow: StepTrace | None = None  # waits for the next report

    @property
    def step(self) -> int:
        """That it has reached."""
        return self.trainer.step_count

    @property
    def steps_left(self) -> int:
        """Until it pauses or is done."""
        return min(self.until or self._total, self._total) - self.step

    @property
    def trains(self) -> bool:
        return self.status == RUNNING and self.steps_left > 0

    @property
    def owes_look(self) -> bool:
        """Whether somebody waits for a picture: the first of a run, and what it looks like where it rests."""
        return self.due.seen < 0 if self.status == RUNNING else self.step != self.due.seen

    @property
    def owes_metrics(self) -> bool:
        """Runs of a group are compared by the metrics: now and then while they train, and always where they rest."""
        return bool(self.group) and self.status != RUNNING and self.step != self.due.measured and not self.broken

    @property
    def owes_save(self) -> bool:
        return self.due.save_asked < NEVER

    @property
    def wants_look(self) -> bool:
        """Whether a regular picture is due."""
        return self.due.seen >= 0 and self.due.wants_snapshot(self.step)

    @property
    def wants_save(self) -> bool:
        return self.status == RUNNING and self.due.wants_save(self.step)

    @property
    def opens_group(self) -> bool:
        """Whether it is an arm that nobody has seen yet: all begin with a picture of the same step, so all wait."""
        return bool(self.group) and self.status == RUNNING and self.due.seen < 0

    @property
    def early(self) -> bool:
        """Whether it is at the very beginning, when everything changes."""
        return self.step < EARLY_STEPS

    @property
    def concluding(self) -> bool:
        """Whether it has ended and nothing but its final figures is missing: with them the server lets go of it."""
        ended = self.status in (FINISHED, STOPPED) and self.final is None
        return ended and not (self.owes_look or self.owes_metrics or self.owes_save)

    def train(self, steps: int) -> float:
        """Make steps; returns the seconds that they took."""
        started = self.clock()
        try:
            for _ in range(steps):
                self.trainer.step()
        finally:
            took = self.clock() - started
            self.due.add_training(took)
        lately = took / steps
        self.step_s = lately if self.step_s is None else 0.8 * self.step_s + 0.2 * lately
        return took

    def settle(self) -> None:
        """After the steps of a turn: where it stands now."""
        if self.status == RUNNING:
            self.pace.add(self.trainer.images_seen)
            if self.steps_left <= 0:
                self.change(FINISHED if self.trainer.done else PAUSED)

    def slow_step(self) -> None:
        """One step, then pause; in slow motion where there is a posterior to show."""
        if not self.trainer.done and can_be_traced(self.trainer.model):
            self._slow = trace_step(self.trainer)
        elif not self.trainer.done:
            self.trainer.step()
        self.change(FINISHED if self.trainer.done else PAUSED)

    def change(self, status: str, message: str = "", until: int | None = None) -> None:
        """Enter a status. Where it rests, what it looks like and its state are kept as soon as there is time."""
        self.status, self.message, self.until = status, message, until
        if status == RUNNING:
            self.final = None
            self.due.hurry_report()
        else:
            self.pace.clear()
            self.due.hurry()

    def wait(self) -> None:
        """It has given its seat to somebody else."""
        self.pace.clear()
        self.due.hurry_report()

    def begin_anew(self, config: RunConfig) -> "Task":
        """The same run as its next generation, at its first step."""
        generation, owned = self.generation + 1, (self.group, self.owner, self.first, self.clock)
        return Task(self.run_id, config, self.folder, generation, *owned)

    def say(self, message: str) -> None:
        """With the next report."""
        self.message = message
        self.due.hurry_report()

    def fail(self, message: str, diverged: bool = False) -> None:
        """End on an error. Touches nothing that may itself be broken."""
        self.diverged = diverged
        self.broken = self.status == FAILED  # in its last words
        self.status, self.message, self.until = FAILED, message, None
        self.due.drop_save()
        self.due.hurry_report()

    def reports(self) -> list[Update]:
        """An update if one is due. That a run has failed is its last word, so it is told with its last picture."""
        if self.broken:
            return [self.obituary()] if self.due.wants_report else []
        silent = self.status == FAILED and self.owes_look
        return [self.update()] if self.due.wants_report and not silent else []

    def update(self, saved: int | None = None, snapshot: Snapshot | None = None) -> Update:
        """What has happened since the last one."""
        trainer, rows = self.trainer, self.trainer.flush()
        self.due.note_report(self.status == RUNNING)
        marks, self._marks_sent = tuple(trainer.marks[self._marks_sent :]), len(trainer.marks)
        slow, self._slow = self._slow, None
        return Update(
            run_id=self.run_id,
            generation=self.generation,
            status=self.status,
            message=self.message,
            step=trainer.step_count,
            steps_per_epoch=trainer.steps_per_epoch,
            total_steps=trainer.total_steps,
            images_per_s=self.pace.rate,
            settings=trainer.settings,
            rows=rows,
            marks=marks,
            snapshot=snapshot,
            final=self.final,
            device=devices.describe(trainer.device),
            saved=saved,
            slow=slow,
            diverged=self.diverged,
        )

    def obituary(self) -> Update:
        """What can be said of a run whose trainer or disk is broken; nothing more is expected of it."""
        self.broken, self.due.seen = True, self.step
        self.due.note_report(training=False)
        return Update(self.run_id, self.generation, FAILED, self.message)

    # ---- what takes longer: in pieces, which return how to tell of it

    def look(self, measured: bool, first: FirstLooks) -> Pieces[Callable[[], Update]]:
        """A snapshot of the weights of this moment: they are copied, so training may go on meanwhile.

        Args:
            first: before the first step all runs with the same settings look the same, so one is looked at for all.
        """
        model = copy.deepcopy(self.trainer.model)
        return self._look(model, self.step, measured) if self.step else self._first_look(model, measured, first)

    def _first_look(self, model: Family, measured: bool, first: FirstLooks) -> Pieces[Callable[[], Update]]:
        key = (self.config, measured)
        if key not in first:
            tell = yield from self._look(model, 0, measured)
            first[key] = tell.args[0]
            while len(first) > FIRST_LOOKS:
                del first[next(iter(first))]
            return tell
        return partial(self._show, first[key], measured)

    def _look(self, model: Family, step: int, measured: bool) -> Pieces[partial[Update]]:
        self._taker = self._taker or taker_of(self.config, self.trainer.images)
        snapshot = yield from self._taker.take_pieces(model, step, measured)
        return partial(self._show, snapshot, measured)

    def _show(self, snapshot: Snapshot, measured: bool) -> Update:
        self.due.note_snapshot(snapshot.step, measured)
        return self.update(snapshot=snapshot)

    def conclude(self) -> Pieces[Callable[[], Update]]:
        """The final figures of a run that has ended."""
        model, images = self.trainer.model, self.trainer.images
        final = yield from final_metrics.pieces(model, images, self.config, IW_SAMPLES, IW_IMAGES)
        self.final = final | (yield from exact_figures.pieces(model, images, self.config))
        return self.update

    def save(self) -> Pieces[Callable[[], Update]]:
        """Keep the state on disk, in one piece: against a crash, and for branches.

        It is told with the rows up to it, and after it is written: whoever hears of a state has its curve too.
        """
        yield from ()
        step = self.step
        told = self.update(saved=step)
        with replacing(state_file(self.states_folder, step)) as file:
            file.write(to_bytes(self.trainer.state()))
        self.due.note_save(step)
        return lambda: told

    def restore(self, steps: Sequence[int]) -> None:
        """Go on from the first of these states that can be read; without any, from the beginning.

        Raises:
            RunError: none can be read.
        """
        for step in steps:
            try:
                self.trainer.restore(load_file(state_file(self.states_folder, step)))
            except Exception:  # noqa: BLE001 - a damaged file can make torch raise anything; an earlier one may do
                continue
            self.due.saved = step
            return
        if steps:
            raise RunError("None of its saved weights can be read: press Reset to begin anew.")
