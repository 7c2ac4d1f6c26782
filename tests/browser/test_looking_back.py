"""Scrub, branch, compare, link, keyboard, a server that dies: in a real browser."""

import gzip
import json
import re
import signal
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from safetensors.numpy import load

from tests.browser.conftest import serving
from tests.browser.test_live_training import more, number, pixels, press_switch, start, status, step, switch, until

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "checkpoints" / "mnist-vae-mlp-2"


def scrub(page: Page, share: float) -> int:
    """Drag the bar to a share of the film; returns the step that is then shown."""
    bar = page.locator("[data-part=scrub]")
    until(page, lambda: int(bar.get_attribute("max")) > 3)
    bar.evaluate("(e, share) => { e.value = Math.round(share * e.max); e.dispatchEvent(new Event('input')) }", share)
    until(page, lambda: page.locator("[data-part=moment]").inner_text().startswith("step"))
    at = int(page.locator("[data-part=moment]").inner_text().removeprefix("step ").replace(",", ""))
    until(page, lambda: page.locator(".live").get_attribute("data-step") == str(at))
    return at


def content_of(at: int) -> bytes:
    """A shipped frame, read without our code."""
    return gzip.decompress((SHIPPED / "film" / f"{at:09d}.safetensors.gz").read_bytes())


def frame(at: int) -> dict:
    """Its numbers."""
    content = content_of(at)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return json.loads(header["__metadata__"]["snapshot"])


def test_the_page_opens_on_a_finished_run_that_can_be_dragged_through(opened, server):
    page = opened(f"{server}/training")
    status(page, "finished")
    until(page, lambda: number(page, "negElbo") > 0)  # its last frame is fetched after that
    assert number(page, "negElbo") == pytest.approx(139, abs=2)
    for share in (0.1, 0.5, 0.8):
        at = scrub(page, share)
        recorded = frame(at)
        assert number(page, "nll") == pytest.approx(recorded["nll"], abs=0.051)
        assert number(page, "kl") == pytest.approx(recorded["kl"], abs=0.0051 if recorded["kl"] < 10 else 0.051)
        assert number(page, "meanStd") == pytest.approx(recorded["meanStd"], abs=0.00051)
        expect(page.locator("[data-part=diagnosis]")).to_have_text(recorded["diagnosis"]["sentence"])
    page.get_by_role("button", name="back to now").click()
    expect(page.locator("[data-part=moment]")).to_have_text("now")


def test_the_pictures_shown_are_those_of_the_frame(opened, server):
    page = opened(f"{server}/training")
    at = scrub(page, 0.6)
    shown = page.locator("canvas[data-part=prior_draws]").evaluate(
        "c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.filter((_, i) => i % 4 === 0))"
    )
    draws = load(content_of(at))["prior_draws"][:10]  # (10, 28, 28)
    tiled = draws.reshape(2, 5, 28, 28).transpose(0, 2, 1, 3).reshape(2 * 28, 5 * 28)
    assert np.array_equal(np.array(shown, np.uint8).reshape(2 * 28, 5 * 28), tiled)


def test_play_runs_through_the_film_and_stops_at_its_end(opened, server):
    page = opened(f"{server}/training")
    scrub(page, 0.7)
    page.locator("[data-part=speed]").select_option("4")
    page.get_by_role("button", name="play the film").click()
    expect(page.get_by_role("button", name="pause the film")).to_be_visible()
    until(page, lambda: page.locator("[data-part=moment]").inner_text() == "step 23,500", seconds=30)
    expect(page.get_by_role("button", name="play the film")).to_be_visible()


def test_the_keyboard_scrubs_starts_and_pauses(opened, server):
    page = opened(f"{server}/training")
    status(page, "finished")
    page.mouse.click(1180, 30)  # nothing has the focus
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-part=moment]")).to_have_text(re.compile(r"step [\d,]+"))
    page.keyboard.press("Space")
    status(page, "running")
    page.keyboard.press("Space")
    status(page, "paused")
    page.keyboard.press("Space")
    status(page, "running")


def test_it_can_recover_from_no_kl_branch_and_compare(opened, server):
    """KL off; branch from there with it on: the codes come back, the parent waits, both are on the page."""
    page = opened(f"{server}/training")
    start(page, beyond=150)
    press_switch(page, "KL")
    until(page, lambda: number(page, "meanStd") < 0.03)
    std = number(page, "meanStd")  # until the pause it grows again
    press_switch(page, "KL")
    expect(switch(page, "KL")).to_be_checked()
    page.get_by_role("button", name="Pause").click()
    status(page, "paused")
    expect(switch(page, "KL")).to_be_checked()
    more(page, "Branch").click()
    status(page, "running")
    until(page, lambda: number(page, "meanStd") > 2 * std)
    expect(page.locator("[data-part=compared] figure")).to_have_count(1)
    expect(page.locator("[data-part=compared] figcaption")).to_contain_text("run 1")
    expect(page.get_by_role("combobox", name="Run on the page")).to_have_value(re.compile("branch of run 1"))


def test_a_link_shows_the_same_in_another_browser(opened, server):
    page = opened(f"{server}/training")
    page.get_by_test_id("stSidebar").get_by_text("8", exact=True).click()
    page.get_by_role("button", name="Start").click()
    status(page, "running")
    until(page, lambda: step(page) > 150)
    page.get_by_role("button", name="Pause").click()
    status(page, "paused")
    at = scrub(page, 0.5)
    until(page, lambda: f"step={at}" in page.url and "latent_dim=8" in page.url)
    other = opened(page.url)
    expect(other.locator("[data-part=moment]")).to_have_text(f"step {at:,}")
    until(other, lambda: other.locator(".live").get_attribute("data-step") == str(at))
    for part in ("negElbo", "nll", "kl", "meanStd"):
        assert number(other, part) == number(page, part)
    assert pixels(other, "map") == pixels(page, "map")
    expect(other.get_by_text("Somebody else's run")).to_be_visible()
    expect(more(other, "Reset")).to_be_disabled()
    expect(other.get_by_test_id("stSidebar").get_by_role("radio", name="8", exact=True)).to_be_checked()


def test_a_link_that_does_not_hold_says_so_and_shows_the_rest(opened, server):
    page = opened(f"{server}/training?latent_dim=7&step=x")
    notice = page.get_by_test_id("stAlert").first
    for text in ("does not hold in full", "latent_dim '7'", "no whole number"):
        expect(notice).to_contain_text(text)
    page.wait_for_timeout(5000)  # the page has run again by then, as its run was shown
    expect(notice).to_contain_text("The rest is shown")
    status(page, "finished")


def test_a_chip_sets_the_controls_and_says_what_to_look_for(opened, server):
    page = opened(f"{server}/training")
    page.get_by_text("Try this").click()
    page.get_by_role("button", name="Decoder never trained").click()
    expect(switch(page, "Reconstruction")).not_to_be_checked()
    expect(page.get_by_test_id("stAlert")).to_contain_text("press Start")
    start(page, beyond=60)
    expect(page.locator("[data-part=diagnosisName]")).to_have_text("decoder never trained:", timeout=30_000)


def test_a_server_that_is_killed_offers_the_run_again(opened, tmp_path, monkeypatch):
    monkeypatch.setenv("ELBO_ROOM_RUNS", str(tmp_path / "runs"))
    with serving() as (url, process):
        page = opened(f"{url}/training")
        start(page, beyond=200)
        page.wait_for_timeout(4000)
        at = step(page)
        process.send_signal(signal.SIGKILL)
        process.wait()
        cookies = page.context.cookies()
    with serving(port=int(url.rsplit(":", 1)[1])) as (url, _):
        page = opened(f"{url}/training", storage_state={"cookies": cookies, "origins": []})
        status(page, "saved")
        kept = step(page)
        page.get_by_role("button", name="Resume").click()
        until(page, lambda: step(page) > max(at, kept))
        assert kept > 0


def test_frames_of_unknown_runs_and_steps_are_not_found(server):
    for path in ("film/nowhere/0", "film/mnist-vae-mlp-2/1", "film/..%2F..%2Fapp.py/0"):
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(f"{server}/{path}", timeout=10)
        assert error.value.code in (400, 404)


def test_the_report_of_the_run_on_the_page_opens_without_a_server(opened, server, browser, tmp_path):
    page = opened(f"{server}/training")
    status(page, "finished")
    page.get_by_text("Take it home").click()
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("button", name="Report (HTML)").click()
    path = tmp_path / "report.html"
    download.value.save_as(path)
    context = browser.new_context(offline=True)
    report = context.new_page()
    report.goto(path.as_uri())
    expect(report.get_by_text("138.9 ± 0.5").first).to_be_visible()
    context.close()


def test_a_diagnosis_is_explained_on_request(opened, server):
    page = opened(f"{server}/training")
    status(page, "finished")
    expect(page.locator("[data-part=diagnosisName]")).to_have_text("learning:")
    page.get_by_role("button", name="What does that mean?").click()
    expect(page.locator("[data-part=explained]")).to_contain_text("Both terms are at work")
    page.get_by_role("link", name="Read on").click()
    expect(page.get_by_text("Way to the bound")).to_be_visible(timeout=30_000)
