"""The step from mathematics to code: boxes, formulas and the very sources, which light up together."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pages.ui.component import declare, show_state

ROOT = Path(__file__).resolve().parents[3]
COLOURS = ("q", "decoder", "reconstruction", "kl", "total")

_show = declare("lesson_code_map", "lesson/code_map.js", "codemap", "lesson/code_map.css")


@dataclass(frozen=True)
class Source:
    """A function as it stands in its file."""

    name: str  # qualified: "VAE.encode"
    file: str  # below the repository
    line: int  # of its first line
    text: str  # dedented
    doc: tuple[int, int]  # first and last line of its docstring within text, from 1; (0, 0) for none


@dataclass(frozen=True)
class Step:
    """One thing in three shapes: a box of the picture, a formula, and the sources that compute it."""

    name: str
    title: str  # in the box
    value: str  # in the box, below: what it is for the image on the page
    formula: str  # plain text with Unicode signs
    colour: str  # one of COLOURS
    functions: tuple[Callable[..., Any], ...]


def source_of(function: Callable[..., Any]) -> Source:
    """The source of the function that runs, and where it stands.

    Raises:
        OSError: its file cannot be read.
    """
    lines, first = inspect.getsourcelines(function)
    text = textwrap.dedent("".join(lines))
    path = Path(inspect.getsourcefile(function) or "").resolve()
    return Source(function.__qualname__, path.relative_to(ROOT).as_posix(), first, text, _docstring(text))


def _docstring(text: str) -> tuple[int, int]:
    body = ast.parse(text).body[0].body  # type: ignore[attr-defined]
    first = body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return first.lineno, first.end_lineno or first.lineno
    return 0, 0


def code_map_view(steps: Sequence[Step], key: str, chosen: str | None = None) -> str | None:
    """Show the picture, the formulas and the sources.

    The script (or fragment) that calls this runs again when one is chosen, not while the pointer wanders.

    Args:
        steps: named encode, sample, decode, reconstruction, kl and update: the picture has a place for each.
        key: of the widget; the same key keeps what is chosen.
        chosen: name of the step to begin with, as this returned it; an unknown one is the first.
    Returns:
        Name of the chosen step, as last reported; `chosen` before the first report.
    """
    parts = [
        {
            "name": s.name,
            "title": s.title,
            "value": s.value,
            "formula": s.formula,
            "colour": s.colour,
            "sources": [asdict(source_of(f)) for f in s.functions],
        }
        for s in steps
    ]
    state = show_state(_show, key, {"chosen": chosen} if chosen else None, steps=parts)
    return None if state is None else str(state["chosen"])
