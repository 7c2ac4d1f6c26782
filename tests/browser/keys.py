"""What tests of the keyboard share: everything on a page that takes the focus and draws, and what becomes of a key."""

from playwright.sync_api import JSHandle, Page

# Keys that belong to the browser, or to nobody: reload, search, jump by words, back, send, close, a letter.
FOREIGN = ("F5", "Control+r", "Control+f", "Control+ArrowLeft", "Alt+ArrowLeft", "Meta+ArrowUp", "Control+Enter")
FOREIGN += ("Escape", "q")

# Asked last of all, and only then taken, so that no reload ends the test; Tab goes on to the browser.
_RECORD = """() => {
  window.keysTaken = [];
  window.addEventListener("keydown", (event) => {
    if (["Control", "Alt", "Meta", "Shift"].includes(event.key)) return;
    window.keysTaken.push(event.defaultPrevented);
    if (event.key !== "Tab") event.preventDefault();
  });
}"""
_FIND = """() => {
  const drawn = (e) => e.tagName === "CANVAS" || e instanceof SVGElement || e.getAttribute("role") === "application";
  const all = (root) => [...root.querySelectorAll("*")].flatMap((e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]);
  return all(document).filter((e) => e.tabIndex >= 0 && drawn(e) && e.checkVisibility());
}"""
_FOCUSED = """(element) => {
  let active = document.activeElement;
  while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  return active === element;
}"""


def record(page: Page) -> None:
    """From now on `taken` knows of every key of this document; the browser does nothing with them, Tab apart."""
    page.evaluate(_RECORD)


def taken(page: Page, key: str) -> bool:
    """Press a key: whether something on the page took it from the browser."""
    page.keyboard.press(key)
    (was_taken,) = page.evaluate("window.keysTaken.splice(0)")
    return bool(was_taken)


def drawn_and_focusable(page: Page) -> list[JSHandle]:
    """Every canvas, part of an SVG and application on the page that Tab reaches, within shadow roots too."""
    return list(page.evaluate_handle(_FIND).get_properties().values())


def focus(element: JSHandle) -> None:
    element.evaluate("(e) => e.focus({ preventScroll: true })")
    assert element.evaluate(_FOCUSED)


def trapped_by(page: Page, element: JSHandle) -> list[str]:
    """The keys that the element takes though it has no use for them, and the ways on from which it holds the focus."""
    focus(element)
    found = [key for key in FOREIGN if taken(page, key)]
    for key in ("Tab", "Shift+Tab"):
        focus(element)
        if taken(page, key) or element.evaluate(_FOCUSED):
            found.append(key)
    return found


def name(element: JSHandle) -> str:
    return str(element.evaluate("(e) => e.getAttribute('aria-label') ?? e.dataset.part ?? e.tagName"))
