"""What moves is told in a sentence, with the numbers of the moment that is shown; charts and grids answer to keys."""

import re
from collections.abc import Callable

import numpy as np
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT
from tests.browser.keys import record, taken
from tests.browser.test_live_training import status, until
from vae_core.runs.snapshot_file import read_snapshot

Opened = Callable[..., Page]
FILM = ROOT / "checkpoints" / "mnist-vae-mlp-2" / "film"


def sentence(page: Page) -> str:
    return page.locator("p.spoken[aria-live=polite]").inner_text()


def told_of(page: Page, step: int) -> str:
    """What is said of a step once it is, and that the numbers are those on the page."""
    until(page, lambda: sentence(page).startswith(f"At step {step:,}:"), seconds=20)
    figures = {name: page.locator(f"[data-part={name}]").inner_text() for name in ("negElbo", "nll", "kl")}
    said = sentence(page)
    for name, label in (("negElbo", "−ELBO"), ("nll", "reconstruction"), ("kl", "KL")):
        assert f"{label} {figures[name]}" in said, (said, figures)
    return said


def codes_of(step: int) -> str:
    """How the codes lie by the file of that step."""
    xy = read_snapshot(str(FILM / f"{step:09}.safetensors.gz")).xy.astype(np.float64)
    mean, std = (", ".join(f"{v:.2f}" for v in values).replace("-", "−") for values in (xy.mean(0), xy.std(0)))
    return f"Codes of 5,000 test images: mean ({mean}), std ({std})."


def test_the_run_is_told_and_its_drawings_answer_to_keys(opened: Opened, server: str) -> None:
    page = opened(f"{server}/training")
    status(page, "finished")
    first, second = (int(file.name.split(".")[0]) for file in sorted(FILM.iterdir())[:-3:-1])
    for step in (first, second):
        assert codes_of(step) in told_of(page, step)
        label = page.locator("canvas[data-part=map]").get_attribute("aria-label") or ""
        assert codes_of(step) in label
        chart = page.locator("[data-part=all] .u-wrap")
        assert f"at step {step:,}: −ELBO" in (chart.get_attribute("aria-label") or "")
        page.mouse.click(1180, 30)  # nothing has the focus: an arrow moves the film
        page.keyboard.press("ArrowLeft")
    record(page)
    chart_is_read_and_zoomed(page)
    grid_is_searched(page)


def chart_is_read_and_zoomed(page: Page) -> None:
    chart, reading = page.locator("[data-part=all] .u-wrap"), page.locator("[data-part=all] .reading")
    chart.focus()
    assert taken(page, "ArrowRight")
    expect(reading).to_have_text(re.compile(r"^step [\d,]+: .*test KL [\d.]+"))
    expect(reading).to_have_attribute("aria-live", "polite")
    before = reading.inner_text()
    assert taken(page, "ArrowRight") and reading.inner_text() != before
    assert not taken(page, "Escape")  # all is shown
    whole = chart.screenshot()
    assert taken(page, "+")
    until(page, lambda: chart.screenshot() != whole, seconds=5)
    assert taken(page, "Escape") and not taken(page, "Escape")
    page.keyboard.press("Tab")
    expect(reading).to_have_attribute("aria-live", "off")
    page.evaluate("window.keysTaken.splice(0)")


def grid_is_searched(page: Page) -> None:
    page.get_by_role("button", name="Grid", exact=True).click()
    grid, found = page.locator("canvas[data-part=grid]"), page.locator("[data-part=tabNote]")
    grid.focus()
    assert taken(page, "ArrowRight")
    expect(found).to_have_text(re.compile(r"^z = \([−-]?[\d.]+, [−-]?[\d.]+\)$"))
    first = found.inner_text()
    assert taken(page, "ArrowUp") and found.inner_text() != first
    assert taken(page, "ArrowDown") and found.inner_text() == first
    assert not taken(page, "q")
    box, cells = grid.bounding_box(), int(grid.get_attribute("width") or 0) // 28
    assert box is not None
    for at, text in ((0.01, None), ((cells // 2 + 0.5) / cells, first)):  # a corner, and the cell of the first arrow
        grid.click(position={"x": at * box["width"], "y": at * box["height"]})
        assert (found.inner_text() == first) is (text == first)
