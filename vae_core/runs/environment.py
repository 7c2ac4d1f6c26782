"""What the environment says of the server: where runs are kept, when a visitor is gone, which key a lecturer has."""

import os
import re
import secrets
from pathlib import Path

from vae_core.runs.log import logger

GONE_AFTER_S = 600.0  # a visitor's runs stop so long after the last browser window closed; they stay saved
_KEY = re.compile(r"[A-Za-z0-9_-]{8,100}")  # it stands in a link


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


def default_key() -> str:
    """The lecturer's key: ELBO_ROOM_KEY, or another one at every start. A bad one is never repeated: it is a secret."""
    asked = os.environ.get("ELBO_ROOM_KEY", "")
    if _KEY.fullmatch(asked):
        return asked
    if asked:
        logger.warning("ELBO_ROOM_KEY is no key (8 to 100 letters, digits, - or _): a random one is taken.")
    return secrets.token_urlsafe(16)
