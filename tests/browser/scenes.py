"""What the class must see in every scene, and what of it it must be able to read, as CSS selectors.

A selector may name several elements: all of them count. Playwright's CSS looks into shadow roots.
"""

from typing import NamedTuple


class Stage(NamedTuple):
    """seen: in view, whole, without scrolling. read: these, at 18 px at least, and at 24 px on the projector."""

    seen: tuple[str, ...]
    read: tuple[str, ...] = ()


def _arms(*names: str) -> Stage:
    """Every arm whole: what is played, its map, its copies, what it draws, and one verdict of three short lines."""
    parts = ("map", "reconstructions", "prior_draws")
    told = ("name", "nll", "kl", "diagnosis")
    of = {name: f".arms [data-arm='{name}']" for name in names}
    read = tuple(f"{arm} [data-part={part}]" for arm in of.values() for part in told)
    seen = tuple(f"{arm} [data-part={part}]" for arm in of.values() for part in parts)
    return Stage((".arms [data-part=play]", ".arms [data-part=scrub]", *seen), read)


STAGES = {
    1: Stage((".st-key-scene",)),
    2: Stage((".st-key-scene",)),
    3: Stage((".st-key-scene",)),
    4: Stage((".st-key-scene",)),
    5: _arms("full", "no KL", "no reconstruction"),
    6: _arms("full", "no reconstruction"),
    7: Stage((".st-key-scene",)),
    8: Stage((".st-key-scene",)),
}
