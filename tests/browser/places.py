"""Every page, section, look and way there is, as addresses: from the app's own tables, so that a new one is among them.

And what tests ask there of every element, those within shadow roots too.
"""

import functools
from pathlib import Path

from playwright.sync_api import Page

from pages.ablation import settings as ablation
from pages.check.questions import QUESTIONS
from pages.elbo import settings as elbo
from pages.explorer.ways import WAYS, ways_of
from pages.ui import shipped
from tests.browser.conftest import LECTURERS_KEY, ROOT, visit
from vae_core.models import family

PARTS = {"reparameterise": elbo.LOOKS, "likelihood": elbo.COSTS}  # of a section of The ELBO
OPEN = {"arms": "&equal=1", "dose": "&sizes=1&cures=1"}  # what a section of Ablation has folded

# Every element of the document, in order, also within open shadow roots.
EVERY = """(root = document) => {
  const all = (root) => [...root.querySelectorAll("*")].flatMap((e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]);
  return all(root);
}"""
# Every component has drawn, in the colours of the theme, and nothing is on its way.
_DRAWN = f"""() => {{
  const app = document.querySelector("[data-testid=stApp]"), every = ({EVERY})();
  const told = "[data-testid=stSpinner], [data-part=message]:not([hidden])", empty = "[data-testid=stSkeleton]";
  const busy = (e) => e.matches(empty) || (e.matches(told) && e.textContent.trim());
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const count = every.length, [was, times] = window.elementsBefore ?? [0, 0];
  window.elementsBefore = [count, count === was ? times + 1 : 0];
  return window.elementsBefore[1] >= 2 && app.dataset.testScriptState === "notRunning"
    && every.every((e) => !e.dataset?.background || e.classList.contains("dark") === dark)
    && !every.some((e) => busy(e) && e.checkVisibility());
}}"""


@functools.cache
def places() -> dict[str, list[str]]:
    """Of each page the addresses at which all of it is seen, without the server's."""
    found = {file.parent.name: [file.parent.name] for file in sorted(Path(ROOT, "pages").glob("*/page.py"))}
    found["home"] = ["", "?present=1"]
    found["elbo"] = [f"elbo?section={section}{part}" for section in elbo.SECTIONS for part in _parts(section)] + [
        "elbo?scene=1"
    ]
    found["ablation"] = [f"ablation?section={name}{OPEN.get(name, '')}" for name in ablation.SECTIONS]
    found["explorer"] = [f"explorer?model={_model(way)}&way={way}" for way in WAYS]
    found["check"] = ["check", "check?a1=1", f"check?question={len(QUESTIONS) + 1}"]
    found["room"] = [f"room?key={LECTURERS_KEY}"]
    return found


def _parts(section: str) -> list[str]:
    return [f"&{section}={part}" for part in PARTS.get(section, ())] or [""]


def _model(way: str) -> str:
    """The first shipped model that can be explored so."""
    names = [shipped.PLANE, *shipped.cards()]
    return next(name for name in names if way in ways_of(family(shipped.cards()[name]["config"]["model"]).has))


def go(page: Page, url: str) -> None:
    """Go there, and wait until all of it is drawn."""
    visit(page, url)
    arrived(page)


def arrived(page: Page) -> None:
    """Wait until all of a page that has just been opened is drawn."""
    page.wait_for_load_state("networkidle")
    drawn(page)


def drawn(page: Page) -> None:
    """Wait until nothing of the page is on its way."""
    page.evaluate("() => { window.elementsBefore = undefined }")
    page.wait_for_function(_DRAWN, polling=150, timeout=60_000)
