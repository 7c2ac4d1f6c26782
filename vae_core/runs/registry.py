"""The server's side of runs: start, command, read snapshots, stop. Knows no page.

A run is an actor: commands go in, numbered updates come out, and this registry keeps what came out (run_record.py), in
memory and, as it goes, on disk. Readers ask for "everything since" and get copies.
"""

import secrets
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vae_core import devices, models
from vae_core.config import ConfigError, RunConfig
from vae_core.runs import storage
from vae_core.runs.engines import Engine, Engines
from vae_core.runs.environment import GONE_AFTER_S, default_key, default_patience, default_root
from vae_core.runs.groups import branch_arm, check_arms
from vae_core.runs.held_runs import HeldRuns, farewell
from vae_core.runs.housekeeper import Housekeeper
from vae_core.runs.lecturer import Lecturers
from vae_core.runs.messages import PAUSED, RUNNING, STARTING, Command
from vae_core.runs.news import Cursor, News, news_of
from vae_core.runs.run_record import Arm, Parent, RunRecord
from vae_core.runs.saved_runs import SavedRuns
from vae_core.runs.visitors import Visitors


class Registry:
    """All runs of all visitors, and the engines that train them. Thread-safe, by one lock: see HeldRuns."""

    def __init__(self, gone_after_s: float = GONE_AFTER_S, root: Path | None = None) -> None:
        """
        Args:
            root: where runs are kept and found again; a folder that vanishes with the registry when left out,
                or when another server uses it already.
        """
        self.gone_after_s = gone_after_s
        self.lecturers = Lecturers(default_key())
        self._closed = threading.Event()
        self._runs = HeldRuns()
        self._lock = self._runs.lock
        self.visitors = Visitors()  # who is there
        self._saved = SavedRuns(self._runs, root)
        self._engines = Engines(self._runs, self.lecturers.goes_first, self._saved.changed.set, self._closed)
        self._housekeeper = Housekeeper(
            self._runs, self.visitors, self._engines, self._saved, gone_after_s, self._closed
        )

    # ---- what pages do

    def warm_up(self, device: str = "auto") -> None:
        """Start the engine of a device before anybody asks for it."""
        with self._lock:
            self._engines.of_device(devices.resolve(device).type)

    def start(self, config: RunConfig, visitor: str, paused: bool = False) -> str:
        """Start a run (or make one ready, paused) and return its id.

        A run of this visitor that still trains is stopped: one at a time.

        Raises:
            ConfigError: the device is not there, or the model's family cannot use a setting.
        """
        devices.resolve(config.device)
        models.check(config)
        with self._lock:
            self._stop_all(visitor)
            run = RunRecord(visitor, config, self._saved.folder_of(visitor))
            left = self._add(run)
            self._engines.open(run, status=PAUSED if paused else RUNNING)
        _forget(left)
        return run.run_id

    def start_group(
        self, arms: Sequence[tuple[str, RunConfig]], visitor: str, paused: bool = False, place: str = ""
    ) -> str:
        """Start runs that train in step, with the same seed, batches and noise; returns the id of the group.

        What this visitor trains is stopped, as by `start`.

        Args:
            arms: names, and configs that share seed, batch size, epochs and device.
            place: where the group is to be shown, kept with it.
        Raises:
            ConfigError: a device is not there; no arms or too many; two of one name; configs that cannot be in step.
        """
        check_arms(arms)
        with self._lock:
            self._stop_all(visitor)
            group = secrets.token_urlsafe(16)
            folder = self._saved.folder_of(visitor)
            runs = [RunRecord(visitor, config, folder, arm=Arm(group, name, place)) for name, config in arms]
            left = [old for run in runs for old in self._add(run)]
            for run in runs:
                self._engines.open(run, status=PAUSED if paused else RUNNING)
        _forget(left)
        return group

    def branch(self, run_id: str, step: int, changes: dict[str, Any], paused: bool = False) -> str:
        """Go on from a kept state of a run, with other weights, as a run of its own; returns its id.

        What trains is paused, the parent too. Batches and noise are the parent's: with unchanged weights so is the
        curve. A branch of an arm is a new arm of the same group, and nothing is paused: the others wait for it.

        Args:
            step: one of the run's `states`.
            changes: of the settings in force, from there on.
            paused: made ready, but not begun.
        Raises:
            ConfigError: weights that cannot be used; a group that is full; a disk that is.
            KeyError: the run is gone, or keeps no state at this step.
        """
        with self._lock:
            parent = self._runs[run_id]
            settings = models.change(parent.settings, changes, parent.config)
            folder = self._saved.folder_of(parent.visitor)
            run = RunRecord(parent.visitor, parent.config, folder, parent=Parent(run_id, step))
            run.change(settings=settings)
            run.inherit(parent, step)
        try:
            run.copy_files(parent, step)
            with self._lock:
                left = self._enter_branch(run, parent, PAUSED if paused else RUNNING)
        except OSError as error:
            storage.forget(run.folder)
            raise ConfigError(f"The branch cannot be saved ({error.strerror}): free some disk space.") from None
        except ConfigError:
            storage.forget(run.folder)
            raise
        _forget(left)
        return run.run_id

    def _enter_branch(self, run: RunRecord, parent: RunRecord, status: str) -> list[RunRecord]:
        """Take a branch in and open it; what trains is paused, or waits if it is of the same group."""
        assert run.parent is not None
        if parent.arm:
            names = [arm.arm.name for arm in self.members(parent.group) if arm.arm]
            run.arm = branch_arm(parent.arm, run.parent.step, names)
        for other in self._runs.own(parent.visitor):  # after the copy: a pause keeps another state, and may drop this
            if other.status in (STARTING, RUNNING) and not (run.arm and other.group == run.group):
                self.command(other.run_id, "pause")
        left = self._add(run, spare=parent.run_id)
        self._engines.open(run, status=status, branch=True)
        return left

    def command(self, run_id: str, name: str, **args: Any) -> None:
        """Send a command: pause, resume, step(steps), slow, epoch, set(...), stop, reset(...).

        Raises:
            ConfigError: weights that cannot be used; the run is left as it is.
            KeyError: the run is gone.
        """
        with self._lock:
            run = self._runs[run_id]
            if name in ("set", "reset"):
                models.change(run.settings, args, run.config)
            self._engines.ready(run).send(Command(run_id, name, args))

    def command_group(self, group: str, name: str, **args: Any) -> None:
        """Send a command to all arms of a group at once, so that they stay in step; "set" goes to one of them.

        Raises:
            KeyError: the group is gone.
        """
        with self._lock:
            arms = self.members(group)
            if not arms:
                raise KeyError(group)
            for run in arms:
                engine = self._engines.ready(run)
            engine.send(Command(group, name, args))

    def add_shipped(self, folder: Path) -> str:
        """Show a run that comes with the program; nobody can command it. Returns its id, the folder's name.

        Raises:
            StorageError: it cannot be read.
        """
        run = RunRecord.load(folder)
        self._runs.put(run)
        return run.run_id

    def get(self, run_id: str | None) -> RunRecord | None:
        return self._runs.get(run_id or "")

    def of(self, visitor: str) -> list[RunRecord]:
        """The runs of a visitor that are in no group, newest first."""
        return self._runs.of(visitor)

    def members(self, group: str) -> list[RunRecord]:
        """The arms of a group, in the order in which they were made."""
        return self._runs.members(group)

    def groups_of(self, visitor: str) -> list[str]:
        """Ids of a visitor's groups, newest first."""
        return self._runs.groups_of(visitor)

    def read(self, run_id: str, since: Cursor) -> News | None:
        """Everything since a cursor; None when the run is not there any more. Waits for nobody."""
        run = self._runs.get(run_id)
        return None if run is None else news_of(run, since)

    def close_run(self, run_id: str) -> None:
        """Forget a run, on disk too."""
        with self._lock:
            run = self._runs.get(run_id)
            if run is not None:
                self._remove(run)
        _forget([run] if run is not None else [])

    def pace(self, config: RunConfig) -> float | None:
        """Images per second of such a run on this machine: see engines.py."""
        with self._lock:
            return self._engines.pace(config)

    # ---- what the lecturer looks at (room.py)

    def runs(self) -> list[RunRecord]:
        """All runs in memory, in the order in which they were made."""
        return self._runs.all()

    def engines(self) -> dict[str, Engine]:
        """Those that were started, by device."""
        return self._engines.all()

    def disk(self) -> tuple[Path, int]:
        """Where runs are kept, and the bytes that they took when last counted."""
        return self._saved.folder, self._saved.used

    # ---- who is there

    def find_saved(self, visitor: str) -> None:
        """What was saved of a visitor who has come is there again."""
        if not self._runs.own(visitor):
            self._saved.find(visitor)

    def letters(self, visitor: str) -> list[str]:
        """Sentences for this visitor, above all on runs that had to leave; once."""
        return self._saved.letters(visitor)

    @property
    def trouble(self) -> str:
        """One sentence while runs cannot be kept on disk, else empty."""
        return self._saved.trouble

    def close(self) -> None:
        """End all engines and save all runs."""
        self._closed.set()
        self._engines.close()
        self._housekeeper.join()
        self._saved.close()

    # ---- under the lock

    def _add(self, run: RunRecord, spare: str = "") -> list[RunRecord]:
        """Take a run in; returns the oldest of its visitor's that had to leave for it, but not the one to spare."""
        self._runs.put(run)
        self.visitors.expect(run.visitor)
        left = self._runs.surplus(run.visitor, spare)
        for old in left:
            self._remove(old)
        if left:
            self._saved.tell(run.visitor, farewell(left))
        self._saved.changed.set()
        return left

    def _remove(self, run: RunRecord) -> None:
        """Take a run out of memory and out of its engine; its files are to be forgotten, without the lock."""
        run.removed = True
        self._engines.remove_run(run)
        self._runs.drop(run)

    def _stop_all(self, visitor: str) -> None:
        for run in self._runs.own(visitor):
            if run.training:
                self.command(run.run_id, "stop")


def _forget(runs: Sequence[RunRecord]) -> None:
    """Remove the files of runs that have left."""
    for run in runs:
        storage.forget(run.folder)


_registry: Registry | None = None
_registry_lock = threading.Lock()


def shared() -> Registry:
    """The one registry of this server process."""
    global _registry
    with _registry_lock:
        if _registry is None:
            _registry = Registry(default_patience(), default_root())
        return _registry
