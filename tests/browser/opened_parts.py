"""What a page has folded away, opened for axe: what unfolds in its place all at once, what lies over it one by one.

Streamlit draws its lists and tooltips alike everywhere: of these the first on a page is opened. What a word of the
glossary says is no element: explained.py sees to it.
"""

from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import serious
from tests.browser.places import EVERY, drawn

# Every expander and <details>, and what a button of ours unfolds; those that are not `seen` by name are opened.
_UNFOLD = f"""(seen) => {{
  const folded = "details:not([open]) > summary, button[aria-expanded=false]:not([aria-haspopup])";
  const name = (e) => location.pathname + " " + e.textContent.trim();
  const found = ({EVERY})().filter((e) => e.matches(folded) && e.checkVisibility() && !seen.includes(name(e)));
  const names = found.map(name);
  found.forEach((e) => e.click());
  return names;
}}"""
POPOVER, LIST, TOOLTIP = "[data-testid=stPopoverBody]", "[role=listbox]", "[data-testid=stTooltipContent]"


def opened_parts(page: Page, seen: set[str]) -> set[str]:
    """What is serious in the parts of a page that are opened, in light and dark; the page is left open.

    Args:
        seen: what was opened before, on this page and others, by name; it grows. Sections share their header.
    """
    page.emulate_media(color_scheme="light")
    wrong: set[str] = set()
    for button in page.locator("[data-testid=stPopover] button").all():
        if button.is_visible() and button.is_enabled() and _is_new(page, _named(page, button), seen):
            button.click()
            wrong |= _look_over(page, POPOVER)
    for kind in ("stSelectbox", "stMultiSelect"):
        field = page.get_by_test_id(kind).locator("input").first
        if field.count() and field.is_enabled() and _is_new(page, kind, seen):
            field.scroll_into_view_if_needed()
            drawn(page)  # a list closes where the page scrolls
            field.press("ArrowDown")
            wrong |= _look_over(page, LIST)
    icon = page.locator("[data-testid=stTooltipIcon] button[aria-label^=Help]:visible").first
    if icon.count() and _is_new(page, "tooltip", seen):
        wrong |= _tooltip(page, icon)
    return wrong | _unfolded(page, seen)


def _named(page: Page, button: Locator) -> str:
    """Every section has a "More" of its own."""
    return f"{page.url.partition('?')[2].partition('&')[0]} {button.inner_text()}"


def _is_new(page: Page, name: str, seen: set[str]) -> bool:
    key = f"{page.url.partition('?')[0]} {name}"
    is_new = key not in seen
    seen.add(key)
    return is_new


def _look_over(page: Page, part: str) -> set[str]:
    """Look at what lies over the page now, and leave it by Escape."""
    shown = page.locator(part).first
    expect(shown).to_be_visible()
    drawn(page)
    wrong = in_both_schemes(page, part)
    page.keyboard.press("Escape")
    expect(shown).to_be_hidden()
    drawn(page)  # the server may be told of it
    return wrong


def _tooltip(page: Page, icon: Locator) -> set[str]:
    icon.hover()
    expect(page.locator(TOOLTIP)).to_be_visible()
    wrong = in_both_schemes(page, TOOLTIP)
    page.mouse.move(0, 0)
    return wrong


def _unfolded(page: Page, seen: set[str]) -> set[str]:
    names = page.evaluate(_UNFOLD, sorted(seen))
    if not names:
        return set()
    seen.update(names)
    drawn(page)
    return in_both_schemes(page, "")


def in_both_schemes(page: Page, part: str) -> set[str]:
    """What is serious of a part as it stands, by all rules in light and by those for colours in dark."""
    wrong = serious(page, within=part)
    page.emulate_media(color_scheme="dark")
    drawn(page)
    wrong |= serious(page, colours=True, within=part)
    page.emulate_media(color_scheme="light")
    return wrong
