"""What the environment of the server says about runs: where they are kept, and when their visitor counts as gone."""

import os
from pathlib import Path

from vae_core.runs.log import logger

GONE_AFTER_S = 600.0  # a visitor's runs stop so long after the last browser window closed; they stay saved


def default_root() -> Path:
    """Where the server keeps runs: ELBO_ROOM_RUNS, or `.runs` beside the program."""
    return Path(os.environ.get("ELBO_ROOM_RUNS") or Path(__file__).resolve().parents[2] / ".runs")


def default_patience() -> float:
    """Seconds after which a visitor without a window counts as gone: ELBO_ROOM_GONE_AFTER_S, or ten minutes."""
    asked = os.environ.get("ELBO_ROOM_GONE_AFTER_S", "")
    try:
        seconds = float(asked or GONE_AFTER_S)
    except ValueError:
        seconds = -1.0
    if 0 < seconds < float("inf"):
        return seconds
    logger.warning(
        f"ELBO_ROOM_GONE_AFTER_S is {asked!r}, which is no number of seconds above 0; {GONE_AFTER_S:.0f} is taken."
    )
    return GONE_AFTER_S
