"""The engines that train, by place: what is sent to them, what they send, and what happens when one dies."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from vae_core import devices
from vae_core.config import ConfigError, RunConfig
from vae_core.runs import storage
from vae_core.runs.environment import ray_address
from vae_core.runs.held_runs import HeldRuns
from vae_core.runs.log import logger
from vae_core.runs.measured import plain_of_kind
from vae_core.runs.messages import PAUSED, RUNNING, STARTING, Cluster, Command, Line, Measured, Said, Update
from vae_core.runs.paces import Paces
from vae_core.runs.places import ClusterPlaces, DevicePlaces
from vae_core.runs.process import EngineProcess
from vae_core.runs.ray_engine import RayEngine
from vae_core.runs.run_record import SAVED, RunRecord

DEATHS = 3  # an engine that dies so often within a minute, serving nobody, is not started again by itself
LEFT = 100  # runs removed last, whose engines may still be writing


@dataclass
class Engine:
    link: EngineProcess
    deaths: list[float] = field(default_factory=list)  # without a culprit, within the last minute
    restarts: int = 0
    line: Line | None = None  # how it stood last
    cluster: Cluster = field(default_factory=lambda: Cluster(1))  # what it said of it last
    open: set[str] = field(default_factory=set)  # ids of the runs that it has


class Engines:
    """Engines by place (places.py), started when they are first asked for. Their callers hold the registry's lock."""

    def __init__(
        self,
        runs: HeldRuns,
        goes_first: Callable[[RunRecord], bool],
        changed: Callable[[], None],
        closed: threading.Event,
    ) -> None:
        """
        Args:
            goes_first: whether a run waits in no line: a lecturer's, or one that is pinned.
            changed: called when there is something to be saved.
            closed: set when the registry ends; from then on no engine is started again.
        """
        self._runs, self._goes_first, self._changed, self._closed = runs, goes_first, changed, closed
        self._engines: dict[str, Engine] = {}
        self._places = ClusterPlaces() if ray_address() else DevicePlaces()
        self._left: dict[str, Path] = {}  # folders of runs that were removed
        self._paces = Paces()

    def all(self) -> dict[str, Engine]:
        """Those that were started, by place."""
        return dict(self._engines)

    def of_device(self, device: str) -> Engine:
        """
        Raises:
            ConfigError: the registry has ended; an engine that begins now would outlive it.
        """
        return self._at(self._places.of_device(device, self._open_runs))

    def pace(self, config: RunConfig) -> float | None:
        """Images per second of such a run: of the last one that trained alone, else as its engine measures it.

        Returns:
            None as long as it is being measured, or another is; 0 where it cannot be.
        Raises:
            ConfigError: its device is not there, or the registry has ended.
            DataError: its data set is gone.
        """
        device = self._places.of_device(devices.resolve(config.device).type, self._open_runs)
        known = self._paces.find(device, config)
        if known is None:
            link = self._at(device).link
            if self._paces.ask(device, config):
                link.send(Command("", "measure", {"config": plain_of_kind(config).to_dict()}))
        return known

    def open(self, run: RunRecord, status: str, branch: bool = False) -> None:
        """Give a run to its engine, which goes on from its last kept state."""
        config = run.config.with_(**run.settings.to_dict())
        args = {
            "config": config.to_dict(),
            "folder": str(run.folder),
            "generation": run.generation,
            "resume": run.states[::-1],
            "status": status,
            "group": run.group,
            "owner": run.visitor,
            "branch": branch,
            "first": self._goes_first(run),
        }
        engine = self._engine_of(run)
        engine.open.add(run.run_id)
        engine.link.send(Command(run.run_id, "open", args))

    def ready(self, run: RunRecord) -> EngineProcess:
        """The engine that has this run; it is opened there when it was saved, or its engine died after it had ended."""
        engine = self._engine_of(run)
        if run.run_id not in engine.open:
            self.open(run, status=run.status if run.ended else PAUSED)
        return engine.link

    def close_run(self, run: RunRecord) -> None:
        """Its weights leave the engine's memory; a command brings it back from its last state."""
        for engine in self._engines.values():
            if run.run_id in engine.open:
                engine.open.discard(run.run_id)
                engine.link.send(Command(run.run_id, "close"))

    def remove_run(self, run: RunRecord) -> None:
        """It leaves for good: what its engine still writes is removed when it says so."""
        self.close_run(run)
        self._left[run.run_id] = run.folder
        for run_id in list(self._left)[:-LEFT]:
            del self._left[run_id]

    def close(self) -> None:
        """End all engines, without the lock."""
        with self._runs.lock:
            engines, self._engines = list(self._engines.values()), {}
        for engine in engines:
            engine.link.close()

    @property
    def _open_runs(self) -> dict[str, set[str]]:
        return {place: engine.open for place, engine in self._engines.items()}

    def _at(self, place: str) -> Engine:
        if place not in self._engines:
            if self._closed.is_set():
                raise ConfigError("The server is ending: start the run when it is there again.")
            self._engines[place] = Engine(self._connect(place))
        return self._engines[place]

    def _engine_of(self, run: RunRecord) -> Engine:
        together = {run.run_id, *(arm.run_id for arm in self._runs.members(run.group))}
        return self._at(self._places.of_run(run.config, together, self._open_runs))

    def _connect(self, place: str) -> EngineProcess:
        kind = RayEngine if isinstance(self._places, ClusterPlaces) else EngineProcess
        return kind(place, lambda said: self._hear(place, said), self._mourn)

    def _hear(self, device: str, said: Said) -> None:
        """What an engine says. On the reader thread of that engine, so no run is told of by two at once."""
        engine = self._engines.get(device)
        if engine is None:  # the registry has ended
            return
        if isinstance(said, Update):
            self._take(engine, said)
        elif isinstance(said, Measured):
            self._paces.answer(device, said.images_per_s)
        elif isinstance(said, Cluster):
            engine.cluster = said
            self._places.note_room(said.engines)
        else:
            engine.line, waits = said, {one.run_id: one for one in said.waiting}
            for run in self._runs.all():
                if run.run_id in engine.open and run.now.waits != waits.get(run.run_id):
                    run.change(waits=waits.get(run.run_id))

    def _take(self, engine: Engine, update: Update) -> None:
        run = self._runs.get(update.run_id)
        if run is None:
            if (left := self._left.get(update.run_id)) is not None:
                storage.forget(left)
            return
        if update.run_id not in engine.open:  # said before it heard of the end; the run may since have been read anew
            return
        whole = run.last_whole
        run.take(update)
        if update.images_per_s and _trains_alone(run, engine.line):
            self._paces.learn(engine.link.device, run.config, update.images_per_s)
        if run.complete:
            with self._runs.lock:
                self.close_run(run)
        if run.last_whole is not whole:
            self._changed()
        if run.removed:
            storage.forget(run.folder)

    def _mourn(self, link: EngineProcess, cause: str, served: str = "") -> None:
        """An engine died: the run that it served stops and can be resumed, the others go on in another engine."""
        engine = self._engines.get(link.device)
        if self._closed.is_set() or engine is None or engine.link is not link:
            return
        for run in self._runs.all():
            if run.run_id in engine.open:
                run.tidy_after_crash()
        with self._runs.lock:
            orphans = [run for run in self._runs.all() if run.run_id in engine.open and not run.complete]
            culprits = [run for run in orphans if run.run_id == served]
            engine.open.clear()
            engine.line = None
            for run in orphans:
                run.change(waits=None)
            refused, cause = engine.cluster.refused, engine.cluster.lost or cause
            whom = "while it served a run" if culprits else "while it served nobody"
            died = f"The training process of {link.device} died ({cause}) {whom}; {len(orphans)} runs were open."
            logger.error(refused or died)
            measured = self._paces.mourn(link.device, served=bool(culprits or refused or engine.cluster.lost))
            if not culprits and not measured:
                now = time.monotonic()
                engine.deaths = [t for t in engine.deaths if now - t < 60] + [now]
            for run in culprits:
                _set_aside(run, f"The training process died ({cause}) while it served this run", _CURE)
            self._follow(engine, [run for run in orphans if run not in culprits], cause)

    def _follow(self, engine: Engine, runs: list[RunRecord], cause: str) -> None:
        """Let another engine have the runs of one that died, in its place or, where a cluster has none, elsewhere."""
        place, refused, gives_up = engine.link.device, engine.cluster.refused, len(engine.deaths) >= DEATHS
        if refused or gives_up or self._places.too_few_for(self._open_runs):
            del self._engines[place]
        else:
            engine.link, engine.restarts, engine.cluster = self._connect(place), engine.restarts + 1, Cluster(1)
        if refused:
            self._places.note_room(max(1, len(self._engines)))
        for run in runs:
            if refused and not self._engines:
                _set_aside(run, "No engine could begin", f" {refused}")
            elif gives_up and not refused:
                _set_aside(run, f"The training process died {DEATHS} times in a minute ({cause})", "")
            else:
                died = f"The training process died ({cause})"
                self._go_on(run, "There was no room for one more engine" if refused else died)

    def _go_on(self, run: RunRecord, why: str) -> None:
        status = RUNNING if run.status == STARTING else run.status
        run.tell(STARTING, f"{why}; the run goes on from its last saved step.")
        self.open(run, status)


def _trains_alone(run: RunRecord, line: Line | None) -> bool:
    """Whether it is as fast as this device makes it: nobody takes turns with it, and both its halves learn."""
    return line is not None and line.training == 1 and not run.group and run.settings.frozen == "none"


_CURE = " If that happens again, choose a smaller batch size or fewer latents."


def _set_aside(run: RunRecord, what: str, cure: str) -> None:
    """As if it had been read from disk: in no engine, and Resume goes on from its last state."""
    kept = f"step {run.states[-1]:,}" if run.states else "its beginning"
    if run.ended:
        run.tell(run.status, f"{what}: its final figures are missing.{cure}")
    else:
        run.tell(SAVED, f"{what}: press Resume to go on from {kept}.{cure}")
