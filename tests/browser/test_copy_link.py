"""The button that copies the link stands on every page, and the link leads back to what is shown."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.places import go, places

Opened = Callable[..., Page]
CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write"]}


def copied(page: Page) -> str:
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator(".copylink [role=status]")).to_have_text("Link copied.", timeout=30_000)
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_it_is_there_on_every_page_and_lies_over_nothing(opened: Opened, server: str) -> None:
    page = opened(server, **CLIPBOARD)
    button = page.get_by_role("button", name="Copy link")
    below = "([x, y]) => document.elementsFromPoint(x, y).filter((e) => e.matches('a, button, img')).length"
    for name, (first, *_) in places().items():
        page.set_viewport_size({"width": 1280, "height": 720})
        go(page, f"{server}/{first}")
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 720})
            expect(button).to_be_visible()
            box = button.bounding_box()
            assert box["y"] < 60 and box["x"] + box["width"] <= width and min(box["width"], box["height"]) >= 24, name
            corners = [(box["x"] + dx, box["y"] + box["height"] / 2) for dx in (1, box["width"] - 1)]
            assert [page.evaluate(below, list(corner)) for corner in corners] == [0, 0], (name, width)
        assert copied(page) == page.url, name


def test_what_was_changed_last_is_in_it(opened: Opened, server: str) -> None:
    """Also where the page has not yet told the server of it."""
    page = opened(f"{server}/plane", **CLIPBOARD)
    page.goto(f"{server}/elbo?section=likelihood&likelihood=reduction")
    page.get_by_role("radio", name="mean over pixels").click(timeout=30_000)
    link = copied(page)
    assert link == page.url and link != f"{server}/elbo?section=likelihood&likelihood=reduction"
    other = opened(link)
    expect(other.get_by_role("radio", name="mean over pixels")).to_be_checked(timeout=30_000)


def test_by_keys_and_on_a_projector(opened: Opened, server: str) -> None:
    page = opened(server, **CLIPBOARD)
    button = page.get_by_role("button", name="Copy link")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".copylink [role=status]")).to_have_text("Link copied.")
    expect(button).to_be_focused()
    page.goto(f"{server}/?present=1")
    expect(page.locator(".st-key-copy-link")).to_have_count(1, timeout=30_000)
    expect(button).to_be_hidden()  # nothing lies over what is shown
