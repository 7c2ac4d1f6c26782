"""A derivation as data: formulas with their values in nats, and whether each follows from the one before."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from vae_core.exact.estimate import Estimate

TERMS = ("reconstruction", "kl", "total", "gap")  # the names a formula colours, as \reconstruction{...}
LIMIT = 4.0  # standard errors: by chance alone one true line in 16,000 fails
FLOOR = 1e-9  # nats: below it two exact numbers are the same

_TERM = re.compile(r"\\(" + "|".join(TERMS) + r")(?=\{)")
Relation = Literal["=", "≥", "≤"]


@dataclass(frozen=True)
class Line:
    """One line of a derivation: what it says, why, and what it is worth now."""

    relation: Relation | None  # of the line before to this one; None where a new chain begins
    formula: str  # KaTeX with terms such as \kl{...}; `coloured` makes it ready
    why: str  # one plain sentence
    value: Estimate  # nats
    part: tuple[Estimate, Estimate] | None = None  # what this line puts in place of what, where all else stays
    spare: Estimate | None = None  # of an inequality: by how much, from a better source than the two lines' values


@dataclass(frozen=True)
class Check:
    """What comparing two neighbours gave."""

    relation: Relation
    holds: bool
    distance: float  # value before − value now, nats
    error: float  # of the distance: both errors combined, nats
    sigmas: float  # |distance| / error
    spare: float  # of an inequality that holds: by how much, nats


@dataclass(frozen=True)
class Derivation:
    """One way to the bound, for one image, one model and one q."""

    name: str
    title: str
    lines: tuple[Line, ...]
    samples: int  # draws of each Monte Carlo value
    seed: int

    @property
    def checks(self) -> tuple[Check | None, ...]:
        """One entry a line; None where there is nothing to compare."""
        return (None, *(check(a, b) for a, b in zip(self.lines, self.lines[1:], strict=False)))

    @property
    def holds(self) -> bool:
        """Whether no line fails."""
        return all(c.holds for c in self.checks if c is not None)


def check(previous: Line, line: Line, limit: float = LIMIT) -> Check | None:
    """Whether `previous (relation) line` holds, as far as the errors of both can tell.

    An error estimate of quadrature counts like a standard error. An inequality fails only when it is broken
    by more than `limit` errors. Where a line says which part of it is new, that part is compared by itself besides:
    the whole may be known to a tenth of a nat, the part to a millionth. And where an inequality says how much it
    leaves, the distance has to be that.

    Returns:
        None where the line begins a new chain.
    """
    if line.relation is None:
        return None
    whole = _compare(line.relation, previous.value, line.value, limit)
    if line.spare is not None:
        apart = previous.value - line.value if line.relation == "≥" else line.value - previous.value
        left = _compare("=", apart, line.spare, limit)
        return replace(whole, spare=line.spare.value) if left.holds else left
    part = _compare("=", *line.part, limit) if line.part else whole
    return whole if part.holds else part


def _compare(relation: Relation, before: Estimate, now: Estimate, limit: float) -> Check:
    difference = before - now
    distance, error = difference.value, max(difference.error, FLOOR)
    broken = {"=": abs(distance), "≥": -distance, "≤": distance}[relation]
    holds = math.isfinite(distance) and math.isfinite(error) and broken <= limit * error
    return Check(relation, holds, distance, error, abs(distance) / error, abs(distance))


def coloured(formula: str, colours: Mapping[str, str]) -> str:
    """The formula for KaTeX, its terms in \\textcolor; a term without a colour stays plain.

    Args:
        formula: with terms as \\kl{...}.
        colours: hex by the names of TERMS, as Colours.terms has them.
    """

    def colour(match: re.Match[str]) -> str:
        value = colours.get(match[1])
        return rf"\textcolor{{{value}}}" if value else ""

    return _TERM.sub(colour, formula)
