"""What a slow line brings first: words before any script, and nothing that is not there. Bytes, never seconds."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from pages.ui.page_names import PAGES
from pages.ui.web.opening import OLD
from tests.browser.conftest import visit
from tests.browser.test_explorer import pixels
from tests.browser.test_live_training import until
from tests.browser.wire import Line


def test_title_and_progress_are_there_before_the_program(browser: Browser, server: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 720}, color_scheme="dark")
    line = Line(page, slow=False)
    held: list[Route] = []
    page.route("**/static/js/index.*.js", lambda route: held.append(route))
    page.goto(f"{server}/explorer", wait_until="commit")
    opening = page.locator("#elbo-opening")
    expect(opening.get_by_role("heading", name="Explorer")).to_be_visible()
    expect(opening).to_contain_text(PAGES["explorer"].sentence)
    assert line.at["words"]["kB"] < 100
    until(page, lambda: opening.locator("progress").evaluate("(bar) => bar.value") > 0.3)
    expect(opening).to_contain_text("kB")  # all but what is held
    assert 0.3 < opening.locator("progress").evaluate("(bar) => bar.value") < 1
    assert opening.evaluate("(it) => getComputedStyle(it).backgroundColor") == "rgb(18, 23, 26)"
    for route in held:
        route.continue_()
    expect(page.get_by_test_id("stMain")).to_be_visible(timeout=30_000)
    expect(opening).to_have_count(0, timeout=30_000)
    page.close()


HEAVY = re.compile(r"/(explore/[^/.]+\?|map-images|film/arm-[a-z-]+/0$)")  # what may come after the first picture
MOST_OF_OURS = 300  # kB; Streamlit's scripts and fonts come on top


@pytest.mark.parametrize("name", ["", "elbo", "training", "ablation", "explorer"])
def test_the_first_picture_waits_for_little(browser: Browser, server: str, name: str) -> None:
    """The heavy parts are held back, so that none can be what it waits for."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    line = Line(page, slow=False)
    page.route(HEAVY, lambda route: None)
    page.goto(f"{server}/{name}", wait_until="commit")
    for _ in range(300):
        if "picture" in line.at:
            break
        page.wait_for_timeout(100)
    assert line.at["picture"]["ours_kB"] < MOST_OF_OURS, line.largest()
    page.context.close()


def test_a_model_on_its_way_shows_its_map_a_picture_and_how_far_it_is(opened: Callable[..., Page], server: str) -> None:
    page = opened(f"{server}/plane")  # the next page gets the handler before it asks
    held: list[Route] = []
    page.route(re.compile("/map-images"), lambda route: held.append(route))
    page.goto(f"{server}/explorer")
    explore = page.locator(".explore[data-coming]")
    expect(explore.locator("canvas[data-part=map]")).to_be_visible(timeout=60_000)
    expect(explore.locator("[data-part=bar]")).to_be_visible()
    until(page, lambda: explore.locator("progress").evaluate("(bar) => bar.value") > 0.99)  # of what is not held
    first = pixels(explore.locator("[data-part=decoded]"))
    assert first.max() > 100  # a digit on black
    for route in held:
        route.continue_()
    page.locator(".explore[data-ready='mnist-vae-mlp-2']").wait_for(timeout=60_000)
    expect(page.locator(".explore [data-part=bar]")).to_be_hidden()
    until(page, lambda: abs(pixels(page.locator(".explore [data-part=decoded]")).astype(int) - first).max() < 3)


def test_no_page_asks_for_what_is_not_there(opened: Callable[..., Page], server: str) -> None:
    """Of every other page, whatever a test does there, `opened` holds it."""
    page = opened(server)
    failed: list[str] = []
    page.on("response", lambda answer: failed.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
    for name in ("home", "explorer"):
        visit(page, f"{server}/{name}")
        expect(page.locator("#elbo-opening")).to_have_count(0)
    assert failed == []


@pytest.mark.parametrize("missing", ["delete Array.prototype.toReversed", "CSS.supports = () => false"])
def test_a_browser_that_is_too_old_is_told_so_and_may_try(browser: Browser, server: str, missing: str) -> None:
    page = browser.new_page()
    page.add_init_script(missing)
    page.goto(f"{server}/elbo")
    expect(page.get_by_text(OLD)).to_be_visible()
    expect(page.locator("#elbo-opening progress")).to_be_hidden()
    page.get_by_role("button", name="Open it all the same").click()
    expect(page.get_by_text(OLD)).to_have_count(0)
    expect(page.get_by_test_id("stMain")).to_be_visible(timeout=30_000)
    page.close()


def test_without_scripts_a_sentence_says_what_is_needed(browser: Browser, server: str) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{server}/training")
    expect(page.get_by_text("allow JavaScript")).to_be_visible()
    expect(page.get_by_role("heading", name="Live training")).to_be_visible()
    page.context.close()
