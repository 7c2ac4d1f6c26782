"""Both terms switched off by hand, in a real browser: what the switches show is what trains."""

import re

from playwright.sync_api import Page, expect

from tests.browser.test_ablation import arm, train
from tests.browser.test_live_training import more, press_switch, start, status, step, switch, until

SWITCHES = {"Reconstruction": "alpha", "KL": "beta"}
UNCHECK_BOTH = """(arm) => ["alpha", "beta"].map((term) => {
  const box = arm.querySelector(`[data-part=${term}]`);
  box.click();
  return box.checked;
})"""


def said(page: Page):
    return page.get_by_test_id("stAlert").filter(has_text="there is nothing to minimise")


def test_a_run_with_both_terms_off_rests_until_one_is_on(opened, server):
    page = opened(f"{server}/training?epochs=200")
    start(page, beyond=60)
    for name in SWITCHES:  # the second before the first is answered
        press_switch(page, name)
    status(page, "paused")
    expect(said(page)).to_have_text(re.compile(r"the run rests\. Switch one of them on and it goes on\.$"))
    at = step(page)
    page.get_by_role("button", name="Resume").click()
    for button in ("Step", "Epoch"):  # the last one closes the menu
        more(page, button).click()
    page.get_by_text("Take it home").click()  # whose contents come with a later answer of the server
    expect(page.get_by_role("button", name="History (CSV)")).to_be_visible(timeout=30_000)
    status(page, "paused")
    assert step(page) == at
    expect(said(page)).to_have_count(1)
    for name in SWITCHES:
        expect(switch(page, name)).not_to_be_checked()

    press_switch(page, "Reconstruction")
    until(page, lambda: step(page) > at)
    # Whether the first switch was sent alone or with the second: the KL went off where the run rested, not before.
    expect(page.locator("[data-part=marks] li").last).to_have_text(re.compile(f"beta 1 → 0 at step {at}$"))
    expect(said(page)).to_have_count(0)
    expect(page.locator("[data-part=status]")).to_have_text("running")


def test_a_reload_of_a_run_at_rest_shows_the_terms_that_it_would_train_with(opened, server):
    page = opened(f"{server}/training?epochs=200")
    start(page)
    press_switch(page, "KL")
    expect(page.locator("[data-part=marks] li")).to_have_text(re.compile("beta 1 → 0"), timeout=20_000)
    press_switch(page, "Reconstruction")
    status(page, "paused")
    expect(said(page)).to_have_count(1)
    page.wait_for_url(lambda url: "beta=" not in url and "run=" in url)  # no link holds both off
    page.reload()
    status(page, "paused")
    expect(switch(page, "Reconstruction")).to_be_checked()
    expect(switch(page, "KL")).not_to_be_checked()
    expect(said(page)).to_have_count(0)
    at = step(page)
    page.get_by_role("button", name="Resume").click()
    until(page, lambda: step(page) > at)
    expect(page.locator("[data-part=marks] li")).to_have_count(1)


def test_the_last_term_of_an_arm_cannot_be_switched_off(opened, server):
    """Not even before the run has answered to the first switch: the second is locked at once."""
    page = opened(f"{server}/ablation?arms=full&epochs=50")
    train(page)
    full = arm(page, "full")
    until(page, lambda: full.locator("[data-part=alpha]").is_enabled())
    assert full.evaluate(UNCHECK_BOTH) == [False, True]
    locked = full.locator("[data-part=beta]")
    assert locked.is_disabled() and "switch the other one on first" in (locked.get_attribute("title") or "")
    expect(full.locator("[data-part=marks]")).to_contain_text("alpha 1 → 0", timeout=30_000)
    full.locator("[data-part=alpha]").check()
    expect(full.locator("[data-part=marks]")).to_contain_text("alpha 0 → 1", timeout=30_000)
    expect(full.locator("[data-part=alphaNow]")).to_have_text("× 1", timeout=20_000)
    expect(locked).to_be_enabled()
    assert full.locator("[data-part=marks] li").count() == 2  # beta was never touched
    page.get_by_role("button", name="Stop").click()
