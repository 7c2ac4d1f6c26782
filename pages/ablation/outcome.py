"""Which of the maps of the questions an arm's own figures show, so that an answer can be called right or wrong.

The measured facts: whether any unit is active, how many codes lie outside three sigma, and how often the nearest other
code is of the same digit. One map comes of them, for 2 latents as for 16.
"""

from pages.ui.once import computed_once
from vae_core.metrics.definitions import Metrics
from vae_core.metrics.states.case import FAR_OUT
from vae_core.runs.messages import FINISHED
from vae_core.runs.run_record import RunRecord
from vae_core.runs.snapshot_file import FrameError, read_frame
from vae_core.runs.storage import frame_file

MIXED = 0.3  # nearest-neighbour accuracy below which the digits count as mixed; 0.1 by chance
GAPS = 0.98  # and above which there are gaps between them
DRAWN_IN = 0.95  # spread of mu, as a share of that at beta 1


def end_metrics(run: RunRecord) -> Metrics | None:
    """The figures of how a run ended; None before they are measured, and of one that was stopped or has failed."""
    now = run.now
    if now.status != FINISHED:
        return None
    if now.snapshot is not None and now.snapshot.step == now.step and now.snapshot.metrics is not None:
        return Metrics.from_dict(now.snapshot.metrics)
    return last_metrics(run) if now.film and now.film[-1] == now.step else None


def last_metrics(run: RunRecord) -> Metrics | None:
    """The figures of the last kept moment of a run; None where none were measured there."""
    try:
        return _metrics_in(str(frame_file(run.film_folder, run.film[-1]))) if run.film else None
    except (OSError, FrameError, LookupError):
        return None


@computed_once(64)
def _metrics_in(frame: str) -> Metrics:
    """Raises LookupError where none are, which is not remembered: those of the last moment come after its picture."""
    found = read_frame(frame)[0].get("meter")
    if not found:
        raise LookupError(frame)
    return Metrics.from_dict(found)


def map_of(seen: Metrics) -> str:
    """The name of the map, one of sketches.SKETCHES: "point", "far", "islands", "patches" or "cloud"."""
    if not seen.active:
        return "point"
    if seen.outside > FAR_OUT:
        return "far"
    if (seen.neighbours or 0.0) <= MIXED:
        return "cloud"
    return "islands" if (seen.neighbours or 0.0) > GAPS else "patches"


def map_of_more_beta(seen: Metrics, usual: Metrics) -> str:
    """The same for the question what a larger beta does: beside an arm with beta 1, "small" is drawn in towards 0."""
    if seen.spread < DRAWN_IN * usual.spread:
        return "small"
    return "far" if seen.outside > FAR_OUT else "patches"
