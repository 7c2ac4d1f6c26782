"""What a page has folded away, to axe: expanders, popovers, lists, tooltips; a question, the field of a link."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LECTURERS_KEY
from tests.browser.opened_parts import POPOVER, TOOLTIP, in_both_schemes, opened_parts
from tests.browser.places import arrived, drawn, go, places

Opened = Callable[..., Page]
# Of every page the addresses that have something of their own to open. Left out is what is slow to compute and no more
# than a chart and a text: "With many latents" of The ELBO.
VISITS = {
    "elbo": (
        "elbo?section=derivation",
        "elbo?section=reparameterise&reparameterise=estimators",
        "elbo?section=reparameterise&reparameterise=autograd",
        "elbo?section=likelihood&likelihood=sigma",
    ),
    "ablation": ("ablation?section=arms&equal=1", "ablation?section=bugs", "ablation?section=dose"),
    "explorer": ("explorer", "family", "plane", f"room?key={LECTURERS_KEY}"),
    "training": ("training",),
}
NOTHING = {"home", "check"}  # is folded there
REFUSE = """() => {
  Object.defineProperty(navigator, "clipboard", { value: undefined });
  document.execCommand = () => false;
}"""
SPOIL = """(root) => root.append(Object.assign(document.createElement("img"), { width: 9, height: 9 }))"""


@pytest.mark.parametrize("first", VISITS)
def test_what_is_folded_away_can_be_used_by_all(opened: Opened, server: str, first: str) -> None:
    page = opened(f"{server}/{VISITS[first][0]}", reduced_motion="reduce")
    wrong: set[str] = set()
    seen: set[str] = set()
    for place in VISITS[first]:
        if place == VISITS[first][0]:
            arrived(page)
        else:
            go(page, f"{server}/{place}")
        wrong |= opened_parts(page, seen)
    assert seen and not wrong, "\n".join(wrong)


def test_no_page_is_left_out() -> None:
    assert {place.partition("?")[0] for some in VISITS.values() for place in some} | NOTHING == set(places())


def test_what_comes_up_can_be_used_by_all(opened: Opened, server: str) -> None:
    """The address where it cannot be copied; the question before arms are trained."""
    page = opened(f"{server}/ablation?arms=full,no-reconstruction&hands=1", reduced_motion="reduce")
    arrived(page)
    page.evaluate(REFUSE)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("textbox", name="address of what is on the page")).to_be_visible()
    wrong = in_both_schemes(page, ".st-key-copy-link")
    page.get_by_role("button", name="Train live").click()
    expect(page.get_by_text("What will happen?").first).to_be_visible()
    drawn(page)
    wrong |= in_both_schemes(page, ".st-key-arms-question")
    assert not wrong, "\n".join(wrong)
    page.locator(".st-key-arms-question").evaluate(SPOIL)
    assert any(one.startswith("image-alt") for one in in_both_schemes(page, ".st-key-arms-question"))
    page.keyboard.press("Escape")
    page.get_by_test_id("stPopover").get_by_role("button", name="More").click()
    page.locator(POPOVER).evaluate(SPOIL)
    assert any(one.startswith("image-alt") for one in in_both_schemes(page, POPOVER))


def test_a_tooltip_goes_at_the_press(opened: Opened, server: str) -> None:
    page = opened(f"{server}/elbo?section=derivation", reduced_motion="reduce")
    image = page.get_by_role("button", name="Another image")
    image.hover()
    expect(page.locator(TOOLTIP)).to_be_visible()
    image.click()
    drawn(page)
    expect(page.locator(TOOLTIP)).to_be_hidden(timeout=2000)  # the pointer is there still
