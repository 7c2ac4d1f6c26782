"""What a lecturer does in front of a class, in a real browser with a real run."""

import os
import re
import signal
import subprocess
import time

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import serving, visit


def number(page: Page, part: str) -> float:
    text = page.locator(f"output[data-part={part}]").inner_text()
    return float(text) if re.fullmatch(r"-?[\d.]+", text) else float("nan")


def step(page: Page) -> int:
    found = re.search(r"step ([\d,]+)", page.locator("[data-part=progress]").inner_text())
    return int(found.group(1).replace(",", "")) if found else 0


def until(page: Page, condition, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        page.wait_for_timeout(100)


def status(page: Page, name: str) -> None:
    expect(page.locator("[data-part=status]")).to_have_text(name, timeout=60_000)
    if name == "paused":  # the buttons follow a moment later
        expect(page.get_by_role("button", name="Resume")).to_be_visible(timeout=20_000)


def pixels(page: Page, part: str) -> str:
    """A fingerprint of what a canvas shows."""
    return page.locator(f"[data-part={part}] canvas, canvas[data-part={part}]").first.evaluate("c => c.toDataURL()")


@pytest.fixture
def training(opened, server) -> Page:
    page = opened(f"{server}/training")
    start(page)
    return page


def start(page: Page, beyond: int = 20) -> None:
    """Press Start and wait until the new run has made some steps."""
    page.get_by_role("button", name="Start").click()
    expect(page.locator("[data-part=status]")).to_have_text("running", timeout=60_000)
    until(page, lambda: step(page) > beyond)


def more(page: Page, name: str) -> Locator:
    """A button of the menu, which is opened where it is not."""
    button = page.get_by_role("button", name=name, exact=True)
    if not button.is_visible():
        page.locator(".st-key-controls-menu button").click()
    return button


def switch(page: Page, name: str) -> Locator:
    """That of "KL" or "Reconstruction"; its label says how it stands."""
    return page.get_by_role("switch", name=re.compile(f"^{name} (on|off)$"))


def press_switch(page: Page, name: str) -> None:
    page.get_by_text(re.compile(f"^{name} (on|off)$")).click()


def test_the_lesson_of_the_first_page(training):
    """Start, see the curves move, switch KL off, see the mark, KL rise and std fall, pause, leave, come back."""
    page = training
    until(page, lambda: step(page) > 300)
    curve, cloud = pixels(page, "all"), pixels(page, "map")
    kl, std = number(page, "kl"), number(page, "meanStd")
    assert number(page, "negElbo") == pytest.approx(number(page, "nll") + kl, abs=0.11)
    until(page, lambda: pixels(page, "all") != curve and pixels(page, "map") != cloud)

    press_switch(page, "KL")
    expect(page.get_by_text("KL off", exact=True)).to_be_visible()
    mark = page.locator("[data-part=marks] li")
    expect(mark).to_have_text(re.compile(r"beta 1 → 0 at step \d+"), timeout=20_000)
    until(page, lambda: number(page, "kl") > kl + 2 and number(page, "meanStd") < std / 2)

    page.get_by_role("button", name="Pause").click()
    status(page, "paused")
    at = step(page)
    page.wait_for_timeout(700)
    assert step(page) == at

    page.get_by_role("link", name="Home").click()
    expect(page.get_by_role("button", name="New sample")).to_be_visible()
    page.get_by_test_id("stTopNavLink").filter(has_text="Live training").click()
    status(page, "paused")
    assert step(page) == at
    expect(switch(page, "KL")).not_to_be_checked()
    expect(mark).to_have_text(re.compile(r"beta 1 → 0 at step \d+"))

    page.get_by_role("button", name="Resume").click()
    until(page, lambda: step(page) > at)


def test_start_pressed_while_the_page_still_opens_shows_the_new_run(opened, server):
    """The live view is being mounted on the shipped run when its data change: the outdated call must not win."""
    page = opened(f"{server}/training")
    for _ in range(5):
        page.get_by_role("button", name="Start").click()
        status(page, "running")
        more(page, "Stop").click()
        expect(page.locator("[data-part=status]")).to_have_text("stopped", timeout=60_000)
        page.context.clear_cookies()  # the next one is a new visitor, in a window that has the program's files
        visit(page, f"{server}/training")


def test_a_paused_run_survives_a_reload_steps_and_begins_again(training, opened, server):
    page = training
    page.get_by_role("button", name="Pause").click()
    status(page, "paused")
    at = step(page)
    page.wait_for_timeout(500)
    axes_change_the_map_alone(page)

    page.reload()
    status(page, "paused")
    assert step(page) == at, "a reload comes back to the same run"
    stranger = opened(f"{server}/training")
    expect(stranger.get_by_text("This run ships with the program")).to_be_visible()

    more(page, "Step").click()
    until(page, lambda: step(page) == at + 1)
    more(page, "Reset").click()
    expect(page.get_by_role("button", name="Reset")).to_have_count(0)  # the menu is out of the way
    until(page, lambda: step(page) == 0)
    status(page, "paused")
    until(page, lambda: number(page, "negElbo") > 0)  # where many train the picture comes later
    assert number(page, "negElbo") > 500, "after a reset the network is untrained"


def axes_change_the_map_alone(page: Page) -> None:
    fixed = pixels(page, "map")
    page.get_by_label("automatic axes").check()
    assert pixels(page, "map") != fixed
    page.get_by_label("automatic axes").uncheck()
    assert pixels(page, "map") == fixed


# Notes what the canvases hold at the moment at which nothing of the new run is known yet.
_WATCH = """
(live) => new MutationObserver(() => {
  if (live.dataset.step !== undefined || live.dataset.between) return;
  const canvas = (part) => live.querySelector(`canvas[data-part=${part}]`);
  const ink = (c) => c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((v) => v) ? "ink" : "none";
  const ground = getComputedStyle(canvas("reconstructions")).backgroundColor;
  const black = ground === "rgb(0, 0, 0)" ? "black" : "no black";
  live.dataset.between = [ink(canvas("originals")), ink(canvas("reconstructions")), black].join(", ");
}).observe(live, { attributes: true, attributeFilter: ["data-step"] })"""


def test_more_than_two_latents_show_a_named_pca_plane_and_stop_with_their_figures(opened, server):
    page = opened(f"{server}/training")
    page.get_by_test_id("stSidebar").get_by_text("8", exact=True).click()
    figure, place = page.locator("output[data-part=negElbo]"), page.locator("[data-part=all]")
    expect(figure).to_have_text("138.9", timeout=30_000)
    digit = page.locator("canvas[data-part=originals]").bounding_box()["width"] / 5
    assert digit >= 48
    top = place.bounding_box()["y"]
    takes = page.get_by_text(re.compile("about .* on this machine"))
    expect(takes).to_be_visible(timeout=30_000)  # it comes by itself: the engine measures this kind of run first
    page.locator(".live").evaluate(_WATCH)
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".live")).to_have_attribute("data-between", re.compile("."), timeout=30_000)
    assert page.locator(".live").get_attribute("data-between") == "ink, none, no black"
    expect(page.locator("[data-part=status]")).not_to_have_text("finished")
    assert figure.inner_text() != "138.9" and "138.9" not in page.locator("[data-part=diagnosis]").inner_text()
    assert place.bounding_box()["y"] == pytest.approx(top, abs=1)  # nothing has moved
    expect(page.locator("[data-part=plane]")).to_have_text(re.compile(r"PCA plane of mu, \d+ %"), timeout=60_000)
    expect(page.locator("[data-part=bars] rect")).to_have_count(8)
    expect(page.locator("[data-part=active]")).to_have_text(re.compile(r"\d of 8 active"))
    stop_computes_the_figures_and_offers_the_curves(page)


def stop_computes_the_figures_and_offers_the_curves(page: Page) -> None:
    more(page, "Stop").click()
    status(page, "stopped")
    expect(page.get_by_text("Result", exact=True)).to_be_visible(timeout=60_000)
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(re.compile(r"^\d{3}(\.\d)? ± \d"))
    page.get_by_text("Take it home").click()
    expect(page.locator(".js-plotly-plot .xtitle")).to_have_text("step", timeout=30_000)
    with page.expect_download() as download:
        page.get_by_role("button", name="History (CSV)").click()
    assert download.value.suggested_filename == "history.csv"


def test_a_dead_engine_and_then_a_lost_server_are_sentences(opened):
    with serving() as (url, process):
        page = opened(f"{url}/training")
        start(page, beyond=50)
        for pid in children(process.pid):
            os.kill(pid, signal.SIGKILL)
        expect(page.locator("[data-part=message]")).to_contain_text("died (signal 9)", timeout=30_000)
        expect(page.locator("[data-part=message]")).to_contain_text("press Resume")
        page.get_by_role("button", name="Resume").click()
        at = step(page)
        until(page, lambda: step(page) > at + 50)  # the run goes on

        engines = children(process.pid)
        assert engines
        process.terminate()
        expect(page.locator("[data-part=message]")).to_contain_text("connection to the server is lost", timeout=30_000)
        process.wait(15)
        until(page, lambda: not any(alive(pid) for pid in engines))  # no trainer is left behind


def children(pid: int) -> list[int]:
    """Engine processes of a server."""
    return [p for p, parent, state, command in processes() if parent == pid and "vae_core.runs.process" in command]


def alive(pid: int) -> bool:
    return any(p == pid and not state.startswith("Z") for p, _, state, _ in processes())


def processes() -> list[tuple[int, int, str, str]]:
    table = subprocess.run(["ps", "-axo", "pid=,ppid=,stat=,command="], capture_output=True, text=True, check=True)
    rows = (line.split(None, 3) for line in table.stdout.splitlines())
    return [(int(pid), int(parent), state, command) for pid, parent, state, command in rows]
