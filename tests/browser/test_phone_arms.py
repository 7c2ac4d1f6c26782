"""Drop a term on a phone: maps that can be read, a bar that stays free, and what lies over the page hides nothing."""

import re
from collections.abc import Callable
from itertools import combinations

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import visit
from tests.browser.test_ablation import arm, at_step, pill
from tests.browser.test_phone import PHONE, SCROLLED, TO_THE_MIDDLE, Finger, faults, middle
from tests.browser.ways import until

Opened = Callable[..., Page]
Box = tuple[float, float, float, float]
ARMS = ("full", "no KL", "no reconstruction")
# The words that a map draws from now on, as left, top, right, bottom in pixels of its canvas; the first is "1σ". Names
# of classes, which are larger, stand where the codes are.
LISTEN = """() => {
  const draw = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    const m = this.measureText(text);
    if (text === "1σ") this.canvas.said = [];
    if (!/^[0-9]$/.test(text) || !this.font.includes("bold"))
      this.canvas.said?.push([text, x - m.actualBoundingBoxLeft, y - m.actualBoundingBoxAscent,
        x + m.actualBoundingBoxRight, y + m.actualBoundingBoxDescent]);
    return draw.call(this, text, x, y);
  };
}"""
# The parts of the bar in whose middle something else lies.
COVERED = """(bar) => [...bar.querySelectorAll("button, input, output")].filter((e) => {
  const { left, top, width, height } = e.getBoundingClientRect();
  return e.checkVisibility() && e.getRootNode().elementFromPoint(left + width / 2, top + height / 2) !== e;
}).map((e) => e.dataset.part)"""
# Whatever is read, pressed or looked at in the arms, but for what lies over a map on purpose: its name and its box.
SEEN = """(arms) => [...arms.querySelectorAll(".arm :is(h3, h4, p, button, canvas)")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.matches(".over") && !e.closest(".numbers > *"))
  .map((e) => [e.dataset.part ?? e.className ?? e.innerText, e.getBoundingClientRect()])
  .filter(([, box]) => box.width && box.height)
  .map(([name, { left, top, right, bottom }]) => [name, [left, top, right, bottom]])"""

CUT = """(all) => all.flatMap((one) => [one, ...one.querySelectorAll("*")])
  .filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.innerText)"""


def box_of(element: Locator) -> Box:
    box = element.bounding_box()
    assert box is not None
    return box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]


def overlap(named: list[tuple[str, Box]], slack: float = 1) -> list[tuple[str, str]]:
    """The names of those whose boxes share more than a line."""
    share = lambda a, b, axis: min(a[axis + 2], b[axis + 2]) - max(a[axis], b[axis])  # noqa: E731
    pairs = combinations(named, 2)
    return [(one, two) for (one, a), (two, b) in pairs if min(share(a, b, 0), share(a, b, 1)) > slack]


def words_over_one_another(page: Page, name: str) -> list[tuple[str, str]]:
    said = arm(page, name).locator("canvas[data-part=map]").evaluate("(c) => c.said ?? []")
    assert "3σ" in [text for text, *_ in said]
    return overlap([(text, tuple(box)) for text, *box in said])


def parts_over_one_another(page: Page) -> list[tuple[str, str]]:
    return overlap(page.locator(".arms").evaluate(SEEN), slack=2)


def play_and_predict(page: Page) -> None:
    """The film that ships; a question leaves its bar free, and the first map in sight."""
    page.locator("[data-part=play]").tap()
    asked, bar = page.locator(".st-key-arms-question > *").first, page.locator(".arms .scrubber")
    for answer in ("B: ", "one point at 0"):
        button = asked.get_by_role("button", name=answer)
        expect(button).to_be_in_viewport(ratio=1)
        until(page, lambda: bar.evaluate(COVERED) == [])
        assert overlap([("bar", box_of(bar)), ("question", box_of(asked))]) == []
        assert box_of(bar)[1] < 120 and box_of(asked)[3] <= 845
        button.tap()
    until(page, lambda: at_step(page, "no KL") > 400)
    until(page, lambda: bar.evaluate(COVERED) == [])


def test_a_term_is_dropped_by_a_finger(opened: Opened, server: str) -> None:
    page = opened(f"{server}/ablation?scene=5", **PHONE)
    until(page, lambda: at_step(page, "no KL") == 0)
    page.evaluate(LISTEN)
    play_and_predict(page)
    maps_can_be_read(page)
    verdicts_are_seen_together(page)
    assert faults(page) == {}
    why_is_unfolded_and_folded(page)
    no_map_moves_under_the_finger(page)
    a_tap_beside_a_popover_presses_nothing(page)
    visit(page, f"{server}/ablation?ask=0&step=470")  # without predictions there is more to be said
    until(page, lambda: at_step(page, "no KL") > 400)
    no_map_moves_under_the_finger(page)
    expect(arm(page, "no KL").locator("[data-part=details]")).to_be_visible()
    expect(arm(page, "full").locator("[data-part=details]")).to_be_hidden()


def maps_can_be_read(page: Page) -> None:
    for name in ARMS:
        canvas = arm(page, name).locator("canvas[data-part=map]")
        canvas.evaluate(TO_THE_MIDDLE)
        left, _, right, _ = box_of(canvas)
        assert right - left >= 200 and left >= 0 and right <= 390, name
        until(page, lambda name=name: words_over_one_another(page, name) == [])
    assert parts_over_one_another(page) == []


def verdicts_are_seen_together(page: Page) -> None:
    verdicts = page.locator(".arms [data-part=verdict]").filter(visible=True)
    expect(verdicts).to_have_text(["Wrong.", "Right."])
    verdicts.first.evaluate(TO_THE_MIDDLE)
    page.locator(".stMain").evaluate("(main, by) => main.scrollBy(0, by)", box_of(verdicts.first)[1] - 200)
    for verdict in verdicts.all():
        expect(verdict).to_be_in_viewport(ratio=1)


def why_is_unfolded_and_folded(page: Page) -> None:
    """It pushes what is below it; a tap and Escape take it away."""
    why, because = (arm(page, "no KL").locator(f"[data-part={part}]") for part in ("why", "because"))
    below = arm(page, "no reconstruction")
    begins = box_of(below)[1] - box_of(why)[1]
    for fold in (why.tap, lambda: page.keyboard.press("Escape")):
        why.tap()
        expect(because).to_be_in_viewport(ratio=1)
        height = box_of(because)[3] - box_of(because)[1]
        assert height > 40 and abs(box_of(below)[1] - box_of(why)[1] - begins - height) < 2
        assert parts_over_one_another(page) == []
        fold()
        expect(because).to_be_hidden()
        expect(why).to_have_attribute("aria-expanded", "false")
    assert abs(box_of(below)[1] - box_of(why)[1] - begins) < 1


def no_map_moves_under_the_finger(page: Page) -> None:
    """What is decoded in all arms has its room, whatever is said of it."""
    over = arm(page, "no KL").locator("canvas[data-part=over]")
    over.evaluate(TO_THE_MIDDLE)
    page.wait_for_timeout(200)
    before, finger = (box_of(over), page.evaluate(SCROLLED)), Finger(page)
    finger.press(middle(over, 0.3, 0.4), rest=400)
    expect(arm(page, "full").locator("[data-part=probe]")).to_be_visible(timeout=30_000)
    for move in ((90, 0), (30, -40), (-150, 100)):
        finger.move(*move)
        page.wait_for_timeout(200)
        assert (box_of(over), page.evaluate(SCROLLED)) == before
        assert parts_over_one_another(page) == []
    finger.lift()


def a_tap_beside_a_popover_presses_nothing(page: Page) -> None:
    popover, other = page.get_by_test_id("stPopoverBody"), pill(page, "plain autoencoder")
    page.locator(".stMain").evaluate("(main) => main.scrollTo(0, 0)")
    page.get_by_role("button", name="More").tap()
    expect(popover).to_be_visible()
    place = middle(other)
    page.touchscreen.tap(*place)
    expect(popover).to_have_count(0)
    page.wait_for_timeout(500)  # in which a press would have been answered
    assert "autoencoder" not in page.url
    page.touchscreen.tap(*place)
    page.wait_for_url(re.compile("autoencoder"))
    expect(page.locator(".arms .arm")).to_have_count(4)


def test_a_list_shows_names_to_their_ends(opened: Opened, server: str) -> None:
    page = opened(f"{server}/explorer", **PHONE)
    page.get_by_role("combobox", name="Model").tap()
    options = page.get_by_role("option")
    expect(options.filter(has_text="3 latents, beta 4")).to_be_visible()
    assert options.evaluate_all(CUT) == []
    left, _, right, _ = box_of(page.get_by_test_id("stSelectboxVirtualDropdown"))
    assert left >= 0 and right <= 390
