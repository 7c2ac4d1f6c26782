"""What the environment says of the server: where runs are kept, when a visitor is gone, which key a lecturer has."""

import os
import re
import secrets
from pathlib import Path

from vae_core.runs.log import logger

DISK_GB = 20.0
RAY_CORES = 1.0
GONE_AFTER_S = 600.0  # a visitor's runs stop so long after the last browser window closed; they stay saved
_KEY = re.compile(r"[A-Za-z0-9_-]{8,100}")  # it stands in a link


def default_root() -> Path:
    """Where the server keeps runs: ELBO_ROOM_RUNS, or `.runs` beside the program."""
    return Path(os.environ.get("ELBO_ROOM_RUNS") or Path(__file__).resolve().parents[2] / ".runs")


def sweep_folder() -> Path | None:
    """The sweep that the Dose plot draws, too: ELBO_ROOM_SWEEP; None without it."""
    named = os.environ.get("ELBO_ROOM_SWEEP", "")
    return Path(named) if named else None


def disk_budget_bytes() -> float:
    """How much the saved runs of all visitors may take: ELBO_ROOM_DISK_GB, or twenty."""
    return 1e9 * _number("ELBO_ROOM_DISK_GB", DISK_GB, "gigabytes")


def default_patience() -> float:
    """Seconds after which a visitor without a window counts as gone: ELBO_ROOM_GONE_AFTER_S, or ten minutes."""
    return _number("ELBO_ROOM_GONE_AFTER_S", GONE_AFTER_S, "seconds")


def seats_asked() -> int | None:
    """How many runs a device is to train at once: ELBO_ROOM_AT_ONCE; None where its speed decides."""
    asked = os.environ.get("ELBO_ROOM_AT_ONCE", "")
    if not asked or (asked.isascii() and asked.isdigit() and 1 <= int(asked) <= 1000):
        return int(asked) if asked else None
    logger.warning(f"ELBO_ROOM_AT_ONCE is {asked!r}, which is no whole number from 1 to 1000; its speed decides.")
    return None


def ray_address() -> str:
    """The Ray cluster whose machines train in place of this one: ELBO_ROOM_RAY, HOST:PORT; "" without it."""
    return os.environ.get("ELBO_ROOM_RAY", "")


def ray_cores() -> int:
    """Cores of a cluster without GPUs that each engine gets: ELBO_ROOM_RAY_CORES, or one."""
    return max(1, round(_number("ELBO_ROOM_RAY_CORES", RAY_CORES, "cores")))


def _number(name: str, usual: float, unit: str) -> float:
    asked = os.environ.get(name, "")
    try:
        value = float(asked or usual)
    except ValueError:
        value = -1.0
    if 0 < value < float("inf"):
        return value
    logger.warning(f"{name} is {asked!r}, which is no number of {unit} above 0; {usual:.0f} is taken.")
    return usual


def default_key() -> str:
    """The lecturer's key: ELBO_ROOM_KEY, or another one at every start. A bad one is never repeated: it is a secret."""
    asked = os.environ.get("ELBO_ROOM_KEY", "")
    if _KEY.fullmatch(asked):
        return asked
    if asked:
        logger.warning("ELBO_ROOM_KEY is no key (8 to 100 letters, digits, - or _): a random one is taken.")
    return secrets.token_urlsafe(16)
