"""The two who speak over a channel: the server's side of an engine process, and the process itself."""

import argparse
import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from vae_core.config import RunConfig
from vae_core.runs.channel import End, join_by_address, join_inherited, open_channel
from vae_core.runs.environment import seats_asked
from vae_core.runs.line import seats_of
from vae_core.runs.log import logger
from vae_core.runs.machine import apart, give_back_freed
from vae_core.runs.mailbox import Inbox, Outbox
from vae_core.runs.messages import Command, Said
from vae_core.runs.scheduler import Scheduler
from vae_core.runs.served import Served
from vae_core.trainer import Trainer

OPENING_S = 0.05  # so long runs are opened before those that train go on
IDLE_S = 1.0  # an engine without work looks up this often
LEAVE_S = 1.2  # so long it may take to leave when it is asked to; then it is made to
WARM_STEPS = 5  # by which the speed of a device is measured


class EngineProcess:
    """One engine process. Updates arrive on a thread of its own, commands leave on another: nobody waits for it."""

    module = "vae_core.runs.process"  # that it runs

    def __init__(
        self,
        device: str,
        on_update: Callable[[Said], None],
        on_death: Callable[["EngineProcess", str, str], None],
    ) -> None:
        """
        Args:
            device: "cpu", "cuda" or "mps".
            on_update: called with every update, and with every news of the line, on the reader thread.
            on_death: called once, on the reader thread, when the process has ended without being asked to; with the
                cause, and the id of the run that it served, or "" if none.
        """
        self.device = device
        self._on_update, self._on_death = on_update, on_death
        self._closing = False
        self._channel = open_channel()
        self.process = self._start()
        self._outbox = Outbox(self._channel.send)
        self._reader = threading.Thread(target=self._read, name=f"engine-{device}", daemon=True)
        self._reader.start()

    def send(self, command: Command) -> None:
        """Send a command, in its turn; returns at once.

        To a dead engine it is lost here, and made good when its runs are opened again.
        """
        self._outbox.put(command)

    def close(self) -> None:
        """End the process: it leaves when asked, or is made to. Its reader thread ends with it, and clears away."""
        self._closing = True
        self._outbox.close()
        try:
            self.process.wait(timeout=LEAVE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if threading.current_thread() is not self._reader:
            self._reader.join(timeout=1)

    def _start(self) -> subprocess.Popen[bytes]:
        root = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(p for p in (root, os.environ.get("PYTHONPATH")) if p)
        return subprocess.Popen(
            [sys.executable, "-m", self.module, "--device", self.device, *self._channel.arguments],
            env={**os.environ, **self._channel.environment, "PYTHONPATH": path},
            **self._channel.options,
            **apart(),  # Ctrl-C goes to the server, which closes the engine in its own time
        )

    def _read(self) -> None:
        self._channel.connect(self.process)
        while True:
            try:
                update = self._channel.recv()
            except (EOFError, OSError):
                break
            try:
                self._on_update(update)
            except Exception:  # noqa: BLE001 - what one run brings must not silence those of all others
                logger.exception("What a run brought could not be taken in")
        self._outbox.close()
        self._outbox.join(seconds=5)  # it must not write to a descriptor that has meanwhile become another file's
        code = self.process.wait()
        served = self._channel.close()
        if not self._closing:
            cause = f"signal {-code}" if code < 0 else f"exit status {code}"
            self._on_death(self, cause, served)


def serve(connection: End, engine: Scheduler) -> None:
    """Until the other end says so or hangs up: carry out what came in, then do a piece of work, and so on."""
    inbox, worked = Inbox(), False
    while _read(connection, inbox, wait_s=0.0 if engine.busy or inbox else IDLE_S):
        for command in inbox.take(OPENING_S):
            _send(connection, engine.handle(command))
        _send(connection, engine.work())
        _send(connection, engine.measure())
        _send(connection, engine.line())
        if worked and not engine.busy:
            give_back_freed()
        worked = engine.busy


def _read(connection: End, inbox: Inbox, wait_s: float) -> bool:
    """Take in the commands that are there, or the first to come; False when the engine is asked to leave."""
    while connection.poll(wait_s):
        command = connection.recv()
        if command is None:
            return False
        inbox.put(command)
        wait_s = 0.0
    return True


def _send(connection: End, updates: Sequence[Said]) -> None:
    for update in updates:
        connection.send(update)


def measure_seats(device: str) -> int:
    """How many lanes a device trains at once. What is slow at first is done afterwards: data, torch's late imports."""
    trainer = Trainer(RunConfig(device=device))
    trainer.step()
    trainer.flush()
    started = time.monotonic()
    for _ in range(WARM_STEPS):
        trainer.step()
    trainer.flush()
    free = torch.cuda.mem_get_info()[0] if trainer.device.type == "cuda" else float("inf")
    return seats_asked() or seats_of((time.monotonic() - started) / WARM_STEPS, free)


def join_server() -> tuple[str, End, Served]:
    """What a process that an EngineProcess has started reads in its arguments: its device, and the way to the server.

    Raises:
        OSError: the server has ended.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--inherited", type=int, nargs=2)
    parser.add_argument("--address", nargs=2)
    parser.add_argument("--device", required=True)
    options = parser.parse_args()
    if options.inherited:
        return options.device, *join_inherited(*options.inherited)
    return options.device, *join_by_address(int(options.address[0]), options.address[1])


def main() -> None:
    """`python -m vae_core.runs.process`: started by EngineProcess, with what its channel says of where to find it."""
    # One core stays with the server and the browser: threads that wait for each other spin, and training that
    # shares its cores with somebody who watches is then slower on two of them than on one.
    torch.set_num_threads(max(1, torch.get_num_threads() - 1))
    with contextlib.suppress(EOFError, ConnectionError, KeyboardInterrupt):
        device, connection, served = join_server()
        serve(connection, Scheduler(measure_seats(device), device, lambda: connection.poll(0), served.write))
    sys.stderr.flush()
    os._exit(0)  # whoever waits for it is not to wait for torch and all tensors to be taken down one by one


if __name__ == "__main__":
    main()
