"""What the class must see in every scene, and what of it it must be able to read, as CSS selectors.

A selector may name several elements: all of them count. Playwright's CSS looks into shadow roots.
"""

from typing import NamedTuple


class Stage(NamedTuple):
    """seen: in view, whole, without scrolling. read: these, at 18 px at least, and at 24 px on the projector."""

    seen: tuple[str, ...]
    read: tuple[str, ...] = ()


_FAMILY = "[class*=st-key-family-]"
STAGES = {
    1: Stage((".st-key-scene",)),
    2: Stage((".st-key-scene",)),
    3: Stage((".st-key-scene",)),
    4: Stage((".st-key-scene",)),
    5: Stage((".st-key-scene",)),
    6: Stage((".st-key-scene",)),
    7: Stage(
        (
            ".st-key-scene",
            ".explore [data-part=map]",
            ".explore [data-part=decoded]",
            ".explore [data-part=z]",
            ".explore [data-way=pad] .slider",
        )
    ),
    8: Stage((".st-key-scene", f"{_FAMILY} .katex-display", f"{_FAMILY} img"), (f"{_FAMILY} h3",)),
}
