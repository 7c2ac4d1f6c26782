"""A reader of the report: its elements by html.parser, its drawings with a ruler laid on their own axes."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import numpy as np

from vae_core.export.report import html_report
from vae_core.export.run_report import RunReport

ROOT = Path(__file__).resolve().parents[1]
VOID = {"meta", "link", "img", "br"}


@dataclass
class Element:
    tag: str
    attrs: dict[str, str]
    content: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its own text, without that of elements inside."""
        return "".join(part for part in self.content if isinstance(part, str))

    @property
    def children(self) -> list["Element"]:
        return [part for part in self.content if isinstance(part, Element)]

    def all(self, tag: str, css: str = "") -> list["Element"]:
        """Descendants with this tag and these classes, in the order of the document."""
        found = [self] if self.tag == tag and set(css.split()) <= set(self.attrs.get("class", "").split()) else []
        return found + [e for child in self.children for e in child.all(tag, css)]

    def raw(self) -> str:
        apart = "" if self.tag in ("p", "h1", "h2", "h3", "b", "span") else " "
        return apart.join(part if isinstance(part, str) else part.raw() for part in self.content)

    def words(self) -> str:
        """All text, as it is read."""
        return " ".join(self.raw().split())

    def number(self, name: str) -> float:
        return float(self.attrs[name])


class Tree(HTMLParser):
    """Builds the tree; an element left open, or closed without having been opened, is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = Element("document", {})
        self.open = [self.root]
        self.feed(text)
        self.close()
        assert self.open == [self.root], f"left open: {self.open[-1].tag}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {k: v or "" for k, v in attrs})
        assert len(element.attrs) == len(attrs), f"an attribute twice in {tag}"
        self.open[-1].content.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].content.append(data)


def parse(story: RunReport, title: str = "A run") -> Element:
    return Tree(html_report(story, title)).root


# ---- a reader with a ruler


def value_of(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def ruler(labels: list[Element], at: str, shift: float = 0.0) -> Callable[[np.ndarray], np.ndarray]:
    """Pixels to values, from two or more tick labels at known pixels; all of them must agree."""
    pixels = np.array([label.number(at) + shift for label in labels])
    values = np.array([value_of(label.text) for label in labels])
    slope, offset = np.polyfit(pixels, values, 1)
    assert np.abs(slope * pixels + offset - values).max() < 0.01 * np.ptp(values)
    return lambda p: slope * p + offset


def points(d: str) -> np.ndarray:
    """The points (n, 2) of a path of absolute moves and lines."""
    return np.array([[float(v) for v in pair.split()] for pair in re.split("[ML]", d) if pair])


def is_number(label: Element) -> bool:
    return re.fullmatch(r"−?[\d,.]+", label.text) is not None


def chart_values(svg: Element, css: str) -> np.ndarray:
    """Step and nats of every point of a line, read off the chart's axes: (n, 2)."""
    numbers = [t for t in svg.all("text") if is_number(t)]
    x = ruler([t for t in numbers if t.attrs["text-anchor"] == "middle"], "x")
    y = ruler([t for t in numbers if t.attrs["text-anchor"] == "end"], "y", shift=-5)  # a baseline lies 5 below
    (line,) = svg.all("path", css)
    pixels = points(line.attrs["d"])
    return np.stack([x(pixels[:, 0]), y(pixels[:, 1])], axis=1)
