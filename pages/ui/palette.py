"""The colours that mean something, the same on every page. Told apart by colour-blind viewers.

The terms take hues of Okabe and Ito's palette (blue, vermilion, bluish green), adjusted to stand out on a
light and on a dark ground; the ten classes take Paul Tol's "muted" set, and the map also writes the digits.
"""

from __future__ import annotations

LIGHT = {"reconstruction": "#0067A5", "kl": "#C44E00", "total": "#00795B"}
DARK = {"reconstruction": "#5BB4F0", "kl": "#FF9A4D", "total": "#3DD6A8"}
OTHER_LIGHT = ("#8B5A9B", "#7A6A00", "#B0305C")  # of the terms that a family has of its own
OTHER_DARK = ("#C9A0DC", "#D8C84A", "#FF8FB0")
INK_LIGHT, INK_DARK = "#1B2327", "#E8EEF0"  # text, as in .streamlit/config.toml
CLASSES_LIGHT = (
    "#332288",
    "#56A9D6",
    "#2E9484",
    "#117733",
    "#8A8A1F",
    "#C98A00",
    "#CC5566",
    "#882255",
    "#AA4499",
    "#6E6E6E",
)
CLASSES_DARK = (
    "#8E80F0",
    "#88CCEE",
    "#44C4B0",
    "#3DBE6C",
    "#BDBD55",
    "#F0C94D",
    "#F58090",
    "#DE5C98",
    "#D97AD0",
    "#B0B0B0",
)


def css_variables(root: str) -> str:
    """The palette as CSS variables on the element `root`; with the class `dark` it takes the dark values."""
    light = _variables(LIGHT, OTHER_LIGHT, CLASSES_LIGHT)
    dark = _variables(DARK, OTHER_DARK, CLASSES_DARK)
    return f"{root} {{ {light} }}\n{root}.dark {{ {dark} }}\n"


def _variables(terms: dict[str, str], others: tuple[str, ...], classes: tuple[str, ...]) -> str:
    named = [f"--term-{name}: {colour};" for name, colour in terms.items()]
    named += [f"--term-other{i}: {colour};" for i, colour in enumerate(others)]
    return " ".join(named + [f"--class-{i}: {colour};" for i, colour in enumerate(classes)])
