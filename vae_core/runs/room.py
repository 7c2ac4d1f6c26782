"""The engine room: what the server is doing and for whom, as one picture for the lecturer's page."""

import contextlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vae_core.runs.engines import Engine
from vae_core.runs.environment import disk_budget_bytes, ray_address
from vae_core.runs.lecturer import Lecturers
from vae_core.runs.log import Sentence, last_sentences
from vae_core.runs.machine import resident_bytes
from vae_core.runs.messages import PAUSED, RUNNING, STARTING, Line
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import SHIPPED, RunRecord

STOPPED_BY_LECTURER = "The lecturer has stopped this run."
_ACTIVE = (STARTING, RUNNING, PAUSED)


@dataclass(frozen=True)
class EngineStatus:
    """An engine, the process that trains on one device of this machine, or on one of a cluster.

    Attributes:
        device: of a cluster also the machine.
        restarts: how often it was started again after a death.
        runs: how many it has open.
        line: what it says of its seats; None where it says nothing.
    """

    device: str
    restarts: int
    runs: int
    memory_bytes: int | None
    line: Line | None = None


@dataclass(frozen=True)
class RunStatus:
    """A run that trains, waits or rests. `place`: in the line, from 1; None where it does not wait."""

    run_id: str
    whose: str
    what: str
    status: str
    step: int
    total_steps: int
    images_per_s: float
    place: int | None
    pinned: bool

    @property
    def active(self) -> bool:
        """Whether there is anything to stop."""
        return self.status in _ACTIVE


@dataclass(frozen=True)
class RoomStatus:
    """Memory and disk in bytes; what cannot be known here is None."""

    engines: tuple[EngineStatus, ...]
    runs: tuple[RunStatus, ...]  # lecturers' first, then by visitor, so that none moves while somebody points at it
    others: int  # runs in memory that have ended, of visitors who have a newer one
    visitors: int
    windows: int
    memory_bytes: int | None  # of the server, without its engines
    disk_bytes: int  # of all that runs have on the disk
    disk_budget_bytes: int | None
    disk_free_bytes: int | None
    sentences: tuple[Sentence, ...]  # oldest first


def room_status(registry: Registry) -> RoomStatus:
    """What the server is doing at this moment."""
    engines = tuple(_engine(device, engine) for device, engine in registry.engines().items())
    own = [run for run in registry.runs() if run.visitor != SHIPPED]
    shown = _in_order(registry.lecturers, own)
    windows = registry.visitors.windows()
    folder, used = registry.disk()
    return RoomStatus(
        engines=engines,
        runs=tuple(_run(registry, run) for run in shown),
        others=len(own) - len(shown),
        visitors=len(windows),
        windows=sum(windows.values()),
        memory_bytes=resident_bytes(os.getpid()),
        disk_bytes=used,
        disk_budget_bytes=round(disk_budget_bytes()),
        disk_free_bytes=_free_bytes(folder),
        sentences=last_sentences(),
    )


def stop(registry: Registry, run_id: str) -> None:
    """End anybody's run; its visitor reads who did it."""
    run = registry.get(run_id)
    if run is not None and run.training:
        run.change(notice=STOPPED_BY_LECTURER)
        _command(registry, run_id, "stop")


def pin(registry: Registry, run_id: str, pinned: bool) -> None:
    """Let a run keep its seat at the device, whoever waits; or let it take turns again."""
    if registry.get(run_id) is not None:
        (registry.lecturers.pin if pinned else registry.lecturers.unpin)(run_id)
        _command(registry, run_id, "pin" if pinned else "unpin")


def _command(registry: Registry, run_id: str, name: str) -> None:
    with contextlib.suppress(KeyError):  # it has just been forgotten
        registry.command(run_id, name)


def _engine(device: str, engine: Engine) -> EngineStatus:
    if ray_address():  # its process here only hands on what it says
        named = f"{device}: {engine.line.device}" if engine.line else device
        memory = engine.line.memory_bytes if engine.line else None
        return EngineStatus(named, engine.restarts, len(engine.open), memory, engine.line)
    process = getattr(engine.link, "process", None)  # an engine of the tests has none of its own
    memory = resident_bytes(process.pid) if process else None
    return EngineStatus(device, engine.restarts, len(engine.open), memory, engine.line)


def _in_order(lecturers: Lecturers, runs: Sequence[RunRecord]) -> list[RunRecord]:
    """Of every visitor what may still train or, if nothing does, the last run: so a row stays when its run ends."""
    by_visitor: dict[str, list[RunRecord]] = {}
    for run in runs:
        by_visitor.setdefault(run.visitor, []).append(run)
    visitors = sorted(by_visitor, key=lambda v: (not lecturers.is_lecturer(v), lecturers.number_of(v)))
    return [run for v in visitors for run in [r for r in by_visitor[v] if r.training] or by_visitor[v][-1:]]


def _run(registry: Registry, run: RunRecord) -> RunStatus:
    lecturers, config = registry.lecturers, run.config
    latents = f"{config.latent_dim} latent{'' if config.latent_dim == 1 else 's'}"
    whose = "lecturer" if lecturers.is_lecturer(run.visitor) else f"visitor {lecturers.number_of(run.visitor)}"
    return RunStatus(
        run_id=run.run_id,
        whose=whose,
        what=f"{config.model} {config.net}, {latents}" + (f", {run.arm.name}" if run.arm else ""),
        status=run.status,
        step=run.step,
        total_steps=run.total_steps,
        images_per_s=run.images_per_s if run.status == RUNNING else 0.0,
        place=run.now.waits.place if run.now.waits else None,
        pinned=lecturers.is_pinned(run.run_id),
    )


def _free_bytes(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
