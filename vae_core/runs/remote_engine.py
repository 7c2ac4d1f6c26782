"""An engine on another machine: what process.py does at the end of a pipe, at the end of calls over the network.

It knows nothing of Ray, which makes an actor of `RemoteEngine` (ray_engine.py), and keeps nothing: see parcels.py.
"""

import collections
import contextlib
import os
import queue
import shutil
import socket
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import torch

from vae_core import devices
from vae_core.runs.machine import lock
from vae_core.runs.messages import Command, Said, Update
from vae_core.runs.parcels import Parcel
from vae_core.runs.process import measure_seats, serve
from vae_core.runs.scheduler import Scheduler
from vae_core.runs.storage import state_file, states_folder

MOST = 50  # things said that are taken at once
_NAME, _IN_USE = "elbo-room-engine-", "in-use"


class RemoteEngine:
    """The engine, on a thread of its own; two others of Ray's bring and fetch. Its files lie in a folder that goes."""

    def __init__(self, environment: Mapping[str, str], threads: int) -> None:
        """
        Args:
            environment: of the server, as far as an engine heeds it.
            threads: that compute.
        """
        self._folder, self._hold = make_folder(Path(tempfile.gettempdir()))
        os.environ.update(environment, ELBO_ROOM_DATA=str(self._folder / "data"))
        self._post = Post(self._folder)
        self._thread = threading.Thread(target=self._work, args=(threads,), name="engine", daemon=True)
        self._thread.start()

    def node(self) -> str:
        """The name of its machine."""
        return socket.gethostname()

    def put(self, parcel: Parcel) -> None:
        """Bring a command; returns at once."""
        self._post.bring(parcel)

    def take(self, wait_s: float) -> list[tuple[Said, bytes]]:
        """What it said since, each with the state that it tells of; waits so long for the first.

        Raises:
            RuntimeError: the engine has ended by an error.
        """
        said = self._post.fetch(wait_s)
        if not said and not self._thread.is_alive():
            raise RuntimeError("the engine has ended")
        return said

    def leave(self) -> None:
        """Remove its files; it is about to be ended."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _work(self, threads: int) -> None:
        torch.set_num_threads(threads)
        kind = devices.resolve("auto")
        seats = measure_seats(kind.type)
        where = f"{devices.describe(kind)} on {self.node()}"
        serve(self._post, Scheduler(seats, where, lambda: self._post.poll(0)))


def make_folder(root: Path) -> tuple[Path, IO[str]]:
    """A folder for an engine, its own as long as the file that comes with it is open; those of dead ones go."""
    for left in root.glob(f"{_NAME}*"):
        with contextlib.suppress(OSError), (left / _IN_USE).open("r+", encoding="ascii") as file:
            lock(file)
            shutil.rmtree(left, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix=_NAME, dir=root))
    hold = (made / ".taken").open("w", encoding="ascii")
    lock(hold)
    (made / ".taken").rename(made / _IN_USE)  # it is seen only now that it is held
    return made, hold


class Post:
    """The engine's end of a channel (channel.End): turns paths of the server into paths of its own folder and back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._came: collections.deque[Parcel] = collections.deque()
        self._news = threading.Condition()
        self._said: queue.SimpleQueue[tuple[Said, bytes]] = queue.SimpleQueue()

    # ---- for those who bring and fetch

    def bring(self, parcel: Parcel) -> None:
        with self._news:
            self._came.append(parcel)
            self._news.notify()

    def fetch(self, wait_s: float) -> list[tuple[Said, bytes]]:
        found: list[tuple[Said, bytes]] = []
        try:
            found.append(self._said.get(timeout=wait_s))
            while len(found) < MOST:
                found.append(self._said.get_nowait())
        except queue.Empty:
            pass
        return found

    # ---- for the engine

    def poll(self, timeout: float | None = 0.0) -> bool:
        """Whether a command has come; waits so long for one."""
        if not self._came and timeout:
            with self._news:
                self._news.wait_for(lambda: bool(self._came), timeout)
        return bool(self._came)

    def recv(self) -> Command:
        """The next command, once its files are where it says."""
        parcel = self._came.popleft()
        command = parcel.command
        for path, image in parcel.images.items():
            _write(self._folder / "data" / path, image)
        if command.name == "close":
            shutil.rmtree(self._folder_of(command.run_id), ignore_errors=True)
        if command.name != "open":
            return command
        folder = self._folder_of(command.run_id)
        if parcel.state:
            _write(
                state_file(states_folder(folder, command.args["generation"]), command.args["resume"][0]), parcel.state
            )
        return Command(command.run_id, "open", {**command.args, "folder": str(folder)})

    def send(self, said: Any) -> None:
        """Say something; a state goes along, and is kept here no longer."""
        state = b""
        if isinstance(said, Update) and said.saved is not None:
            file = state_file(states_folder(self._folder_of(said.run_id), said.generation), said.saved)
            try:
                state = file.read_bytes()
                file.unlink()
            except OSError:  # the run has been closed meanwhile
                said = replace(said, saved=None)
        self._said.put((said, state))

    def close(self) -> None: ...

    def _folder_of(self, run_id: str) -> Path:
        return self._folder / "runs" / run_id


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
