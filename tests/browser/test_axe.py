"""axe-core in a real browser: WCAG 2.2 A and AA on every page, section and way, light and dark, desktop and phone.

What axe cannot see is looked for in the same visit: headings in order, a name for all drawings, a focus that shows.

What is serious is a failure. What is Streamlit's own and cannot be cured from here is KNOWN, and only as long as it is.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import ROOT
from tests.browser.keys import walk
from tests.browser.outline import misplaced_headings, nameless
from tests.browser.places import arrived, drawn, go, places

Opened = Callable[..., Page]
AXE = Path(ROOT, "pages/ui/node_modules/axe-core/axe.min.js")  # comes with the linters: `make lint-browser`
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
COLOURS = ("color-contrast", "link-in-text-block")  # the rules to which a scheme of colours makes a difference
SIZES = {"desktop": {"width": 1280, "height": 720}, "phone": {"width": 390, "height": 844}}
SERIOUS = ("serious", "critical")
LEAST_STOPS = 10  # of Tab, on any page: the menu has as many


class Known(NamedTuple):
    """Something serious of Streamlit's own: the rule, the elements, the place where it is sure to be, why it stays."""

    rule: str
    selector: str
    place: str
    why: str


KNOWN: tuple[Known, ...] = ()

# What axe finds in elements that no known one of their rule holds, and which of the known ones were met.
RUN = """async ({ only, known }) => {
  const { violations } = await axe.run(document, {
    runOnly: only, resultTypes: ["violations"], elementRef: true, performanceTimer: false,
  });
  const met = new Set(), found = [];
  for (const { id, impact, nodes } of violations) for (const { element, target, any, all, none, html } of nodes) {
    const own = known.findIndex(([rule, selector]) => rule === id && element.closest(selector));
    if (own >= 0) met.add(own);
    else found.push({ id, impact, at: target.flat().join(" > "), html: html.slice(0, 200),
      why: [...any, ...all, ...none].map(({ message }) => message).join("; ") });
  }
  return { found, met: [...met] };
}"""


def run(page: Page, colours: bool = False) -> tuple[list[dict[str, Any]], set[int]]:
    """What axe finds on the page as it stands, or by its rules for colours alone, and which of KNOWN it met."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    known = [(one.rule, one.selector) for one in KNOWN]
    only = {"type": "rule", "values": COLOURS} if colours else {"type": "tag", "values": RULES}
    result = page.evaluate(RUN, {"only": only, "known": known})
    return result["found"], set(result["met"])


def run_settled(page: Page, colours: bool) -> tuple[list[dict[str, Any]], set[int]]:
    """As `run`; what is found is looked for once more a second later, as on a busy machine a scheme comes in parts."""
    found, met = run(page, colours)
    if not found:
        return found, met
    page.wait_for_timeout(1000)
    drawn(page)
    return run(page, colours)


def visits() -> dict[str, list[str]]:
    """A few places of a page for each test, so that none takes long on a busy machine, by the first of them."""
    return {
        some[0] or "home": some
        for every in places().values()
        for i in range(0, len(every), 3)
        if (some := every[i : i + 3])
    }


@pytest.mark.parametrize("first", visits())
def test_all_can_be_used_by_all(opened: Opened, server: str, first: str) -> None:
    begin = visits()[first][0]
    page = opened(f"{server}/{begin}", reduced_motion="reduce")  # nothing looked at is half way to another colour
    wrong: dict[str, list[str]] = {}
    met: set[int] = set()
    for place in visits()[first]:
        page.set_viewport_size(SIZES["desktop"])  # type: ignore[arg-type]
        page.emulate_media(color_scheme="light")
        if place == begin:
            arrived(page)
        else:
            go(page, f"{server}/{place}")
        stops, lost = walk(page)
        wrong |= {f"{place}: {one}": [] for one in (*misplaced_headings(page), *nameless(page), *lost)}
        assert len(stops) > LEAST_STOPS, place
        for size, scheme in (("desktop", "light"), ("desktop", "dark"), ("phone", "dark"), ("phone", "light")):
            is_new = (size, scheme) in (("desktop", "light"), ("phone", "dark"))
            page.set_viewport_size(SIZES[size])  # type: ignore[arg-type]
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            drawn(page)
            found, known = run_settled(page, colours=not is_new)
            met |= known
            for one in found:
                said = f"{one['id']} ({one['impact']}): {one['at']} {one['html']} {one['why']}"
                if one["impact"] in SERIOUS:
                    wrong.setdefault(said, []).append(f"{place} {size} {scheme}")
                else:
                    print(f"{place} {size} {scheme}: {said}")
    assert not wrong, "\n".join(f"{said} [{', '.join(where)}]" for said, where in wrong.items())
    assert [one for i, one in enumerate(KNOWN) if one.place in visits()[first] and i not in met] == []


SPOILED = """(root) => {
  for (const old of root.querySelectorAll(":scope > :is(img, canvas, h4)")) old.remove();
  root.append(document.createElement("img"), document.createElement("canvas"));
  root.append(Object.assign(document.createElement("h4"), { textContent: "too deep" }));
}"""
FLAT = "* { outline: none !important; box-shadow: none !important; border-color: grey !important; transition: none; }"
FLAT += "* { background-color: white !important; color: black !important; }"


def test_what_is_wrong_is_seen(opened: Opened, server: str) -> None:
    """Also within a component, whose elements are in a shadow root."""
    page = opened(server)
    go(page, server)  # what is added goes where the component is put together once more
    page.locator(".passage").evaluate(SPOILED)
    found, _ = run(page)
    assert [one["id"] for one in found if one["impact"] in SERIOUS] == ["image-alt"]
    page.locator(".passage").evaluate(SPOILED)
    assert misplaced_headings(page) == ["h4 'too deep' below h1"]
    assert [one.split(" in ")[0] for one in nameless(page)] == ["<img>", "<canvas>"]
    assert walk(page)[1] == []
    page.add_style_tag(content=FLAT)
    assert any("The ELBO does not show the focus" in one for one in walk(page)[1])
