"""What comes up at a press, to axe: a question, the field of a link; and that axe sees what was opened.

What a page has folded away is opened on every page, where test_axe.py is there already: see opened_parts.py.
"""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.opened_parts import TOOLTIP, in_both_schemes, opened_parts
from tests.browser.places import EVERY, arrived, drawn

Opened = Callable[..., Page]
# An image without words in all that is opened from now on.
SPOIL = f"""() => new MutationObserver(() => {{
  const opened = "[data-testid=stPopoverBody], [data-testid=stTooltipContent], details[open]";
  for (const e of ({EVERY})().filter((e) => e.matches(opened) && !e.querySelector("img.spoiled")))
    e.append(Object.assign(document.createElement("img"), {{ className: "spoiled", width: 9, height: 9 }}));
}}).observe(document, {{ subtree: true, childList: true, attributes: true, attributeFilter: ["open"] }})"""
REFUSE = """() => {
  Object.defineProperty(navigator, "clipboard", { value: undefined });
  document.execCommand = () => false;
}"""


def test_what_comes_up_can_be_used_by_all(opened: Opened, server: str) -> None:
    """The address where it cannot be copied; the question before arms are trained, which no tooltip covers."""
    page = opened(f"{server}/ablation?arms=full,no-reconstruction&hands=1", reduced_motion="reduce")
    arrived(page)
    page.evaluate(REFUSE)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("textbox", name="address of what is on the page")).to_be_visible()
    wrong = in_both_schemes(page, ".st-key-copy-link")
    train = page.get_by_role("button", name="Train live")
    train.hover()
    expect(page.locator(TOOLTIP)).to_be_visible()
    train.click()
    expect(page.locator(TOOLTIP)).to_be_hidden()  # the pointer is there still
    expect(page.get_by_text("What will happen?").first).to_be_visible()
    drawn(page)
    wrong |= in_both_schemes(page, ".st-key-arms-question")
    assert not wrong, "\n".join(wrong)


def test_what_is_wrong_in_an_opened_part_is_seen(opened: Opened, server: str) -> None:
    page = opened(f"{server}/explorer", reduced_motion="reduce")
    arrived(page)
    page.evaluate(SPOIL)
    seen: set[str] = set()
    found = opened_parts(page, seen)
    assert any("Open a model" in name for name in seen) and len(seen) > 2
    places = [one for one in found if one.startswith("image-alt")]
    for part in ("stPopoverBody", "stTooltipContent", ".explore", "details"):
        assert any(part in one for one in places), (part, found)
