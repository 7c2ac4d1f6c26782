"""An engine that can inherit nothing finds its server by address, as on Windows; nobody else gets in."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from tests.waiting import is_there, wait_for
from vae_core.config import RunConfig
from vae_core.runs import channel
from vae_core.runs.channel import HERE, SECRET, ByAddress, join_by_address
from vae_core.runs.messages import RUNNING, Command, Update
from vae_core.runs.process import EngineProcess

ROOT = Path(__file__).resolve().parents[1]


class Alive:
    """Stands in for the process of an engine that is on its way."""

    def __init__(self) -> None:
        self.code: int | None = None

    def poll(self) -> int | None:
        return self.code


class Door:
    """A server that waits for its engine."""

    def __init__(self) -> None:
        self.channel, self.process = ByAddress(), Alive()
        _, port, self.path = self.channel.arguments
        self.port, self.secret = int(port), self.channel.environment[SECRET]
        process = cast("subprocess.Popen[bytes]", self.process)
        self.thread = threading.Thread(target=self.channel.connect, args=(process,), daemon=True)
        self.thread.start()


@pytest.fixture
def door() -> Iterator[Door]:
    made = Door()
    yield made
    made.process.code = 0
    made.thread.join()
    with contextlib.suppress(ValueError):  # it is closed
        made.channel.close()


def test_who_knows_the_secret_is_heard_and_names_whom_it_serves(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET, door.secret)
    end, served = join_by_address(door.port, door.path)
    assert SECRET not in os.environ and door.secret not in " ".join(door.channel.arguments)
    end.send({"a": 1})
    door.thread.join(timeout=60)
    assert door.channel.recv() == {"a": 1}
    door.channel.send("b")
    assert end.recv() == "b"
    served.write("a run")
    end.close()
    with pytest.raises((EOFError, OSError)):
        door.channel.recv()
    assert door.channel.close() == "a run" and not Path(door.path).exists()


def test_strangers_are_sent_away_and_hold_nobody_up(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_connection((HERE, door.port)):  # says nothing
        socket.create_connection((HERE, door.port)).close()
        monkeypatch.setenv(SECRET, "00" * 32)
        with pytest.raises(Exception, match="rejected"):
            join_by_address(door.port, door.path)
        assert not door.channel._decided.is_set()
        monkeypatch.setenv(SECRET, door.secret)
        end, _ = join_by_address(door.port, door.path)
        end.send("it is me")
        door.thread.join(timeout=60)
        assert door.channel.recv() == "it is me"
        with pytest.raises(OSError):
            socket.create_connection((HERE, door.port))


def test_an_engine_that_ends_before_it_comes_leaves_nobody_waiting(door: Door) -> None:
    refused: list[type] = []

    def send() -> None:
        try:
            door.channel.send("a command")
        except OSError as error:
            refused.append(type(error))

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    door.process.code = 1
    sender.join(timeout=60)
    assert refused == [ConnectionResetError]
    with pytest.raises(OSError, match="ended"):
        door.channel.recv()


@pytest.fixture
def nothing_is_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("ELBO_ROOM_AT_ONCE", "3")
    monkeypatch.setattr(channel, "can_inherit", lambda: False)


@pytest.mark.usefixtures("nothing_is_inherited")
def test_an_engine_by_address_trains_and_its_death_is_noticed(tmp_path: Path) -> None:
    updates: list[Update] = []
    deaths: list[tuple[str, str]] = []
    link = EngineProcess("cpu", updates.append, lambda _, cause, served: deaths.append((cause, served)))  # type: ignore[arg-type]
    config = RunConfig(device="cpu", epochs=1000, batch_size=2000)
    args = {"config": config.to_dict(), "folder": str(tmp_path / "a"), "generation": 0, "resume": (), "owner": "a"}
    link.send(Command("a", "open", args | {"status": RUNNING}))  # before it is there
    wait_for(lambda: any(isinstance(said, Update) and said.step >= 3 for said in list(updates)))
    path = Path(link._channel.arguments[-1])
    assert path.exists()
    os.kill(link.process.pid, signal.SIGKILL)
    wait_for(lambda: deaths)
    ((cause, served),) = deaths
    assert cause == "signal 9" and served in ("a", "")  # nobody, in the moment between two steps
    assert not path.exists()
    link.close()


SERVER = """
import time
from vae_core.runs import channel
channel.can_inherit = lambda: False
from vae_core.runs.process import EngineProcess
link = EngineProcess("cpu", lambda said: None, lambda *_: None)
link._channel._decided.wait()
print(link.process.pid, link._channel.arguments[-1], flush=True)
time.sleep(600)
"""


@pytest.mark.usefixtures("nothing_is_inherited")
def test_the_end_of_the_server_is_the_end_of_its_engine() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    ) as server:
        assert server.stdout is not None
        pid, path = server.stdout.readline().split()
        server.kill()
    wait_for(lambda: not is_there(int(pid)))
    Path(path).unlink()  # a server that is killed can remove nothing
