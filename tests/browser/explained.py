"""A word of the glossary as it is seen: its explanation, and where that lies."""

from typing import Any

from playwright.sync_api import Locator

_LOOK = """(word) => {
  const style = getComputedStyle(word, "::after");
  const number = (name) => parseFloat(style[name]);
  return { text: style.content, left: number("left"), top: number("top"), width: number("width"),
           height: number("height"), size: number("fontSize"), inks: [style.color, style.backgroundColor] };
}"""


def assert_explained(word: Locator) -> None:
    """It shows all of its explanation, in letters that can be read, and whole inside the window."""
    look: dict[str, Any] = word.evaluate(_LOOK)
    assert word.get_attribute("aria-description") in look["text"]
    window = word.evaluate("() => [innerWidth, innerHeight]")
    assert look["left"] >= 0 and look["left"] + look["width"] <= window[0] + 1, look
    assert look["top"] >= 0 and look["top"] + look["height"] <= window[1] + 1, look
    assert look["size"] >= 16 and look["inks"][0] != look["inks"][1]


def assert_silent(word: Locator) -> None:
    assert word.evaluate(_LOOK)["text"] == "none"
