"""The line to the server is cut while a page is open, and comes back."""

import re
from collections.abc import Callable

import numpy as np
from playwright.sync_api import Page, expect

from tests.browser.proxy import fronting
from tests.browser.test_explorer import at, explorer, part, pixels
from tests.browser.test_live_training import until

SAYS = "what your browser computes goes on"


def press_disabled(page: Page, name: str) -> None:
    """As a hand does, which does not ask whether a switch is enabled."""
    box = page.get_by_text(name, exact=True).first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_the_map_goes_on_and_what_was_pressed_is_carried_out(opened: Callable[..., Page], server: str) -> None:
    with fronting(server) as front:
        page = explorer(opened, f"http://127.0.0.1:{front.port}")
        line = page.locator("#elbo-lost")
        expect(line).to_be_hidden()
        front.cut()
        expect(line).to_contain_text(SAYS, timeout=10_000)
        before = pixels(part(page, "decoded"))
        page.mouse.move(*at(page, 2.5, 0.5))
        until(page, lambda: not np.array_equal(pixels(part(page, "decoded")), before))
        page.get_by_test_id("stTopNavLink").filter(has_text="The ELBO").press("Enter")
        expect(line).to_contain_text("“The ELBO” opens when it is back")
        press_disabled(page, "Traverse")
        press_disabled(page, "Encode")  # the last one counts
        expect(line).to_contain_text("“Encode” opens when it is back")
        page.get_by_test_id("stMain").evaluate(  # what Streamlit shows once it has tried six times; see closeDialog
            """(main) => { const dialog = document.createElement("div"); dialog.setAttribute("role", "dialog");
               dialog.innerHTML = "<h2>Connection error</h2><button aria-label='Close'></button>";
               dialog.querySelector("button").onclick = () => dialog.remove(); main.append(dialog); }"""
        )
        expect(page.get_by_role("dialog")).to_have_count(0)
        front.mend()
        expect(line).to_be_hidden(timeout=30_000)
        expect(page.locator(".explore[data-way=encode]")).to_be_visible(timeout=30_000)
        page.wait_for_url(re.compile("way=encode"))
