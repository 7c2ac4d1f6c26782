"""The app on a phone: nothing off the edge or too small for a finger, answers in sight, and a swipe is the page's."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, expect

from pages.ablation.settings import SECTIONS as ABLATION
from pages.elbo.settings import SECTIONS as ELBO
from pages.explorer.ways import WAYS
from pages.ui.lecture.scenes import SCENES, scene_query
from tests.browser.conftest import visit
from tests.browser.ways import until

Opened = Callable[..., Page]
Place = tuple[float, float]
AGENT = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
)
PHONE: dict[str, Any] = {"user_agent": AGENT, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
PHONE["viewport"] = {"width": 390, "height": 844}
TWO_SCREENS = 2 * 844
# What a page is opened for, by its address up to the first name in it that is found here.
ANSWERS = {
    "section=kl": ".gaussians svg",
    "section=derivation": ".katex-html",
    "section=bound": ".bound .plane svg",
    "section=reparameterise": ".chance svg",
    "section=code": ".codemap .box",
    "section=bugs": ".js-plotly-plot",
    "section=dose": ".js-plotly-plot",
    "elbo": ".js-plotly-plot",
    "training": ".live canvas",
    "plane": ".onplane canvas",
    "ablation": ".arms canvas",
    "way=codes": ".codeMap",
    "explorer": ".explore .way:not([hidden]) canvas, .explore .way:not([hidden]) svg",
    "family": ".katex-html",
    "check": ".stButton button",
    "": ".passage canvas",
}
MODEL_OF = {"labels": "mnist-cvae-mlp-2", "codes": "mnist-vq"}
# Every place by its address, and the switch that leads there from the one before, where that is the same page.
PLACES: dict[str, str | None] = dict.fromkeys(["", "training", "plane", "family", "check"])
for _page, _key, _labels in (
    ("elbo", "section", ELBO),
    ("ablation", "section", ABLATION),
    ("explorer", "way", {name: way.title for name, way in WAYS.items() if name not in MODEL_OF}),
):
    PLACES |= {f"{_page}?{_key}={name}": label if n else None for n, (name, label) in enumerate(_labels.items())}
PLACES |= dict.fromkeys(f"explorer?way={way}&model={model}" for way, model in MODEL_OF.items())
PLACES |= dict.fromkeys(f"{SCENES[number - 1].page}?{urlencode(scene_query(number))}" for number in (1, 5, 8))
# Of all that is on the page, in shadow roots too: what is cut off at the edge, written too small, too small for a
# finger. A link in a line of text may be as low as the line; what a scale or a label has beside it is that much larger.
FAULTS = """() => {
  const all = (root) => [...root.querySelectorAll("*")].flatMap((e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]);
  const shown = all(document.querySelector(".stMain")).filter((e) =>
    e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !e.closest(".katex-mathml"));
  const box = (e) => e.getBoundingClientRect();
  const name = (e) => `${e.tagName} ${e.dataset.part ?? e.getAttribute("aria-label") ?? e.textContent.slice(0, 40)}`;
  const says = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  const whole = "button, canvas, img, svg, th, td, p, h1, h2, h3, h4, label, select, .katex-html";
  const cut = shown.filter((e) => e.matches(whole) && box(e).width > 1 && !e.parentElement?.closest("svg") &&
    (box(e).right > innerWidth + 1 || box(e).left < -1));
  const tables = shown.filter((e) => e.matches("[data-testid=stTable]") &&
    [...e.querySelectorAll("*")].some((inner) => box(inner).right > box(e).right + 1));
  const small = shown.filter((e) => says(e) && box(e).width > 1 && parseFloat(getComputedStyle(e).fontSize) < 12 &&
    !e.closest(".katex"));
  const pressed = "button, select, summary, .stPageLink a, input[type=range]:not(.stSlider *), label:has(> input)";
  const missed = shown.filter((e) => e.matches(pressed) && box(e).width > 1 &&
    Math.min(box(e).width, box(e).height) < 23.5);
  const scrolled = [document.documentElement, document.querySelector(".stMain")];
  const wide = scrolled.filter((e) => e.scrollWidth > e.clientWidth);
  return Object.fromEntries(Object.entries({ wide, cut, tables, small, missed })
    .map(([fault, found]) => [fault, found.map(name)]).filter(([, found]) => found.length));
}"""
SCROLLED = "() => document.querySelector('[data-testid=stMain]').scrollTop"
NO_CLIPBOARD = """() => {
  Object.defineProperty(navigator, "clipboard", { value: undefined });
  document.execCommand = () => false;
}"""
SAYS = "(element) => element.innerText"
DRAWN = "(canvas) => canvas.toDataURL()"
TO_THE_MIDDLE = "(element) => element.scrollIntoView({ block: 'center', behavior: 'instant' })"


def answer_of(place: str) -> str:
    return next(selector for name, selector in ANSWERS.items() if name in place)


def faults(page: Page) -> dict[str, list[str]]:
    found: dict[str, list[str]] = page.evaluate(FAULTS)
    return found


def middle(element: Locator, x: float = 0.5, y: float = 0.5) -> Place:
    """A place of an element, as shares of its box."""
    box = element.bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


class Finger:
    """Touches as the device sends them: what scrolls is the browser's."""

    def __init__(self, page: Page) -> None:
        self.page, self.line = page, page.context.new_cdp_session(page)

    def send(self, kind: str, *places: Place) -> None:
        self.line.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in places]})

    def press(self, at: Place, rest: int = 0) -> None:
        self.at = at
        self.send("touchStart", at)
        self.page.wait_for_timeout(rest)

    def move(self, dx: float, dy: float) -> None:
        x, y = self.at
        for step in range(1, 9):
            self.send("touchMove", (x + dx * step / 8, y + dy * step / 8))
            self.page.wait_for_timeout(16)
        self.at = (x + dx, y + dy)

    def lift(self) -> None:
        self.send("touchEnd")
        self.page.wait_for_timeout(150)


def visit_all(page: Page, server: str) -> Iterator[tuple[str, Locator]]:
    """Go from place to place in a window at Home; each with what it is opened for, once that is there."""
    for place, switch in PLACES.items():
        if place and switch is None:
            visit(page, f"{server}/{place}")
        elif switch:
            page.get_by_role("radio", name=switch, exact=True).first.tap()
            page.wait_for_url(re.compile(re.escape(place.split("?")[1])), timeout=30_000)
        answer = page.locator(answer_of(place)).filter(visible=True).first
        answer.wait_for(timeout=30_000)
        page.wait_for_timeout(300)  # what stands above it has its height
        page.locator(".stMain").evaluate("(main) => main.scrollTo(0, 0)")
        yield place, answer


def test_every_place_fits_and_answers_within_two_screens(opened: Opened, server: str) -> None:
    page = opened(f"{server}/", **PHONE)
    found: dict[str, Any] = {}
    for place, answer in visit_all(page, server):
        problems: dict[str, Any] = faults(page)
        if (begins := middle(answer, y=0)[1]) > TWO_SCREENS:
            problems["begins"] = begins
        if problems:
            found[place] = problems
    assert found == {}


def test_the_way_to_the_other_pages_has_a_name(opened: Opened, server: str) -> None:
    page = opened(f"{server}/elbo?section=evidence&digit=7", **PHONE)
    menu = page.get_by_test_id("stExpandSidebarButton")
    expect(menu).to_be_visible()
    assert menu.evaluate("(e) => getComputedStyle(e, '::after').content") == '"Pages and settings"'
    box = menu.bounding_box()
    assert box is not None and box["width"] > 100 and box["height"] >= 40
    x = page.locator(".st-key-at-hand img")
    expect(x).to_have_attribute("alt", "x, test image 0, a 7")
    page.locator(".stMain").evaluate("(main) => main.scrollTo(0, main.scrollHeight)")
    place = x.bounding_box()
    assert place is not None and place["y"] >= 0 and place["y"] + place["height"] <= 60 and place["width"] >= 44
    at = "(e) => document.elementFromPoint(e.getBoundingClientRect().x + 9, e.getBoundingClientRect().y + 9) === e"
    assert x.evaluate(at)
    menu.tap()
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Explorer").tap()
    expect(page.locator(".explore[data-ready]:not([data-ready=''])")).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("stSidebarNavLink").first).not_to_be_in_viewport()  # it closes behind whoever went
    assert menu.evaluate("(e) => getComputedStyle(e, '::after').content") == '"Pages"'
    expect(page.locator(".st-key-at-hand img")).to_have_count(0)
    page.go_back()
    page.locator(".st-key-at-hand img").wait_for()
    page.goto(f"{server}/elbo?section=evidence&digit=7&scene=1")
    page.get_by_role("button", name="Answer").tap()
    answer = page.get_by_test_id("stPopoverBody")
    expect(answer).to_be_visible()
    left, width = (answer.bounding_box() or {})["x"], (answer.bounding_box() or {})["width"]
    assert left >= 0 and left + width <= 390


class Plane:
    """A map in the middle of the window, and what shows where its point is."""

    def __init__(self, page: Page, drawing: str, shown: str, read: str) -> None:
        self.page, self.drawing, self.shown, self.read = page, page.locator(drawing), page.locator(shown), read
        self.drawing.wait_for(timeout=30_000)
        page.wait_for_timeout(1500)  # weights and codes are here

    def where(self) -> str:
        return str(self.shown.evaluate(self.read))

    def at(self, x: float, y: float) -> Place:
        self.drawing.evaluate(TO_THE_MIDDLE)
        self.page.wait_for_timeout(100)
        return middle(self.drawing, x, y)

    def leaves(self, place: str) -> str:
        """Where the point is, once it is drawn elsewhere: a busy machine needs a while."""
        until(self.page, lambda: self.where() != place)
        self.page.wait_for_timeout(200)
        return self.where()

    def is_held(self) -> bool:
        look = "(e) => e.classList.contains('held') && getComputedStyle(e).outlineStyle === 'solid'"
        return bool(self.drawing.evaluate(look))


# By page: where the plane is, what shows where its point is, and how that is read.
PLANES = {
    "": (".passage .over", ".passage [data-part=z]", SAYS),
    "explorer?way=pad": (".explore .over", ".explore [data-part=z]", SAYS),
    "ablation": (".arms .over >> nth=0", ".arms .over >> nth=0", DRAWN),
    "elbo?section=evidence": (".transform svg.pad", ".transform [data-part=probe]", SAYS),
}


def test_a_swipe_over_a_map_scrolls_and_a_finger_takes_hold_by_the_point_or_by_resting(
    opened: Opened, server: str
) -> None:
    page = opened(f"{server}/", **PHONE)
    finger = Finger(page)
    for place, found in PLANES.items():
        if place:  # the window opens at Home
            visit(page, f"{server}/{place}")
        plane = Plane(page, *found)
        start, begins = plane.at(0.8, 0.75), plane.where()
        before = page.evaluate(SCROLLED)
        finger.press(start)
        finger.move(4, 140 if before > 140 else -140)
        finger.lift()
        assert abs(page.evaluate(SCROLLED) - before) > 60, place
        assert plane.where() == begins, place

        start = plane.at(0.3, 0.3)
        before = page.evaluate(SCROLLED)
        finger.press(start, rest=400)
        assert plane.is_held(), place
        finger.move(20, 70)
        finger.lift()
        assert not plane.is_held() and page.evaluate(SCROLLED) == before, place
        held = plane.leaves(begins)

        finger.press((finger.at[0] + 8, finger.at[1] - 8))  # beside the point, and within what a finger can hit
        assert plane.is_held(), place
        finger.move(30, -50)
        finger.lift()
        assert plane.leaves(held) not in (begins, held) and page.evaluate(SCROLLED) == before, place


def test_a_link_is_copied_by_a_finger_or_there_to_copy(opened: Opened, server: str) -> None:
    page = opened(f"{server}/explorer?way=pad", **PHONE, permissions=["clipboard-read", "clipboard-write"])
    copy = page.get_by_role("button", name="Copy link")
    copy.tap(timeout=30_000)
    expect(page.locator(".copylink [role=status]")).to_have_text("Link copied.")
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    page.evaluate(NO_CLIPBOARD)
    copy.tap()
    field = page.locator(".copylink [data-part=address]")
    expect(field).to_be_visible()
    expect(field).to_have_value(page.url)
    assert field.evaluate("(e) => e.selectionEnd - e.selectionStart === e.value.length")
    assert faults(page) == {}
