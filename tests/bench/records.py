"""What thousands of saved runs cost a server: at its start, when one of their owners comes, and in the background."""

import json
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.crash_server import CONFIG
from tests.bench.measure import thread_seconds
from vae_core.runs import storage
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import RunRecord
from vae_core.runs.storage import CURVES, RECORD

EACH = 3  # runs of a visitor
ROUNDS = 5
ARRIVALS = 100


@dataclass
class Cost:
    """Seconds that the records add to a start, that an arrival takes, and of the processor that the tidier takes."""

    records: int
    start_s: float
    arrival_s: float
    slowest_arrival_s: float
    tidier_share: float
    tidier_s: float

    def lines(self) -> list[str]:
        return [
            f"{self.records:,} records add {self.start_s:.3f} s to a start (goal 0.3 s); an arrival takes "
            f"{1e3 * self.arrival_s:.1f} ms, {1e3 * self.slowest_arrival_s:.1f} ms at most (goal 20 ms)",
            f"the tidier takes {100 * self.tidier_share:.1f} % of a core for {self.tidier_s:.0f} s",
        ]


def write_records(root: Path, visitors: int) -> None:
    """Small saved runs, as fast as they can be written."""
    sample = RunRecord("nobody", CONFIG, root / "sample")
    sample.save()
    saved = json.loads((sample.folder / RECORD).read_text())
    curves = (sample.folder / saved["curves"]).read_bytes()
    storage.forget(root / "sample")
    for number in range(visitors):
        visitor = f"visitor {number}"
        for i in range(EACH):
            folder = storage.folder_of(root, visitor) / f"run-{number}-{i}"
            folder.mkdir(parents=True)
            record = saved | {"run_id": folder.name, "visitor": visitor, "curves": CURVES}
            (folder / RECORD).write_text(json.dumps(record))
            (folder / CURVES).write_bytes(curves)


def records(visitors: int) -> Cost:
    """Beside an empty folder, by turns."""
    with tempfile.TemporaryDirectory() as name:
        empty, full = Path(name) / "empty", Path(name) / "full"
        write_records(full, visitors)
        took = {root: [_start(root) for _ in range(ROUNDS)] for root in (empty, full)}
        runs = Registry(root=full)
        tidying = _Tidying(runs)
        arrivals = [_arrival(runs, f"visitor {n * visitors // ARRIVALS}") for n in range(min(ARRIVALS, visitors))]
        share, seconds = tidying.until_done()
        runs.close()
    added = statistics.median(took[full]) - statistics.median(took[empty])
    return Cost(visitors * EACH, added, statistics.median(arrivals), max(arrivals), share, seconds)


def _start(root: Path) -> float:
    started = time.perf_counter()
    runs = Registry(root=root)
    took = time.perf_counter() - started
    runs.close()
    return took


def _arrival(runs: Registry, visitor: str) -> float:
    started = time.perf_counter()
    runs.visitors.enter(visitor)
    runs.find_saved(visitor)
    took = time.perf_counter() - started
    assert len(runs.of(visitor)) == EACH
    return took


class _Tidying:
    """Watches the thread that counts what lies on the disk."""

    def __init__(self, runs: Registry) -> None:
        self._runs = runs
        (self._thread,) = [t for t in threading.enumerate() if t.name == "runs-tidier" and t.is_alive()]

    def until_done(self, patience_s: float = 300) -> tuple[float, float]:
        """Its share of a core while it counts, and for how long it does."""
        deadline = time.monotonic() + patience_s
        started, before = time.monotonic(), thread_seconds(self._thread.native_id or 0)
        while not self._runs._saved.used and time.monotonic() < deadline:
            time.sleep(0.05)
        took = time.monotonic() - started
        return (thread_seconds(self._thread.native_id or 0) - before) / took, took


# ---- counted


_counting: Counter[str] | None = None


def _count(event: str, _: tuple[Any, ...]) -> None:
    if _counting is not None and event in ("open", "os.listdir", "os.scandir", "os.remove", "os.rename", "os.mkdir"):
        _counting[event] += 1


def calls(work: Callable[[], object]) -> Counter[str]:
    """How often the disk is asked meanwhile, by what for. The hook stays, and does nothing in between."""
    global _counting
    if not calls.__dict__.get("hooked"):
        sys.addaudithook(_count)
        calls.__dict__["hooked"] = True
    _counting = found = Counter()
    try:
        work()
    finally:
        _counting = None
    return found
