"""axe-core on a page, or on a part of it, as it stands: WCAG 2.2 A and AA."""

from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Page

from tests.browser.conftest import ROOT
from tests.browser.places import drawn

AXE = Path(ROOT, "pages/ui/node_modules/axe-core/axe.min.js")  # comes with the linters: `make lint-browser`
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
COLOURS = ("color-contrast", "link-in-text-block")  # the rules to which a scheme of colours makes a difference
SERIOUS = ("serious", "critical")


class Known(NamedTuple):
    """Something serious of Streamlit's own: the rule, the elements, the place where it is sure to be, why it stays."""

    rule: str
    selector: str
    place: str
    why: str


KNOWN: tuple[Known, ...] = ()

# What axe finds in elements that no known one of their rule holds, and which of the known ones were met.
RUN = """async ({ only, known, within }) => {
  const { violations } = await axe.run(within ? { include: [within] } : document, {
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


def run(page: Page, colours: bool = False, within: str = "") -> tuple[list[dict[str, Any]], set[int]]:
    """What axe finds on the page as it stands, and which of KNOWN it met.

    Args:
        colours: by its rules for colours alone. within: a selector, of the part that is looked at.
    """
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    known = [(one.rule, one.selector) for one in KNOWN]
    only = {"type": "rule", "values": COLOURS} if colours else {"type": "tag", "values": RULES}
    result = page.evaluate(RUN, {"only": only, "known": known, "within": within})
    return result["found"], set(result["met"])


def run_settled(page: Page, colours: bool = False, within: str = "") -> tuple[list[dict[str, Any]], set[int]]:
    """As `run`; what is found is looked for once more a second later, as on a busy machine a scheme comes in parts."""
    found, met = run(page, colours, within)
    if not found:
        return found, met
    page.wait_for_timeout(1000)
    drawn(page)
    return run(page, colours, within)


def serious(page: Page, colours: bool = False, within: str = "") -> set[str]:
    """What is serious of it, in words."""
    found = run_settled(page, colours, within)[0]
    return {worded(one) for one in found if one["impact"] in SERIOUS}


def worded(one: dict[str, Any]) -> str:
    return f"{one['id']} ({one['impact']}): {one['at']} {one['html']} {one['why']}"
