"""What the class must see in every scene, and what of it it must be able to read, as CSS selectors.

A selector may name several elements: all of them count. Playwright's CSS looks into shadow roots.
"""

from typing import NamedTuple


class Stage(NamedTuple):
    """seen: in view, whole, without scrolling. read: these, at 18 px at least, and at 24 px on the projector."""

    seen: tuple[str, ...]
    read: tuple[str, ...] = ()


MARKS = ":is(.xtick text, .ytick text, .legendtext, .annotation-text)"  # what is written in a chart
_FAMILY = "[class*=st-key-family-]"


def _arms(*names: str) -> Stage:
    """Every arm whole: what is played, its map, its copies, what it draws, and one verdict of three short lines."""
    parts = ("map", "reconstructions", "prior_draws")
    told = ("name", "nll", "kl", "diagnosis")
    of = {name: f".arms [data-arm='{name}']" for name in names}
    read = tuple(f"{arm} [data-part={part}]" for arm in of.values() for part in told)
    seen = tuple(f"{arm} [data-part={part}]" for arm in of.values() for part in parts)
    return Stage((".arms [data-part=play]", ".arms [data-part=scrub]", *seen), read)


STAGES = {
    1: Stage(
        (".st-key-scene", ".st-key-elbo-where", ".in-large", ".st-key-elbo-new-draws", ".st-key-elbo-settling"),
        (".in-large > *", f".st-key-elbo-where {MARKS}", f".st-key-elbo-settling {MARKS}"),
    ),
    2: Stage(
        (".st-key-scene", ".bound .plane svg", ".bound .rows", ".bound [data-part=optimise]"),
        (".bound .plane .frame text", ".bound .rows p b", ".bound .axis span", ".bound .check"),
    ),
    3: Stage(
        (".st-key-scene", ".chance", ".st-key-elbo-new-noise", ".st-key-reparameterise-histograms"),
        (".chance text", ".chance label", f".st-key-reparameterise-histograms {MARKS}"),
    ),
    4: Stage(
        (
            ".st-key-scene",
            "[data-part=all]",
            "[data-part=klOnly]",
            "canvas[data-part=originals]",
            "canvas[data-part=reconstructions]",
            "canvas[data-part=prior_draws]",
            "canvas[data-part=map]",
            "[data-part=scrub]",
            ".st-key-start",
        ),
        (".live header output", ".live .curves > div:not([hidden]) h3", ".st-key-start button p"),
    ),
    5: _arms("full", "no KL", "no reconstruction"),
    6: _arms("full", "no reconstruction"),
    7: Stage(
        (
            ".st-key-scene",
            ".explore [data-part=map]",
            ".explore [data-part=decoded]",
            ".explore [data-part=z]",
            ".explore [data-way=pad] .slider",
        )
    ),
    8: Stage((".st-key-scene", f"{_FAMILY} .katex-display", f"{_FAMILY} img"), (f"{_FAMILY} h2",)),
}
