"""The explorer's traversal in a real browser: pictures and figures are held against torch."""

import csv
import functools
import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect
from safetensors.torch import load

from pages.ui.explore.package import package_bytes
from pages.ui.explore.sources import find
from pages.ui.shipped import PLANE
from tests.browser.sheets import AE, MANY, Opened, along, at, decoded, held, opened_way, part, same, saved, state
from tests.browser.test_live_training import until
from tests.browser.ways import name_of


@pytest.fixture
def explorer(opened: Opened, server: str) -> Callable[..., Page]:
    return functools.partial(opened_way, opened, server)


def test_a_row_is_what_torch_makes_of_it(explorer: Callable[..., Page]) -> None:
    page = explorer("traverse")
    for latent in (0, 1):
        wanted = decoded(along(torch.zeros(2), latent, torch.linspace(-3, 3, 9)))
        canvas = page.locator(f"[data-latent='{latent}'] canvas")
        until(page, lambda canvas=canvas, wanted=wanted: same(canvas, wanted))
        ends = np.sqrt((((wanted[0] - wanted[-1]) / 255) ** 2).mean())
        figure = page.locator(".latent", has=canvas).locator("output")
        assert float(figure.inner_text()) == pytest.approx(ends, abs=0.002)
    names = page.locator(".latent .name small").all_inner_texts()
    shares = [float(re.search(r"KL ([\d.]+) nats", name).group(1)) for name in names]
    assert len(shares) == 2 and shares == sorted(shares, reverse=True)


def test_a_test_image_becomes_the_base(explorer: Callable[..., Page]) -> None:
    page = explorer("traverse")
    tensors = load(package_bytes(find(PLANE)))
    part(page, "traverse", "index").fill(name_of(1234).split()[2].rstrip(","))
    part(page, "traverse", "index").press("Enter")
    expect(part(page, "traverse", "base")).to_have_text(f"mu of {name_of(1234)}")
    part(page, "traverse", "steps").select_option("7")
    part(page, "traverse", "reach").fill("2")
    wanted = decoded(along(tensors["mu"][1234], 1, torch.linspace(-2, 2, 7)))
    until(page, lambda: same(page.locator("[data-latent='1'] canvas"), wanted))
    until(page, lambda: state(page, "traverse") == {"from": 1234, "reach": 2, "steps": 7, "latent": None})
    page.get_by_role("button", name="Use z").click()
    expect(part(page, "traverse", "base")).to_have_text("z of the map")


def test_a_picture_shows_itself_big_and_a_click_stays(explorer: Callable[..., Page]) -> None:
    page = explorer("traverse")
    sheet, big = page.locator("[data-latent='0'] canvas"), page.locator("[data-part=decoded]")
    box = sheet.bounding_box()
    middle = {"x": box["width"] * 1.5 / 9, "y": box["height"] / 2}
    sheet.hover(position=middle)
    until(page, lambda: at(big) == [-2.25, 0])
    page.mouse.move(5, 5)
    until(page, lambda: at(big) == [0, 0])
    sheet.click(position=middle)
    page.mouse.move(5, 5)
    until(page, lambda: at(big) == [-2.25, 0])
    until(page, lambda: (state(page, "pad") or {}).get("z") == [-2.25, 0])
    assert same(big, decoded(torch.tensor([[-2.25, 0.0]])))
    sheet.focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    until(page, lambda: (state(page, "pad") or {}).get("z") == [-0.75, 0])


def test_playing_moves_along_the_chosen_latent_only(explorer: Callable[..., Page]) -> None:
    page = explorer("traverse")
    part(page, "traverse", "latent").select_option("0")
    big, play = page.locator("[data-part=decoded]"), part(page, "traverse", "play")
    seen = set()
    play.click()
    until(page, lambda: seen.add(tuple(at(big))) or len(seen) > 4)
    expect(play).to_have_text("❚❚ Pause")
    play.click()
    assert len({z[0] for z in seen}) > 4 and {z[1] for z in seen} == {0}
    still = at(big)
    page.wait_for_timeout(300)
    assert at(big) == still
    expect(play).to_have_text("▶ Play")
    page.wait_for_timeout(800)  # long enough for a report
    assert (state(page, "pad") or {"z": [0, 0]})["z"] == [0, 0]  # the base is what it was


def test_many_latents_and_the_slow_network(explorer: Callable[..., Page]) -> None:
    """Decoded in the background: rows round a test image, and the inactive ones folded away."""
    page = explorer("traverse", model=MANY)
    tensors = load(package_bytes(find(MANY)))
    first, last = int(tensors["kl_dims"].argmax()), int(tensors["kl_dims"].argmin())
    assert int(part(page, "traverse", "latent").input_value()) == first
    row_is(page, first, tensors["mu"][0], 3)
    inactive = int((tensors["active"] == 0).sum())
    expect(part(page, "traverse", "summary")).to_contain_text(f"{inactive} inactive latents")
    part(page, "traverse", "summary").click()
    row_is(page, last, tensors["mu"][0], 3)


def row_is(page: Page, latent: int, base: torch.Tensor, reach: float) -> None:
    wanted = decoded(along(base, latent, torch.linspace(-reach, reach, 9)), MANY)
    until(page, lambda: same(page.locator(f"[data-latent='{latent}'] canvas"), wanted))


def table(page: Page, folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(saved(page, "csv", folder)[1].decode(), newline="")))


def ends_apart(base: torch.Tensor, latent: int, reach: float) -> float:
    """Root mean square difference of a row's two ends, in grey levels from 0 to 1."""
    low, high = decoded(along(base, latent, torch.tensor([-reach, reach])), MANY) / 255
    return float(np.sqrt(((high - low) ** 2).mean()))


def test_rows_of_different_bases_never_mix(explorer: Callable[..., Page], tmp_path: Path) -> None:
    """Rows that are folded away keep their pictures; once base or reach is another, they are not in the table."""
    page = explorer("traverse", model=MANY)
    tensors, folded = load(package_bytes(find(MANY))), part(page, "traverse", "summary")
    active = {int(d) + 1 for d in tensors["active"].nonzero()}
    last = int(tensors["kl_dims"].argmin())
    folded.click()
    row_is(page, last, tensors["mu"][0], 3)
    folded.click()
    part(page, "traverse", "reach").fill("2")
    part(page, "traverse", "index").fill(name_of(7).split()[2].rstrip(","))
    part(page, "traverse", "index").press("Enter")
    row_is(
        page,
        int(page.locator("[data-part=active] [data-latent]").last.get_attribute("data-latent")),
        tensors["mu"][7],
        2,
    )
    assert {int(row["latent"]) for row in table(page, tmp_path)} == active
    folded.click()
    row_is(page, last, tensors["mu"][7], 2)
    rows = table(page, tmp_path)
    assert {int(row["latent"]) for row in rows} == set(range(1, 33))
    for row in rows:
        d, base = int(row["latent"]) - 1, [float(row[f"base z{k + 1}"]) for k in range(32)]
        assert np.allclose(base, tensors["mu"][7], atol=1e-3) and row["base is"] == f"mu of {name_of(7)}"
        assert (float(row["from (prior std)"]), float(row["to (prior std)"])) == (-2, 2)
        found = float(row["difference of the ends (RMS of full scale)"])
        assert found == pytest.approx(ends_apart(tensors["mu"][7], d, 2), abs=0.002)


def test_a_slider_in_the_hand_is_not_reset_by_an_echo(explorer: Callable[..., Page]) -> None:
    page = explorer("traverse")
    slider, low = part(page, "traverse", "reach"), part(page, "traverse", "low")
    part(page, "traverse", "steps").select_option("7")  # told a moment later, while the slider is held
    held(page, slider, 0.5)
    value = slider.input_value()
    assert value != "3"
    until(page, lambda: (state(page, "traverse") or {}).get("steps") == 7)
    page.wait_for_timeout(1000)
    assert slider.input_value() == value == low.inner_text()
    wanted = decoded(along(torch.zeros(2), 0, torch.linspace(-float(value), float(value), 7)))
    assert same(page.locator("[data-latent='0'] canvas"), wanted) and state(page, "traverse")["reach"] == 3
    page.mouse.up()
    until(page, lambda: state(page, "traverse")["reach"] == float(value))


def test_a_number_that_is_being_typed_stays(explorer: Callable[..., Page]) -> None:
    page = explorer("traverse")
    part(page, "traverse", "steps").select_option("7")
    number = name_of(1234).split()[2].rstrip(",")
    part(page, "traverse", "index").press_sequentially(number[:2])
    until(page, lambda: (state(page, "traverse") or {}).get("steps") == 7)
    page.wait_for_timeout(500)
    part(page, "traverse", "index").press_sequentially(number[2:])
    page.keyboard.press("Enter")
    until(page, lambda: state(page, "traverse")["from"] == 1234)
    assert part(page, "traverse", "index").input_value() == number


def test_another_way_while_it_plays_ends_the_film(explorer: Callable[..., Page]) -> None:
    page = explorer("traverse")
    big, play = page.locator("[data-part=decoded]"), part(page, "traverse", "play")
    play.click()
    until(page, lambda: at(big) != [0, 0])
    page.get_by_role("radio", name="Pad").or_(page.get_by_role("button", name="Pad", exact=True)).click()
    expect(page.locator(".way[data-way=pad]")).to_be_visible()
    until(page, lambda: at(big) == [0, 0])
    page.wait_for_timeout(300)
    assert at(big) == [0, 0] and play.evaluate("(e) => e.textContent") == "▶ Play"


def test_words_for_a_plain_autoencoder(explorer: Callable[..., Page]) -> None:
    page = explorer("traverse", model=AE)
    part(page, "traverse", "index").fill(name_of(12).split()[2].rstrip(","))
    part(page, "traverse", "index").press("Enter")
    expect(part(page, "traverse", "base")).to_have_text(f"code of {name_of(12)}")
    assert page.locator(".way[data-way=traverse]").inner_html().count(" mu ") == 0


def test_what_changes_with_every_frame_is_not_read_out(explorer: Callable[..., Page]) -> None:
    page = explorer("traverse")
    for way in ("traverse", "prior"):
        outputs = page.locator(f".way[data-way={way}] output").evaluate_all("(all) => all.map((e) => e.ariaLive)")
        assert outputs and set(outputs) == {"off"}, way
