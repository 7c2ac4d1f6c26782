"""The ablation page, played as a lecturer would: predict, run, toggle, recover, scrub, branch, link."""

import re

import numpy as np
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ROOT
from tests.browser.test_live_training import until
from vae_core.runs.snapshot_file import read_snapshot


def arm(page: Page, name: str) -> Locator:
    return page.locator(f"[data-arm='{name}']")


def pill(page: Page, name: str) -> Locator:
    return page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True)


def statuses(page: Page) -> list[str]:
    return page.locator(".arms .arm [data-part=status]").all_inner_texts()


def at_step(page: Page, name: str) -> int:
    return int(arm(page, name).get_attribute("data-step") or -1)


def map_of(page: Page, name: str) -> str:
    return arm(page, name).locator("canvas[data-part=map]").evaluate("(c) => c.toDataURL()")


def bottom(shown: Locator) -> float:
    box = shown.bounding_box()
    return box["y"] + box["height"] if box else 0


def train(page: Page) -> None:
    """Without questions."""
    page.get_by_role("button", name="Train live").click()
    page.get_by_role("button", name="Skip all").click()
    until(page, lambda: statuses(page) and set(statuses(page)) <= {"running", "finished"})


def scrub(page: Page, share: float) -> int:
    """Drag the bar of all arms to a share of their film; returns the step that is then shown."""
    bar = page.locator("[data-part=scrub]")
    until(page, lambda: int(bar.get_attribute("max") or 0) > 1)
    bar.evaluate("(e, share) => { e.value = Math.round(share * e.max); e.dispatchEvent(new Event('input')) }", share)
    moment = page.locator("[data-part=moment]")
    until(page, lambda: moment.inner_text().startswith("step"))
    return int(moment.inner_text().removeprefix("step ").replace(",", ""))


def test_it_opens_on_finished_arms_all_alike_at_step_0(opened, server):
    page = opened(f"{server}/ablation?ask=0")
    expect(page.locator(".arms .arm")).to_have_count(3)
    for part in ("play", "map", "diagnosis", "reconstructions", "prior_draws"):  # at once, without scrolling
        for shown in page.locator(f".arms [data-part={part}]").all():
            box = shown.bounding_box()
            assert box["y"] > 0 and box["y"] + box["height"] <= 720, part
    for name in ("plain autoencoder", "beta"):
        page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True).click()
    expect(page.locator(".arms .arm")).to_have_count(5)
    until(page, lambda: {at_step(page, name) for name in ("full", "no KL", "no reconstruction")} == {0})
    until(page, lambda: len({map_of(page, name) for name in ("full", "no KL", "no reconstruction")}) == 1)
    last = scrub(page, 1.0)
    until(page, lambda: at_step(page, "full") == at_step(page, "no KL") == last > 400)
    expect(arm(page, "no reconstruction").locator("[data-part=diagnosis]")).to_contain_text("decoder never trained")
    expect(arm(page, "no KL").locator("[data-part=diagnosis]")).to_contain_text("KL off")
    expect(arm(page, "beta 32").locator("[data-part=diagnosis]")).to_contain_text("posterior collapse")
    expect(arm(page, "plain autoencoder").locator("[data-part=kl]")).to_have_text("not defined")
    page.get_by_role("button", name="Table", exact=True).click()
    unranked = page.locator("tr[data-figure=prior_gap] td[data-rank=none]")  # and each says why
    expect(unranked).to_have_count(2)
    for cell, name in zip(unranked.all(), ("decoder never trained", "posterior collapse"), strict=True):
        expect(cell).to_have_attribute("title", re.compile(f"^Unranked, as no unit is active. {name}: "))


def test_predict_run_toggle_recover_scrub_branch_link(opened, server):
    page = opened(f"{server}/ablation?arms=full,no-kl&epochs=50")
    page.get_by_role("button", name="Train live").click()
    expect(page.get_by_text("What will happen?").first).to_be_visible()
    page.get_by_role("button", name="B: ").click()
    until(page, lambda: statuses(page) == ["running", "running"])
    expect(arm(page, "no KL").locator("[data-part=said]")).to_contain_text("Your choice: ")
    assert "run=" in page.url

    until(page, lambda: at_step(page, "full") > 100, 120)
    before = map_of(page, "full")
    arm(page, "full").locator("[data-part=beta]").uncheck()
    expect(arm(page, "full").locator("[data-part=marks]")).to_contain_text("beta 1 → 0", timeout=30_000)
    until(page, lambda: map_of(page, "full") != before, 60)
    expect(arm(page, "no KL").locator("[data-part=marks] li")).to_have_count(0)
    arm(page, "full").locator("[data-part=beta]").check()
    expect(arm(page, "full").locator("[data-part=marks]")).to_contain_text("beta 0 → 1", timeout=30_000)

    page.get_by_role("button", name="Pause", exact=True).click()
    until(page, lambda: statuses(page) == ["paused", "paused"])
    until(page, lambda: at_step(page, "full") == at_step(page, "no KL"))
    page.get_by_role("button", name="Table", exact=True).click()
    reconstruction = page.locator("[data-part=tableBody] tr[data-figure=nll] td:not([data-column='real images'])")
    until(page, lambda: [float(text.split()[0]) > 50 for text in reconstruction.all_inner_texts()] == [True, True])
    at = scrub(page, 0.9)
    until(page, lambda: at_step(page, "full") == at_step(page, "no KL") == at)
    until(page, lambda: f"step={at}" in page.url)
    link = page.url

    page.get_by_role("button", name="Resume").wait_for()
    arm(page, "no KL").locator("[data-part=branch]").click()
    expect(page.locator(".arms .arm")).to_have_count(3, timeout=60_000)
    branch = page.locator(".arms .arm").nth(2)
    expect(branch.locator("[data-part=name]")).to_contain_text("no KL, branch at")
    until(page, lambda: branch.locator("[data-part=status]").inner_text() == "paused")
    page.locator("[data-part=toLive]").evaluate("(b) => b.disabled || b.click()")
    branch.locator("[data-part=beta]").check()
    expect(branch.locator("[data-part=marks]")).to_contain_text("beta 0 → 1", timeout=30_000)
    page.mouse.click(1180, 30)  # nothing has the focus
    page.keyboard.press("Space")
    until(page, lambda: set(statuses(page)) == {"running"})
    branch.locator("[data-part=remove]").click()
    expect(page.locator(".arms .arm")).to_have_count(2, timeout=30_000)
    page.get_by_role("button", name="Stop").click()

    guest = opened(link)
    until(guest, lambda: at_step(guest, "full") == at_step(guest, "no KL") == at)
    expect(arm(guest, "full").locator("[data-part=beta]")).to_be_disabled()
    expect(guest.get_by_role("button", name="Pause", exact=True)).to_be_disabled()


def test_the_film_that_ships_asks_then_plays_and_says_who_was_right(opened, server):
    page = opened(f"{server}/ablation?arms=full,no-reconstruction")
    until(page, lambda: at_step(page, "full") == 0)
    place = page.locator("[data-part=play]").bounding_box()
    page.locator("[data-part=play]").click()
    expect(page.get_by_text("What will happen?").first).to_be_visible()
    assert page.locator("[data-part=play]").bounding_box() == place  # the question lies over the maps
    page.locator("[data-part=scrub]").evaluate("(e) => { e.value = 2; e.dispatchEvent(new Event('input')) }")
    assert at_step(page, "full") == 0 and page.locator("[data-part=scrub]").input_value() == "0"
    page.locator("[data-part=play]").click()
    page.get_by_role("button", name="one point at 0").click()
    until(page, lambda: at_step(page, "full") > 400)  # by itself
    lines = arm(page, "no reconstruction").locator("[data-part=predicted] p:visible")
    expect(lines).to_have_text(["Your choice: one point at 0.", "What happened: one point at 0.", "Right."])
    why = arm(page, "no reconstruction").locator("[data-part=because]")
    arm(page, "no reconstruction").locator("[data-part=why]").click()
    until(page, lambda: 0 < bottom(why) <= 720)
    pictures = arm(page, "no reconstruction").locator("[data-part=reconstructions]").bounding_box()
    box = why.bounding_box()
    assert bottom(why) <= pictures["y"] or box["x"] + box["width"] <= pictures["x"]  # and covers none
    expect(page.locator("tr[data-figure=mean_std]")).to_be_attached()  # the reason names rows of the table
    expect(arm(page, "full").locator("[data-part=predicted]")).to_be_hidden()
    until(page, lambda: "step=470" in page.url)
    pill(page, "no KL").click()  # its end is not shown before it was asked about
    until(page, lambda: at_step(page, "no KL") == at_step(page, "full") == 0)
    page.locator("[data-part=play]").click()
    expect(page.get_by_text("No KL, and z is still drawn from q.")).to_be_visible()
    pill(page, "no KL").click()  # who was asked about an arm that leaves has no wish any more
    expect(page.get_by_text("What will happen?")).to_have_count(0)
    page.wait_for_timeout(300)
    assert at_step(page, "full") == 0
    page.locator("[data-part=play]").click()
    until(page, lambda: "step=470" in page.url)
    page.goto(page.url)
    until(page, lambda: at_step(page, "full") > 400)  # a moment of a link is shown at once
    page.get_by_role("radio", name="Bug lab").click()
    expect(page.get_by_text("Which of the two is wrong?")).to_be_visible()
    expect(page.get_by_text("The test that catches it")).to_have_count(0)
    page.get_by_role("button", name=re.compile("^B\\b")).press("Enter")
    expect(page.get_by_text("Right: B is wrong.")).to_be_visible()
    expect(page.get_by_text("The test that catches it")).to_be_attached()
    until(page, lambda: page.get_by_test_id("stCode").first.bounding_box()["y"] < 620)  # the line is seen at once


def test_a_question_takes_the_keyboard_and_gives_it_back(opened, server):
    page = opened(f"{server}/ablation?arms=full,no-kl,no-reconstruction")
    until(page, lambda: at_step(page, "full") == 0)
    slider = page.locator("[data-part=scrub]")
    slider.focus()
    page.keyboard.press("End")
    asked = page.get_by_role("group", name=re.compile("^What will happen\\? No KL, and"))
    expect(asked).to_be_focused()
    page.keyboard.press("Tab")
    expect(asked.get_by_role("button").first).to_be_focused()
    page.keyboard.press("Enter")
    asked = page.get_by_role("group", name=re.compile("^What will happen\\? No rec"))
    expect(asked).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.get_by_text("What will happen?")).to_have_count(0)
    until(page, lambda: at_step(page, "full") > 400)  # as End said
    expect(slider).to_be_focused()


def test_of_arms_of_ones_own_it_is_said_what_came_when_they_have_ended(opened, server):
    page = opened(f"{server}/ablation?arms=no-reconstruction&epochs=1")
    page.get_by_role("button", name="Train live").click()
    expect(page.get_by_text("What will happen?").first).to_be_visible()
    pill(page, "full").click()  # other arms are no answer, and train nothing
    expect(page.get_by_text("What will happen?")).to_have_count(0)
    expect(page.locator(".arms .arm")).to_have_count(2)
    pill(page, "full").click()
    expect(page.locator(".arms .arm")).to_have_count(1)
    assert "run=" not in page.url
    page.get_by_role("button", name="Train live").click()
    page.get_by_role("button", name="one point at 0").click()
    until(page, lambda: statuses(page) == ["finished"], 120)
    lines = arm(page, "no reconstruction").locator("[data-part=predicted] p:visible")
    expect(lines).to_have_text(
        ["Your choice: one point at 0.", "What happened: one point at 0.", "Right."], timeout=30_000
    )


def test_a_click_on_a_map_decodes_there_in_the_browser(opened, server):
    page = opened(f"{server}/ablation?step=470")
    until(page, lambda: at_step(page, "full") > 400)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(re.sub(r"^https?://[^/]+", "", request.url)))
    over = arm(page, "full").locator("canvas[data-part=over]")
    the_same_point_by_keys(page)
    an_image_by_keys(page)
    it_is_told_what_the_films_hold(page)
    over.click(position={"x": 60, "y": 60})
    expect(arm(page, "full").locator("[data-part=probe]")).to_be_visible(timeout=30_000)
    decoded = arm(page, "full").locator("canvas[data-part=decoded]")
    first = decoded.evaluate("(c) => c.toDataURL()")
    expect(arm(page, "full").locator("[data-part=origin]")).to_have_attribute(
        "data-place", re.compile("both|prior|code")
    )
    expect(arm(page, "full").locator("[data-part=details]")).to_contain_text("nearest", ignore_case=True)
    assert any(url.startswith("/decoder/") for url in asked) and "/map-images" in asked
    asked.clear()
    over.click(position={"x": 90, "y": 90})
    until(page, lambda: decoded.evaluate("(c) => c.toDataURL()") != first)
    assert not [url for url in asked if url.startswith(("/decoder/", "/map-images"))]  # all of it is in the browser


def place_of(page: Page, name: str) -> list[float]:
    """Where an arm's decoder is looked at: z, and how far the nearest code is."""
    text = arm(page, name).locator("[data-part=details]").inner_text().replace("−", "-")
    return [float(v) for v in re.findall(r"-?\d+\.\d+", text)[:3]]


def the_same_point_by_keys(page: Page) -> None:
    """In all arms, as the box says."""
    over = arm(page, "full").locator("canvas[data-part=over]")
    over.focus()
    for key in ["ArrowRight"] * 9 + ["ArrowUp"] * 4:
        page.keyboard.press(key)
    until(page, lambda: all(place_of(page, name)[:2] == [0.9, 0.4] for name in ("full", "no KL")), 30)
    by_keys = place_of(page, "full")
    page.keyboard.press("ArrowDown")
    box = over.bounding_box()
    over.click(position={"x": box["width"] * (0.5 + 0.9 / 8), "y": box["height"] * (0.5 - 0.4 / 8)})
    until(page, lambda: np.allclose(place_of(page, "full"), by_keys, atol=0.06))  # two pixels


def an_image_by_keys(page: Page) -> None:
    """A click on the 7 takes it into the tug of war, and Space on its button out again."""
    page.get_by_role("button", name="Tug of war", exact=True).press("Enter")
    pictures, button = arm(page, "full").locator("[data-part=reconstructions]"), page.locator("[data-point='7']")
    expect(button).to_have_attribute("aria-pressed", "false")
    pictures.scroll_into_view_if_needed()
    box = pictures.bounding_box()
    pictures.click(
        position={"x": box["width"] * 2.5 / 5, "y": box["height"] * 2.5 / 4}
    )  # rows of five, and their copies
    expect(button).to_have_attribute("aria-pressed", "true")
    button.press("Space")
    expect(button).to_have_attribute("aria-pressed", "false")


def it_is_told_what_the_films_hold(page: Page) -> None:
    """Of every arm its name, the step, and both terms as they were measured then."""
    told = []
    for name in ("full", "no KL", "no reconstruction"):
        folder = ROOT / "checkpoints" / "arms" / f"arm-{name.lower().replace(' ', '-')}"
        terms = read_snapshot(folder / "film" / "000000470.safetensors.gz").terms
        nll, kl = (f"{v:.{3 if v < 1 else 2 if v < 10 else 1}f}" for v in (terms["nll"], terms["kl"]))
        told.append(f"{name} at step 470: reconstruction {nll}, KL {kl}")
    expect(page.locator(".arms p.spoken[aria-live=polite]")).to_have_text("; ".join(told), timeout=12_000)
