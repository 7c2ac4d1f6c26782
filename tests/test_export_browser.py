"""The report in a real Chromium without a network: nothing asked for, nothing complained of, everything in view."""

import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.setup import FLAGS, system_browser
from tests.told import told
from vae_core.export.colours import DARK, LIGHT
from vae_core.export.report import html_report
from vae_core.trainer import Mark

TITLE = "Monday: KL off at half time"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=system_browser(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html_report(told()[0], TITLE), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser: Browser) -> Iterator[Any]:
    """Opens files as a reader would, and holds that the browser asked for the file alone and had nothing to say."""
    contexts, asked, said, paths = [], [], [], []

    def open_file(path: Path, **options: Any) -> Page:
        context = browser.new_context(offline=True, **{"viewport": {"width": 1200, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        paths.append(path.as_uri())
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == paths


def rgb(colour: str) -> str:
    """#RRGGBB as a browser computes it."""
    return f"rgb({int(colour[1:3], 16)}, {int(colour[3:5], 16)}, {int(colour[5:7], 16)})"


def style(page: Page, selector: str, name: str) -> str:
    return page.eval_on_selector(selector, f"e => getComputedStyle(e).{name}")


OUTSIDE = """() => [...document.querySelectorAll("svg text")].filter(t => {
    const box = t.getBBox(), view = t.ownerSVGElement.viewBox.baseVal;
    return box.x < 0 || box.y < 0 || box.x + box.width > view.width || box.y + box.height > view.height;
}).map(t => t.textContent)"""


OVERLAPS = """() => [...document.querySelectorAll("svg:has(.mark), svg:has(.end)")].flatMap(svg => {
    const texts = [...svg.querySelectorAll("text")], boxes = texts.map(t => t.getBBox()), found = [];
    boxes.forEach((a, i) => boxes.slice(0, i).forEach((b, j) => {
        const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
        const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
        if (across > 0 && down > 2) found.push(`${texts[i].textContent} | ${texts[j].textContent}`);
    }));
    return found;
})"""


@pytest.mark.parametrize(("scheme", "colours"), [("light", LIGHT), ("dark", DARK)])
def test_it_opens_offline_in_the_colours_of_the_reader(scheme: str, colours: Any, opened: Any, report: Path) -> None:
    page = opened(report, color_scheme=scheme)
    assert page.title() == TITLE
    assert style(page, "body", "backgroundColor") == rgb(colours.ground)
    assert style(page, "body", "color") == rgb(colours.ink)
    assert style(page, "svg path.kl.test", "stroke") == rgb(colours.kl)
    assert style(page, "svg .codes", "stroke") == rgb(colours.classes[0])
    assert style(page, ".sum .total b", "color") == rgb(colours.total)
    key = page.eval_on_selector_all(".key span", "all => all.map(e => [e.textContent, getComputedStyle(e).color])")
    assert key == [[str(digit), rgb(colour)] for digit, colour in enumerate(colours.classes)]


def test_on_paper_it_is_light_even_for_those_who_read_in_the_dark(opened: Any, report: Path) -> None:
    page = opened(report, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert style(page, "body", "backgroundColor") == rgb(LIGHT.ground)
    assert style(page, "body", "color") == rgb(LIGHT.ink)


def test_it_prints_on_a_few_pages(opened: Any, report: Path) -> None:
    pdf = opened(report).pdf(format="A4")
    assert pdf.startswith(b"%PDF") and 1 <= pdf.count(b"/Type /Page\n") <= 3


# Where a part begins and ends on paper: a PDF says it of what a link leads to.
MARK = """() => {
    const parts = [...document.querySelectorAll("figure, .card, table, pre")], links = document.createElement("p");
    const mark = (name, box, where) => {
        const place = document.createElement("span"), link = document.createElement("a");
        place.id = name;
        box[where](place);
        link.href = "#" + name;
        link.textContent = ".";
        links.append(link);
    };
    parts.forEach((part, i) => {
        const cells = part.matches("table") ? [...part.querySelectorAll("th, td")] : [part];
        mark(`top-${i}`, cells[0], "prepend");
        mark(`end-${i}`, cells.at(-1), "append");
    });
    document.querySelectorAll("h2").forEach((title) => {
        const next = parts.findIndex((part) => title.parentElement.contains(part));
        mark(`title-${next}`, title, "append");
    });
    const space = document.createElement("div");
    space.id = "space";
    document.querySelector("main").prepend(space);
    document.querySelector("main").append(links);
    return parts.length;
}"""


def pages_of(pdf: bytes) -> dict[str, int]:
    """The page, by the number of its object, on which each marked place lies."""
    found = re.findall(rb"/((?:top|end|title)-\d+) \[(\d+) 0 R /XYZ", pdf)
    return {name.decode(): int(page) for name, page in found}


def inks_of(pdf: bytes) -> set[str]:
    """The colours that a PDF fills with, #RRGGBB."""
    inks = set()
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        with suppress(zlib.error):  # an image
            numbers = re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) rg", zlib.decompress(stream))
            inks |= {"#" + "".join(f"{round(255 * float(v)):02X}" for v in colour) for colour in numbers}
    return inks


def test_no_part_of_it_is_cut_by_the_end_of_a_page(opened: Any, report: Path) -> None:
    """Wherever pages end: what stands before it is made longer step by step. A title stays with what it is of."""
    page = opened(report)
    parts = page.evaluate(MARK)
    assert parts == 10
    for spacer in range(0, 1000, 125):  # pixels, of about 1,000 a page
        page.eval_on_selector("#space", "(space, height) => space.style.height = height + 'px'", spacer)
        on = pages_of(page.pdf(format="A4"))
        assert len(on) == 2 * parts + 4 and len(set(on.values())) >= 2
        assert {i for i in range(parts) if on[f"top-{i}"] != on[f"end-{i}"]} == set(), spacer
        titles = {int(name.removeprefix("title-")) for name in on if name.startswith("title-")}
        assert {i for i in titles if on[f"title-{i}"] != on[f"top-{i}"]} == set(), spacer


def test_the_paper_of_a_dark_screen_is_white(opened: Any, report: Path) -> None:
    inks = inks_of(opened(report, color_scheme="dark").pdf(format="A4"))
    assert {LIGHT.ink, LIGHT.kl, LIGHT.panel} <= inks
    assert not inks & {DARK.ground, DARK.ink, DARK.kl, DARK.panel}


@pytest.mark.parametrize("width", [360, 768, 1200])
def test_nothing_hangs_over_the_edge(width: int, opened: Any, report: Path) -> None:
    page = opened(report, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OUTSIDE) == page.evaluate(OVERLAPS) == []


def test_every_picture_is_shown(opened: Any, report: Path) -> None:
    page = opened(report)
    sizes = page.eval_on_selector_all("img", "all => all.map(i => [i.complete, i.naturalWidth, i.naturalHeight])")
    assert sizes == [[True, 28, 28]] * 60
    shown = page.eval_on_selector_all("img", "all => all.map(i => [i.clientWidth, i.clientHeight])")
    assert all(width > 30 and abs(width - height) <= 1 for width, height in shown)


def test_large_numbers_and_many_marks_stay_in_view(opened: Any, tmp_path: Path) -> None:
    """A Gaussian density with a small sigma, many latents, and a lecturer who tried everything."""
    story = told()[0]
    assert story.snapshot is not None
    deep = replace(
        story.snapshot,
        kl_dims=np.linspace(0, 900, 64, dtype=np.float32),
        active=np.arange(64) > 3,
        mu=np.zeros((5000, 64), np.float32),
        xy=story.snapshot.xy * 40,
    )
    weights = story.marks[0].settings
    words = "alpha 1 → 2.5, beta 1 → 0, learning rate 0.002 → 0.01 at step {}"
    marks = tuple(Mark(step, words.format(step), weights) for step in (1, 60, 118, 119, 180, 234))
    scaled = {"train": story.train * [1, -25, 90, 1], "test": story.test * [1, -25, 90, 1, 1]}
    path = tmp_path / "large.html"
    path.write_text(html_report(replace(story, snapshot=deep, marks=marks, **scaled), "x" * 300), encoding="utf-8")
    page = opened(path)
    assert page.evaluate(OUTSIDE) == page.evaluate(OVERLAPS) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 1200
