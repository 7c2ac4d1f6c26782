"""The colours that mean something, the same on every page. Told apart by colour-blind viewers.

The terms take hues of Okabe and Ito's palette (blue, vermilion, bluish green), adjusted to stand out on a
light and on a dark ground; the ten classes take Paul Tol's "muted" set, and the map also writes the digits.
"""

from __future__ import annotations

from vae_core.config import NAMES

LIGHT = {"reconstruction": "#0067A5", "kl": "#C44E00", "total": "#00795B"}
DARK = {"reconstruction": "#5BB4F0", "kl": "#FF9A4D", "total": "#3DD6A8"}
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


_TERMS = {"nll": "reconstruction", "kl": "kl", "neg_elbo": "total"}  # the colours that have names
_OTHERS = {False: ("#8B5A9B", "#7A6A00", "#B0305C"), True: ("#C9A0DC", "#D8C84A", "#FF8FB0")}  # of further terms


def label_of_term(name: str) -> str:
    """What a term, or minus the ELBO, is called on every page."""
    return "−ELBO" if name == "neg_elbo" else NAMES.get(name, name)


def colour_of_term(name: str, place: int, dark: bool) -> str:
    """The colour of a term.

    Args:
        place: among its family's terms; decides the colour of one that has none of its own.
    """
    own = _TERMS.get(name)
    return (DARK if dark else LIGHT)[own] if own else _OTHERS[dark][place % len(_OTHERS[dark])]


def css_variables(root: str) -> str:
    """The palette as CSS variables on the element `root`; with the class `dark` it takes the dark values."""
    return f"{root} {{ {_variables(LIGHT, CLASSES_LIGHT)} }}\n{root}.dark {{ {_variables(DARK, CLASSES_DARK)} }}\n"


def _variables(terms: dict[str, str], classes: tuple[str, ...]) -> str:
    named = [f"--term-{name}: {colour};" for name, colour in terms.items()]
    return " ".join(named + [f"--class-{i}: {colour};" for i, colour in enumerate(classes)])
