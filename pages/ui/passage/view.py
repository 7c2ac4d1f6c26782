"""The home page's picture: one image on its way through the shipped model, all of it in the browser, and as it learned.

What goes to the browser: the run whose film it is, the model's name (its package is fetched once, see
explore/package.py) and both terms at every kept step. What comes back: the state, once something has come to rest.
"""

import bisect
import functools
from dataclasses import dataclass
from typing import Any

from pages.ui.component import declare, show_state
from pages.ui.shipped import CHECKPOINTS, images
from vae_core.inspect.snapshot import map_numbers, ten_images
from vae_core.runs.snapshot_file import FrameError, read_frame
from vae_core.runs.storage import film_folder, frame_file, frames_in

_show = declare("passage_view", "passage/passage.js", "passage", "passage/passage.css", frame=True)
_FIRST_DIGIT = 7


@dataclass(frozen=True)
class Moment:
    """Both terms of a kept step of a film, means over its test images, nats per image."""

    step: int
    nll: float
    kl: float


@functools.cache
def moments(run_id: str) -> tuple[Moment, ...]:
    """Of a shipped run, from the first step to the last; a damaged frame is left out."""
    folder, found = film_folder(CHECKPOINTS / run_id, 0), []
    for step in frames_in(folder):
        try:
            terms = read_frame(frame_file(folder, step))[0]["terms"]
        except (OSError, FrameError):
            continue
        found.append(Moment(step, float(terms["nll"]), float(terms["kl"])))
    return tuple(found)


def shown_number(asked: int | None) -> int:
    """Number of the test image that is on the paper: the one asked for, or the next that the map has, around the end;
    the map's first 7 where none is asked for. As passage.js has it.
    """
    if asked is None:
        return _first()
    known = sorted(map_numbers(images()).tolist())
    return known[bisect.bisect_left(known, asked) % len(known)]


@functools.cache
def _first() -> int:
    numbers = map_numbers(images())
    return int(numbers[(images().y_test[numbers] == _FIRST_DIGIT).nonzero()[0, 0]])


def passage_view(run_id: str, *, key: str, state: dict[str, Any] | None = None, again: int = 0) -> dict[str, Any]:
    """Show a model with a plane of codes, and the film of its training; the script runs again when the state settles.

    Args:
        run_id: of a shipped, finished run; its model has the same name.
        key: of the widget. state: what to show, as this returned it, or some of it; what a link says may come in as it
            is. again: another number than before shows `state` once more.
    Returns:
        `number` of the test image (None for a drawing, which is `picture`, and for a `blank` paper), `seed` of eps,
        `mu` where it was moved by hand, `at`, the film's step (None for the trained model).
    """
    film = [[m.step, round(m.nll, 4), round(m.kl, 4)] for m in moments(run_id)]
    ten = ten_images(images()).tolist()  # the film's
    return show_state(_show, key, state or {}, name=run_id, film=film, ten=ten, again=again) or {}
