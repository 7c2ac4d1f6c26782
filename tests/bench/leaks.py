"""What is left of runs that have begun and ended, and of visitors who have come and gone: it must be nothing."""

import os
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.bench.crash_server import CONFIG
from tests.bench.crashes import living
from tests.bench.measure import descendants, memory_bytes
from tests.waiting import wait_for
from vae_core.runs import storage
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import RunRecord

WARM = 20
VISITORS = 20  # who come and go, each with a saved run
GONE_S = 0.05


@dataclass(frozen=True)
class Held:
    """What a process holds."""

    threads: int
    handles: int
    children: int

    @classmethod
    def by(cls, pid: int) -> "Held":
        tasks, handles = (len(os.listdir(f"/proc/{pid}/{name}")) for name in ("task", "fd"))
        return cls(tasks, handles, len(descendants(pid)) - 1)


@dataclass
class Leaks:
    """What the processes held before and after, by their names, and their memory with every start."""

    times: int
    before: dict[str, Held] = field(default_factory=dict)
    after: dict[str, Held] = field(default_factory=dict)
    memory: dict[str, list[int]] = field(default_factory=dict)

    @property
    def grown(self) -> list[str]:
        """What there is more of than before."""
        return [
            f"{name}: {getattr(held, what) - getattr(self.before[name], what)} more {what}"
            for name, held in self.after.items()
            for what in ("threads", "handles", "children")
            if getattr(held, what) > getattr(self.before[name], what)
        ]

    def lines(self) -> list[str]:
        lines = [f"{self.times} times; {'; '.join(self.grown) or 'no more threads, handles or children than before'}"]
        for name, sizes in self.memory.items():
            slope = np.polyfit(range(len(sizes)), sizes, 1)[0] if len(sizes) > 1 else 0.0
            size = f"{sizes[0] / 1e6:.1f} to {sizes[-1] / 1e6:.1f} MB, {slope / 1e3:+.2f} kB a time"
            lines.append(f"  {name}: {self.before[name]}, {size}")
        return lines


def _repeat(work: Callable[[int], None], times: int, warm: int, among: Registry | None = None) -> Leaks:
    found = Leaks(times)
    for number in range(warm + times):
        work(number)
        pids = {"server": os.getpid()} | ({"engine": among.engines()["cpu"].link.process.pid} if among else {})
        if number + 1 == warm:
            found.before = {name: Held.by(pid) for name, pid in pids.items()}
        if number + 1 >= warm:
            for name, pid in pids.items():
                found.memory.setdefault(name, []).append(memory_bytes(pid))
    for _ in range(50):  # somebody may just be writing
        found.after = {name: Held.by(pid) for name, pid in pids.items()}
        if not found.grown:
            break
        time.sleep(0.1)
    return found


def starts(times: int, warm: int = WARM, among: Registry | None = None) -> Leaks:
    """Start a run and stop it, so many times; each waits for its figures."""

    def start_and_stop(_: int) -> None:
        run = runs.get(runs.start(CONFIG, "ann"))
        assert run is not None
        wait_for(lambda: run.step > 0, 180)
        runs.command(run.run_id, "stop")
        wait_for(lambda: run.final is not None, 180)

    with nullcontext(among) if among else living() as runs:
        runs.visitors.enter("ann")
        return _repeat(start_and_stop, times, warm, runs)


def arrivals(times: int, warm: int = WARM) -> Leaks:
    """Visitors come, find their run and go until the registry forgets them."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        ids = [_saved_run(root, f"visitor {i}") for i in range(VISITORS)]
        runs = Registry(GONE_S, root)

        def come_and_go(number: int) -> None:
            visitor, run_id = f"visitor {number % VISITORS}", ids[number % VISITORS]
            runs.visitors.enter(visitor)
            runs.find_saved(visitor)
            assert runs.get(run_id) is not None
            runs.visitors.leave(visitor)
            wait_for(lambda: runs.get(run_id) is None)

        found = _repeat(come_and_go, times, warm)
        runs.close()
    return found


def _saved_run(root: Path, visitor: str) -> str:
    run = RunRecord(visitor, CONFIG, storage.folder_of(root, visitor))
    run.save()
    return run.run_id
