"""What the server knows of one run, what it tells those who read along, and what it writes to disk (storage.py)."""

import secrets
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from vae_core.checkpoints import replacing
from vae_core.config import LiveSettings, RunConfig
from vae_core.inspect.snapshot import Snapshot
from vae_core.inspect.step_trace import StepTrace
from vae_core.metrics.definitions import Metrics
from vae_core.metrics.diagnosis import BEGINNING, Diagnosis, diagnose
from vae_core.metrics.verdict import collapse_of
from vae_core.models import family
from vae_core.runs import storage
from vae_core.runs.messages import ENDED, PAUSED, RUNNING, STARTING, Update
from vae_core.runs.snapshot_file import frame_bytes, packed
from vae_core.runs.storage import frame_file, frames_in, state_file, steps_in
from vae_core.runs.thinned_history import ThinnedHistory
from vae_core.thinning import add_step
from vae_core.trainer import Mark

TRAIN_CAPACITY = 65_536  # rows: every step up to there, then thinned
TEST_CAPACITY = 16_384
MARKS = 500  # changes of weights that are remembered
_FORMER = {"train": ("step", "nll", "kl", "loss"), "test": ("step", "nll", "kl", "mean_std", "active")}  # of any family
SHIPPED = "shipped"  # the visitor to whom the runs belong that come with the program: everybody may watch them
SAVED = "saved"  # on disk, and in no engine: Resume goes on from its last saved step


@dataclass(frozen=True)
class Parent:
    """Where a branch comes from."""

    run_id: str
    step: int


@dataclass(frozen=True)
class Arm:
    """A run's place in a group: runs of one visitor that train in step, and differ in what their names say."""

    group: str  # id of the group, unguessable
    name: str
    place: str = ""  # where the group is shown; registry.py only keeps it


class RunRecord:
    """One run. In memory: at most 1.4 MB of curves, one snapshot (1 MB at 32 latents) and one slow step (0.2 MB); its
    film is on disk."""

    def __init__(
        self,
        visitor: str,
        config: RunConfig,
        root: Path,
        run_id: str = "",
        parent: Parent | None = None,
        arm: Arm | None = None,
    ) -> None:
        self.arm = arm  # its place in a group, for a run that is one of several in step
        self.created = time.time()
        self.run_id = run_id or secrets.token_urlsafe(16)  # unguessable: who has it may watch
        self.visitor, self.config, self.parent = visitor, config, parent
        self.folder = root / self.run_id
        self.version = self.saved_version = 0  # rises with every change
        self.removed = False  # it has left for good: what is still written of it is to be removed
        kind = family(config.model)
        self.columns = {"train": kind.columns(), "test": kind.evaluation_columns()}  # of its curves, by name
        self.clear(generation=0)
        self.status, self.message, self.device = STARTING, "", ""
        self.settings = config.live

    def clear(self, generation: int) -> None:
        """Forget what came out so far: a reset."""
        self.generation = generation
        self.train = ThinnedHistory(len(self.columns["train"]), TRAIN_CAPACITY)
        self.test = ThinnedHistory(len(self.columns["test"]), TEST_CAPACITY)
        self.snapshot: Snapshot | None = None
        self.diagnosis: Diagnosis | None = None
        self._verdict: tuple[int, Diagnosis] | None = None  # the last one by the metrics, and its step
        self.slow: StepTrace | None = None  # the last step in slow motion
        self.marks: list[Mark] = []
        self.final: dict[str, Any] | None = None
        self.notice = ""  # a message of the server's own, kept beside the engine's
        self.film: list[int] = []  # steps of its frames; replaced as a whole, so that who reads it needs no lock
        self.states: tuple[int, ...] = ()  # steps from which a branch can go on
        self.step = self.steps_per_epoch = self.total_steps = 0
        self.images_per_s = 0.0

    def take(self, update: Update) -> None:
        """Add what an update brings, in memory and to the film on disk."""
        self.keep_film(self.receive(update), update.snapshot)

    def receive(self, update: Update) -> bool:
        """Add what an update brings, in memory. Returns whether the film begins anew, as after a reset."""
        fresh = update.generation > self.generation
        if fresh:
            self.clear(update.generation)
            self.config = self.config.with_(**update.settings.to_dict())  # it begins again with those in force
        self._add(update)
        return fresh

    def _add(self, update: Update) -> None:
        self.version += 1
        self.status, self.message = update.status, update.message or self.notice
        if not update.total_steps:  # it failed before it began
            return
        self.step, self.steps_per_epoch, self.total_steps = update.step, update.steps_per_epoch, update.total_steps
        self.images_per_s, self.settings, self.device = update.images_per_s, update.settings, update.device
        self.final, self.states = update.final, update.states
        self.marks = (self.marks + list(update.marks))[-MARKS:]
        if update.rows is not None:
            self.train.extend(update.rows)
        self.slow = update.slow or self.slow
        if (s := update.snapshot) is not None:
            self.snapshot, self.diagnosis = s, self._diagnose(s)
            seen = {"step": s.step, **s.terms, "mean_std": s.mean_std, "active": s.active.sum()}
            self.test.extend(np.array([[seen[name] for name in self.columns["test"]]], np.float32))

    def keep_film(self, fresh: bool, snapshot: Snapshot | None) -> None:
        """Write the frame of a snapshot just received; `fresh` removes the frames of before. One thread at a time."""
        if fresh:
            storage.forget(self.film_folder)
        if snapshot is None:
            return
        try:
            self.film_folder.mkdir(parents=True, exist_ok=True)
            with replacing(frame_file(self.film_folder, snapshot.step)) as file:
                file.write(packed(frame_bytes(snapshot, self.diagnosis)))
        except OSError as error:  # a gap in the film; the run goes on
            if self.removed:
                return
            print(f"A frame cannot be written ({error.strerror}): free some disk space.", file=sys.stderr)
            return
        film = list(self.film)
        dropped = add_step(film, snapshot.step)
        self.film, self.version = film, self.version + 1
        if dropped is not None:
            frame_file(self.film_folder, dropped).unlink(missing_ok=True)

    def _diagnose(self, s: Snapshot) -> Diagnosis | None:
        """Of a run by itself with every snapshot; of an arm by its metrics, which is taken now and then."""
        trained = self._decoder_trained(s.step)
        if s.metrics is not None:
            self._verdict = (s.step, collapse_of(Metrics.from_dict(s.metrics), self.settings, trained))
            return self._verdict[1]
        if self.arm is None or s.step < BEGINNING:
            return diagnose(s, self.settings, trained)
        if self._verdict is None:
            return None
        step, verdict = self._verdict
        return Diagnosis(verdict.name, f"{verdict.sentence} (At step {step:,}.)")

    def _decoder_trained(self, step: int) -> bool:
        """Whether in any of the steps made so far alpha was above 0 and the decoder not frozen."""
        since, learns = 0, self._teaches_decoder(self.config.live)
        for mark in self.marks:
            if learns and mark.step > since:
                return True
            since, learns = mark.step, self._teaches_decoder(mark.settings)
        return learns and step > since

    def _teaches_decoder(self, settings: LiveSettings) -> bool:
        return (settings.alpha > 0 or "nll" not in self.columns["train"]) and settings.frozen != "decoder"

    @property
    def film_folder(self) -> Path:
        return self.folder / storage.FILM

    @property
    def states_folder(self) -> Path:
        return self.folder / storage.STATES

    def tell(self, status: str, message: str) -> None:
        """Say something of the server's own; it stays beside what the engine says."""
        self.status, self.message, self.notice = status, message, message
        self.version += 1

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def training(self) -> bool:
        return self.status in (STARTING, RUNNING, PAUSED)

    @property
    def group(self) -> str:
        """Id of its group; empty for a run by itself."""
        return self.arm.group if self.arm else ""

    @property
    def nbytes(self) -> int:
        pictures = sum(part.nbytes for part in (self.snapshot, self.slow) if part)
        return self.train.nbytes + self.test.nbytes + pictures

    def record(self) -> dict[str, Any]:
        """All but curves and film, JSON-ready, for storage."""
        return {
            "run_id": self.run_id,
            "created": self.created,
            "visitor": self.visitor,
            "config": self.config.to_dict(),
            "parent": asdict(self.parent) if self.parent else None,
            "arm": asdict(self.arm) if self.arm else None,
            "generation": self.generation,
            "status": self.status,
            "step": self.step,
            "steps_per_epoch": self.steps_per_epoch,
            "total_steps": self.total_steps,
            "weights": self.settings.to_dict(),
            "columns": self.columns,
            "device": self.device,
            "marks": [mark.to_dict() for mark in self.marks],
            "final": self.final,
        }

    def contents(self) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
        """What storage.write takes: the record, and copies of the curves."""
        return self.record(), self.train.since(-1), self.test.since(-1)

    def save(self) -> None:
        """Write what is in memory to the disk; film and states lie there already."""
        storage.write(self.folder, *self.contents())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """A run as it was saved. One that was training then is now SAVED.

        Raises:
            StorageError: it cannot be read.
        """
        record, train, test = storage.read(folder)
        try:
            parent = Parent(**record["parent"]) if record["parent"] else None
            arm = Arm(**record["arm"]) if record.get("arm") else None
            run = cls(record["visitor"], RunConfig.from_dict(record["config"]), folder.parent, folder.name, parent, arm)
            run.clear(record["generation"])
            run.status, run.device, run.final = record["status"], record["device"], record["final"]
            run.step, run.steps_per_epoch = record["step"], record["steps_per_epoch"]
            run.total_steps, run.settings = record["total_steps"], LiveSettings(**record["weights"])
            run.marks = [Mark.from_dict(mark) for mark in record["marks"]]
            run.created = float(record.get("created", 0))
            columns = record.get("columns", _FORMER)
            run.train.extend(_until(_table(train, columns["train"], run.columns["train"]), run.step))
            run.test.extend(_until(_table(test, columns["test"], run.columns["test"]), run.step))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise storage.StorageError(f"The saved run {folder.name} is damaged ({error}): it is left out.") from None
        run._forget_the_future()
        run.film, run.states = frames_in(run.film_folder), tuple(steps_in(run.states_folder))
        if run.training:
            run.status, run.message = SAVED, f"Saved at step {run.step}: press Resume to go on."
        return run

    def _forget_the_future(self) -> None:
        """Film and states may be ahead of the curves; that future is made again."""
        files = [frame_file(self.film_folder, step) for step in frames_in(self.film_folder) if step > self.step]
        files += [state_file(self.states_folder, step) for step in steps_in(self.states_folder) if step > self.step]
        for file in files:
            file.unlink(missing_ok=True)

    def inherit(self, parent: Self, step: int) -> None:
        """Take over the parent's curves and marks up to a step."""
        self.train.extend(_until(parent.train.since(-1), step))
        self.test.extend(_until(parent.test.since(-1), step))
        self.marks = [mark for mark in parent.marks if mark.step <= step]

    def copy_files(self, parent: Self, step: int) -> None:
        """Copy the state to go on from, and the film up to it; the parent may thin both meanwhile.

        Raises:
            KeyError: the parent keeps no state at this step.
        """
        for folder in (self.states_folder, self.film_folder):
            folder.mkdir(parents=True, exist_ok=True)
        if not storage.copy_if_there(state_file(parent.states_folder, step), state_file(self.states_folder, step)):
            storage.forget(self.folder)
            raise KeyError(step)
        film = [s for s in parent.film if s <= step]
        self.film = [
            s for s in film if storage.copy_if_there(frame_file(parent.film_folder, s), frame_file(self.film_folder, s))
        ]


def _table(rows: np.ndarray, found: list[str] | tuple[str, ...], wanted: tuple[str, ...]) -> np.ndarray:
    if rows.ndim != 2 or rows.shape[1] != len(found):
        raise ValueError(f"curves of shape {rows.shape}")
    return rows[:, [list(found).index(name) for name in wanted]].astype(np.float32)


def _until(rows: np.ndarray, step: int) -> np.ndarray:
    return rows[rows[:, 0] <= step]
