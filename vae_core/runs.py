"""The server's side of runs: start, command, read snapshots, stop. Knows no page.

A run is an actor: commands go in, numbered updates come out, and this registry keeps what came out.
Readers ask for "everything since" and get copies.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vae_core import devices
from vae_core.config import RunConfig, check_weights
from vae_core.engine import ENDED, FAILED, PAUSED, RUNNING, STARTING, Command, Update
from vae_core.link import EngineLink
from vae_core.series import Series
from vae_core.snapshot import Snapshot
from vae_core.train import ROW, Mark

TRAIN_CAPACITY = 65_536  # rows: every step up to there, then thinned
TEST_CAPACITY = 16_384
TEST_ROW = ("step", "nll", "kl", "mean_std", "active")
RUNS_PER_VISITOR = 4  # older ended ones are forgotten
GONE_AFTER_S = 600.0  # a visitor's runs end so long after the last browser window closed
DEATHS = 3  # an engine that dies so often within a minute gives up


class Run:
    """What the server knows of one run. Bounded: 1.4 MB of curves, at most one snapshot (1 MB for 32 latents)."""

    def __init__(self, visitor: str, config: RunConfig) -> None:
        self.run_id = secrets.token_urlsafe(16)  # unguessable: who has it may watch
        self.visitor, self.config = visitor, config
        self.version = 0  # rises with every change
        self.clear(generation=0)
        self.status, self.message, self.device = STARTING, "", ""
        self.notice = ""  # a message of the server's own, kept beside the engine's
        self.weights = {"alpha": config.alpha, "beta": config.beta, "learning_rate": config.learning_rate}

    def clear(self, generation: int) -> None:
        self.generation = generation
        self.train = Series(len(ROW), TRAIN_CAPACITY)
        self.test = Series(len(TEST_ROW), TEST_CAPACITY)
        self.snapshot: Snapshot | None = None
        self.marks: list[Mark] = []
        self.final: dict[str, Any] | None = None
        self.step = self.steps_per_epoch = self.total_steps = 0
        self.images_per_s = 0.0

    def take(self, update: Update) -> None:
        """Add what an update brings."""
        if update.generation > self.generation:
            self.clear(update.generation)
        self.version += 1
        self.status, self.message = update.status, update.message or self.notice
        if not update.total_steps:  # it failed before it began
            return
        self.step, self.steps_per_epoch, self.total_steps = update.step, update.steps_per_epoch, update.total_steps
        self.images_per_s, self.weights, self.device = update.images_per_s, update.weights, update.device
        self.final = update.final
        self.marks += update.marks
        self.train.extend(update.rows)
        if update.snapshot is not None:
            s = self.snapshot = update.snapshot
            self.test.extend(np.array([[s.step, s.nll, s.kl, s.mean_std, s.active.sum()]], np.float32))

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def nbytes(self) -> int:
        pictures = self.snapshot.nbytes if self.snapshot else 0
        return self.train.nbytes + self.test.nbytes + pictures


@dataclass(frozen=True)
class Cursor:
    """How far a reader has read; `Cursor()` is the beginning."""

    generation: int = -1
    thinned: int = 0
    train_step: float = -1.0
    test_step: float = -1.0
    marks: int = 0
    snapshot_step: int = -1


@dataclass(frozen=True)
class News:
    """Everything of a run since a cursor. `fresh` tells the reader to forget what it had."""

    run_id: str
    version: int
    fresh: bool
    status: str
    message: str
    generation: int
    step: int
    steps_per_epoch: int
    total_steps: int
    images_per_s: float
    weights: dict[str, float]
    device: str
    config: RunConfig
    train: np.ndarray  # (n, 4) columns train.ROW
    test: np.ndarray  # (n, 5) columns TEST_ROW
    marks: tuple[Mark, ...]
    snapshot: Snapshot | None
    final: dict[str, Any] | None
    cursor: Cursor


@dataclass
class Presence:
    """Open browser windows of one visitor."""

    windows: int = 0
    gone_since: float | None = None


@dataclass
class _Engine:
    link: EngineLink
    deaths: list[float] = field(default_factory=list)


class Runs:
    """All runs of all visitors, and the engines that train them. Thread-safe."""

    def __init__(self, gone_after_s: float = GONE_AFTER_S) -> None:
        self.gone_after_s = gone_after_s
        self._lock = threading.RLock()
        self._runs: dict[str, Run] = {}
        self._visitors: dict[str, Presence] = {}
        self._engines: dict[str, _Engine] = {}
        self._folder = Path(tempfile.mkdtemp(prefix="elbo-room-"))
        self._closed = threading.Event()
        threading.Thread(target=self._sweep, name="runs-sweeper", daemon=True).start()

    # ---- what pages do

    def warm_up(self, device: str = "auto") -> None:
        """Start the engine of a device before anybody asks for it."""
        with self._lock:
            self._engine(devices.resolve(device).type)

    def start(self, config: RunConfig, visitor: str, paused: bool = False) -> str:
        """Start a run (or make one ready, paused) and return its id.

        A run of this visitor that still trains is stopped: one at a time.

        Raises:
            ConfigError: the device is not there.
        """
        device = devices.resolve(config.device).type
        with self._lock:
            for other in self.of(visitor):
                if not other.ended:
                    self.command(other.run_id, "stop")
            run = Run(visitor, config)
            self._runs[run.run_id] = run
            self._visitors.setdefault(visitor, Presence(gone_since=time.monotonic()))
            self._engine(device)
            self._open(run, resume=False, status=PAUSED if paused else RUNNING)
            for old in self.of(visitor)[RUNS_PER_VISITOR:]:
                self.close_run(old.run_id)
        return run.run_id

    def command(self, run_id: str, name: str, **args: Any) -> None:
        """Send a command: pause, resume, step(steps), epoch, set(alpha, beta, learning_rate), stop, reset.

        Raises:
            ConfigError: weights that cannot be used; the run is left as it is.
            KeyError: the run has ended with its visitor's session.
        """
        with self._lock:
            run = self._runs[run_id]
            if name == "set":
                check_weights(**{**run.weights, **args})
            self._engine(devices.resolve(run.config.device).type).link.send(Command(run_id, name, args))

    def get(self, run_id: str | None) -> Run | None:
        with self._lock:
            return self._runs.get(run_id or "")

    def of(self, visitor: str) -> list[Run]:
        """The runs of a visitor, newest first."""
        with self._lock:
            return [run for run in reversed(self._runs.values()) if run.visitor == visitor]

    def read(self, run_id: str, since: Cursor) -> News | None:
        """Everything since a cursor, as copies; None when the run is not there any more."""
        with self._lock:
            run = self._runs.get(run_id)
            return None if run is None else _news(run, since)

    def close_run(self, run_id: str) -> None:
        """Forget a run."""
        with self._lock:
            if run_id in self._runs:
                self.command(run_id, "close")
                del self._runs[run_id]

    # ---- who is there

    def arrive(self, visitor: str) -> None:
        """A browser window of this visitor has opened."""
        with self._lock:
            presence = self._visitors.setdefault(visitor, Presence())
            presence.windows, presence.gone_since = presence.windows + 1, None

    def leave(self, visitor: str) -> None:
        """One of them has closed. Quick: it is called on the server's event loop."""
        with self._lock:
            presence = self._visitors.setdefault(visitor, Presence())
            presence.windows = max(0, presence.windows - 1)
            if presence.windows == 0:
                presence.gone_since = time.monotonic()

    def close(self) -> None:
        """End all engines; every run is lost."""
        self._closed.set()
        with self._lock:
            engines, self._engines = list(self._engines.values()), {}
        for engine in engines:
            engine.link.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    # ---- underneath

    def _engine(self, device: str) -> _Engine:
        if device not in self._engines:
            self._engines[device] = _Engine(self._connect(device))
        return self._engines[device]

    def _connect(self, device: str) -> EngineLink:
        return EngineLink(device, self._folder, self._take, self._mourn)

    def _open(self, run: Run, resume: bool, status: str) -> None:
        config = run.config.with_(**run.weights)
        args = {"config": config.to_dict(), "generation": run.generation, "resume": resume, "status": status}
        self.command(run.run_id, "open", **args)

    def _take(self, update: Update) -> None:
        with self._lock:
            run = self._runs.get(update.run_id)
            if run is not None and update.generation >= run.generation:
                run.take(update)

    def _mourn(self, link: EngineLink, cause: str) -> None:
        """An engine died: start another one and open its runs again, or give up when that keeps happening."""
        with self._lock:
            engine = self._engines.get(link.device)
            if self._closed.is_set() or engine is None or engine.link is not link:
                return
            now = time.monotonic()
            engine.deaths = [t for t in engine.deaths if now - t < 60] + [now]
            orphans = [
                r for r in self._runs.values() if not r.ended and devices.resolve(r.config.device).type == link.device
            ]
            if len(engine.deaths) >= DEATHS:
                del self._engines[link.device]
                for run in orphans:
                    _tell(run, FAILED, f"The training process died {DEATHS} times ({cause}): try a smaller batch size.")
                return
            engine.link = self._connect(link.device)
            for run in orphans:
                status = PAUSED if run.status == PAUSED else RUNNING
                _tell(run, STARTING, f"The training process died ({cause}); the run goes on from its last saved step.")
                self._open(run, resume=True, status=status)

    def _sweep(self) -> None:
        """End the runs of visitors who have been gone for long."""
        while not self._closed.wait(min(5.0, self.gone_after_s / 4)):
            now = time.monotonic()
            with self._lock:
                for visitor, presence in list(self._visitors.items()):
                    if presence.gone_since is not None and now - presence.gone_since > self.gone_after_s:
                        for run in self.of(visitor):
                            self.close_run(run.run_id)
                        del self._visitors[visitor]


def _tell(run: Run, status: str, message: str) -> None:
    run.status, run.message, run.notice = status, message, message
    run.version += 1


def _news(run: Run, since: Cursor) -> News:
    fresh = since.generation != run.generation or since.thinned != run.train.thinned + run.test.thinned
    if fresh:
        since = Cursor()
    snapshot = run.snapshot if run.snapshot and run.snapshot.step != since.snapshot_step else None
    cursor = Cursor(
        run.generation,
        run.train.thinned + run.test.thinned,
        run.train.last_step,
        run.test.last_step,
        len(run.marks),
        run.snapshot.step if run.snapshot else -1,
    )
    return News(
        run.run_id,
        run.version,
        fresh,
        run.status,
        run.message,
        run.generation,
        run.step,
        run.steps_per_epoch,
        run.total_steps,
        run.images_per_s,
        dict(run.weights),
        run.device,
        run.config,
        run.train.since(since.train_step),
        run.test.since(since.test_step),
        tuple(run.marks[since.marks :]),
        snapshot,
        run.final,
        cursor,
    )


_registry: Runs | None = None
_registry_lock = threading.Lock()


def registry() -> Runs:
    """The one registry of this server process."""
    global _registry
    with _registry_lock:
        if _registry is None:
            _registry = Runs()
        return _registry
