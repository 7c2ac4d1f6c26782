"""Who walks by Tab sees where the focus is in the navigation: a line around the link, in light and dark."""

from tests.browser.places import drawn
from tests.browser.test_contrast import LINE, contrast, over, parsed

READ = """() => {
  const link = document.activeElement, grounds = [];
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(link);
  for (let e = link; e; e = e.parentElement) grounds.push(getComputedStyle(e).backgroundColor);
  return { of: link.dataset.testid, outlineStyle, outlineWidth, outlineColor, grounds };
}"""


def test_a_link_of_the_navigation_shows_its_focus(opened, server) -> None:
    page = opened(f"{server}/check")
    page.get_by_test_id("stTopNavLink").first.focus()
    page.keyboard.press("Tab")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        drawn(page)
        seen = page.evaluate(READ)
        assert seen["of"] == "stTopNavLink" and seen["outlineStyle"] == "solid", scheme
        assert float(seen["outlineWidth"].removesuffix("px")) >= 2, scheme
        ground = (1.0, 1.0, 1.0)
        for colour in reversed(seen["grounds"]):
            ground = over(*parsed(colour), ground)
        assert contrast(parsed(seen["outlineColor"])[0], ground) >= LINE, scheme
