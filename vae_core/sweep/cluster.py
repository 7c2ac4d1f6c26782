"""Cells trained as tasks of a Ray cluster, on its GPUs or else its cores. Ray is imported here and nowhere else."""

import os
import secrets
import socket
from collections.abc import Generator, Mapping
from typing import Any

from vae_core.config import RunConfig
from vae_core.sweep.cell import Outcome, SweepError, train_cell

LOCAL = "local"  # the address for a cluster of this machine alone, which ends with the sweep
RETRIES = 8  # of a cell whose worker or node died
_HERE = {"_node_ip_address": "127.0.0.1"}
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # on any system: Ray then keeps to 127.0.0.1
_ANSWER_S = 10.0


def train_all(cells: Mapping[str, RunConfig], address: str) -> Generator[tuple[str, Outcome], None, None]:
    """Train every cell; each comes when it is done, also where nodes of the cluster die meanwhile.

    Args:
        address: HOST:PORT of a cluster, or LOCAL.
    Raises:
        SweepError: Ray is not installed, or there is no cluster.
    """
    ray = connect(address)
    try:
        on_gpu = next(iter(cells.values())).device in ("auto", "cuda") and ray.cluster_resources().get("GPU", 0) > 0
        task = ray.remote(train_cell).options(num_cpus=1, num_gpus=int(on_gpu), max_retries=RETRIES)
        pending = {task.remote(config): name for name, config in cells.items()}
        while pending:
            (done,), _ = ray.wait(list(pending), num_returns=1)
            try:
                outcome = ray.get(done)
            except ray.exceptions.RayError as error:
                outcome = Outcome({}, f"Ray gave it up: {str(error).splitlines()[0]}")
            yield pending.pop(done), outcome
            del done  # and with it what the cluster keeps of it
    finally:
        ray.shutdown()


def connect(address: str) -> Any:
    """Ray's module, connected.

    Raises:
        SweepError: it is not installed, or nothing answers there.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    if address == LOCAL:  # for this command alone
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32), **LOOPBACK)
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # a task without a GPU leaves the variable alone
    try:
        import ray
    except ImportError:
        raise SweepError("--ray needs Ray: python -m pip install -r requirements-ray.txt") from None
    try:
        ray.init(address, log_to_driver=False, logging_level="ERROR", **_options(address))
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise SweepError(f"No Ray cluster answers at {address} ({reason}): `ray start --head` starts one.") from None
    return ray


def _options(address: str) -> dict[str, Any]:
    """What else is told to Ray.

    Raises:
        OSError, ValueError: nothing listens at the address, for which Ray itself would wait for minutes.
    """
    if address == LOCAL:
        return {"include_dashboard": False, **_HERE}
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=_ANSWER_S):
        return _HERE if host in ("127.0.0.1", "localhost") else {}
