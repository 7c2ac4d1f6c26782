"""The report, parsed by html.parser. Drawings are measured against their own axes: a value is read off the tick labels
and grid lines beside it, as a reader with a ruler would."""

from __future__ import annotations

import base64
import io
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pages.ui import palette
from tests.told import HALF, told
from vae_core import cards
from vae_core.config import RunConfig
from vae_core.export import style
from vae_core.export.report import html_report
from vae_core.export.run_report import RunReport
from vae_core.export.svg import nice, number, spread, tick_label, ticks
from vae_core.inspect.snapshot import Snapshot
from vae_core.trainer import Mark

ROOT = Path(__file__).resolve().parents[1]
VOID = {"meta", "link", "img", "br"}


@dataclass
class Element:
    tag: str
    attrs: dict[str, str]
    content: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its own text, without that of elements inside."""
        return "".join(part for part in self.content if isinstance(part, str))

    @property
    def children(self) -> list[Element]:
        return [part for part in self.content if isinstance(part, Element)]

    def all(self, tag: str, css: str = "") -> list[Element]:
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


@pytest.fixture(scope="module")
def story() -> RunReport:
    return told()[0]


@pytest.fixture(scope="module")
def report(story: RunReport) -> Element:
    return parse(story)


@pytest.fixture(scope="module")
def shot(story: RunReport) -> Snapshot:
    assert story.snapshot is not None
    return story.snapshot


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


# ---- the document


def test_it_is_one_balanced_document(report: Element) -> None:
    (html,) = [e for e in report.children if e.tag == "html"]
    assert [e.tag for e in html.children] == ["head", "body"] and html.attrs == {"lang": "en"}
    assert [t.text for t in html.children[0].all("title")] == ["A run"]
    assert len(report.all("h1")) == 1
    names = [e.attrs["id"] for e in report.all("clippath")]
    assert len(names) == len(set(names)) == 3


def test_nothing_in_it_asks_for_anything(story: RunReport, report: Element) -> None:
    text = html_report(story, "A run")
    assert not re.findall(r"https?:|[\"'(=]//", text)
    assert not re.findall(r"@import|url\((?!#)", text)
    assert report.all("script") == report.all("iframe") == report.all("form") == []
    elements = [e for tag in ("img", "link", "a", "image", "use") for e in report.all(tag)]
    addresses = [e.attrs[k] for e in elements for k in ("src", "href", "srcset") if k in e.attrs]
    assert len(addresses) == 61 and all(address.startswith("data:") for address in addresses)
    assert "default-src 'none'" in report.all("meta")[1].attrs["content"]


EVIL = "</title></style><script>alert('1')</script><b onload=\"x\">&amp;"


def test_every_text_from_outside_is_escaped(story: RunReport) -> None:
    mark = replace(story.marks[0], text=EVIL)
    evil = parse(replace(story, marks=(mark,), device=EVIL, status=EVIL), EVIL)
    assert evil.all("script") == [] and not any("onload" in e.attrs for e in evil.all("b"))
    assert evil.all("title")[0].text == evil.all("h1")[0].text == EVIL
    assert EVIL in evil.all("header")[0].words()  # the device and the status
    assert EVIL in evil.all("section", "changed")[0].words()
    assert [t.text for t in evil.all("svg")[0].all("text", "halo")] == [EVIL]


def test_the_colours_are_those_of_the_pages() -> None:
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    pages = palette.css_variables(".page").splitlines()
    for colours, line, name in ((style.LIGHT, pages[0], "light"), (style.DARK, pages[1], "dark")):
        assert line == f".page{'.dark' if name == 'dark' else ''} {{ {' '.join(variables(colours))} }}"
        assert colours.ground == theme[name]["backgroundColor"]
        assert colours.panel == theme[name]["secondaryBackgroundColor"]
        assert colours.rule == theme[name]["borderColor"]
        assert colours.ink == theme[name]["textColor"]


def variables(colours: style.Colours) -> list[str]:
    terms = [f"--term-{name}: {getattr(colours, name)};" for name in ("reconstruction", "kl", "total")]
    terms += [f"--term-other{i}: {colour};" for i, colour in enumerate(colours.others)]
    return terms + [f"--class-{digit}: {colours.classes[digit]};" for digit in range(10)]


def test_other_colours_can_be_given(story: RunReport) -> None:
    text = html_report(story, "A run", light=replace(style.LIGHT, kl="rebeccapurple"))
    assert "--kl: rebeccapurple;" in text and style.LIGHT.kl not in text


# ---- words and numbers


def test_the_figures_are_those_of_the_run_with_protocol_split_and_samples(story: RunReport, report: Element) -> None:
    final = story.final
    assert final is not None
    (total, reconstruction, kl) = (value_of(b.text) for b in report.all("p", "sum")[0].all("b"))
    assert total == pytest.approx(final["neg_elbo"], abs=0.005)
    assert reconstruction == pytest.approx(final["nll"], abs=0.005)
    assert kl == pytest.approx(final["kl"], abs=0.005)
    card = report.all("section", "card")[0].words()
    assert "nats per image (grey MNIST, test, 10,000 images, K = 1)" in card
    assert (
        f"{final['neg_iw_bound']:.2f} nats" in card
        and f"K = 20, first 100 test images, whose −ELBO is {final['iw_neg_elbo']:.2f}" in card
    )
    assert "2 of 2" in card and f"{final['mean_std']:.3f}" in card


def test_the_settings_are_all_there(story: RunReport, report: Element) -> None:
    rows = {row.children[0].text: row.children[1].text for row in report.all("tr")}
    assert list(rows) == [name.replace("_", " ") for name in story.config.to_dict()]
    assert (
        RunConfig.from_dict(
            {name: type(default)(rows[name.replace("_", " ")]) for name, default in RunConfig().to_dict().items()}
        )
        == story.config
    )


def test_device_versions_and_command_are_there(story: RunReport, report: Element) -> None:
    assert story.device in report.all("header")[0].words()
    assert report.all("code")[0].text == cards.command(story.config)
    assert f"torch {torch.__version__}, numpy {np.__version__}" in report.words()


def test_a_run_changed_by_hand_says_so(story: RunReport, report: Element) -> None:
    (changed,) = report.all("section", "changed")
    assert f"Changed by hand on the way: beta 1 → 0 at step {HALF}." in changed.words()
    assert "repeat.py" in report.words()
    untouched = parse(replace(story, marks=()))
    assert untouched.all("section", "changed") == [] and "repeat.py" not in untouched.words()


@pytest.mark.parametrize(("status", "said"), [("stopped", "stopped"), ("failed", "ended by a failure")])
def test_a_run_that_did_not_finish_says_so(status: str, said: str, story: RunReport) -> None:
    words = parse(replace(story, status=status)).words()
    assert f"235 steps of 256 images, {said}." in words and "this run ended at step 235" in words


def test_without_final_figures_those_of_the_snapshot_stand_with_their_own_data(
    story: RunReport, shot: Snapshot
) -> None:
    report = parse(replace(story, final=None))
    assert value_of(report.all("p", "sum")[0].all("b")[0].text) == pytest.approx(shot.neg_elbo, abs=0.005)
    assert "5,000 fixed test images, K = 1, at step 235" in report.all("section", "card")[0].words()


def test_a_run_that_never_began_is_a_report_too(story: RunReport) -> None:
    bare = replace(
        story,
        train=np.zeros((0, 4), np.float32),
        test=np.zeros((0, 5), np.float32),
        marks=(),
        snapshot=None,
        final=None,
    )
    report = parse(bare)
    assert report.all("svg") == [] and "No step was made." in report.words() and "No test figures" in report.words()


def test_values_that_are_no_numbers_are_dashes_and_spoil_no_drawing(story: RunReport, shot: Snapshot) -> None:
    train = story.train.copy()
    train[100:103, 1:] = np.nan, np.inf, -np.inf
    final = {**(story.final or {}), "kl": float("nan")}
    lost = replace(shot, xy=np.full_like(shot.xy, np.nan), kl_dims=np.array([np.nan, np.inf], np.float32))
    text = html_report(replace(story, train=train, final=final, snapshot=lost), "A run")
    Tree(text)
    assert not re.findall(r"\b(nan|inf)\b", text.split("</style>")[1])


# ---- the curves


def test_the_test_curves_read_off_the_axes_are_the_values_of_the_run(story: RunReport, report: Element) -> None:
    chart, kl_chart = report.all("svg")[:2]
    steps, nll, kl = story.test[:, 0], story.test[:, 1], story.test[:, 2]
    for css, values in (("total test", nll + kl), ("reconstruction test", nll), ("kl test", kl)):
        read = chart_values(chart, css)
        np.testing.assert_allclose(read[:, 0], steps, atol=0.05)
        np.testing.assert_allclose(read[:, 1], values, atol=0.05)
    np.testing.assert_allclose(chart_values(kl_chart, "kl test")[:, 1], kl, atol=0.01)


def test_the_train_curve_has_every_step_of_a_short_run(story: RunReport, report: Element) -> None:
    read = chart_values(report.all("svg")[0], "reconstruction train")
    np.testing.assert_allclose(read[:, 0], story.train[:, 0], atol=0.05)
    np.testing.assert_allclose(read[:, 1], story.train[:, 1], atol=0.05)


def test_of_a_long_run_a_thousand_true_points_are_drawn(story: RunReport) -> None:
    rows = np.random.default_rng(0).uniform(50, 100, (65_536, 4)).astype(np.float32)
    rows[:, 0] = np.arange(1, 65_537)
    read = chart_values(parse(replace(story, train=rows, test=story.test[:0])).all("svg")[0], "reconstruction train")
    assert len(read) == 1_000
    assert (read[0, 0], read[-1, 0]) == (pytest.approx(1, abs=9), pytest.approx(65_536, abs=9))
    steps = np.linspace(1, 65_536, 1_000)
    np.testing.assert_allclose(read[:, 0], steps, atol=6)  # a tenth of a pixel is 8 steps
    np.testing.assert_allclose(read[-1, 1], rows[-1, 1], atol=0.05)
    np.testing.assert_allclose(np.sort(read[:, 1])[[0, -1]], [50, 100], atol=1)


def test_the_axis_is_fitted_to_what_comes_after_the_first_20_steps(story: RunReport, report: Element) -> None:
    chart = report.all("svg")[0]
    (clip,) = chart.all("clippath")
    numbers = [t for t in chart.all("text") if is_number(t) and t.attrs["text-anchor"] == "end"]
    y = ruler(numbers, "y", shift=-5)
    frame = clip.children[0]
    top, floor = y(np.array([frame.number("y"), frame.number("y") + frame.number("height")]))
    later = [rows[rows[:, 0] > 20][:, 1:3].sum(axis=1).max() for rows in (story.train, story.test)]
    assert top == pytest.approx(1.05 * max(later), rel=1e-3) and floor == pytest.approx(0, abs=0.05)
    assert top < story.train[0, 1]  # the first step lies above the frame, where it is clipped
    assert chart.all("g")[0].attrs["clip-path"] == f"url(#{clip.attrs['id']})"


def test_a_density_may_be_negative_and_a_short_run_is_shown_whole(story: RunReport) -> None:
    rows = np.array([[1, 500, 1, 501], [30, -600, 2, -598]], np.float32)
    chart = parse(replace(story, train=rows, test=story.test[:0], marks=())).all("svg")[0]
    (clip,) = chart.all("clippath")
    numbers = [t for t in chart.all("text") if is_number(t) and t.attrs["text-anchor"] == "end"]
    y = ruler(numbers, "y", shift=-5)
    frame = clip.children[0]
    top, floor = y(np.array([frame.number("y"), frame.number("y") + frame.number("height")]))
    assert (top, floor) == (pytest.approx(1.05 * 501, rel=0.01), pytest.approx(1.05 * -600, rel=0.01))


def test_a_mark_stands_at_its_step(report: Element) -> None:
    chart = report.all("svg")[0]
    x = ruler([t for t in chart.all("text") if is_number(t) and t.attrs["text-anchor"] == "middle"], "x")
    (line,) = chart.all("line", "mark")
    assert x(np.array([line.number("x1")]))[0] == pytest.approx(HALF, abs=0.1)
    (text,) = chart.all("text", "halo")
    assert text.text == f"beta 1 → 0 at step {HALF}"


def test_marks_far_apart_stand_in_one_row_and_close_ones_below_each_other(story: RunReport) -> None:
    for steps, rows in (((10, 200), 1), ((100, 105, 110), 3)):
        marks = tuple(Mark(step, f"beta 1 → 2 at step {step}", story.marks[0].settings) for step in steps)
        texts = parse(replace(story, marks=marks)).all("svg")[0].all("text", "halo")
        assert len({text.attrs["y"] for text in texts}) == rows


def test_steps_of_both_drawings_lie_below_each_other(report: Element) -> None:
    frames = [svg.all("clippath")[0].children[0] for svg in report.all("svg")[:2]]
    assert frames[0].attrs["x"] == frames[1].attrs["x"] and frames[0].attrs["width"] == frames[1].attrs["width"]


def test_names_beside_the_lines_carry_the_last_test_values_and_do_not_touch(story: RunReport, report: Element) -> None:
    ends = report.all("svg")[0].all("text", "end")
    step, nll, kl = story.test[-1, :3]
    expected = [f"−ELBO {nll + kl:.1f}", f"Reconstruction {nll:.1f}", f"KL {kl:.1f}"]
    assert [e.text for e in ends] == expected and step == 235
    places = sorted(e.number("y") for e in ends)
    assert np.diff(places).min() >= 18


# ---- map, pictures, bars


def codes(svg: Element) -> dict[int, np.ndarray]:
    """Digit to the codes drawn for it, in units of the prior: its circle of 1 sigma is the measure."""
    one = svg.all("circle", "sigma")[0]
    radius, centre = one.number("r"), one.number("cx")
    found = {}
    for path in svg.all("path", "codes"):
        digit = int(re.findall(r"--class-(\d)", path.attrs["style"])[0])
        pixels = points(path.attrs["d"].replace("h0", ""))
        found[digit] = np.stack([pixels[:, 0] - centre, centre - pixels[:, 1]], axis=1) / radius
    return found


def test_the_codes_stand_where_they_are_in_the_colour_of_their_class(report: Element, shot: Snapshot) -> None:
    svg = report.all("svg")[2]
    width, height = map(float, svg.attrs["viewbox"].split()[2:])
    assert width == height  # one scale for both axes
    drawn = codes(svg)
    reach = width / 2 / svg.all("circle")[0].number("r")
    for digit in range(10):
        expected = shot.xy[shot.labels == digit]
        expected = expected[(np.abs(expected) <= reach).all(axis=1)]
        np.testing.assert_allclose(drawn[digit], expected, atol=0.1 / svg.all("circle")[0].number("r"))
    lost = 5_000 - sum(len(found) for found in drawn.values())
    assert 0 < lost < 26 and f"{lost} of 5,000 codes lie outside the frame" in report.words()


def test_circles_are_1_2_and_3_sigma_and_ticks_are_in_the_same_units(report: Element) -> None:
    svg = report.all("svg")[2]
    one, two, three = (c.number("r") for c in svg.all("circle"))
    assert (two, three) == (pytest.approx(2 * one, abs=0.02), pytest.approx(3 * one, abs=0.02))
    below = [t for t in svg.all("text", "halo") if is_number(t) and t.attrs.get("text-anchor") == "middle"]
    x = ruler(below, "x")
    centre = svg.all("circle")[0].number("cx")
    assert x(np.array([centre, centre + two])) == pytest.approx([0, 2], abs=0.02)


def test_a_digit_stands_at_the_mean_of_its_class(report: Element, shot: Snapshot) -> None:
    svg = report.all("svg")[2]
    one, centre = svg.all("circle")[0].number("r"), svg.all("circle")[0].number("cx")
    for text in svg.all("text", "digit"):
        mean = shot.xy[shot.labels == int(text.text)].mean(axis=0)
        at = np.array([text.number("x") - centre, centre - (text.number("y") - 7)]) / one
        np.testing.assert_allclose(at, mean, atol=0.02)


def test_the_frame_is_4_sigma_as_in_the_live_view_unless_codes_would_be_lost(story: RunReport, shot: Snapshot) -> None:
    calm = replace(shot, xy=np.random.default_rng(0).standard_normal((5000, 2)).astype(np.float32))
    report = parse(replace(story, snapshot=calm))
    svg = report.all("svg")[2]
    assert 270 / svg.all("circle")[0].number("r") == pytest.approx(4, abs=0.01)
    assert "reach further" not in report.words() and "outside the frame" not in report.words()


def test_pictures_are_the_very_pixels(report: Element, shot: Snapshot) -> None:
    uris = [img.attrs["src"].removeprefix("data:image/png;base64,") for img in report.all("img")]
    found = np.stack([np.asarray(Image.open(io.BytesIO(base64.b64decode(uri)))) for uri in uris])
    expected = np.concatenate([shot.originals, shot.reconstructions, shot.prior_draws])
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("dims", [1, 2, 20, 256])
def test_bars_read_off_their_axis_are_the_kl_of_each_dimension(dims: int, story: RunReport, shot: Snapshot) -> None:
    generator = np.random.default_rng(dims)
    kl_dims = generator.uniform(0.1, 4, dims).astype(np.float32)
    active = generator.random(dims) > 0.4
    changed = replace(shot, kl_dims=kl_dims, active=active, mu=np.zeros((5000, dims), np.float32))
    report = parse(replace(story, snapshot=changed))
    svg = report.all("svg")[3]
    labels = [t for t in svg.all("text") if is_number(t) and t.attrs.get("text-anchor") == "end"]
    y = ruler(labels, "y", shift=-5)
    bars = svg.all("rect", "bar")
    np.testing.assert_allclose(y(np.array([b.number("y") for b in bars])), kl_dims, atol=0.005)
    assert ["inactive" not in b.attrs["class"] for b in bars] == active.tolist()
    assert f"{active.sum()} of {dims} active" in report.words()
    edges = [(b.number("x"), b.number("x") + b.number("width")) for b in bars]
    assert all(a[1] < b[0] for a, b in pairwise(edges)) and edges[-1][1] <= 490


def test_the_plane_of_many_dimensions_is_named(story: RunReport, shot: Snapshot) -> None:
    deep = replace(shot, mu=np.zeros((5000, 8), np.float32), explained=0.413)
    report = parse(replace(story, snapshot=deep))
    assert "41% of the variance" in report.words()
    assert [t.text for t in report.all("svg")[2].all("text", "halo") if "PC" in t.text] == ["PC 1 →", "PC 2 ↑"]


def test_a_learned_sigma_is_among_the_figures(story: RunReport, shot: Snapshot) -> None:
    report = parse(replace(story, snapshot=replace(shot, sigma=0.1384)))
    assert "Sigma of a pixel 0.138" in report.words()


# ---- small parts


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 227, [0, 50, 100, 150, 200]), (-4, 4, [-4, -2, 0, 2, 4]), (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0])],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


@pytest.mark.parametrize("value", [1e-7, 0.1, 0.11, 0.5, 1, 3.07, 7.2, 10, 99_999])
def test_a_nice_number_is_1_2_or_5_and_not_far_above(value: float) -> None:
    found = nice(value)
    assert value * (1 - 1e-9) <= found <= 2.5 * value
    assert f"{found:.0e}"[0] in "125" and found == pytest.approx(float(f"{found:.0e}"))


def test_names_are_moved_apart_no_more_than_needed() -> None:
    assert spread([10, 100, 200], 19, 0, 300) == [10, 100, 200]
    assert spread([50, 48], 19, 0, 300) == [67, 48]
    assert spread([299, 300, 298], 19, 0, 300) == [281, 300, 262]


def test_numbers_are_written_for_readers() -> None:
    assert [number(v) for v in (-1234.567, 0.0, float("nan"), float("inf"))] == ["−1,234.57", "0.00", "–", "–"]
    assert [tick_label(v) for v in (0.0, -200.0, 0.30000000000000004, 65_000.0)] == ["0", "−200", "0.3", "65,000"]
