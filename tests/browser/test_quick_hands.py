"""What impatient hands do: quick clicks count, and buttons follow the run without being asked."""

from playwright.sync_api import Page, expect

from tests.browser.test_ablation import at_step, statuses, train
from tests.browser.test_live_training import more, start, status, step, until


def pause(page: Page) -> int:
    page.get_by_role("button", name="Pause").click()
    status(page, "paused")
    page.wait_for_timeout(500)
    return step(page)


def click_quickly(page: Page, name: str, every_ms: int) -> None:
    """Five times, as a hand does: where the button stands, whatever the page is busy with."""
    button = page.get_by_role("button", name=name, exact=True)
    expect(button).to_be_visible()
    place = button.bounding_box()
    for _ in range(5):
        page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
        page.wait_for_timeout(every_ms)


def test_five_quick_clicks_on_step_are_five_steps_after_another_page_too(opened, server) -> None:
    page = opened(f"{server}/training")
    start(page)
    pause(page)
    for every_ms in (40, 150):
        five_clicks_are_five_steps(page, every_ms)
        status(page, "paused")

    navigation = page.get_by_test_id("stTopNavLink")  # the body of Home links to the pages as well
    for _ in range(3):  # what the page still sends must not take back who leaves it
        more(page, "Step")
        click_quickly(page, "Step", 100)
        navigation.filter(has_text="Home").click()
        expect(page.get_by_role("button", name="New sample")).to_be_visible(timeout=30_000)
        navigation.filter(has_text="Live training").click()
        status(page, "paused")
        page.wait_for_timeout(1000)
    five_clicks_are_five_steps(page, 100)


def five_clicks_are_five_steps(page: Page, every_ms: int) -> None:
    at = step(page)
    more(page, "Step")
    click_quickly(page, "Step", every_ms)
    until(page, lambda: step(page) >= at + 5, seconds=30)
    page.wait_for_timeout(1500)
    assert step(page) == at + 5, f"one click every {every_ms} ms"


def test_five_quick_clicks_on_step_of_arms_are_five_steps_of_each(opened, server) -> None:
    page = opened(f"{server}/ablation?arms=full,no-kl&epochs=50")
    train(page)
    page.get_by_role("button", name="Pause").click()
    until(page, lambda: statuses(page) == ["paused", "paused"])
    expect(page.get_by_role("button", name="Resume")).to_be_visible(timeout=30_000)
    page.wait_for_timeout(1500)  # on a busy machine the picture of the pause comes later than its word
    until(page, lambda: at_step(page, "full") == at_step(page, "no KL") >= 0)
    at = at_step(page, "full")
    click_quickly(page, "Step", 100)
    until(page, lambda: at_step(page, "full") == at_step(page, "no KL") >= at + 5, seconds=60)
    page.wait_for_timeout(2000)
    assert at_step(page, "full") == at_step(page, "no KL") == at + 5


def test_branch_can_be_pressed_once_weights_are_kept_and_nothing_else_has_happened(opened, server) -> None:
    page = opened(f"{server}/training?run=mnist-vae-mlp-2")
    expect(more(page, "Branch")).to_be_disabled(timeout=30_000)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("[data-part=status]")).to_have_text("running", timeout=60_000)
    expect(more(page, "Branch")).to_be_enabled(timeout=60_000)
