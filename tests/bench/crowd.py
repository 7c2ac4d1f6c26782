"""What a class in its windows costs a real server: sockets that follow one run, and pages whose widgets are changed."""

import asyncio
import contextlib
import secrets
import signal
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import numpy as np
from websockets.exceptions import ConnectionClosed

from tests.bench.audience import audience
from tests.bench.measure import Visit, command_of, cpu_seconds, descendants, is_alive, load, memory_bytes
from tests.bench.streamlit_client import Window
from tests.browser.conftest import serving
from tests.waiting import wait_for

WINDOW_S = 12.0
WARM_STEPS = 100
EVERY_S, BURST_S = 5.0, 1.0


# ---- followers of one run


@dataclass
class Following:
    """Images a second and cores of the server, unwatched and watched by turns; its memory while it is watched."""

    sockets: int
    speed: dict[int, list[float]] = field(default_factory=dict)
    server: dict[int, list[float]] = field(default_factory=dict)
    memory: list[tuple[float, int]] = field(default_factory=list)
    messages: list[float] = field(default_factory=list)  # a second, that each follower received

    def lines(self) -> list[str]:
        speed, server = ({n: statistics.median(v) for n, v in found.items()} for found in (self.speed, self.server))
        slope = np.polyfit(*zip(*self.memory, strict=True), 1)[0] if len(self.memory) > 1 else 0.0
        return [
            f"{self.sockets} sockets: {speed[self.sockets]:,.0f} images/s, unwatched {speed[0]:,.0f}: "
            f"{speed[self.sockets] / speed[0]:.3f} (goal 0.9); server {server[self.sockets]:.3f} cores, "
            f"unwatched {server[0]:.3f} (goal 0.2); memory {slope * 60 / 1e6:+.2f} MB a minute; "
            f"each received {statistics.mean(self.messages):.1f} messages a second",
            load(),
        ]


def followers(sockets: int, rounds: int = 2, seconds: float = WINDOW_S) -> Following:
    """So many sockets on one run of a server of its own: none, all, all, none, and so on; then a minute of all."""
    found = Following(sockets, {0: [], sockets: []}, {0: [], sockets: []})
    with serving() as (url, process):
        asyncio.run(_followed(url, process.pid, found, rounds, seconds))
    return found


async def _followed(url: str, server: int, found: Following, rounds: int, seconds: float) -> None:
    async with _training(url) as run_id:
        visit = Visit(url, run_id)
        await asyncio.to_thread(visit.until, WARM_STEPS)
        for count in [0, found.sockets, found.sockets, 0] * rounds:
            await asyncio.to_thread(_window, visit, server, count, seconds, found)
        await asyncio.to_thread(_watch_memory, visit, server, 5 * seconds, found)


@contextlib.asynccontextmanager
async def _training(url: str) -> AsyncIterator[str]:
    """A visitor who has started a run and stays; the id of the run."""
    async with Window(url, secrets.token_urlsafe(16)) as window:
        await window.open()
        await window.change("Epochs", 200)
        await window.press("Start")
        assert not window.errors, window.errors
        yield parse_qs(window.query)["run"][0]


def _window(visit: Visit, server: int, count: int, seconds: float, found: Following) -> None:
    with audience(visit.address, count, seconds + 1) as received:
        before = cpu_seconds(server)
        found.speed[count].append(visit.rate(seconds))
        found.server[count].append((cpu_seconds(server) - before) / seconds)
    if received:
        found.messages.append(received["messages"])


def _watch_memory(visit: Visit, server: int, seconds: float, found: Following) -> None:
    with audience(visit.address, found.sockets, seconds):
        started = time.monotonic()
        while (at := time.monotonic() - started) < seconds - 1:
            found.memory.append((at, memory_bytes(server)))
            time.sleep(seconds / 60)


# ---- pages over Streamlit's own protocol


@dataclass
class Pages:
    """Seconds from a change to the end of the page's run: as a class makes them, and all within a second."""

    clients: int
    opened: list[float] = field(default_factory=list)
    changes: list[float] = field(default_factory=list)
    bursts: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    ended_s: float = 0.0  # from Ctrl-C in the midst of a burst until server and engine have ended
    cores: float = 0.0  # of the server, outside bursts

    def lines(self) -> list[str]:
        def times(values: list[float]) -> str:
            many = np.percentile(values, [50, 95, 100]) if values else [0.0] * 3
            return "{} (median {:.2f}, 95 % {:.2f}, longest {:.2f} s)".format(len(values), *many)

        return [
            f"{self.clients} clients, {len(self.errors)} errors: opened {times(self.opened)}",
            f"changes {times(self.changes)} (goal: 95 % below 1 s), in bursts {times(self.bursts)}",
            f"server {self.cores:.2f} cores; ended {self.ended_s:.1f} s after Ctrl-C; {load()}",
            *sorted(set(self.errors))[:20],
        ]


def protocol(clients: int, seconds: float = 60.0, every_s: float = EVERY_S) -> Pages:
    """So many windows on Live training, each changes a number now and then; twice all do at once; then Ctrl-C."""
    found = Pages(clients)
    with serving() as (url, process):
        asyncio.run(_class(url, process.pid, found, seconds, every_s))
        processes, started = descendants(process.pid), time.monotonic()
        assert any("vae_core.runs.process" in command_of(pid) for pid in processes)
        process.send_signal(signal.SIGINT)
        process.wait(60)
        wait_for(lambda: not any(is_alive(pid) for pid in processes), 60)
        found.ended_s = time.monotonic() - started
    return found


async def _class(url: str, server: int, found: Pages, seconds: float, every_s: float) -> None:
    async with contextlib.AsyncExitStack() as stack:
        windows = [
            await stack.enter_async_context(Window(url, secrets.token_urlsafe(16))) for _ in range(found.clients)
        ]
        await asyncio.gather(*(_open(window, found, every_s * i / len(windows)) for i, window in enumerate(windows)))
        for _ in range(2):
            before, started = cpu_seconds(server), time.monotonic()
            await asyncio.gather(*(_change(w, found, seconds / 2, every_s, i) for i, w in enumerate(windows)))
            found.cores = (cpu_seconds(server) - before) / (time.monotonic() - started)
            await asyncio.gather(*(_burst(w, found, BURST_S * i / len(windows), i) for i, w in enumerate(windows)))
        for window in windows:
            found.errors += window.errors
        started_runs = [asyncio.create_task(window.press("Start")) for window in windows[:3]]
        await asyncio.wait(started_runs, timeout=10)


async def _open(window: Window, found: Pages, after_s: float) -> None:
    await asyncio.sleep(after_s)
    with _noted(found):
        found.opened.append(await window.open())


async def _change(window: Window, found: Pages, seconds: float, every_s: float, number: int) -> None:
    """A seed and a beta by turns, each client at its own moments."""
    await asyncio.sleep(every_s * number / found.clients)
    until, count = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        started, count = time.monotonic(), count + 1
        with _noted(found):
            found.changes.append(await window.change(("Seed", "beta")[count % 2], 1 + count + number))
        await asyncio.sleep(max(0.0, every_s - (time.monotonic() - started)))


async def _burst(window: Window, found: Pages, after_s: float, number: int) -> None:
    await asyncio.sleep(after_s)
    with _noted(found):
        found.bursts.append(await window.change("Seed", 1000 + number))


@contextlib.contextmanager
def _noted(found: Pages) -> Iterator[None]:
    """A window that is sent away, or waits for too long, is an error of the server's."""
    try:
        yield
    except (OSError, TimeoutError, ConnectionClosed, KeyError) as error:
        found.errors.append(f"{type(error).__name__}: {error}")
