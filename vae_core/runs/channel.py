"""How a server and an engine reach each other, and where the engine names the run that it serves.

Where a process can inherit open files, it inherits both, a pipe and a file without a name: nobody else comes near
them. Where it cannot (Windows), it finds them by address: a port of this machine alone, whose door opens to one who
knows the secret in the engine's environment, and a file by its path.
"""

import contextlib
import multiprocessing
import os
import secrets
import socket
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from pathlib import Path
from typing import IO, Any, Protocol

from vae_core.runs.machine import can_inherit
from vae_core.runs.served import Served

SECRET = "ELBO_ROOM_ENGINE_SECRET"  # never among the arguments, which everybody on a machine may read
HERE = "127.0.0.1"
LOOK_S = 0.1  # so often it is looked whether who has not come yet has died


class End(Protocol):
    """One end of a channel, whatever it is made of."""

    def send(self, obj: Any, /) -> None: ...
    def recv(self) -> Any: ...
    def poll(self, timeout: float | None = ..., /) -> bool: ...
    def close(self) -> None: ...


class Channel:
    """The server's end, before and after the engine has come."""

    served_file: IO[bytes]
    options: dict[str, Any]  # of Popen
    environment: dict[str, str]  # of the engine, beside the server's
    arguments: Sequence[str]

    def __init__(self) -> None:
        self._end: End | None = None
        self._decided = threading.Event()  # it has come, or never will

    def connect(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait until the engine has come, or has ended before."""
        self._decided.set()

    def send(self, command: Any) -> None:
        """Waits for the engine to come.

        Raises:
            OSError: nobody listens any more.
        """
        self._decided.wait()
        self._there().send(command)

    def recv(self) -> Any:
        """
        Raises:
            EOFError, OSError: nobody speaks any more.
        """
        return self._there().recv()

    def close(self) -> str:
        """After the engine's end; returns the id of the run that it served."""
        if self._end is not None:
            self._end.close()
        with self.served_file as file:
            return Served(file.fileno()).read()

    def _there(self) -> End:
        if self._end is None:
            raise ConnectionResetError("the engine ended before it had come")
        return self._end


class Inherited(Channel):
    """A pipe and a file that the engine inherits."""

    def __init__(self) -> None:
        super().__init__()
        self._end, self._theirs = multiprocessing.Pipe()
        self.served_file = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        numbers = [self._theirs.fileno(), self.served_file.fileno()]
        self.options, self.environment = {"pass_fds": numbers}, {}
        self.arguments = ["--inherited", *map(str, numbers)]

    def connect(self, process: "subprocess.Popen[bytes]") -> None:
        self._theirs.close()  # else its death would not end the pipe
        super().connect(process)


class ByAddress(Channel):
    """A port of this machine, and a file by its path."""

    def __init__(self) -> None:
        super().__init__()
        self._door = socket.create_server((HERE, 0))
        self._secret = secrets.token_bytes(32)
        handle, self._path = tempfile.mkstemp(prefix="elbo-room-")
        self.served_file = os.fdopen(handle, "r+b", buffering=0)
        self.options, self.environment = {}, {SECRET: self._secret.hex()}
        self.arguments = ["--address", str(self._door.getsockname()[1]), self._path]

    def connect(self, process: "subprocess.Popen[bytes]") -> None:
        """Each who knocks is heard on a thread of its own: a stranger who says nothing holds nobody up."""
        with self._door as door:
            door.settimeout(LOOK_S)
            while self._end is None and process.poll() is None:
                with contextlib.suppress(OSError):  # nobody yet, or gone again
                    guest, _ = door.accept()
                    threading.Thread(target=self._greet, args=(guest,), name="greet", daemon=True).start()
        super().connect(process)

    def close(self) -> str:
        served = super().close()
        with contextlib.suppress(OSError):
            os.unlink(self._path)
        return served

    def _greet(self, guest: socket.socket) -> None:
        """Both say that they know the secret before anything else is read."""
        end = _over(guest)
        try:
            deliver_challenge(end, self._secret)
            answer_challenge(end, self._secret)
        except (OSError, EOFError, multiprocessing.AuthenticationError):
            end.close()
        else:
            self._end = end


def open_channel() -> Channel:
    """For an engine that is about to be started."""
    return Inherited() if can_inherit() else ByAddress()


def join_inherited(pipe: int, served: int) -> tuple[End, Served]:
    """The engine's end, by the numbers of what it has inherited."""
    return Connection(pipe), Served(served)


def join_by_address(port: int, served: str) -> tuple[End, Served]:
    """The engine's end.

    Raises:
        OSError: the server has ended.
    """
    secret = bytes.fromhex(os.environ.pop(SECRET))
    end = _over(socket.create_connection((HERE, port)))
    answer_challenge(end, secret)
    deliver_challenge(end, secret)
    return end, Served(os.open(Path(served), os.O_RDWR | getattr(os, "O_BINARY", 0)))


def _over(connected: socket.socket) -> Connection:
    connected.setblocking(True)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # small ones do not wait for the next
    return Connection(connected.detach())
