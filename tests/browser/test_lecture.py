"""A lecturer plays the eight scenes with the keys of a presenter, on a projector of 1280 × 720."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from pages.ui.lecture.scenes import SCENES, scene_query
from tests.browser.scenes import STAGES
from tests.waiting import wait_for

# Of all elements that a selector names: their boxes, and the size of their letters.
_LOOK = """
(found) => found.map((e) => {
  const { left, top, right, bottom, width, height } = e.getBoundingClientRect();
  return { left, top, right, bottom, size: parseFloat(getComputedStyle(e).fontSize),
           name: e.outerHTML.slice(0, 90), there: width > 0 && height > 0 };
})"""


def faults(page: Page, seen: tuple[str, ...], read: tuple[str, ...], least: float) -> list[str]:
    """What is not whole in view, or too small to be read."""
    found = []
    for selector in (*seen, *read):
        boxes = page.locator(selector).evaluate_all(_LOOK)
        if not boxes:
            found.append(f"{selector}: is not there")
        for box in boxes:
            inside = box["left"] > -1 and box["top"] > -1 and box["right"] < 1281 and box["bottom"] < 721
            if not (box["there"] and inside):
                found.append(f"{selector}: {box}")
            elif selector in read and box["size"] < least:
                found.append(f"{selector}: {box['size']} px")
    return found


@pytest.mark.parametrize("mode", ["", "present=1"])
def test_the_eight_scenes_by_keys_alone(opened: Callable[..., Page], server: str, mode: str) -> None:
    page = opened(f"{server}/elbo?scene=1&section=evidence&digit=7&{mode}")
    bar = page.locator(".st-key-scene")
    least = 24 if mode else 18
    for number, scene in enumerate(SCENES, start=1):
        expect(bar.get_by_text(f"{number} · {scene.title}.")).to_be_visible(timeout=30_000)
        page.wait_for_url(
            lambda url, scene=scene, number=number: (
                f"/{scene.page}?" in url and f"scene={number}" in url and ("present=1" in url) == bool(mode)
            )
        )
        expect(page.get_by_text(scene.answer)).to_have_count(0)  # folded
        page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']", timeout=60_000)
        seen, read = STAGES[number]
        question = ".st-key-scene > .stElementContainer .stMarkdown p"
        told: list[str] = []

        def is_whole(seen=seen, read=read, told=told, question=question) -> bool:
            told[:] = faults(page, seen, (*read, question), least)
            return not told and bar.bounding_box()["height"] < (120 if mode else 80)

        try:
            wait_for(is_whole, 20)
        except AssertionError:
            raise AssertionError(f"{number} {scene.title}: {told or bar.bounding_box()}") from None
        page.keyboard.press("PageDown")
    expect(page.get_by_text("A lecture of 90 minutes")).to_be_attached(timeout=30_000)
    expect(bar).to_have_count(0)
    card = page.locator(".st-key-lecture-card-6")
    box = card.bounding_box() or {}
    card.click(position={"x": box["width"] - 12, "y": box["height"] - 12})  # pressed anywhere, it leads there
    page.wait_for_url(lambda url: "/ablation?" in url and "scene=6" in url)


def test_the_projector_has_large_type_and_no_navigation(opened: Callable[..., Page], server: str) -> None:
    page = opened(f"{server}/{SCENES[6].page}?" + "&".join(f"{k}={v}" for k, v in scene_query(7).items()))
    expect(page.locator(".explore[data-ready]")).to_be_attached(timeout=30_000)
    size = "getComputedStyle(document.documentElement).fontSize"
    assert page.evaluate(size) == "17px"
    page.keyboard.press("p")
    page.wait_for_url(lambda url: "present=1" in url)
    expect(page.get_by_test_id("stHeader")).to_be_hidden()
    assert page.evaluate(size) == "24px"
    for small in ("density", "nearText"):  # print of a place leaves its room to the pictures
        wait_for(lambda small=small: page.locator(f"[data-part={small}]").bounding_box()["height"] == 0, 10)
    page.get_by_role("button", name="Answer").click()
    expect(page.get_by_text("Something in between")).to_be_visible()
    page.keyboard.press("Escape")
    plot = (".js-plotly-plot",)
    parts = {"kl": (".gaussians .formula", ".gaussians .terms"), "likelihood": plot}
    parts |= {"likelihood&likelihood=sigma": plot, "likelihood&likelihood=reduction": plot}
    for section, seen in parts.items():
        page.goto(f"{server}/elbo?section={section}&present=1")
        page.locator(seen[-1]).first.wait_for(timeout=30_000)
        try:
            wait_for(lambda seen=seen: not faults(page, seen, (), 0), 20)
        except AssertionError:
            raise AssertionError(faults(page, seen, (), 0)) from None
    page.keyboard.press("p")
    page.wait_for_url(lambda url: "present" not in url)
    expect(page.get_by_test_id("stHeader")).to_be_visible()
