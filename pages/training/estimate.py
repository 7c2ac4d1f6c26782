"""How long a run would take on this machine: said before it is begun."""

import math

from vae_core.config import ConfigError, RunConfig
from vae_core.data.images import DataError
from vae_core.runs import registry
from vae_core.runs.measured import total_images


def pace_of(config: RunConfig | None) -> float | None:
    """Images per second of such a run; 0 where it cannot be said, None as long as its engine measures."""
    if config is None:
        return 0.0
    try:
        return registry.shared().pace(config)
    except (ConfigError, DataError):  # said where it is chosen
        return 0.0


def how_long(config: RunConfig | None, pace: float | None) -> str:
    """ "about 3 minutes on this machine"; nothing where it is not known."""
    return f"about {in_words(total_images(config) / pace)} on this machine" if config and pace else ""


def in_words(seconds: float) -> str:
    """ "40 s", "9 minutes", "3 hours": rounded up, no finer than it is known."""
    if seconds < 90:
        return f"{max(5, 5 * math.ceil(seconds / 5))} s"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} minutes" if minutes < 90 else f"{math.ceil(minutes / 60)} hours"
