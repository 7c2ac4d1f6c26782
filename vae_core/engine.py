"""The process that trains: one per device. It takes turns among the runs of all visitors.

Commands come in, updates go out; nothing else is shared. `Engine` knows no process, so tests drive it
directly; link.py puts it at the far end of a pipe.
"""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from vae_core.allowance import Allowance
from vae_core.config import CHANGEABLE, ConfigError, RunConfig
from vae_core.data.images import DataError
from vae_core.job import (
    ENDED,
    FAILED,
    FINISHED,
    METER_SHARE,
    NOTHING,
    PAUSED,
    RUNNING,
    STARTING,
    STOPPED,
    TURN_S,
    Command,
    Job,
    Update,
    Upkeep,
)
from vae_core.train import RunError

__all__ = ["ENDED", "FAILED", "FINISHED", "PAUSED", "RUNNING", "STARTING", "STOPPED", "Command", "Engine", "Update"]


UPKEEP_SHARE = 1 / 11  # of the engine's time at most for the snapshots and states of all runs that train
PROMPT_SHARE = 1 / 5  # and for those that somebody waits for, first looks above all; so many seconds of them at once:
PROMPT_S = 1.0
FIGURES_SHARE = 1 / 5  # and for the final figures of runs that have ended, while others train
ROUND = 4  # steps that a run of a group makes at a time: its weights then lie in the processor's cache


class Engine:
    """All runs of one device."""

    def __init__(self, folder: Path) -> None:
        """
        Args:
            folder: where states are kept against a crash.
        """
        self.folder = folder
        self.jobs: dict[str, Job] = {}
        self._upkeep, self._meters = Allowance(UPKEEP_SHARE), Allowance(1 / (1 + METER_SHARE))
        self._prompt, self._figures = Allowance(PROMPT_SHARE, PROMPT_S), Allowance(FIGURES_SHARE)

    @property
    def busy(self) -> bool:
        return any(job.working for job in self.jobs.values())

    def handle(self, command: Command) -> list[Update]:
        """Carry out one command. One about an unknown run is ignored: it may have been closed meanwhile."""
        if command.name == "open":
            return self._open(command.run_id, **command.args)
        jobs = [job for job in self.jobs.values() if command.run_id in (job.run_id, job.group)]
        for job in jobs:
            with _contained(job):
                COMMANDS[command.name](self, job, **command.args)
        return [update for job in jobs for update in self._speak(job)]

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
        job = next((job for job in self.jobs.values() if job.concluding), None)
        if job is None:
            return []
        with self._figures.spending():
            with _contained(job):
                job.conclude()
            return _reports(job, job.owed)

    def _lanes(self) -> dict[str, list[Job]]:
        lanes: dict[str, list[Job]] = {}
        for job in self.jobs.values():
            lanes.setdefault(job.group or job.run_id, []).append(job)
        return lanes

    def _slice(self, lane: list[Job]) -> list[Update]:
        """Train a lane for a moment; then look after it if it is at its beginning, else after who waits longest."""
        _train(lane)
        for job in lane:
            with _contained(job):
                job.settle()
        updates = [update for job in lane for update in self._speak(job)]
        if self._prompt.free and any(job.early for job in _next(lane)) and not self._somebody_waits:
            return updates + self._look_after(lane, self._prompt)
        if self._upkeep.free or self._at_rest:
            lanes = sorted(self._lanes().values(), key=lambda lane: min(job.due for job in lane))
            neediest = next((lane for lane in lanes if any(self._needs(lane).values())), [])
            return updates + self._look_after(neediest, self._upkeep)
        return updates

    @property
    def _somebody_waits(self) -> bool:
        return any(job.owed for job in self.jobs.values())

    @property
    def _at_rest(self) -> bool:
        """Whether nothing trains, so that nobody is kept from it."""
        return not any(job.status == RUNNING for job in self.jobs.values())

    def _needs(self, lane: list[Job]) -> dict[str, Upkeep]:
        """What falls due in a lane, by run. Who trains in step is looked after at the same step: when all want it."""
        training = _next(lane)
        snapshot, save = all(job.wants_snapshot for job in training), any(job.wants_save for job in training)
        meter = snapshot and self._meters.free and all(job.wants_meter for job in training)
        return {job.run_id: Upkeep(snapshot, meter, save) if job in training else job.owed for job in lane}

    def _look_after(self, lane: list[Job], allowance: Allowance) -> list[Update]:
        needs = self._needs(lane)
        if any(need.meter for need in needs.values()):
            allowance = self._meters
        with allowance.spending():
            return [u for job in lane if needs[job.run_id] for u in _reports(job, needs[job.run_id])]

    def _open(
        self, run_id: str, config: dict[str, Any], generation: int, resume: bool, status: str, branch: bool = False,
        group: str = "",
    ) -> list[Update]:  # fmt: skip
        try:
            job = Job(run_id, RunConfig.from_dict(config), self.folder, generation, group)
        except (ConfigError, DataError, RunError) as error:
            return [Update(run_id, generation, FAILED, str(error))]
        except torch.OutOfMemoryError:
            return [Update(run_id, generation, FAILED, "The GPU is out of memory: close other runs, then start again.")]
        except OSError as error:
            return [Update(run_id, generation, FAILED, f"The run cannot be saved ({error.strerror}): free disk space.")]
        self.jobs[run_id] = job
        with _contained(job):
            self._enter(job, resume, status, branch)
        return self._speak(job)

    def _enter(self, job: Job, resume: bool, status: str, branch: bool) -> None:
        """Begin, or go on from the last state; a branch goes on from it with the weights of its own config."""
        if resume:
            job.restore()
        if branch:
            job.trainer.set(**{name: getattr(job.config, name) for name in CHANGEABLE})
        job.change(status)

    def _reset(self, job: Job, **changes: Any) -> None:
        """Back to the same initial weights of the networks, with the settings that are in force now, or new ones."""
        config = job.config.with_(**{**job.trainer.weights, **changes})
        job.forget_states()
        fresh = Job(job.run_id, config, self.folder, job.generation + 1, job.group)
        self.jobs[job.run_id] = fresh
        fresh.change(PAUSED)

    def _pause(self, job: Job) -> None:
        if job.status == RUNNING:
            job.change(PAUSED)

    def _resume(self, job: Job) -> None:
        if job.status == PAUSED:
            job.change(RUNNING)

    def _step(self, job: Job, steps: int) -> None:
        """So many steps, then pause; those that are still to be made of an earlier command count besides."""
        if job.status in (RUNNING, PAUSED) and steps > 0:
            job.change(RUNNING, until=(job.until or self._furthest(job)) + steps)

    def _furthest(self, job: Job) -> int:
        """The step that a run, or the first of its group, has reached: who is behind catches up."""
        lane = [other for other in self.jobs.values() if job.group and other.group == job.group]
        return max(other.trainer.step_count for other in lane or [job] if other.status in (RUNNING, PAUSED))

    def _slow(self, job: Job) -> None:
        if job.status in (RUNNING, PAUSED):
            job.slow_step()

    def _epoch(self, job: Job) -> None:
        if job.status in (RUNNING, PAUSED):
            epoch = job.trainer.steps_per_epoch
            job.change(RUNNING, until=(self._furthest(job) // epoch + 1) * epoch)

    def _stop(self, job: Job) -> None:
        if job.status in (RUNNING, PAUSED):
            job.change(STOPPED)

    def _set(self, job: Job, **changes: Any) -> None:
        """Change CHANGEABLE settings; saved at once, so that a crash cannot undo it."""
        if job.status in (RUNNING, PAUSED) and job.trainer.set(**changes):
            job.hurry()

    def _close(self, job: Job) -> None:
        """Let go of a run; what is on disk is the server's to keep or to remove."""
        del self.jobs[job.run_id]

    def _speak(self, job: Job) -> list[Update]:
        """What a run has to report, with what somebody waits for if there is time."""
        now = self.jobs.get(job.run_id)  # a reset has made another one of it, a close none
        if now is None:
            return []
        at_once = self._prompt.free or self._at_rest or now.opens_group or now.status == FAILED  # its last words
        if not (now.owed and at_once):
            return _reports(now, NOTHING)
        with self._prompt.spending():
            return _reports(now, now.owed)


def _reports(job: Job, upkeep: Upkeep) -> list[Update]:
    """The updates of a run; when they fail so has the run, and it says what it still can."""
    with _contained(job):
        return job.reports(upkeep)
    with contextlib.suppress(Exception):
        return job.reports(job.owed)
    return [job.obituary()]


@contextlib.contextmanager
def _contained(job: Job) -> Iterator[None]:
    """An error inside ends this run and no other."""
    try:
        yield
    except RunError as error:
        job.fail(str(error))
    except torch.OutOfMemoryError:
        job.fail("The GPU ran out of memory: lower the batch size or take fewer latents, then start again.")
    except ConfigError as error:
        job.say(str(error))
    except OSError as error:
        job.fail(f"The run cannot be saved ({error.strerror}): free some disk space, then start again.")
    except Exception as error:  # a fault of ours must not take the other visitors' runs along
        traceback.print_exc()
        job.fail(f"The run stopped on an internal error ({type(error).__name__}: {error}).")


def _next(lane: list[Job]) -> list[Job]:
    """The runs of a lane that train now: all that are in step. Who is behind catches up first."""
    running = [job for job in lane if job.status == RUNNING and job.steps_left > 0]
    least = min((job.trainer.step_count for job in running), default=0)
    return [job for job in running if job.trainer.step_count == least]


def _train(lane: list[Job]) -> None:
    """Train for a moment, round by round; after each round all are at the same step."""
    deadline = time.monotonic() + TURN_S
    while time.monotonic() < deadline and (jobs := _next(lane)):
        steps = _round(lane, jobs)
        for job in jobs:
            with _contained(job):
                for _ in range(steps):
                    job.trainer.step()


def _round(lane: list[Job], jobs: list[Job]) -> int:
    """How many steps these jobs make before they change places: not past a run of the lane that is ahead of them."""
    if len(lane) == 1:
        return 1
    gaps = [job.trainer.step_count - jobs[0].trainer.step_count for job in lane if job.status == RUNNING]
    return min(ROUND, *(job.steps_left for job in jobs), *(gap for gap in gaps if gap > 0))


COMMANDS: dict[str, Callable[..., None]] = {
    "pause": Engine._pause,
    "resume": Engine._resume,
    "step": Engine._step,
    "slow": Engine._slow,
    "epoch": Engine._epoch,
    "set": Engine._set,
    "stop": Engine._stop,
    "reset": Engine._reset,
    "close": Engine._close,
}
