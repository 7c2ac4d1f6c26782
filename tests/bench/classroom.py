"""`python -m tests.bench.classroom [flood|fair]`: what a class does to the registry of runs and its engine, in figures.

    flood   sixty visitors start a run each and change a weight every half second; one presses Start and Stop in turn
    fair    steps a second and the answer to Pause: one run, then several at once

Prints a table; it fails nothing. The registry is the server's own, with a real engine process, without pages.
"""

import argparse
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.measure import command_of, cpu_seconds, descendants, is_alive
from vae_core.config import ConfigError, RunConfig
from vae_core.runs.messages import PAUSED
from vae_core.runs.news import Cursor
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import RunRecord

ROOT = Path(__file__).resolve().parents[2]
CONFIG = RunConfig(device="cpu", epochs=1000)
VISITORS, EVERY_S = 60, 0.5


@dataclass
class Flood:
    """What the visitors found: seconds that each call took, and until the engine had carried it out.

    Attributes:
        registry: seconds that a question to it took. presses: of Start and Stop by one visitor, each a pair.
        lost: commands that were not carried out, and threads that did not end.
    """

    calls: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    lost: int = 0
    registry: list[float] = field(default_factory=list)
    presses: int = 0

    def lines(self) -> list[str]:
        named = (("call", self.calls), ("answer", self.answers), ("registry", self.registry))
        return [
            *(
                f"{name:9} {len(values):6} median {1e3 * _p(values, 0.5):7.1f} ms   "
                f"99 % {1e3 * _p(values, 0.99):7.1f}   longest {1e3 * max(values):7.1f}"
                for name, values in named
                if values
            ),
            f"{self.presses} times Start and Stop, lost {self.lost} (goals: none lost, registry within 50 ms)",
        ]


def flood(runs: Registry, visitors: int, seconds: float, presses: int = 1000) -> Flood:
    """Visitors who each start a run and then change its beta every half second, and one who starts and stops.

    Args:
        presses: so many starts and stops at most.
    """
    found, until = Flood(), time.monotonic() + seconds
    work = [lambda i=i: _weights(runs, f"visitor {i}", found, until, i / visitors) for i in range(visitors)]
    work += [lambda: _start_and_stop(runs, found, until, presses), lambda: _watch(runs, found, until)]
    threads = [threading.Thread(target=_until_the_end, args=(one,), daemon=True) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive() and time.monotonic() < until + 60:
            thread.join(0.2)  # a signal that comes just before a wait is heard when the wait is over
    found.lost += sum(thread.is_alive() for thread in threads)
    return found


def _until_the_end(work: Callable[[], None]) -> None:
    with contextlib.suppress(ConfigError):  # the server is ending
        work()


def interrupted(visitors: int, after_s: float) -> tuple[float, list[str]]:
    """Ctrl-C in the midst of a flood: seconds until server and engine had ended, and what is wrong with that."""
    command = [sys.executable, "-m", "tests.bench.classroom", "flood", "--seconds", "600", "--visitors", str(visitors)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None and server.stderr is not None
        assert server.stdout.readline() == "flooded\n"
        time.sleep(after_s)
        processes, started = descendants(server.pid), time.monotonic()
        server.send_signal(signal.SIGINT)
        faults = []
        while any(is_alive(pid) for pid in processes) and time.monotonic() < started + 60:
            server.poll()
            time.sleep(0.01)
        took = time.monotonic() - started
        if len(processes) < 2:
            faults.append("there was no engine")
        for pid in [pid for pid in {*processes, *descendants(server.pid)} if is_alive(pid)]:
            faults.append(f"{command_of(pid)} has not ended")
            os.kill(pid, signal.SIGKILL)
        if "Traceback" in (said := server.stderr.read()):
            faults.append(said.strip().splitlines()[-1])
    return took, faults


def _timed(found: Flood, call: Callable[[], object]) -> object:
    started = time.monotonic()
    result = call()
    found.calls.append(time.monotonic() - started)
    return result


def _weights(runs: Registry, visitor: str, found: Flood, until: float, offset: float) -> None:
    time.sleep(offset * EVERY_S)
    run = runs.get(str(_timed(found, lambda: runs.start(CONFIG, visitor))))
    assert run is not None
    number = 0
    while time.monotonic() < until:
        began, number = time.monotonic(), number + 1
        beta = 1 + number / 1000
        _timed(found, lambda beta=beta: runs.command(run.run_id, "set", beta=beta))
        _await(run, lambda beta=beta: run.settings.beta == beta, began, found)
        time.sleep(max(0.0, began + EVERY_S - time.monotonic()))


def _await(run: RunRecord, done: Callable[[], bool], began: float, found: Flood) -> None:
    while not done():
        if time.monotonic() - began > 30:
            found.lost += 1
            return
        time.sleep(0.02)
    found.answers.append(time.monotonic() - began)


def _start_and_stop(runs: Registry, found: Flood, until: float, presses: int) -> None:
    while time.monotonic() < until and found.presses < presses:
        run_id = _timed(found, lambda: runs.start(CONFIG, "restless"))
        _timed(found, lambda run_id=run_id: runs.command(str(run_id), "stop"))
        found.presses += 1
        time.sleep(0.1)
    began = time.monotonic()
    while (left := [run for run in runs.of("restless") if not run.ended]) and time.monotonic() < began + 60:
        time.sleep(0.02)
    found.lost += len(left)


def _watch(runs: Registry, found: Flood, until: float) -> None:
    """How long the registry takes to say anything, as the event loop asks it."""
    while time.monotonic() < until:
        started = time.monotonic()
        runs.get("nobody")
        for run in runs.of("visitor 0")[:1]:
            runs.read(run.run_id, Cursor())
        found.registry.append(time.monotonic() - started)
        time.sleep(0.01)


def warm(runs: Registry) -> None:
    """Wait until the engine has its data, as it has long before a class comes in."""
    run = runs.get(runs.start(CONFIG, "early bird"))
    while run is not None and not run.step:
        time.sleep(0.05)
    runs.close_run(run.run_id if run else "")


def fair(count: int, seconds: float, alike: bool = False) -> dict[str, float]:
    """So many runs at once: steps a second of all together, first pictures, and how long a Pause takes.

    Args:
        alike: all with the same settings, as a class that opens the page and presses Start; else each its own seed.
    """
    runs = Registry()
    warm(runs)
    began = time.monotonic()
    own = [runs.get(runs.start(CONFIG.with_(seed=0 if alike else i), f"visitor {i}")) for i in range(count)]
    looks: dict[str, float] = {}
    while time.monotonic() < began + 120 and len(looks) < count:
        looks |= {r.run_id: time.monotonic() - began for r in own if r and r.snapshot and r.run_id not in looks}
        time.sleep(0.01)
    while time.monotonic() < began + 10:
        time.sleep(0.1)
    engine = runs._engines.of_device("cpu").link.process.pid
    before, started, spent = [r.step for r in own if r], time.monotonic(), cpu_seconds(engine)
    time.sleep(seconds)
    waiting = [r.now.waits for r in own if r and r.now.waits]
    after, took = [r.step for r in own if r], time.monotonic() - started
    spent = cpu_seconds(engine) - spent
    pauses = [_pause(runs, run) for run in own[:5] if run]
    films = statistics.mean(len(r.film) for r in own if r)
    runs.close()
    return {
        "steps/s": (sum(after) - sum(before)) / took,
        "steps/CPU s": (sum(after) - sum(before)) / spent,
        "least": min(b - a for a, b in zip(before, after, strict=True)) / took,
        "look s": statistics.median(looks.values()),
        "last look s": max(looks.values()),
        "see their place": len(waiting),
        "pause s": max(pauses),
        "pictures": films,
    }


def _pause(runs: Registry, run: RunRecord) -> float:
    started = time.monotonic()
    runs.command(run.run_id, "pause")
    while run.status != PAUSED and time.monotonic() < started + 60:
        time.sleep(0.002)
    return time.monotonic() - started


def _p(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["flood", "fair"], choices=["flood", "fair"])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--visitors", type=int, default=VISITORS)
    parser.add_argument("--alike", action="store_true", help="all runs with the same settings")
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 10, 1, 10, 30])
    options = parser.parse_args()
    if "flood" in options.what:
        runs = Registry()
        try:
            warm(runs)
            print("flooded", flush=True)
            print(*flood(runs, options.visitors, options.seconds).lines(), sep="\n")
        finally:
            started = time.monotonic()
            runs.close()
            print(f"closed in {time.monotonic() - started:.1f} s", flush=True)
    if "fair" in options.what:
        for count in options.counts:
            print(
                count,
                "runs",
                {k: round(v, 2) for k, v in fair(count, options.seconds / 2, options.alike).items()},
                flush=True,
            )
    return 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
