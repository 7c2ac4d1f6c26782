"""A lecturer plays the eight scenes with the keys of a presenter, on a projector."""

from playwright.sync_api import expect

from pages.ui.lecture.scenes import SCENES, scene_query
from tests.waiting import wait_for


def test_the_eight_scenes_by_keys_alone(opened, server):
    page = opened(f"{server}/elbo?scene=1&section=evidence&digit=7")
    bar = page.locator(".st-key-scene")
    for number, scene in enumerate(SCENES, start=1):
        title = bar.get_by_text(f"{number} · {scene.title}.")
        expect(title).to_be_visible(timeout=30_000)
        page.wait_for_url(lambda url, scene=scene, number=number: f"/{scene.page}?" in url and f"scene={number}" in url)
        wait_for(lambda: 0 < bar.bounding_box()["height"] < 80)  # once its fonts are there
        assert bar.bounding_box()["y"] > 0, scene.title
        assert bar.locator("p").nth(1).evaluate("(p) => parseFloat(getComputedStyle(p).fontSize)") >= 18
        expect(page.get_by_text(scene.answer)).to_have_count(0)  # folded
        page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']", timeout=60_000)
        page.keyboard.press("PageDown")
    expect(page.get_by_text("A lecture of 90 minutes")).to_be_attached(timeout=30_000)
    expect(bar).to_have_count(0)


def test_the_projector_has_large_type_and_no_navigation(opened, server):
    page = opened(f"{server}/{SCENES[6].page}?" + "&".join(f"{k}={v}" for k, v in scene_query(7).items()))
    expect(page.locator(".explore[data-ready]")).to_be_attached(timeout=30_000)
    size = "getComputedStyle(document.documentElement).fontSize"
    assert page.evaluate(size) == "17px"
    page.keyboard.press("p")
    page.wait_for_url(lambda url: "present=1" in url)
    expect(page.get_by_test_id("stHeader")).to_be_hidden()
    assert page.evaluate(size) == "24px"
    page.get_by_role("button", name="Answer").click()
    expect(page.get_by_text("Something in between")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    page.wait_for_url(lambda url: "present" not in url)
    expect(page.get_by_test_id("stHeader")).to_be_visible()
