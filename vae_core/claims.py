"""A sentence that promises something of a run, or states a figure: it stands once, beside what holds it."""

from dataclasses import dataclass

KINDS = ("bench", "test", "source")


@dataclass(frozen=True)
class Claim:
    """
    Attributes:
        key: its name, of which there is one.
        says: the sentence, as a page shows it.
        held: what holds it, at least one: "bench: CASE" of tests/bench/claims.py, whose figures are judged by the
            promise of the same key in tests/promises.py; "test: PATH::NAME"; or "source: AUTHOR YEAR, WHERE".
    """

    key: str
    says: str
    held: tuple[str, ...]

    def __post_init__(self) -> None:
        assert self.held and all(one.partition(": ")[0] in KINDS and one.partition(": ")[2] for one in self.held), (
            f"{self.key} is held by {self.held}: give 'bench: …', 'test: …' or 'source: …'"
        )
