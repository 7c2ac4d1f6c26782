"""The terms of the loss as drawings: train faint, test bold, changes by hand as dashed lines; a drawing a unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vae_core.config import term_name
from vae_core.export.colours import colour_name
from vae_core.export.run_report import RunReport
from vae_core.export.svg import number, path, spread, text_width, tick_label, ticks
from vae_core.export.templating import fill
from vae_core.models import family
from vae_core.models.base import Family

MOST_POINTS = 1_000  # of one line: more cannot be seen
TOP, BOTTOM = 26, 46  # margins in pixels; those beside the frame fit the texts there
ROW = 18  # between the texts of two marks, one above the other


@dataclass(frozen=True)
class Line:
    """What is drawn of a run: a term, or the sum of all where that is −ELBO.

    Attributes:
        css: name of its colour, and of its class. label: what it is called. unit: of its values, for each image.
        terms: by name, whose sum it is.
    """

    css: str
    label: str
    unit: str
    terms: tuple[str, ...]


@dataclass(frozen=True)
class Curve:
    """One line in one split. steps: (n,), values: (n,) in the line's unit. split: "train" or "test"."""

    line: Line
    split: str
    steps: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Frame:
    """Where data lie on the drawing: steps 0 to `last` across, values `low` to `high` upwards, in pixels."""

    last: float
    low: float
    high: float
    left: float
    right: float
    width: float
    height: float
    top = TOP

    @property
    def floor(self) -> float:
        return self.height - BOTTOM

    def x(self, step: np.ndarray | float) -> np.ndarray:
        return self.left + np.asarray(step, float) / self.last * (self.right - self.left)

    def y(self, values: np.ndarray | float) -> np.ndarray:
        return TOP + (self.high - np.asarray(values, float)) / (self.high - self.low) * (self.floor - TOP)

    def path(self, curve: Curve) -> str:
        """The line of a curve; what is no number is left out."""
        few = thinned(curve)
        good = np.isfinite(few.values)
        return path(self.x(few.steps[good]), self.y(few.values[good])) if good.any() else ""


def lines_of(kind: type[Family]) -> list[Line]:
    """−ELBO, where the terms sum to it, and every term; a loss that is no bound has no line of its own."""
    names = list(kind.TERMS)
    terms = [
        Line(colour_name(name, names), _capital(term_name(name)), kind.UNITS.get(name, "nats"), (name,))
        for name in names
    ]
    return [Line("total", "−ELBO", "nats", tuple(names)), *terms] if kind.has.bound else terms


def drawings_of(kind: type[Family]) -> list[list[Line]]:
    """The lines that share an axis: one drawing for each unit, and at last the KL, which is small beside the others."""
    lines = lines_of(kind)
    units = dict.fromkeys(line.unit for line in lines)
    alone = [line for line in lines if line.terms == ("kl",)]
    return [*([line for line in lines if line.unit == unit] for unit in units), *([alone] if alone else [])]


def curves_of(story: RunReport, lines: Sequence[Line]) -> list[Curve]:
    """The curves of these lines, train first so that test lies above; those without a point are left out."""
    names = list(family(story.config.model).TERMS)  # in either history these follow the step
    curves = []
    for split, rows in (("train", story.train), ("test", story.test)):
        columns = {name: rows[:, 1 + i].astype(float) for i, name in enumerate(names)}
        curves += [
            Curve(
                line, split, rows[:, 0].astype(float), sum((columns[name] for name in line.terms), np.zeros(len(rows)))
            )
            for line in lines
            if len(rows)
        ]
    return curves


def value_range(curves: list[Curve]) -> tuple[float, float]:
    """The y axis. The first steps are far above all that follows: it is fitted to what comes after them."""
    last = max(curve.steps[-1] for curve in curves)
    early = 20 if last > 60 else 0
    later = np.concatenate([curve.values[curve.steps > early] for curve in curves])
    top = later.max(initial=0.0, where=np.isfinite(later))
    every = np.concatenate([curve.values for curve in curves])
    bottom = every.min(initial=0.0, where=np.isfinite(every))
    return (1.05 * bottom, 1.05 * top) if top or bottom else (0.0, 1.0)


def thinned(curve: Curve) -> Curve:
    """At most MOST_POINTS of its points, evenly chosen, the last among them; none is averaged."""
    chosen = np.linspace(0, len(curve.steps) - 1, min(len(curve.steps), MOST_POINTS)).round().astype(int)
    return Curve(curve.line, curve.split, curve.steps[chosen], curve.values[chosen])


def draw_curves(story: RunReport, lines: Sequence[Line], name: str, height: int = 400, width: int = 1040) -> str:
    """The drawing, or a sentence where there is nothing to draw.

    Args:
        lines: of one unit.
        name: unlike that of any other drawing in the document.
    """
    curves = curves_of(story, lines)
    if not curves:
        return fill("curves.svg", curves=[])
    frame = _frame(story, curves, width, height)
    return fill(
        "curves.svg",
        name=name,
        spoken=", ".join(line.label for line in lines),
        unit=f"{lines[0].unit} per image",
        frame=frame,
        curves=curves,
        marks=_marks(story, frame),
        ends=_ends(curves, frame),
    )


def _frame(story: RunReport, curves: list[Curve], width: int, height: int) -> Frame:
    """The frame that leaves room for numbers on its left and the lines' names on its right.

    The room is the same in every drawing of a story, so that steps in one lie below those in the other.
    """
    groups = [curves_of(story, lines) for lines in drawings_of(family(story.config.model))]
    every = [curve for group in groups for curve in group]
    labels = [tick_label(v) for group in groups for v in ticks(*value_range(group))]
    left = round(max(text_width(label) for label in labels)) + 14
    right = width - round(max(text_width(_end_text(curve)) for curve in every)) - 14
    last = max(curve.steps[-1] for curve in every)
    return Frame(max(last, 1.0), *value_range(curves), left, right, width, height)


def _marks(story: RunReport, frame: Frame) -> list[dict[str, Any]]:
    """Dashed lines and, above them, their texts, each in the first row where none is in its way."""
    marks = []
    rows: list[list[tuple[float, float]]] = [[] for _ in range(int((frame.floor - TOP) // ROW))]
    for mark in (m for m in story.marks if m.step <= frame.last):
        x = float(frame.x(mark.step))
        start, end, anchor = _beside(x, text_width(mark.text), frame)
        free = (i for i, row in enumerate(rows) if all(end < a or start > b for a, b in row))
        row = next(free, len(rows) - 1)
        rows[row].append((start, end))
        at = end if anchor == "end" else start
        marks.append({"x": x, "at": at, "y": TOP + 16 + ROW * row, "anchor": anchor, "text": mark.text})
    return marks


def _beside(x: float, length: float, frame: Frame) -> tuple[float, float, str]:
    """From where to where a text goes, and its anchor: on the side of x with more room, a long one where it fits."""
    if x > (frame.left + frame.right) / 2 and x - 6 - length > 4:
        return x - 6 - length, x - 6, "end"
    start = max(4.0, min(x + 6, frame.width - 4 - length))
    return start, start + length, "start"


def _ends(curves: list[Curve], frame: Frame) -> list[tuple[str, str, float]]:
    """Class, text and height of what stands beside the end of a line: its last value, of test where there is any."""
    last = {curve.line: curve for curve in curves}  # test comes later, so it wins
    wanted = [float(np.nan_to_num(frame.y(curve.values[-1]), nan=TOP)) for curve in last.values()]
    places = spread(wanted, 19, TOP + 6, frame.floor)
    return [(line.css, _end_text(curve), y) for (line, curve), y in zip(last.items(), places, strict=True)]


def _end_text(curve: Curve) -> str:
    return f"{curve.line.label} {number(curve.values[-1], 1)}"


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
