"""What the environment of the server says about runs: where they are kept, and when their visitor counts as gone."""

import os
import sys
from pathlib import Path

DISK_GB = 20.0
GONE_AFTER_S = 600.0  # a visitor's runs stop so long after the last browser window closed; they stay saved


def default_root() -> Path:
    """Where the server keeps runs: ELBO_ROOM_RUNS, or `.runs` beside the program."""
    return Path(os.environ.get("ELBO_ROOM_RUNS") or Path(__file__).resolve().parents[2] / ".runs")


def disk_budget_bytes() -> float:
    """How much the saved runs of all visitors may take: ELBO_ROOM_DISK_GB, or twenty."""
    return 1e9 * _number("ELBO_ROOM_DISK_GB", DISK_GB, "gigabytes")


def default_patience() -> float:
    """Seconds after which a visitor without a window counts as gone: ELBO_ROOM_GONE_AFTER_S, or ten minutes."""
    return _number("ELBO_ROOM_GONE_AFTER_S", GONE_AFTER_S, "seconds")


def _number(name: str, usual: float, unit: str) -> float:
    asked = os.environ.get(name, "")
    try:
        value = float(asked or usual)
    except ValueError:
        value = -1.0
    if 0 < value < float("inf"):
        return value
    print(f"{name} is {asked!r}, which is no number of {unit} above 0; {usual:.0f} is taken.", file=sys.stderr)
    return usual
