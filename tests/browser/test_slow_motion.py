"""One batch in slow motion, in a real browser: the captions, their numbers, the keyboard, the next batch."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_live_training import more, pixels, press_switch, start, status, step, until


def slow(page: Page, part: str):
    return page.locator(f"[data-slow={part}]")


def value(page: Page, name: str) -> list[float]:
    """The numbers that stand beside a name."""
    text = page.locator(f"dt:text-is('{name}') + dd").inner_text().replace("−", "-")
    return [float(v) for v in re.findall(r"-?[\d.]+", text)]


@pytest.fixture
def opened_slowly(opened, server) -> Page:
    page = opened(f"{server}/training")
    start(page, beyond=60)
    page.get_by_role("button", name="Pause").click()
    status(page, "paused")
    before = step(page)
    more(page, "Slow step").click()
    expect(slow(page, "text")).to_be_visible(timeout=20_000)
    until(page, lambda: step(page) == before + 1)
    return page


def test_every_caption_has_the_batchs_own_numbers(opened_slowly):
    page = opened_slowly
    expect(slow(page, "name")).to_have_text("1. Batch in.")
    page.wait_for_timeout(1000)  # the map of the step is drawn a moment after its name
    cloud = pixels(page, "map")
    for name in ("2. Encode.", "3. Draw eps.", "4. Decode.", "5. Two losses.", "6. Gradients."):
        slow(page, "next").click()
        expect(slow(page, "name")).to_have_text(name)
    mu, std, eps, z = (value(page, name) for name in ("mu", "std", "eps", "z = mu + std · eps"))
    assert z == pytest.approx([m + s * e for m, s, e in zip(mu, std, eps, strict=True)], abs=0.03)
    assert value(page, "KL pulls mu") == pytest.approx([-m for m in mu], abs=0.011)  # −beta ∂kl/∂mu = −mu
    slow(page, "next").click()
    before, after = value(page, "loss, this batch")
    assert f"{after:.2f} instead of {before:.2f}" in slow(page, "text").inner_text()
    assert slow(page, "next").is_disabled() and pixels(page, "map") == cloud


def test_another_image_of_the_batch_can_be_followed(opened_slowly):
    page = opened_slowly
    slow(page, "next").click()
    first = value(page, "mu")
    slow(page, "batch").click(position={"x": 60, "y": 60})
    assert value(page, "mu") != first
    slow(page, "batch").focus()
    second = value(page, "mu")
    page.keyboard.press("ArrowRight")
    assert value(page, "mu") != second
    page.keyboard.press("ArrowLeft")
    assert value(page, "mu") == second


def test_arrows_move_the_captions_and_playing_can_be_paused(opened_slowly):
    page = opened_slowly
    page.locator("[data-part=status]").click()  # the focus leaves the buttons
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(slow(page, "name")).to_have_text("3. Draw eps.")
    page.keyboard.press("ArrowLeft")
    expect(slow(page, "name")).to_have_text("2. Encode.")
    slow(page, "play").click()
    expect(slow(page, "name")).to_have_text("3. Draw eps.", timeout=10_000)
    slow(page, "play").click()
    held = slow(page, "name").inner_text()
    page.wait_for_timeout(4000)
    expect(slow(page, "name")).to_have_text(held)


def test_without_kl_its_arrow_is_gone_and_the_next_batch_is_the_next_step(opened_slowly):
    page = opened_slowly
    before = step(page)
    press_switch(page, "KL")
    expect(page.locator("[data-part=marks] li")).to_have_count(1, timeout=20_000)
    slow(page, "another").click()
    until(page, lambda: step(page) == before + 1)
    expect(slow(page, "name")).to_have_text("1. Batch in.")
    page.get_by_role("button", name="6", exact=True).click()
    expect(slow(page, "text")).to_contain_text("The KL is off: its arrow is gone")
    assert value(page, "KL pulls mu") == [0, 0]


def test_it_closes_when_the_run_goes_on(opened_slowly):
    page = opened_slowly
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("[data-part=slow]")).to_be_hidden(timeout=20_000)
