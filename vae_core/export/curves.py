"""The loss curves as a drawing: train faint, test bold, changes by hand as dashed lines."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from vae_core.export.run_report import RunReport
from vae_core.export.svg import number, path, spread, text_width, tick_label, ticks
from vae_core.export.templating import fill

TERMS = {"total": "−ELBO", "reconstruction": "Reconstruction", "kl": "KL"}
MOST_POINTS = 1_000  # of one line: more cannot be seen
TOP, BOTTOM = 26, 46  # margins in pixels; those beside the frame fit the texts there
ROW = 18  # between the texts of two marks, one above the other


@dataclass(frozen=True)
class Curve:
    """One line. steps: (n,), values: (n,) nats per image. term: a key of TERMS. split: "train" or "test"."""

    term: str
    split: str
    steps: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Frame:
    """Where data lie on the drawing: steps 0 to `last` across, nats `low` to `high` upwards, in pixels."""

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

    def y(self, nats: np.ndarray | float) -> np.ndarray:
        return TOP + (self.high - np.asarray(nats, float)) / (self.high - self.low) * (self.floor - TOP)

    def path(self, curve: Curve) -> str:
        """The line of a curve; what is no number is left out."""
        few = thinned(curve)
        good = np.isfinite(few.values)
        return path(self.x(few.steps[good]), self.y(few.values[good])) if good.any() else ""


def curves_of(story: RunReport, terms: tuple[str, ...]) -> list[Curve]:
    """The lines of these terms, train first so that test lies above; those without a point are left out."""
    curves = []
    for split, rows in (("train", story.train), ("test", story.test)):
        steps, nll, kl = rows[:, 0].astype(float), rows[:, 1].astype(float), rows[:, 2].astype(float)
        values = {"total": nll + kl, "reconstruction": nll, "kl": kl}
        curves += [Curve(term, split, steps, values[term]) for term in terms if len(steps)]
    return curves


def value_range(curves: list[Curve]) -> tuple[float, float]:
    """The y axis, in nats. The first steps are far above all that follows: it is fitted to what comes after them."""
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
    return Curve(curve.term, curve.split, curve.steps[chosen], curve.values[chosen])


def draw_curves(story: RunReport, terms: tuple[str, ...], name: str, height: int = 400, width: int = 1040) -> str:
    """The drawing, or a sentence where there is nothing to draw.

    Args:
        terms: keys of TERMS.
        name: unlike that of any other drawing in the document.
    """
    curves = curves_of(story, terms)
    if not curves:
        return fill("curves.svg", curves=[])
    frame = _frame(story, curves, width, height)
    return fill(
        "curves.svg",
        name=name,
        spoken=", ".join(TERMS[term] for term in terms),
        frame=frame,
        curves=curves,
        marks=_marks(story, frame),
        ends=_ends(curves, frame),
    )


def _frame(story: RunReport, curves: list[Curve], width: int, height: int) -> Frame:
    """The frame that leaves room for numbers on its left and the lines' names on its right.

    The room is the same in every drawing of a story, so that steps in one lie below those in the other.
    """
    every = curves_of(story, tuple(TERMS))
    labels = [tick_label(v) for group in (every, curves_of(story, ("kl",))) for v in ticks(*value_range(group))]
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
    """Term, text and height of what stands beside the end of its line: its last value, of test where there is any."""
    last = {curve.term: curve for curve in curves}  # test comes later, so it wins
    wanted = [float(np.nan_to_num(frame.y(curve.values[-1]), nan=TOP)) for curve in last.values()]
    places = spread(wanted, 19, TOP + 6, frame.floor)
    return [(term, _end_text(curve), y) for (term, curve), y in zip(last.items(), places, strict=True)]


def _end_text(curve: Curve) -> str:
    return f"{TERMS[curve.term]} {number(curve.values[-1], 1)}"
