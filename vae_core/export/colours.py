"""Colours for a light and a dark ground, the same in reports and on every page. Told apart by colour-blind viewers.

The terms take hues of Okabe and Ito's palette (blue, vermilion, bluish green), adjusted to stand out on a light and on
a dark ground; the ten classes take Paul Tol's "muted" set, and maps also write the digits. Ink, ground, panel and rule
are those of .streamlit/config.toml.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Colours:
    """The colours that mean something, then those of paper and ink. CSS colour values."""

    reconstruction: str
    kl: str
    total: str
    others: tuple[str, ...]  # of the terms that a family has of its own, in turn
    classes: tuple[str, ...]  # of the digits 0 to 9
    ink: str
    ground: str
    panel: str
    rule: str

    @property
    def terms(self) -> dict[str, str]:
        """The terms of the loss and their sum, by name."""
        others = {f"other{i}": colour for i, colour in enumerate(self.others)}
        return {"reconstruction": self.reconstruction, "kl": self.kl, "total": self.total, **others}


LIGHT = Colours(
    reconstruction="#0067A5",
    kl="#C44E00",
    total="#00795B",
    others=("#8B5A9B", "#7A6A00", "#B0305C"),
    classes=(
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
    ),
    ink="#1B2327",
    ground="#FFFFFF",
    panel="#F3F5F6",
    rule="#D4DADD",
)
DARK = Colours(
    reconstruction="#5BB4F0",
    kl="#FF9A4D",
    total="#3DD6A8",
    others=("#C9A0DC", "#D8C84A", "#FF8FB0"),
    classes=(
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
    ),
    ink="#E8EEF0",
    ground="#12171A",
    panel="#1E262A",
    rule="#3A464C",
)

_OF_TERMS = {"neg_elbo": "total", "nll": "reconstruction", "kl": "kl"}


def colour_name(name: str, terms: list[str]) -> str:
    """The name of a term's colour; terms of a family's own take theirs in turn."""
    own = [term for term in terms if term not in _OF_TERMS]
    return _OF_TERMS.get(name) or f"other{own.index(name) % len(LIGHT.others)}"
