"""One run as the server knows it: whose it is, where it stands (progress.py), and what is written of it to disk."""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from vae_core.checkpoints import replacing
from vae_core.config import RunConfig
from vae_core.inspect.snapshot import Snapshot
from vae_core.models import family
from vae_core.runs import record_check, storage
from vae_core.runs.log import logger
from vae_core.runs.messages import PAUSED, RUNNING, STARTING, Update
from vae_core.runs.progress import Progress, columns_of
from vae_core.runs.record_check import SAVED, settings_of
from vae_core.runs.run_view import RunView
from vae_core.runs.snapshot_file import frame_bytes, packed
from vae_core.runs.storage import CURVES, OTHER_CURVES, Listing, frame_file, frames_in, state_file, steps_in
from vae_core.trainer import Mark

_FORMER = {"train": ("step", "nll", "kl", "loss"), "test": ("step", "nll", "kl", "mean_std", "active")}  # of any family
SHIPPED = "shipped"  # the visitor to whom the runs belong that come with the program: everybody may watch them


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


class RunRecord(RunView):
    """A run. What it is never changes; where it stands is `now`, swapped as a whole: readers take it and need no lock.

    Who swaps holds a lock that is held for nothing else; `last_whole` is the last moment that can be saved.
    """

    def __init__(
        self,
        visitor: str,
        config: RunConfig,
        root: Path,
        run_id: str = "",
        parent: Parent | None = None,
        arm: Arm | None = None,
    ) -> None:
        """
        Args:
            root: the folder in which the run's own folder lies.
        """
        self.arm = arm  # its place in a group, for a run that is one of several in step
        self.created = time.time()
        self.run_id = run_id or secrets.token_urlsafe(16)  # unguessable: who has it may watch
        self.visitor, self.parent = visitor, parent
        self.folder = root / self.run_id
        self.now = self.last_whole = Progress.begin(config)
        self._swapping = threading.Lock()
        self.saved: Progress | None = None  # the moment that lies on disk
        self._curves = OTHER_CURVES  # named by the record on disk, so the next one takes the other
        self.removed = False  # it has left for good: what is still written of it is to be removed

    @property
    def group(self) -> str:
        """Id of its group; empty for a run by itself."""
        return self.arm.group if self.arm else ""

    @property
    def film_folder(self) -> Path:
        return storage.film_folder(self.folder, self.now.generation)

    @property
    def states_folder(self) -> Path:
        return storage.states_folder(self.folder, self.now.generation)

    # ---- what changes it

    def take(self, update: Update) -> None:
        """Add what an update brings, in memory and to the film on disk. One thread at a time."""
        self._swap(lambda now: now.receive(update))
        seen = update.snapshot  # it may be of an earlier step: training goes on while it is taken
        if seen is not None and update.generation == self.generation and self._write_frame(seen):
            self._swap(lambda now: now.with_frame(seen.step))

    def change(self, **values: Any) -> None:
        """Of what `now` holds."""
        self._swap(lambda now: now.with_(**values))

    def tell(self, status: str, message: str) -> None:
        """Say something of the server's own; it stays beside what the engine says."""
        self.change(status=status, message=message, notice=message)

    def _swap(self, following: Callable[[Progress], Progress]) -> None:
        with self._swapping:
            self.now = now = following(self.now)
            if now.consistent:
                self.last_whole = now

    def _write_frame(self, snapshot: Snapshot) -> bool:
        """Tells whether it lies on disk now; if not there is a gap in the film, and the run goes on."""
        try:
            self.film_folder.mkdir(parents=True, exist_ok=True)
            with replacing(frame_file(self.film_folder, snapshot.step)) as file:
                file.write(packed(frame_bytes(snapshot, self.now.diagnosis)))
            return True
        except OSError as error:
            if not self.removed:
                logger.error(f"A frame cannot be written ({error.strerror}): free some disk space.")
            return False

    # ---- on disk

    def record(self, moment: Progress) -> dict[str, Any]:
        """All but curves and film, JSON-ready, for storage."""
        return {
            "run_id": self.run_id,
            "created": self.created,
            "visitor": self.visitor,
            "config": moment.config.to_dict(),
            "parent": asdict(self.parent) if self.parent else None,
            "arm": asdict(self.arm) if self.arm else None,
            "generation": moment.generation,
            "status": moment.status,
            "step": moment.step,
            "steps_per_epoch": moment.steps_per_epoch,
            "total_steps": moment.total_steps,
            "weights": moment.settings.to_dict(),
            "columns": columns_of(moment.config),
            "device": moment.device,
            "marks": [mark.to_dict() for mark in moment.marks],
            "final": moment.final,
            "film": moment.film,
            "states": moment.states,
        }

    def save(self) -> None:
        """Write the last moment of which everything is there; film and states lie on disk already.

        Raises:
            OSError: the disk is full or the folder cannot be written.
        """
        moment, curves = self.last_whole, OTHER_CURVES if self._curves == CURVES else CURVES
        storage.write(self.folder, self.record(moment), moment.train.since(-1), moment.test.since(-1), curves)
        self._curves = curves
        self.tidy(moment)

    def tidy(self, moment: Progress, quiet: bool = False) -> None:
        """Remove the files that this moment, the one that is saved, does not list; see storage.sweep."""
        listed = Listing(self._curves, moment.generation, moment.step, moment.film, moment.states)
        storage.sweep(self.folder, listed, quiet)
        self.saved = moment

    def tidy_after_crash(self) -> None:
        """States that an engine wrote and could not tell of any more belong to nobody; it is not there to write."""
        storage.sweep_states(self.states_folder, self.now.states)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """A run as it was saved. One that was training then is now SAVED.

        Raises:
            StorageError: it cannot be read.
        """
        record, train, test = storage.read(folder)
        try:
            record_check.check(record)
            parent = Parent(**record["parent"]) if record["parent"] else None
            arm = Arm(**record["arm"]) if record.get("arm") else None
            run = cls(record["visitor"], RunConfig.from_dict(record["config"]), folder.parent, folder.name, parent, arm)
            run.created, run._curves = float(record.get("created", 0)), record.get("curves", CURVES)
            run.now = run.last_whole = _moment(run, record, train, test)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise storage.StorageError(f"The saved run {folder.name} is damaged ({error}): it is left out.") from None
        return run

    def inherit(self, parent: Self, step: int) -> None:
        """Take over the parent's curves and marks up to a step."""
        known = parent.now
        self.change(
            train=self.train.with_rows(_until(known.train.since(-1), step)),
            test=self.test.with_rows(_until(known.test.since(-1), step)),
            marks=tuple(mark for mark in known.marks if mark.step <= step),
        )

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
        film = [
            s
            for s in parent.film
            if s <= step and storage.copy_if_there(frame_file(parent.film_folder, s), frame_file(self.film_folder, s))
        ]
        same = {"steps_per_epoch": parent.steps_per_epoch, "total_steps": parent.total_steps}
        self.change(film=tuple(film), states=(step,), step=step, **same)


def _moment(run: RunRecord, record: dict[str, Any], train: np.ndarray, test: np.ndarray) -> Progress:
    """What a record and its curves say; a file of film or states that is not there is not listed any more."""
    begin, step = run.now, record["step"]
    columns, found = columns_of(begin.config), record.get("columns", _FORMER)
    newer = family(begin.config.model).scales(begin.config)
    moment = replace(
        begin,
        generation=record["generation"],
        status=record["status"],
        device=record["device"],
        step=step,
        steps_per_epoch=record["steps_per_epoch"],
        total_steps=record["total_steps"],
        settings=settings_of(record["weights"], begin.config),
        marks=tuple(Mark.from_dict(mark) for mark in record["marks"]),
        final=record["final"],
        train=begin.train.with_rows(_until(_table(train, found["train"], columns["train"]), step)),
        test=begin.test.with_rows(_until(_table(test, found["test"], columns["test"], newer), step)),
    )
    film = frames_in(storage.film_folder(run.folder, moment.generation))
    states = steps_in(storage.states_folder(run.folder, moment.generation))
    listed = {*record.get("film", film)}, {*record.get("states", states)}
    moment = replace(
        moment,
        film=tuple(s for s in film if s <= step and s in listed[0]),
        states=tuple(s for s in states if s <= step and s in listed[1]),
    )
    if moment.status not in (STARTING, RUNNING, PAUSED, SAVED):
        return moment
    return replace(moment, status=SAVED, message=f"Saved at step {step}: press Resume to go on.")


def _table(
    rows: np.ndarray, found: list[str] | tuple[str, ...], wanted: tuple[str, ...], newer: tuple[str, ...] = ()
) -> np.ndarray:
    """Rows with the wanted columns; of those that an older record has not, in `newer`, all numbers are NaN."""
    if rows.ndim != 2 or rows.shape[1] != len(found):
        raise ValueError(f"curves of shape {rows.shape}")
    names = [*found, *(name for name in newer if name not in found)]
    unknown = np.full((len(rows), len(names) - len(found)), np.nan, np.float32)
    return np.hstack([rows.astype(np.float32), unknown])[:, [names.index(name) for name in wanted]]


def _until(rows: np.ndarray, step: int) -> np.ndarray:
    return rows[rows[:, 0] <= step]
