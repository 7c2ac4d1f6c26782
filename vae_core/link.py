"""Both ends of the pipe between the server and an engine process. POSIX only: the pipe is inherited."""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from vae_core import devices
from vae_core.data import load
from vae_core.engine import Command, Engine, Update


class EngineLink:
    """One engine process. Updates arrive on a thread of its own."""

    def __init__(
        self,
        device: str,
        folder: Path,
        on_update: Callable[[Update], None],
        on_death: Callable[[EngineLink, str], None],
    ) -> None:
        """
        Args:
            device: "cpu", "cuda" or "mps".
            folder: where it keeps states.
            on_update: called with every update, on the reader thread.
            on_death: called once, on the reader thread, when the process has ended without being asked to.
        """
        self.device, self.folder = device, folder
        self._on_update, self._on_death = on_update, on_death
        self._sending = threading.Lock()
        self._closing = False
        self._connection, self.process = self._start()
        threading.Thread(target=self._read, name=f"engine-{device}", daemon=True).start()

    def send(self, command: Command | None) -> None:
        """Send a command; None asks the engine to leave.

        To a dead engine it is lost here, and made good when its runs are opened again.
        """
        with self._sending, contextlib.suppress(OSError):
            self._connection.send(command)

    def close(self) -> None:
        """End the process: it leaves when asked, or is made to. Its reader thread ends with it."""
        self._closing = True
        self.send(None)
        try:
            self.process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _start(self) -> tuple[Connection, subprocess.Popen[bytes]]:
        ours, theirs = multiprocessing.Pipe()
        fd = theirs.fileno()
        arguments = ["--fd", str(fd), "--device", self.device, "--folder", str(self.folder)]
        root = str(Path(__file__).resolve().parent.parent)
        path = os.pathsep.join(p for p in (root, os.environ.get("PYTHONPATH")) if p)
        process = subprocess.Popen(
            [sys.executable, "-m", "vae_core.link", *arguments],
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
            self._on_update(update)
        self._connection.close()
        if not self._closing:
            code = self.process.wait()
            cause = f"signal {-code}" if code < 0 else f"exit status {code}"
            self._on_death(self, cause)


def serve(connection: Connection, engine: Engine) -> None:
    """Until the other end says so or hangs up: carry out what came in, train a turn, send what is new."""
    while True:
        while connection.poll(0 if engine.busy else None):
            command = connection.recv()
            if command is None:
                return
            for update in engine.handle(command):
                connection.send(update)
        for update in engine.turn():
            connection.send(update)


def main() -> None:
    """`python -m vae_core.link --fd N`: started by EngineLink, with one end of a pipe as descriptor N."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--device", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    # One core stays with the server and the browser: threads that wait for each other spin, and training that
    # shares its cores with somebody who watches is then slower on two of them than on one.
    torch.set_num_threads(max(1, torch.get_num_threads() - 1))
    load("mnist", devices.resolve(options.device))  # warm: the first Start need not wait for it
    with contextlib.suppress(EOFError, ConnectionError, KeyboardInterrupt):
        serve(Connection(options.fd), Engine(options.folder))


if __name__ == "__main__":
    main()
