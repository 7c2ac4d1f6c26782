"""The live page draws the terms of a family that only the tests know."""

from playwright.sync_api import Page, expect

from tests.browser.test_live_training import number, start, status


def test_three_named_terms_have_three_figures_three_curves_and_no_kl(opened, server):
    """Chosen in the link, started, paused: the header, the reading at the cursor and the pictures are its own."""
    page: Page = opened(f"{server}/training?model=three-terms")
    start(page)
    page.get_by_role("button", name="Pause").click()
    status(page, "paused")
    header = page.locator(".live header")
    expect(header).to_contain_text("pixels")
    assert [number(page, term) > 0 for term in ("pixels", "size", "noise")] == [True] * 3
    assert "ELBO" not in header.inner_text() and "KL" not in header.inner_text()
    chart = page.locator(".live [data-part=all] .u-over")
    chart.hover(position={"x": chart.bounding_box()["width"] * 0.7, "y": 40})
    reading = page.locator(".live [data-part=all] .reading")
    for split in ("train", "test"):
        for term in ("pixels", "size", "noise"):
            expect(reading).to_contain_text(f"{split} {term}")
    colours = {
        page.locator(f".live header b:has(output[data-part={term}])").evaluate("e => getComputedStyle(e).color")
        for term in ("pixels", "size", "noise")
    }
    assert len(colours) == 3
    for hidden in ("klCard", "barsCard", "std"):
        expect(page.locator(f".live [data-part={hidden}]")).to_be_hidden()
    expect(page.locator(".live canvas[data-part=map]")).to_be_visible()
    assert page.locator(".live canvas[data-part=reconstructions]").evaluate("c => c.width") > 0
