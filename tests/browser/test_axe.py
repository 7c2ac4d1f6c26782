"""axe-core in a real browser: WCAG 2.2 A and AA on every page, section and way, light and dark, desktop and phone.

What axe cannot see is looked for in the same visit: headings in order, a name for all drawings, a focus that shows.

What is serious is a failure. What is Streamlit's own and cannot be cured from here is KNOWN, and only as long as it is.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.axe import KNOWN, SERIOUS, run, run_settled, worded
from tests.browser.keys import walk
from tests.browser.outline import misplaced_headings, nameless
from tests.browser.places import arrived, drawn, go, places

Opened = Callable[..., Page]
SIZES = {"desktop": {"width": 1280, "height": 720}, "phone": {"width": 390, "height": 844}}
LEAST_STOPS = 10  # of Tab, on any page: the menu has as many


def visits() -> dict[str, list[str]]:
    """A few places of a page for each test, so that none takes long on a busy machine, by the first of them."""
    return {
        some[0] or "home": some
        for every in places().values()
        for i in range(0, len(every), 3)
        if (some := every[i : i + 3])
    }


@pytest.mark.parametrize("first", visits())
def test_all_can_be_used_by_all(opened: Opened, server: str, first: str) -> None:
    begin = visits()[first][0]
    page = opened(f"{server}/{begin}", reduced_motion="reduce")  # nothing looked at is half way to another colour
    wrong: dict[str, list[str]] = {}
    met: set[int] = set()
    for place in visits()[first]:
        page.set_viewport_size(SIZES["desktop"])  # type: ignore[arg-type]
        page.emulate_media(color_scheme="light")
        if place == begin:
            arrived(page)
        else:
            go(page, f"{server}/{place}")
        stops, lost = walk(page)
        wrong |= {f"{place}: {one}": [] for one in (*misplaced_headings(page), *nameless(page), *lost)}
        assert len(stops) > LEAST_STOPS, place
        for size, scheme in (("desktop", "light"), ("desktop", "dark"), ("phone", "dark"), ("phone", "light")):
            is_new = (size, scheme) in (("desktop", "light"), ("phone", "dark"))
            page.set_viewport_size(SIZES[size])  # type: ignore[arg-type]
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            drawn(page)
            found, known = run_settled(page, colours=not is_new)
            met |= known
            for one in found:
                said = worded(one)
                if one["impact"] in SERIOUS:
                    wrong.setdefault(said, []).append(f"{place} {size} {scheme}")
                else:
                    print(f"{place} {size} {scheme}: {said}")
    assert not wrong, "\n".join(f"{said} [{', '.join(where)}]" for said, where in wrong.items())
    assert [one for i, one in enumerate(KNOWN) if one.place in visits()[first] and i not in met] == []


SPOILED = """(root) => {
  for (const old of root.querySelectorAll(":scope > :is(img, canvas, h4)")) old.remove();
  root.append(document.createElement("img"), document.createElement("canvas"));
  root.append(Object.assign(document.createElement("h4"), { textContent: "too deep" }));
}"""
FLAT = "* { outline: none !important; box-shadow: none !important; border-color: grey !important; transition: none; }"
FLAT += "* { background-color: white !important; color: black !important; }"


def test_what_is_wrong_is_seen(opened: Opened, server: str) -> None:
    """Also within a component, whose elements are in a shadow root."""
    page = opened(server)
    go(page, server)  # what is added goes where the component is put together once more
    page.locator(".passage").evaluate(SPOILED)
    found, _ = run(page)
    assert [one["id"] for one in found if one["impact"] in SERIOUS] == ["image-alt"]
    page.locator(".passage").evaluate(SPOILED)
    assert misplaced_headings(page) == ["h4 'too deep' below h1"]
    assert [one.split(" in ")[0] for one in nameless(page)] == ["<img>", "<canvas>"]
    assert walk(page)[1] == []
    page.add_style_tag(content=FLAT)
    assert any("The ELBO does not show the focus" in one for one in walk(page)[1])
