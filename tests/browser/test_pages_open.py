"""Every page opens by its link: on a fresh server, in light and dark, on a projector and a phone."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import serving

GROUND = {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 23, 26)"}


def test_deep_link_is_the_first_request_of_a_fresh_server(opened):
    with serving() as (url, _):
        page = opened(f"{url}/training")
        expect(page.get_by_role("button", name="Start")).to_be_visible(timeout=30_000)
        expect(page.get_by_text("Page not found")).to_have_count(0)
        expect(page.locator("[data-part=status]")).to_have_text("finished", timeout=30_000)


@pytest.mark.parametrize("path, first, then", [("", "dark", "light"), ("training", "light", "dark")])
def test_theme_follows_the_browser(opened, server, path, first, then):
    page = opened(f"{server}/{path}", color_scheme=first)
    app = page.get_by_test_id("stApp")
    expect(app).to_have_css("background-color", GROUND[first])
    page.emulate_media(color_scheme=then)
    expect(app).to_have_css("background-color", GROUND[then])


def test_an_address_stays_with_its_page_and_opens_to_the_same(opened, server):
    page = opened(f"{server}/")
    page.locator(".passage[data-ready]").wait_for(timeout=30_000)
    page.get_by_role("button", name="a test image of a 8").click()
    page.wait_for_url(lambda url: "number" in url)
    shown = parse_qs(urlsplit(page.url).query)["shown"]
    other = opened(page.url)
    expect(other.get_by_role("button", name="a test image of a 8")).to_have_attribute("aria-pressed", "true")
    other.wait_for_timeout(1000)
    assert parse_qs(urlsplit(other.url).query)["shown"] == shown
    page.get_by_role("link", name="The ELBO").first.click()
    expect(page.get_by_text("test image 0, a 7").first).to_be_visible(timeout=30_000)
    page.wait_for_url(lambda url: "digit=7" in url)
    page.get_by_text("6 · Likelihood").click()
    page.get_by_text("Sum or mean").click()
    page.wait_for_url(lambda url: "likelihood=reduction" in url)
    page.get_by_role("link", name="Home").first.click()
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query).get("shown") == shown and "section" not in url)


@pytest.mark.parametrize(
    ("path", "name", "source"),
    [("training", "The code that ran", "def gaussian_kl("), ("explorer", "The code", "def mlp_decoder(")],
)
def test_the_code_comes_when_it_is_opened_and_goes_when_it_is_closed(opened, server, path, name, source):
    page = opened(f"{server}/{path}")
    code = page.get_by_test_id("stCode").filter(has_text=source)
    box = page.get_by_text(name, exact=True)
    expect(code).to_have_count(0)
    box.click()
    expect(code.first).to_be_visible(timeout=30_000)
    box.click()
    expect(code).to_have_count(0, timeout=30_000)
