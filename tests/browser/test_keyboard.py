"""The keyboard holds nobody: what draws and takes the focus acts on its own keys and leaves all others alone."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import JSHandle, Page, expect

from tests.browser.handwriting import DIGITS, draw
from tests.browser.keys import drawn_and_focusable, focus, name, record, taken, trapped_by
from tests.browser.test_ablation import arm, at_step
from tests.browser.test_explorer import PLANE, explorer, part, z_of
from tests.browser.test_live_training import more, start, status, until

Opened = Callable[..., Page]
# What is known to take the focus in each way: the map, and sheets of pictures or the drawing canvas.
WAYS = {"Pad": 1, "Encode": 3, "Interpolate": 1, "Arithmetic": 1, "Traverse": 3, "Prior": 2}
HANDLES = {"evidence": 1, "bound": 3, "kl": 4}


def all_free(page: Page, least: int) -> list[JSHandle]:
    """What draws and takes the focus, at least so many; none of it holds the focus or a key that it has no use for."""
    until(page, lambda: len(drawn_and_focusable(page)) >= least, seconds=30)
    found = drawn_and_focusable(page)
    assert [(name(element), held) for element in found if (held := trapped_by(page, element))] == []
    return found


def test_the_explorer_holds_nobody(opened: Opened, server: str) -> None:
    page = explorer(opened, server)
    record(page)
    for way, least in WAYS.items():
        # wherever the page is scrolled to: its own header may lie over it
        page.get_by_test_id("stButtonGroup").get_by_text(way, exact=True).evaluate("(button) => button.click()")
        expect(page.locator(f".explore [data-way={way.lower()}]")).to_be_visible()
        found = all_free(page, least)
        for sheet in found:
            if "arrow keys move from picture to picture" in name(sheet):
                steps_through(page, sheet)


def steps_through(page: Page, sheet: JSHandle) -> None:
    """An arrow shows the cursor, Escape takes it away again, and only then Escape means nothing here."""
    focus(sheet)
    seen = "(e) => !e.parentElement.querySelector('.cursor').hidden"
    assert taken(page, "ArrowRight") and sheet.evaluate(seen)
    assert not taken(page, "Shift+ArrowRight")
    assert taken(page, "Escape") and not sheet.evaluate(seen)
    assert not taken(page, "Escape")


def test_the_map_of_the_explorer_acts_on_its_own_keys_only(opened: Opened, server: str) -> None:
    page = explorer(opened, server)
    record(page)
    part(page, "over").focus()
    for key in ("Control+ArrowRight", "Alt+ArrowUp", "Shift+Home", "Control+Home", "Backspace", "Shift+Enter"):
        assert not taken(page, key), key
    assert np.array_equal(z_of(page), [0, 0])
    assert taken(page, "ArrowRight") and taken(page, "Shift+ArrowUp")
    until(page, lambda: np.allclose(z_of(page), [0.1, 0.01], atol=1e-6))
    expect(part(page, "back")).to_be_enabled()  # it has come to rest
    for key, z in (("Home", [0, 0]), ("Backspace", [0.1, 0.01])):
        assert taken(page, key)
        until(page, lambda z=z: np.allclose(z_of(page), z, atol=1e-6))
    assert taken(page, "Enter")
    expect(page.locator(".explore .pins figure")).to_have_count(1)
    part(page, "over").click()  # nor does a click that gives it the focus hold anybody
    expect(page.locator(".explore .pins figure")).to_have_count(2)
    assert not any(taken(page, key) for key in ("F5", "Control+f", "Tab"))
    expect(part(page, "over")).not_to_be_focused()


def test_the_drawing_takes_back_a_stroke_and_no_other_key(opened: Opened, server: str) -> None:
    page = explorer(opened, server, PLANE, "&way=encode")
    record(page)
    paper, undo = part(page, "paper"), page.get_by_role("button", name="Undo stroke")
    paper.focus()
    assert not taken(page, "Control+z")  # nothing to take back
    draw(page, paper, [DIGITS[1][0]])
    expect(undo).to_be_enabled()
    assert not any(taken(page, key) for key in ("Control+Shift+z", "Control+Alt+z", "z"))
    expect(undo).to_be_enabled()
    assert taken(page, "Control+z")
    expect(undo).to_be_disabled()


@pytest.mark.parametrize("section", HANDLES)
def test_the_handles_of_the_lesson_hold_nobody(opened: Opened, server: str, section: str) -> None:
    page = opened(f"{server}/elbo?section={section}")
    record(page)
    for handle in all_free(page, HANDLES[section]):
        focus(handle)
        before = said_of(handle)
        assert not taken(page, "Alt+ArrowRight") and not taken(page, "Control+ArrowRight")
        page.wait_for_timeout(50)  # some frames
        assert said_of(handle) == before
        the_same_by_mouse(page, handle)


def the_same_by_mouse(page: Page, handle: JSHandle) -> None:
    """Arrow keys move it, and back; a drag to where they had led comes to the same."""
    handle.evaluate("(e) => e.scrollIntoView({ block: 'center' })")
    before, start = numbers_of(handle), middle(page, handle)
    for _ in range(5):
        assert taken(page, "ArrowRight")
    until(page, lambda: not np.array_equal(numbers_of(handle), before), seconds=5)
    end, by_keys = middle(page, handle), numbers_of(handle)
    for _ in range(5):
        assert taken(page, "ArrowLeft")
    until(page, lambda: np.array_equal(numbers_of(handle), before), seconds=5)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()
    close = 0.1 * np.abs(by_keys - before).max() + 0.006  # what a pixel is, and two digits
    until(page, lambda: np.allclose(numbers_of(handle), by_keys, atol=close), seconds=5)


def middle(page: Page, handle: JSHandle) -> tuple[float, float]:
    """Of its knob on the page, once it is drawn."""
    page.wait_for_timeout(50)
    box = "(e) => { const b = e.querySelector('.knob').getBoundingClientRect(); return [b.x, b.y, b.width, b.height] }"
    x, y, width, height = handle.evaluate(box)
    return x + width / 2, y + height / 2


def numbers_of(handle: JSHandle) -> np.ndarray:
    """What is said of its place, as numbers."""
    return np.array([float(v) for v in re.findall(r"-?\d+\.?\d*", said_of(handle).replace("−", "-"))])


def said_of(handle: JSHandle) -> str:
    """The place of a handle, in the words for a screen reader."""
    return str(handle.evaluate("(e) => e.getAttribute('aria-valuetext')"))


def test_the_training_page_holds_nobody(opened: Opened, server: str) -> None:
    page = opened(f"{server}/training")
    start(page, beyond=60)
    page.get_by_role("button", name="Pause").click()
    status(page, "paused")
    more(page, "Slow step").click()
    batch = page.locator("[data-slow=batch]")
    expect(batch).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Grid", exact=True).click()
    record(page)
    all_free(page, 2)
    batch.focus()
    before, stage = batch.evaluate("(c) => c.toDataURL()"), page.locator("[data-slow=name]").inner_text()
    assert not taken(page, "Shift+ArrowRight") and batch.evaluate("(c) => c.toDataURL()") == before
    assert taken(page, "ArrowRight") and batch.evaluate("(c) => c.toDataURL()") != before
    expect(page.locator("[data-slow=name]")).to_have_text(stage)  # the arrow was meant for the image alone
    status(page, "paused")


def test_the_maps_of_the_arms_hold_nobody(opened: Opened, server: str) -> None:
    page = opened(f"{server}/ablation?step=470")
    until(page, lambda: at_step(page, "full") > 400)
    record(page)
    all_free(page, 3)
    moment = page.locator("[data-part=moment]").inner_text()
    arm(page, "full").locator("canvas[data-part=over]").focus()
    assert not taken(page, "Shift+ArrowRight")
    expect(arm(page, "full").locator("[data-part=probe]")).to_be_hidden()
    assert taken(page, "ArrowRight")
    expect(arm(page, "full").locator("[data-part=probe]")).to_be_visible(timeout=30_000)
    expect(page.locator("[data-part=moment]")).to_have_text(moment)  # the film did not move too


def keys_of_the_page(page: Page, arrow: str) -> None:
    """With the focus nowhere an arrow moves the film, and only an arrow alone."""
    moment = page.locator("[data-part=moment]")
    until(page, lambda: int(page.locator("[data-part=scrub]").get_attribute("max") or 0) > 1)
    page.mouse.click(1180, 30)  # nothing has the focus
    before = moment.inner_text()
    assert not any(taken(page, key) for key in ("F5", "Control+f", f"Alt+{arrow}", f"Shift+{arrow}", "Shift+Space"))
    expect(moment).to_have_text(before)
    assert taken(page, arrow)
    expect(moment).not_to_have_text(before)
    expect(moment).to_have_text(re.compile(r"step [\d,]+"))


def test_keys_of_the_training_page_count_only_where_nothing_else_wants_them(opened: Opened, server: str) -> None:
    page = opened(f"{server}/training")
    status(page, "finished")
    summary = page.locator("summary").filter(has_text="Try this")
    summary.focus()
    page.keyboard.press("Space")  # opens, and starts no run
    expect(page.locator("details").filter(has_text="Try this")).to_have_attribute("open", "")
    record(page)
    assert not any(taken(page, key) for key in ("Space", "ArrowLeft"))
    page.wait_for_timeout(1000)
    status(page, "finished")
    keys_of_the_page(page, "ArrowLeft")


def test_keys_of_the_ablation_page_count_only_where_they_mean_something(opened: Opened, server: str) -> None:
    page = opened(f"{server}/ablation?ask=0")
    record(page)
    keys_of_the_page(page, "ArrowRight")
    assert not taken(page, "Space")  # arms that ship are finished: it scrolls
