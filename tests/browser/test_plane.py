"""The plane as a class uses it: points are drawn, a run starts, ELBO and log p(x) come, a point shows its gap."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.handwriting import arc, draw
from vae_core.data import points


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def figures(page: Page, *parts: str) -> list[float]:
    """Outputs by their names, once they are there."""
    for part in parts:
        expect(page.locator(f".onplane [data-part={part}]")).to_have_text(re.compile(r"\d"), timeout=60_000)
    root = page.locator(".onplane")  # of one moment, while it trains
    texts = root.evaluate("(e, parts) => parts.map((p) => e.querySelector(`[data-part=${p}]`).textContent)", parts)
    return [number(text) for text in texts]


def ink(page: Page, part: str) -> int:
    """How many pixels of a canvas are drawn."""
    canvas = page.locator(f".onplane canvas[data-part={part}]")
    count = (
        "(c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.filter((v, i) => i % 4 === 3 && v).length"
    )
    return int(canvas.evaluate(count))


def test_drawn_points_are_learned_and_a_chosen_one_shows_its_gap(opened: Callable[..., Page], server: str) -> None:
    page = opened(f"{server}/plane?set=drawn&steps=300")
    pad = page.locator(".planepad")
    canvas, count = pad.locator("canvas"), pad.locator("[data-part=count]")
    draw(page, canvas, [arc((0.5, 0.5), (0.3, 0.3), 0, 350)])
    expect(count).to_contain_text("points")
    drawn = int(count.inner_text().split()[0])
    assert drawn > 20
    canvas.focus()
    for key in ("Shift+ArrowUp", "ArrowRight", "Space"):
        page.keyboard.press(key)
    expect(count).to_have_text(f"{drawn + 1} points · at 0.10, 0.02")
    page.keyboard.press("Control+z")
    expect(count).to_contain_text(f"{drawn} points")
    page.wait_for_url(re.compile("drawn=drawn-"))
    page.get_by_role("button", name="Start").click()

    elbo, gap, log_p = figures(page, "elbo", "gap", "logP")
    expect(page.locator(".onplane [data-part=status]")).to_have_text("finished", timeout=90_000)
    expect(page.get_by_text("At the end")).to_be_visible(timeout=60_000)
    better = figures(page, "elbo", "gap", "logP")
    assert elbo + gap == pytest.approx(log_p, abs=0.1) and better[0] > elbo and better[0] < better[2]

    plane = page.locator(".onplane canvas[data-part=plane]")
    plane.focus()
    page.keyboard.press("ArrowLeft")
    one = figures(page, "oneElbo", "oneGap", "oneLogP")
    assert one[0] + one[1] == pytest.approx(one[2], abs=0.1) and one[1] > 0
    assert ink(page, "curves") > 1000 and ink(page, "posterior") > 1000
    page.wait_for_url(re.compile("point=0"))
    where = page.locator(".onplane [data-part=x]")
    before = where.inner_text()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    expect(where).not_to_have_text(before)
    shown = [number(v) for v in re.findall(r"[−\d.]+", where.inner_text())]
    _, tested = points.split(np.array(shown_points(page)))
    assert np.abs(tested - shown).max(1).min() < 0.006  # it is one of the drawn points that test


def shown_points(page: Page) -> list[list[float]]:
    """What was drawn, by the link."""
    name = re.search(r"drawn=(drawn-[0-9a-f]{24})", page.url)
    assert name is not None
    return points.drawn(name.group(1)).tolist()


def test_pasted_points_stand_on_the_pad_and_can_be_drawn_on(opened: Callable[..., Page], server: str) -> None:
    page = opened(f"{server}/plane?set=drawn")
    count = page.locator(".planepad [data-part=count]")
    page.get_by_text("Paste points").click()
    text = page.get_by_role("textbox", name="x, y")
    text.fill("1 2 3")
    text.press("Control+Enter")
    expect(page.get_by_text("Line 1 holds no point")).to_be_visible()
    text.fill("\n".join(f"{0.1 * i - 1:.1f} {0.5:.1f}" for i in range(20)))
    text.press("Control+Enter")
    expect(count).to_contain_text("20 points")
    expect(page.get_by_text("Line 1 holds no point")).to_have_count(0)
    page.wait_for_url(re.compile("drawn=drawn-"))
    assert len(shown_points(page)) == 20
    canvas = page.locator(".planepad canvas")
    canvas.focus()
    for key in ("ArrowUp", "Space"):
        page.keyboard.press(key)
    expect(count).to_contain_text("21 points")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".onplane [data-part=logP]")).to_have_text(re.compile(r"\d"), timeout=60_000)
