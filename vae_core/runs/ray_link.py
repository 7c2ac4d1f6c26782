"""The way to a Ray cluster, for a sweep and for engines alike. Ray is imported here and nowhere else."""

import os
import secrets
import socket
from typing import Any

LOCAL = "local"  # the address for a cluster of this machine alone, which ends with the process that asked for it
_HERE = {"_node_ip_address": "127.0.0.1"}
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # on any system: Ray then keeps to 127.0.0.1
_ANSWER_S = 10.0


class ClusterError(RuntimeError):
    """There is no cluster, or no room in it; the message is one sentence that says what to do."""


def connect(address: str, asked_by: str) -> Any:
    """Ray's module, connected.

    Args:
        address: HOST:PORT of a cluster, or LOCAL.
        asked_by: the option or variable that named it.
    Raises:
        ClusterError: Ray is not installed, or nothing answers there.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    if address == LOCAL:
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32), **LOOPBACK)
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # a task without a GPU leaves the variable alone
    try:
        import ray
    except ImportError:
        raise ClusterError(f"{asked_by} needs Ray: python -m pip install -r requirements-ray.txt") from None
    try:
        ray.init(address, log_to_driver=False, logging_level="ERROR", **_options(address))
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        reason = str(error).splitlines()[0]
        start = "`ray start --head` starts one, `ray start --address` joins one."
        raise ClusterError(f"No Ray cluster answers at {address} ({reason}): {start}") from None
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
