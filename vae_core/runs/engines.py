"""The engines that train, one per device: what is sent to them, what they send, and what happens when one dies."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from vae_core import devices
from vae_core.runs import storage
from vae_core.runs.held_runs import HeldRuns
from vae_core.runs.messages import FAILED, PAUSED, RUNNING, STARTING, Command, Update
from vae_core.runs.process import EngineProcess
from vae_core.runs.run_record import RunRecord

DEATHS = 3  # an engine that dies so often within a minute is given up


@dataclass
class Engine:
    link: EngineProcess
    deaths: list[float] = field(default_factory=list)
    open: set[str] = field(default_factory=set)  # ids of the runs that it has


class Engines:
    """Engines by device, started when they are first asked for. Their callers hold the registry's lock."""

    def __init__(self, runs: HeldRuns, folder: Path, closed: threading.Event) -> None:
        """
        Args:
            folder: where runs keep their states.
            closed: set when the registry ends; from then on no engine is started again.
        """
        self._runs, self._folder, self._closed = runs, folder, closed
        self._engines: dict[str, Engine] = {}

    def of_device(self, device: str) -> Engine:
        if device not in self._engines:
            self._engines[device] = Engine(self._connect(device))
        return self._engines[device]

    def open(self, run: RunRecord, resume: bool, status: str, branch: bool = False) -> None:
        """Give a run to its engine."""
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

    def ready(self, run: RunRecord) -> EngineProcess:
        """The engine that has this run; it is opened there when it was saved, or its engine died after it had ended."""
        engine = self._engine_of(run)
        if run.run_id not in engine.open:
            self.open(run, resume=True, status=run.status if run.ended else PAUSED)
        return engine.link

    def close_run(self, run: RunRecord) -> None:
        """Its weights leave the engine's memory; a command brings it back from its last state."""
        for engine in self._engines.values():
            if run.run_id in engine.open:
                engine.open.discard(run.run_id)
                engine.link.send(Command(run.run_id, "close"))

    def close(self) -> None:
        """End all engines, without the lock."""
        with self._runs.lock:
            engines, self._engines = list(self._engines.values()), {}
        for engine in engines:
            engine.link.close()

    def _engine_of(self, run: RunRecord) -> Engine:
        return self.of_device(devices.resolve(run.config.device).type)

    def _connect(self, device: str) -> EngineProcess:
        return EngineProcess(device, self._folder, self._take, self._mourn)

    def _take(self, update: Update) -> None:
        with self._runs.lock:
            run = self._runs.get(update.run_id)
            if run is None or update.generation < run.generation:
                return
            fresh = run.receive(update)
            if _complete(run):
                self.close_run(run)
        run.keep_film(fresh, update.snapshot)
        if run.removed:
            storage.forget(run.folder)

    def _mourn(self, link: EngineProcess, cause: str) -> None:
        """An engine died: start another one and open its runs again, or give up when that keeps happening."""
        with self._runs.lock:
            engine = self._engines.get(link.device)
            if self._closed.is_set() or engine is None or engine.link is not link:
                return
            now = time.monotonic()
            engine.deaths = [t for t in engine.deaths if now - t < 60] + [now]
            orphans = [run for run in self._runs.all() if run.run_id in engine.open and not _complete(run)]
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
                self.open(run, resume=True, status=status)


def _complete(run: RunRecord) -> bool:
    """Whether nothing more is expected of an engine."""
    return run.status == FAILED or (run.ended and run.final is not None)
