"""The server's side of runs: start, command, read snapshots, stop. Knows no page.

A run is an actor: commands go in, numbered updates come out, and this registry keeps what came out (run_record.py), in
memory and, as it goes, on disk. Readers ask for "everything since" and get copies.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vae_core import devices, models
from vae_core.config import ConfigError, LiveSettings, RunConfig
from vae_core.runs import storage
from vae_core.runs.messages import FAILED, PAUSED, RUNNING, STARTING, Command, Update
from vae_core.runs.news import Cursor, News, news_of
from vae_core.runs.process import EngineProcess
from vae_core.runs.run_record import Arm, Parent, RunRecord

RUNS_PER_VISITOR = 6  # older ended ones are forgotten
GROUPS_PER_VISITOR = 3  # likewise
ARMS = 5  # in a group at most
RUNS_ON_DISK = 120  # of all visitors; the oldest are removed first
GONE_AFTER_S = 600.0  # a visitor's runs stop so long after the last browser window closed; they stay saved
SAVE_S = 3.0  # what changed is written to disk this often
DEATHS = 3  # an engine that dies so often within a minute is given up


@dataclass
class Presence:
    """Open browser windows of one visitor."""

    windows: int = 0
    gone_since: float | None = None


@dataclass
class _Engine:
    link: EngineProcess
    deaths: list[float] = field(default_factory=list)
    open: set[str] = field(default_factory=set)  # ids of the runs that it has


class Registry:
    """All runs of all visitors, and the engines that train them. Thread-safe.

    The lock is held for changes in memory alone (and while an engine process is started), never across a pipe or a
    disk: the server's event loop takes it too.
    """

    def __init__(self, gone_after_s: float = GONE_AFTER_S, root: Path | None = None) -> None:
        """
        Args:
            root: where runs are kept and found again; a folder that vanishes with the registry when left out,
                or when another server uses it already.
        """
        self.gone_after_s = gone_after_s
        self._lock = threading.RLock()
        self._runs: dict[str, RunRecord] = {}
        self._visitors: dict[str, Presence] = {}
        self._engines: dict[str, _Engine] = {}
        self._claim = storage.claim(root)
        self._lasting = root is not None and self._claim is not None
        self._folder = root if root is not None and self._lasting else Path(tempfile.mkdtemp(prefix="elbo-room-"))
        self._saved = storage.owners(self._folder) if self._lasting else {}  # visitors by run id: who is on disk
        self._finding = threading.Lock()  # one arrival at a time reads what was saved
        self._closed = threading.Event()
        self._tidy_disk()
        self._housekeeper = threading.Thread(target=self._keep_house, name="runs-housekeeper", daemon=True)
        self._housekeeper.start()

    # ---- what pages do

    def warm_up(self, device: str = "auto") -> None:
        """Start the engine of a device before anybody asks for it."""
        with self._lock:
            self._engine(devices.resolve(device).type)

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
            run = RunRecord(visitor, config, self._folder)
            left = self._add(run)
            self._open(run, resume=False, status=PAUSED if paused else RUNNING)
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
        _check_arms(arms)
        with self._lock:
            self._stop_all(visitor)
            group = secrets.token_urlsafe(16)
            runs = [RunRecord(visitor, config, self._folder, arm=Arm(group, name, place)) for name, config in arms]
            left = [old for run in runs for old in self._add(run)]
            for run in runs:
                self._open(run, resume=False, status=PAUSED if paused else RUNNING)
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
            settings = _changed(parent, changes)
            run = RunRecord(parent.visitor, parent.config, self._folder, parent=Parent(run_id, step))
            run.settings = settings
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
        run.arm = self._branch_arm(parent, run.parent.step) if parent.arm else None
        for other in self._own(parent.visitor):  # after the copy: a pause keeps another state, and may drop this
            if other.status in (STARTING, RUNNING) and not (run.arm and other.group == run.group):
                self.command(other.run_id, "pause")
        left = self._add(run, spare=parent.run_id)
        self._open(run, resume=True, status=status, branch=True)
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
                _changed(run, args)
            self._ready(run).link.send(Command(run_id, name, args))

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
                engine = self._ready(run)
            engine.link.send(Command(group, name, args))

    def add_shipped(self, folder: Path) -> str:
        """Show a run that comes with the program; nobody can command it. Returns its id, the folder's name.

        Raises:
            StorageError: it cannot be read.
        """
        run = RunRecord.load(folder)
        with self._lock:
            self._runs[run.run_id] = run
            run.saved_version = run.version
        return run.run_id

    def get(self, run_id: str | None) -> RunRecord | None:
        with self._lock:
            return self._runs.get(run_id or "")

    def of(self, visitor: str) -> list[RunRecord]:
        """The runs of a visitor that are in no group, newest first."""
        return [run for run in self._own(visitor) if not run.group]

    def members(self, group: str) -> list[RunRecord]:
        """The arms of a group, in the order in which they were made."""
        with self._lock:
            return [run for run in self._runs.values() if group and run.group == group]

    def groups_of(self, visitor: str) -> list[str]:
        """Ids of a visitor's groups, newest first."""
        return list(dict.fromkeys(run.group for run in self._own(visitor) if run.group))

    def read(self, run_id: str, since: Cursor) -> News | None:
        """Everything since a cursor, as copies; None when the run is not there any more."""
        with self._lock:
            run = self._runs.get(run_id)
            return None if run is None else news_of(run, since)

    def close_run(self, run_id: str) -> None:
        """Forget a run, on disk too."""
        with self._lock:
            run = self._runs.get(run_id)
            if run is not None:
                self._remove(run)
        _forget([run] if run is not None else [])

    # ---- who is there

    def arrive(self, visitor: str) -> None:
        """A browser window of this visitor has opened; what was saved of theirs is there again."""
        with self._lock:  # first of all, so that nobody lets go of the runs that are there
            presence = self._visitors.setdefault(visitor, Presence())
            presence.windows, presence.gone_since = presence.windows + 1, None
        if not self._own(visitor):
            self._find_saved(visitor)

    def leave(self, visitor: str) -> None:
        """One of them has closed. Quick: it is called on the server's event loop."""
        with self._lock:
            presence = self._visitors.setdefault(visitor, Presence())
            presence.windows = max(0, presence.windows - 1)
            if presence.windows == 0:
                presence.gone_since = time.monotonic()

    def close(self) -> None:
        """End all engines and save all runs."""
        self._closed.set()
        with self._lock:
            engines, self._engines = list(self._engines.values()), {}
        for engine in engines:
            engine.link.close()
        self._housekeeper.join()
        if self._lasting:
            self._save_changed()
        else:
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._claim is not None:
            self._claim.close()

    # ---- engines

    def _engine(self, device: str) -> _Engine:
        if device not in self._engines:
            self._engines[device] = _Engine(self._connect(device))
        return self._engines[device]

    def _engine_of(self, run: RunRecord) -> _Engine:
        return self._engine(devices.resolve(run.config.device).type)

    def _connect(self, device: str) -> EngineProcess:
        return EngineProcess(device, self._folder, self._take, self._mourn)

    def _add(self, run: RunRecord, spare: str = "") -> list[RunRecord]:
        """Take a run in; returns the oldest of its visitor's that had to leave for it, but not the one to spare."""
        self._runs[run.run_id], self._saved[run.run_id] = run, run.visitor
        self._visitors.setdefault(run.visitor, Presence(gone_since=time.monotonic()))
        late = self.groups_of(run.visitor)[GROUPS_PER_VISITOR:]
        left = [old for group in late for old in self.members(group)]
        own = self.of(run.visitor)
        others = [old for old in own[1:] if old.run_id != spare]
        too_many = max(0, len(own) - RUNS_PER_VISITOR)
        left += others[-too_many:] if too_many else []
        for old in left:
            self._remove(old)
        return left

    def _own(self, visitor: str) -> list[RunRecord]:
        """All runs of a visitor, newest first."""
        with self._lock:
            return [run for run in reversed(self._runs.values()) if run.visitor == visitor]

    def _stop_all(self, visitor: str) -> None:
        for run in self._own(visitor):
            if run.training:
                self.command(run.run_id, "stop")

    def _branch_arm(self, parent: RunRecord, step: int) -> Arm:
        assert parent.arm is not None
        names = [run.arm.name for run in self.members(parent.group) if run.arm]
        if len(names) >= ARMS:
            raise ConfigError(f"{ARMS} arms are the most: take one away first.")
        name = first = f"{parent.arm.name}, branch at {step}"
        number = 1
        while name in names:
            number += 1
            name = f"{first} ({number})"
        return replace(parent.arm, name=name)

    def _ready(self, run: RunRecord) -> _Engine:
        """The engine that has this run; it is opened there when it was saved, or its engine died after it had ended."""
        engine = self._engine_of(run)
        if run.run_id not in engine.open:
            self._open(run, resume=True, status=run.status if run.ended else PAUSED)
        return engine

    def _open(self, run: RunRecord, resume: bool, status: str, branch: bool = False) -> None:
        config = run.config.with_(**run.settings.to_dict())
        args = {
            "config": config.to_dict(),
            "generation": run.generation,
            "resume": resume,
            "status": status,
            "group": run.group,
        }
        engine = self._engine_of(run)
        engine.open.add(run.run_id)
        engine.link.send(Command(run.run_id, "open", args | {"branch": branch}))

    def _take(self, update: Update) -> None:
        with self._lock:
            run = self._runs.get(update.run_id)
            if run is None or update.generation < run.generation:
                return
            fresh = run.receive(update)
            if _complete(run):
                self._close_in_engine(run)
        run.keep_film(fresh, update.snapshot)
        if run.removed:
            _forget([run])

    def _mourn(self, link: EngineProcess, cause: str) -> None:
        """An engine died: start another one and open its runs again, or give up when that keeps happening."""
        with self._lock:
            engine = self._engines.get(link.device)
            if self._closed.is_set() or engine is None or engine.link is not link:
                return
            now = time.monotonic()
            engine.deaths = [t for t in engine.deaths if now - t < 60] + [now]
            orphans = [run for run in self._runs.values() if run.run_id in engine.open and not _complete(run)]
            engine.open.clear()
            if len(engine.deaths) >= DEATHS:
                del self._engines[link.device]
                for run in orphans:
                    run.tell(FAILED, f"The training process died {DEATHS} times ({cause}): try a smaller batch size.")
                return
            engine.link = self._connect(link.device)
            for run in orphans:
                status = RUNNING if run.status == STARTING else run.status
                run.tell(STARTING, f"The training process died ({cause}); the run goes on from its last saved step.")
                self._open(run, resume=True, status=status)

    # ---- housekeeping

    def _keep_house(self) -> None:
        """Save what changed; stop the runs of visitors who have been gone for long."""
        while not self._closed.wait(min(SAVE_S, self.gone_after_s / 4)):
            try:
                self._make_round()
            except Exception:  # noqa: BLE001  # the next round is made all the same, else nothing would be saved any more
                traceback.print_exc()

    def _make_round(self) -> None:
        if self._lasting:
            self._save_changed()
        with self._finding:  # who comes back now reads them when they are saved
            for run in self._let_go():
                self._save(run)  # what came since
        self._tidy_disk()

    def _save_changed(self) -> None:
        with self._lock:
            changed = [run for run in self._runs.values() if run.version != run.saved_version]
        for run in changed:
            self._save(run)

    def _save(self, run: RunRecord) -> None:
        if not self._lasting:
            return
        with self._lock:
            version, contents = run.version, run.contents()
        try:
            storage.write(run.folder, *contents)
            run.saved_version = version
        except OSError as error:
            if not run.removed:
                print(f"A run cannot be saved ({error.strerror}): free some disk space.", file=sys.stderr)
        if run.removed:  # meanwhile
            _forget([run])

    def _let_go(self) -> list[RunRecord]:
        """Take the runs of visitors who have been gone for long out of memory and out of their engines."""
        left, now = [], time.monotonic()
        with self._lock:
            for visitor, presence in list(self._visitors.items()):
                if presence.gone_since is not None and now - presence.gone_since > self.gone_after_s:
                    left += self._own(visitor)
                    del self._visitors[visitor]
            for run in left:
                self._close_in_engine(run)
                del self._runs[run.run_id]
        return left

    def _remove(self, run: RunRecord) -> None:
        """Take a run out of memory and out of its engine; its files are to be forgotten, without the lock."""
        run.removed = True
        self._close_in_engine(run)
        del self._runs[run.run_id]
        self._saved.pop(run.run_id, None)

    def _close_in_engine(self, run: RunRecord) -> None:
        """Its weights leave the engine's memory; a command brings it back from its last state."""
        for engine in self._engines.values():
            if run.run_id in engine.open:
                engine.open.discard(run.run_id)
                engine.link.send(Command(run.run_id, "close"))

    def _find_saved(self, visitor: str) -> None:
        """Read the saved runs of a visitor, and no others.

        What is in memory is left alone: its film and states may be ahead of its record, which reading would undo.
        """
        with self._finding:
            with self._lock:
                wanted = [i for i, owner in self._saved.items() if owner == visitor and i not in self._runs]
            found = []
            for run_id in wanted:
                with contextlib.suppress(storage.StorageError):
                    found.append(RunRecord.load(self._folder / run_id))
            with self._lock:
                for run in sorted(found, key=lambda run: run.created):
                    self._runs.setdefault(run.run_id, run)

    def _tidy_disk(self) -> None:
        if not self._lasting:
            return
        for folder in storage.folders(self._folder)[:-RUNS_ON_DISK]:
            with self._lock:
                kept = folder.name in self._runs
                if not kept:
                    self._saved.pop(folder.name, None)
            if not kept:
                storage.forget(folder)


def _forget(runs: Sequence[RunRecord]) -> None:
    """Remove the files of runs that have left."""
    for run in runs:
        storage.forget(run.folder)


def _changed(run: RunRecord, changes: dict[str, Any]) -> LiveSettings:
    """The run's settings with these changes.

    Raises:
        ConfigError: they cannot be used.
    """
    settings = run.settings.changed(changes, run.config)
    models.check(run.config.with_(**settings.to_dict()))
    return settings


def _check_arms(arms: Sequence[tuple[str, RunConfig]]) -> None:
    """Refuse arms that cannot train in step."""
    names = [name for name, _ in arms]
    if not 1 <= len(arms) <= ARMS:
        raise ConfigError(f"Choose one to {ARMS} arms.")
    if len(set(names)) < len(names):
        raise ConfigError("Two arms have the same name: give each its own.")
    for setting in ("seed", "batch_size", "epochs", "device", "dataset"):
        if len({getattr(config, setting) for _, config in arms}) > 1:
            raise ConfigError(f"Arms in step share their {setting.replace('_', ' ')}: give all the same.")
    devices.resolve(arms[0][1].device)


def _complete(run: RunRecord) -> bool:
    """Whether nothing more is expected of an engine."""
    return run.status == FAILED or (run.ended and run.final is not None)


def default_root() -> Path:
    """Where the server keeps runs: ELBO_ROOM_RUNS, or `.runs` beside the program."""
    return Path(os.environ.get("ELBO_ROOM_RUNS") or Path(__file__).resolve().parents[2] / ".runs")


def default_patience() -> float:
    """Seconds after which a visitor without a window counts as gone: ELBO_ROOM_GONE_AFTER_S, or ten minutes."""
    asked = os.environ.get("ELBO_ROOM_GONE_AFTER_S", "")
    try:
        seconds = float(asked or GONE_AFTER_S)
    except ValueError:
        seconds = -1.0
    if 0 < seconds < float("inf"):
        return seconds
    print(
        f"ELBO_ROOM_GONE_AFTER_S is {asked!r}, which is no number of seconds above 0; {GONE_AFTER_S:.0f} is taken.",
        file=sys.stderr,
    )
    return GONE_AFTER_S


_registry: Registry | None = None
_registry_lock = threading.Lock()


def shared() -> Registry:
    """The one registry of this server process."""
    global _registry
    with _registry_lock:
        if _registry is None:
            _registry = Registry(default_patience(), default_root())
        return _registry
