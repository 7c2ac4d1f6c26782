"""The drawings of the report, measured against their own axes as a reader with a ruler would."""

import base64
import io
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from tests.report_reader import Element, chart_values, is_number, parse, points, ruler
from tests.told import HALF, told
from vae_core.export.run_report import RunReport
from vae_core.export.svg import nice, number, spread, tick_label, ticks
from vae_core.inspect.snapshot import Snapshot
from vae_core.trainer import Mark


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
    report = parse(replace(story, snapshot=replace(shot, scales={"sigma": 0.1384})))
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
