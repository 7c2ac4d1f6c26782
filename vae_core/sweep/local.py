"""Cells trained in processes of this machine: one on each core, or one on each GPU."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Mapping
from multiprocessing.connection import Connection, wait

import torch

from vae_core import devices
from vae_core.config import RunConfig
from vae_core.runs import machine
from vae_core.sweep.cell import Outcome, train_cell

TRIES = 2  # of a cell whose process was killed
_GPUS = "CUDA_VISIBLE_DEVICES"
_SPAWN = multiprocessing.get_context("spawn")  # a fork would take over CUDA and locks in whatever state they are


def default_jobs(device: str) -> int:
    """How many cells this machine trains at once: as many as it has GPUs or, without any, cores to give.

    Raises:
        ConfigError: the named device is not there.
    """
    kind = devices.resolve(device).type
    if kind == "cpu":
        return machine.cores()
    return torch.cuda.device_count() if kind == "cuda" else 1


def gpu_names(device: str) -> list[str]:
    """What CUDA_VISIBLE_DEVICES calls the GPUs that may be used, one by one; empty where none is."""
    if devices.resolve(device).type != "cuda":
        return []
    named = [name for name in os.environ.get(_GPUS, "").split(",") if name]
    return named or [str(number) for number in range(torch.cuda.device_count())]


def train_all(
    cells: Mapping[str, RunConfig], jobs: int, tell: Callable[[str, float], None]
) -> Generator[tuple[str, Outcome], None, None]:
    """Train every cell, so many at once; each comes when it is done. All processes end with the generator.

    Args:
        tell: hears now and then which part of which cell is done.
    """
    waiting, deaths, workers = deque(cells), Counter[str](), dict[Connection, _Worker]()
    gpus = gpu_names(next(iter(cells.values())).device) if cells else []
    free = [gpus[place % len(gpus)] if gpus else None for place in range(min(jobs, len(cells)))]
    try:
        while waiting or workers:
            while waiting and free:
                started = _Worker(free.pop(0))
                workers[started.connection] = started
                started.give(waiting.popleft(), cells)
            for connection in wait(list(workers)):
                worker = workers[connection]  # type: ignore[index]
                try:
                    said = worker.connection.recv()
                except (EOFError, OSError):  # it was killed, perhaps because memory ran out
                    free.append(worker.gpu)
                    del workers[worker.connection]
                    deaths[worker.cell] += 1
                    if deaths[worker.cell] < TRIES:
                        waiting.append(worker.cell)
                    else:
                        yield worker.cell, Outcome({}, f"Its process was killed {TRIES} times: take fewer --jobs.")
                    continue
                if isinstance(said, float):
                    tell(worker.cell, said)
                    continue
                yield worker.cell, said
                if waiting:
                    worker.give(waiting.popleft(), cells)
                else:
                    worker.end()
                    del workers[worker.connection]
                    free.append(worker.gpu)
    finally:
        for worker in workers.values():
            worker.end()


class _Worker:
    """A process that trains one cell after the other.

    Attributes:
        cell: the name of the one that it was given last. gpu: see `gpu_names`.
    """

    def __init__(self, gpu: str | None) -> None:
        self.gpu, self.cell = gpu, ""
        self.connection, theirs = _SPAWN.Pipe()
        self.process = _SPAWN.Process(target=_work, args=(theirs, gpu), daemon=True)
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # which it takes over: a Ctrl-C is for us alone
        try:
            self.process.start()
        finally:
            signal.signal(signal.SIGINT, before)
        theirs.close()

    def give(self, name: str, cells: Mapping[str, RunConfig]) -> None:
        self.cell = name
        with contextlib.suppress(OSError):  # killed since: the next look at the connection says so
            self.connection.send(cells[name])

    def end(self) -> None:
        """It has nothing that is not here: nothing waits for it."""
        self.process.kill()
        self.process.join()
        self.connection.close()


def _work(connection: Connection, gpu: str | None) -> None:
    """In the process: train what comes, until whoever has started it is gone, however suddenly."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if gpu is not None:
        os.environ[_GPUS] = gpu
    while True:
        try:
            config = connection.recv()
        except EOFError:
            return
        connection.send(train_cell(config, connection.send))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
