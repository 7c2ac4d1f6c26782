"""An engine on a Ray cluster. To the server it is a process like any other: this one, which hands on what is said.

    server  ←pipe→  this process  ←Ray→  RemoteEngine on a GPU, or on some cores, of the cluster

So the server knows no Ray, and what can befall a cluster ends this process and not the lecture. Ray places the engine
where there is room; where its machine is lost this process ends, and the server starts another.
"""

import contextlib
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from vae_core.runs.channel import End
from vae_core.runs.environment import ray_address, ray_cores
from vae_core.runs.messages import FAILED, Cluster, Command, Said, Update
from vae_core.runs.parcels import Packer
from vae_core.runs.process import EngineProcess, join_server
from vae_core.runs.ray_link import ClusterError, connect
from vae_core.runs.remote_engine import RemoteEngine

HEEDED = ("ELBO_ROOM_AT_ONCE", "ELBO_ROOM_FAMILIES")  # by an engine, of what the server is told
WAIT_S = 1.0  # for news
ROOM_S = 10.0  # for room: what has just died gives it back
BEGIN_S = 60.0  # for an engine to begin
END_S = 60.0  # for the cluster to find out what has become of an engine that is out of reach
LEAVE_S = 0.5  # for an engine to tidy up
WATCH_S = 5.0  # so often it is looked how large the cluster is


class RayEngine(EngineProcess):
    """The server's side: an EngineProcess whose engine is elsewhere. `device` is its place, such as "cluster 1"."""

    module = "vae_core.runs.ray_engine"


class Bridge:
    """Between the server and one engine of the cluster."""

    def __init__(self, connection: End) -> None:
        self._connection, self._sending = connection, threading.Lock()
        self._packer = Packer()
        self._ray: Any = None
        self._actor: Any = None
        self._node = "the cluster"

    def work(self) -> None:
        """Until the server says so or hangs up, or the engine is lost."""
        try:
            self._ray = connect(ray_address(), "ELBO_ROOM_RAY")
            self._actor, self._node = self._place()
        except ClusterError as error:
            return self._say(Cluster(self._room() if self._ray else 0, refused=str(error)))
        self._say(Cluster(self._room()))
        for work in (self._hand_on_commands, self._watch):
            threading.Thread(target=work, name=work.__name__, daemon=True).start()
        try:
            self._hand_on_updates()
        except self._ray.exceptions.RayError:
            self._await_end()
            self._say(Cluster(self._room(), lost=f"{self._node} was lost"))

    def _place(self) -> tuple[Any, str]:
        """An engine on a free GPU or on free cores, and the name of its machine.

        Raises:
            ClusterError: there is no room.
        """
        kind, amount = self._share()
        cores, gpus = (1, 1) if kind == "GPU" else (amount, 0)
        place = self._ray.util.placement_group([{"CPU": cores, **({"GPU": gpus} if gpus else {})}])
        if not place.wait(ROOM_S):
            full = f"The cluster at {ray_address()} has no room for an engine ({amount} {kind} each)"
            raise ClusterError(f"{full}: end what else runs there, or add machines.")
        there = self._ray.util.scheduling_strategies.PlacementGroupSchedulingStrategy(place)
        made = self._ray.remote(RemoteEngine).options(
            num_cpus=cores, num_gpus=gpus, max_concurrency=2, scheduling_strategy=there
        )
        environment = {name: os.environ[name] for name in HEEDED if name in os.environ}
        actor = made.remote(environment, cores)
        try:
            return actor, self._ray.get(actor.node.remote(), timeout=BEGIN_S)
        except self._ray.exceptions.RayError as error:
            why = str(error).strip().splitlines()[-1].strip()
            needs = "every machine needs this folder at the same path, with .venv."
            raise ClusterError(f"An engine cannot begin on the cluster ({why}): {needs}") from None

    def _share(self) -> tuple[str, int]:
        """What an engine takes: a GPU, where the cluster has any, else cores."""
        return ("GPU", 1) if self._ray.cluster_resources().get("GPU", 0) else ("CPU", ray_cores())

    def _room(self) -> int:
        """For how many engines there are machines."""
        kind, amount = self._share()
        return sum(int(node["Resources"].get(kind, 0) // amount) for node in self._ray.nodes() if node["Alive"])

    def _say(self, said: Said) -> None:
        with self._sending:
            self._connection.send(said)

    def _hand_on_updates(self) -> None:
        while True:
            for said, state in self._ray.get(self._actor.take.remote(WAIT_S)):
                told = self._packer.unpack(said, state) if isinstance(said, Update) else said
                self._say(told)
                if isinstance(told, Update) and told.status == FAILED != said.status:  # its state cannot be written
                    self._give(Command(told.run_id, "close"))

    def _hand_on_commands(self) -> None:
        lost = self._ray.exceptions.RayError
        try:
            while (command := self._connection.recv()) is not None:
                self._give(command)
        except lost:
            return  # it is said where news are awaited
        except (EOFError, OSError):
            pass  # the server has ended
        with contextlib.suppress(lost):
            self._ray.get(self._actor.leave.remote(), timeout=LEAVE_S)
        os._exit(0)

    def _give(self, command: Command) -> None:
        self._ray.get(self._actor.put.remote(self._packer.pack(command)))

    def _await_end(self) -> None:
        """Until the cluster knows whether a machine is lost: only then does it know how much room is left.

        An engine that is within reach again ends all the same: what it said meanwhile may have gone astray.
        """
        deadline = time.monotonic() + END_S
        while time.monotonic() < deadline:
            try:
                self._ray.get(self._actor.node.remote(), timeout=WAIT_S)
                break
            except (self._ray.exceptions.ActorUnavailableError, self._ray.exceptions.GetTimeoutError):
                time.sleep(0.2)
            except self._ray.exceptions.RayError:
                return
        self._ray.kill(self._actor)

    def _watch(self) -> None:
        """Tell when the cluster has become larger or smaller."""
        told = self._room()
        with contextlib.suppress(OSError, self._ray.exceptions.RayError):
            while True:
                time.sleep(WATCH_S)
                if (room := self._room()) != told:
                    told = room
                    self._say(Cluster(room))


def main() -> None:
    """`python -m vae_core.runs.ray_engine`: started by RayEngine."""
    sys.argv[0] = str(Path(__file__).resolve().parents[2] / "app.py")  # workers import from the folder that it lies in
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - where Ray would print whole logs when a machine is lost
    with contextlib.suppress(EOFError, ConnectionError, KeyboardInterrupt):
        _, connection, _ = join_server()
        Bridge(connection).work()
    sys.stderr.flush()
    os._exit(1)  # Ray ends the engine, once this process is gone


if __name__ == "__main__":
    main()
