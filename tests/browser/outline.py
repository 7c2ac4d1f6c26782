"""What a page is to who does not see it: its headings in order, and what is drawn but has no words."""

from playwright.sync_api import Page

from tests.browser.places import EVERY

Heading = tuple[int, str]

# Headings with their level, of the side bar and of the rest.
_HEADINGS = f"""() => ({EVERY})().filter((e) => /^H[1-6]$/.test(e.tagName) && e.checkVisibility())
  .map((e) => [Number(e.tagName[1]), e.textContent.trim(), Boolean(e.closest("[data-testid=stSidebar]"))])"""

# Pictures, drawings and charts without a name. One within something that has a name and is one thing to a screen reader
# (a button, a link, a role that has no parts) needs none, nor does what is hidden from it; nor what Plotly measures
# letters with. A chart of Plotly's is named as a figure.
_NAMELESS = f"""() => {{
  const up = (e) => e.parentElement ?? e.getRootNode().host;
  const chain = (e) => (e ? [e, ...chain(up(e))] : []);
  const named = (e) => {{
    const ids = (e.getAttribute("aria-labelledby") ?? "").split(/\\s+/).filter(Boolean);
    const texts = [e.getAttribute("aria-label"), e.getAttribute("alt"), e.querySelector(":scope > title")?.textContent];
    return [...texts, ...ids.map((id) => e.getRootNode().getElementById(id)?.textContent)].some((text) => text?.trim());
  }};
  const one = ["img", "button", "link", "slider", "checkbox", "switch", "application", "figure", "option", "radio"];
  const whole = (e) => one.includes(e.getAttribute("role") ?? {{ A: "link", BUTTON: "button" }}[e.tagName]);
  const hidden = (e) => e.getAttribute("aria-hidden") === "true" || e.getAttribute("alt") === "";
  const drawn = (e) => /^(img|svg|canvas)$/i.test(e.tagName) && e.checkVisibility() && e.id !== "js-plotly-tester";
  return ({EVERY})().filter(drawn).filter((e) => {{
    const around = chain(e), [own, ...above] = around;
    if (around.some(hidden) || named(own) || above.some((a) => a.tagName.toLowerCase() === "svg")) return false;
    return !above.some((a) => whole(a) && (named(a) || a.textContent.trim()));
  }}).map((e) => chain(e).slice(0, 4).map((a) => a.outerHTML.match(/^<[^>]*>/)[0].slice(0, 90)).join(" in "));
}}"""


def nameless(page: Page) -> list[str]:
    """What is drawn on the page, visible or below the window, and says nothing to a screen reader."""
    return list(page.evaluate(_NAMELESS))


def misplaced_headings(page: Page) -> list[str]:
    """What is wrong with the headings: not one h1, or a level that is left out; those of the side bar begin with h2."""
    found = page.evaluate(_HEADINGS)
    main = [(level, text) for level, text, aside in found if not aside]
    tops = [text for level, text in main if level == 1]
    wrong = [] if len(tops) == 1 else [f"h1: {tops}"]
    return wrong + _skipped(0, main) + _skipped(1, [(level, text) for level, text, aside in found if aside])


def _skipped(above: int, headings: list[Heading]) -> list[str]:
    befores = [above, *(level for level, _ in headings)]
    return [
        f"h{level} {text!r} below h{b}" for b, (level, text) in zip(befores, headings, strict=False) if level > b + 1
    ]
