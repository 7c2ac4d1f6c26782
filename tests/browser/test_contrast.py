"""What is written on the primary colour, or in it, can be read in light and dark: 4.5 to 1 and more, as WCAG counts."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import serving_page

Opened = Callable[..., Page]
Colour = tuple[float, float, float]
TEXT, LINE = 4.5, 3.0  # WCAG 2.2: 1.4.3 for text of this size, 1.4.11 for what is no text
APP = """
import sys
sys.path.insert(0, {root!r})
import streamlit as st
app = st.App({page!r})
"""
KINDS = """
import streamlit as st
from pages.ui import style
style.apply()
st.button("a button", type="primary", icon=":material/play_arrow:")
with st.form("form"):
    st.form_submit_button("a form", type="primary")
st.multiselect("several", ["one tag", "two"], ["one tag"])
st.segmented_control("segments", ["a segment", "other"], default="a segment")
st.pills("pills", ["a pill", "another"], default="a pill")
st.tabs(["a tab", "a second"])
st.select_slider("slider", ["low", "a value", "high"], "a value")
"""
WRITTEN = ["a button", "a form", "one tag", "a segment", "a pill", "a tab"]
# The colour of the text, and the grounds it stands on from itself outwards.
READ = """(element) => {
  const words = document.createTreeWalker(element, NodeFilter.SHOW_TEXT).nextNode().parentElement, grounds = [];
  for (let e = words; e; e = e.parentElement ?? e.getRootNode().host) grounds.push(getComputedStyle(e).backgroundColor);
  return [getComputedStyle(words).color, grounds];
}"""


def parsed(colour: str) -> tuple[Colour, float]:
    """Red, green and blue from 0 to 1, and alpha."""
    assert colour.startswith("rgb"), colour
    r, g, b, *alpha = (float(v) for v in re.findall(r"[\d.]+", colour))
    return (r / 255, g / 255, b / 255), alpha[0] if alpha else 1.0


def over(upper: Colour, alpha: float, lower: Colour) -> Colour:
    r, g, b = (alpha * u + (1 - alpha) * v for u, v in zip(upper, lower, strict=True))
    return r, g, b


def luminance(colour: Colour) -> float:
    r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in colour)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: Colour, other: Colour) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def ground(colours: list[str]) -> Colour:
    seen: Colour = (1.0, 1.0, 1.0)
    for colour in reversed(colours):
        seen = over(*parsed(colour), seen)
    return seen


def of_text(element: Locator, behind: Colour | None = None) -> float:
    """The contrast of an element's words with what is behind them."""
    written, grounds = element.evaluate(READ)
    behind = behind or ground(grounds)
    colour, alpha = parsed(written)
    return contrast(over(colour, alpha, behind), behind)


def in_every_state(button: Locator) -> dict[str, float]:
    """At rest, under the pointer, pressed, and with the focus of the keyboard."""
    page, found = button.page, {}
    button.blur()
    page.mouse.move(0, 0)
    found["rest"] = of_text(button)
    button.hover()
    found["hover"] = of_text(button)
    page.mouse.down()
    found["pressed"] = of_text(button)
    page.mouse.move(0, 0)
    page.mouse.up()  # elsewhere: it is not clicked
    button.focus()
    page.keyboard.press("Shift")  # from now on the focus is that of a keyboard
    found["focus"] = of_text(button)
    return found


def unreadable(found: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in found.items() if value < TEXT}


def test_the_count_is_that_of_wcag() -> None:
    """Of published examples: black on white, and the lightest grey that passes on white."""
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21)
    assert contrast((0x76 / 255,) * 3, (1, 1, 1)) == pytest.approx(4.54, abs=0.005)
    assert contrast((0x77 / 255,) * 3, (1, 1, 1)) == pytest.approx(4.48, abs=0.005)


def in_each_scheme(page: Page) -> Iterator[str]:
    """The page in light, then in dark, with nothing that changes slowly."""
    page.add_style_tag(content="* { transition: none !important; }")
    for scheme, background in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(18, 23, 26)")):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", background)
        yield scheme


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving_page(tmp_path_factory.mktemp("contrast"), APP, KINDS) as url:
        yield url


def test_all_kinds_of_words_on_and_in_the_primary_colour_can_be_read(opened: Opened, kinds: str) -> None:
    page = opened(kinds)
    words = {name: page.get_by_text(name, exact=True) for name in WRITTEN}
    expect(words["a tab"]).to_be_visible(timeout=20_000)
    button = page.get_by_role("button", name="a button")
    for scheme in in_each_scheme(page):
        found = {name: of_text(element) for name, element in words.items()}
        words["a segment"].hover()
        found |= {"segment, hover": of_text(words["a segment"]), "icon": of_text(page.get_by_test_id("stIconMaterial"))}
        for name in ("a button", "a form"):
            found |= {f"{name}, {k}": v for k, v in in_every_state(page.get_by_role("button", name=name)).items()}
        behind = ground(page.get_by_text("slider", exact=True).evaluate(READ)[1])
        found["a value"] = of_text(page.get_by_text("a value", exact=True), behind)
        assert unreadable(found) == {}, scheme
        assert contrast(ground(button.evaluate(READ)[1]), behind) >= LINE, scheme  # as a line, a dot, a focus ring


@pytest.mark.parametrize(
    ("path", "name"),
    [("elbo?scene=1", "Next"), ("training", "Start"), ("ablation", "Train live"), ("elbo?section=bound", "Optimise q")],
)
def test_the_buttons_and_choices_of_the_pages_can_be_read(opened: Opened, server: str, path: str, name: str) -> None:
    page = opened(f"{server}/{path}")
    expect(page.get_by_role("button", name=name).first).to_be_visible(timeout=30_000)
    buttons = page.locator(
        "[data-testid^=stBaseButton-primary]:visible, .bound .main:visible, .arms.film [data-part=play]:visible"
    )
    chosen = page.locator("[role=radio][aria-checked=true]:visible")
    expect(chosen.first).to_be_visible()
    expect(buttons.first).to_be_visible(timeout=30_000)
    for scheme in in_each_scheme(page):
        for button in buttons.all():
            assert unreadable(in_every_state(button)) == {}, (scheme, button.inner_text())
        assert unreadable({choice.inner_text(): of_text(choice) for choice in chosen.all()}) == {}, scheme
