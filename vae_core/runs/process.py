"""Both ends of the pipe between the server and an engine process. POSIX only: the pipe is inherited."""

import argparse
import contextlib
import multiprocessing
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from vae_core.config import RunConfig
from vae_core.runs.mailbox import Inbox, Outbox
from vae_core.runs.messages import Command, Update
from vae_core.runs.scheduler import Scheduler
from vae_core.trainer import Trainer

OPENING_S = 0.05  # so long runs are opened before those that train go on


class EngineProcess:
    """One engine process. Updates arrive on a thread of its own, commands leave on another: nobody waits for it."""

    def __init__(
        self,
        device: str,
        on_update: Callable[[Update], None],
        on_death: Callable[["EngineProcess", str], None],
    ) -> None:
        """
        Args:
            device: "cpu", "cuda" or "mps".
            on_update: called with every update, on the reader thread.
            on_death: called once, on the reader thread, when the process has ended without being asked to.
        """
        self.device = device
        self._on_update, self._on_death = on_update, on_death
        self._closing = False
        self._connection, self.process = self._start()
        self._outbox = Outbox(self._connection.send)
        threading.Thread(target=self._read, name=f"engine-{device}", daemon=True).start()

    def send(self, command: Command) -> None:
        """Send a command, in its turn; returns at once.

        To a dead engine it is lost here, and made good when its runs are opened again.
        """
        self._outbox.put(command)

    def close(self) -> None:
        """End the process: it leaves when asked, or is made to. Its reader thread ends with it."""
        self._closing = True
        self._outbox.close()
        try:
            self.process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _start(self) -> tuple[Connection, subprocess.Popen[bytes]]:
        ours, theirs = multiprocessing.Pipe()
        fd = theirs.fileno()
        arguments = ["--fd", str(fd), "--device", self.device]
        root = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(p for p in (root, os.environ.get("PYTHONPATH")) if p)
        process = subprocess.Popen(
            [sys.executable, "-m", "vae_core.runs.process", *arguments],
            pass_fds=[fd],
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # Ctrl-C goes to the server, which closes the engine in its own time
        )
        theirs.close()
        return ours, process

    def _read(self) -> None:
        while True:
            try:
                update = self._connection.recv()
            except (EOFError, OSError):
                break
            try:
                self._on_update(update)
            except Exception:  # noqa: BLE001 - what one run brings must not silence those of all others
                traceback.print_exc()
        self._outbox.close()
        self._outbox.join(seconds=5)  # it must not write to a descriptor that has meanwhile become another file's
        self._connection.close()
        if not self._closing:
            code = self.process.wait()
            cause = f"signal {-code}" if code < 0 else f"exit status {code}"
            self._on_death(self, cause)


def serve(connection: Connection, engine: Scheduler) -> None:
    """Until the other end says so or hangs up: train, lane by lane, and between them carry out what came in."""
    inbox = Inbox()
    while _read(connection, inbox, wait=not (engine.busy or inbox)):
        _send(connection, (engine.handle(command) for command in inbox.take(OPENING_S)))
        for updates in engine.slices(pressed=bool(inbox)):
            _send(connection, [updates])
            if not _read(connection, inbox):
                return
            _send(connection, (engine.handle(command) for command in inbox.take(OPENING_S)))


def _read(connection: Connection, inbox: Inbox, wait: bool = False) -> bool:
    """Take in the commands that are there, or the first to come; False when the engine is asked to leave."""
    while connection.poll(None if wait else 0):
        command = connection.recv()
        if command is None:
            return False
        inbox.put(command)
        wait = False
    return True


def _send(connection: Connection, batches: Iterable[list[Update]]) -> None:
    for updates in batches:
        for update in updates:
            connection.send(update)


def main() -> None:
    """`python -m vae_core.runs.process --fd N`: started by EngineProcess, with one end of a pipe as descriptor N."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--device", required=True)
    options = parser.parse_args()
    # One core stays with the server and the browser: threads that wait for each other spin, and training that
    # shares its cores with somebody who watches is then slower on two of them than on one.
    torch.set_num_threads(max(1, torch.get_num_threads() - 1))
    Trainer(RunConfig(device=options.device)).step()  # warm: data and torch's own late imports, seconds at first
    with contextlib.suppress(EOFError, ConnectionError, KeyboardInterrupt):
        serve(Connection(options.fd), Scheduler())


if __name__ == "__main__":
    main()
