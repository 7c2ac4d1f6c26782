"""How long a run would take on this machine: said before it is begun."""

import math
import time

from vae_core.config import ConfigError, RunConfig
from vae_core.data.images import DataError
from vae_core.runs import registry
from vae_core.runs.measured import total_images

WAIT_S = 0.5  # for an engine that measures; what comes later is said when the page runs again


def how_long(config: RunConfig | None) -> str:
    """ "about 3 minutes on this machine"; nothing where it is not known."""
    if config is None:
        return ""
    try:
        pace, images = _pace(config), total_images(config)
    except (ConfigError, DataError):  # said where it is chosen
        return ""
    return f"about {in_words(images / pace)} on this machine" if pace else ""


def _pace(config: RunConfig) -> float | None:
    until = time.monotonic() + WAIT_S
    while (pace := registry.shared().pace(config)) is None and time.monotonic() < until:
        time.sleep(0.02)
    return pace


def in_words(seconds: float) -> str:
    """ "40 s", "9 minutes", "3 hours": rounded up, no finer than it is known."""
    if seconds < 90:
        return f"{max(5, 5 * math.ceil(seconds / 5))} s"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} minutes" if minutes < 90 else f"{math.ceil(minutes / 60)} hours"
