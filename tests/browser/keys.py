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


# What shows the focus may be around the element (a frame of Streamlit's) or within it (the knob of a handle).
_LOOKS = """() => (window.looksOf = (e) => {
  const up = (e) => e?.parentElement ?? e?.getRootNode().host;
  const around = [e, up(e), up(up(e)), up(up(up(e)))].filter((a) => a && a !== document.body);
  const beside = [...(e.parentElement?.children ?? []), ...(e.closest("label")?.querySelectorAll("*") ?? [])];
  const within = [...e.querySelectorAll("*")].slice(0, 12);
  return JSON.stringify([...around, ...within, ...beside.slice(0, 12)].map((part) => {
    const s = getComputedStyle(part), after = getComputedStyle(part, "::after");
    const line = s.outlineStyle === "none" ? "" : [s.outlineStyle, s.outlineWidth, s.outlineColor];
    return [line, s.boxShadow, s.borderColor, s.backgroundColor, s.stroke, s.strokeWidth, after.boxShadow, s.color];
  }));
}) && null"""
# Where the focus is, and whether what had it before looks the same without it.
_STOP = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  const data = (e) => [e.dataset?.part, e.dataset?.testid], text = (e) => e.textContent?.trim().slice(0, 30);
  const told = (e) =>
    [e.tagName, e.getAttribute("role"), ...data(e), e.getAttribute("aria-label"), text(e)].filter(Boolean).join(" ");
  const before = window.stopBefore, first = (window.firstStop ??= at);
  if (before?.at.isConnected && before.at !== at && looksOf(before.at) === before.looks)
    window.unmarked.push({ at: before.at, name: told(before.at) });
  const out = !at || at === document.body || Boolean(before && at === first);
  window.stopBefore = out ? null : { at, looks: looksOf(at) };
  return { name: told(at ?? document.body), out, held: before?.at === at };
}"""
# Those that looked the same are asked again: the next stop may have been in the same frame, or a colour on its way.
_UNMARKED = """async () => {
  const drawn = () => new Promise((rest) => requestAnimationFrame(() => requestAnimationFrame(rest)));
  const later = () => new Promise((rest) => setTimeout(rest, 300));
  const same = async (at, shown) => {
    at.focus();
    await shown();
    const looks = looksOf(at);
    at.blur();
    await shown();
    return at.isConnected && looksOf(at) === looks;
  };
  const found = [];
  for (const { at, name } of window.unmarked)
    if ((await same(at, drawn)) && (await same(at, later))) found.push(name);
  return found;
}"""


def walk(page: Page, most: int = 400) -> tuple[list[str], list[str]]:
    """Press Tab from the beginning until the focus leaves the page: the stops, and what is wrong with them.

    Wrong is a stop that looks as it does without the focus, one that holds it, and a page without an end.
    """
    page.evaluate(_LOOKS)
    page.evaluate(
        "() => { document.activeElement?.blur(); window.unmarked = []; window.stopBefore = window.firstStop = null }"
    )
    stops: list[str] = []
    while len(stops) < most:
        page.keyboard.press("Tab")
        stop = page.evaluate(_STOP)
        if stop["out"]:
            break
        if stop["held"]:
            return stops, [f"{stop['name']} holds the focus"]
        stops.append(stop["name"])
    else:
        return stops, [f"no end after {most} stops"]
    return stops, [f"{name} does not show the focus" for name in page.evaluate(_UNMARKED)]
