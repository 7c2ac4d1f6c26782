"""Paths between images and arithmetic with codes, as a student does them; what is drawn is held against torch."""

from __future__ import annotations

import csv
import functools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import Tensor

from pages.ui import shipped
from tests.browser.test_explorer import at, explorer, in_link, pixels, sent_by, z_of
from tests.browser.test_live_training import until
from vae_core.latent import attribute_vectors, class_means, half_way, spherical, straight, through
from vae_core.moments import measure
from vae_core.snapshot import map_images

PLANE, AE, CONV, CONV_AE = "mnist-vae-mlp-2", "mnist-ae-mlp-2", "mnist-vae-conv-32", "mnist-ae-conv-32"
CLOSE = 1.5  # grey levels of 255: half of one is rounding, and the strip is drawn by way of float32 in JavaScript
Opened = Callable[..., Page]


@functools.cache
def data() -> tuple[Tensor, Tensor]:
    """(5000, 1, 28, 28) in [0, 1] and (5000,) labels of the map's images."""
    images, labels = map_images(shipped.images())
    return images.float() / 255, torch.from_numpy(labels).long()


@functools.cache
def mu_of(model: str) -> Tensor:
    """(5000, D) codes."""
    with torch.no_grad():
        return torch.cat([shipped.checkpoint(model).model.encode(part)[0] for part in data()[0].split(500)])


def pair(model: str, i: int = 10, j: int = 0) -> tuple[Tensor, Tensor]:
    """The codes of two test images."""
    return mu_of(model)[i], mu_of(model)[j]


def decoded(model: str, zs: Tensor) -> Tensor:
    """(n, 28, 28) pictures of (n, D) codes, 0 to 255."""
    one = shipped.checkpoint(model).model
    with torch.no_grad():
        return one.mean_image(one.decode(zs))[:, 0] * 255


def difference(shown: np.ndarray, expected: Tensor) -> float:
    """Largest difference of a strip (28, 28 n) from (n, 28, 28) pictures, in grey levels."""
    strip = torch.cat(list(expected), dim=1).numpy()
    assert shown.shape == strip.shape
    return float(np.abs(shown.astype(float) - strip).max())


def lonely(count: int) -> list[int]:
    """Test images whose codes lie within the frame, no other code and no other of them near: a finger can mean them."""
    mu = mu_of(PLANE)
    apart = torch.cdist(mu, mu).fill_diagonal_(torch.inf).min(1).values
    apart[mu.abs().max(1).values > 3.5] = 0
    chosen: list[int] = []
    for i in apart.argsort(descending=True).tolist():
        if all((mu[i] - mu[j]).norm() > 1 for j in chosen):
            chosen.append(i)
        if len(chosen) == count:
            break
    return chosen


def opened_way(
    opened: Opened, server: str, way: str, state: dict | None = None, model: str = PLANE, **options: Any
) -> Page:
    asked = f"&way={way}" + (f"&{way}={quote(json.dumps(state))}" if state else "")
    page = explorer(opened, server, model, asked, **options)
    expect(page.locator(f".way[data-way={way}]")).to_be_visible()
    return page


def within(page: Page, way: str, part: str) -> Locator:
    return page.locator(f".way[data-way={way}] [data-part={part}]")


def lane(page: Page, name: str) -> Locator:
    """The strip of "main" or "twin"."""
    return within(page, "interpolate", name).locator("canvas")


def picture(page: Page, name: str) -> Locator:
    return page.locator(f".way:visible [data-picture={name}] canvas")


def strip_is(page: Page, canvas: Locator, expected: Tensor) -> None:
    """Wait until the strip, which comes in parts, is the one that torch decodes."""
    width = 28 * len(expected)
    until(page, lambda: canvas.evaluate("(c) => c.width") == width and difference(pixels(canvas), expected) < CLOSE, 20)


def press_code(page: Page, image: int) -> None:
    x, y = mu_of(PLANE)[image].tolist()
    page.mouse.click(*at(page, x, y))


def drag(page: Page, slider: Locator, shares: list[float]) -> None:
    """Press at the first share of the slider's width, move over the others; the button stays down."""
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    places = [(box["x"] + 8 + share * (box["width"] - 16), box["y"] + box["height"] / 2) for share in shares]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)


# ---- interpolate


def test_two_images_chosen_on_the_map_are_joined_in_both_models(opened: Opened, server: str) -> None:
    page = opened_way(opened, server, "interpolate")
    first, second = lonely(2)
    within(page, "interpolate", "anew").click()
    press_code(page, first)
    expect(within(page, "interpolate", "hint")).to_contain_text("where the path shall end")
    press_code(page, second)
    chips = within(page, "interpolate", "stops").get_by_role("listitem")
    labels = data()[1]
    for chip, image in zip(chips.all(), (first, second), strict=True):
        expect(chip).to_contain_text(f"test image {image}, a {labels[image]}")
    for name, model in (("main", PLANE), ("twin", AE)):
        mu = mu_of(model)
        strip_is(page, lane(page, name), decoded(model, straight(mu[first], mu[second], 11)))
        expect(within(page, "interpolate", name)).to_contain_text(model)
    until(page, lambda: "interpolate=" in page.url)
    assert in_link(page, "interpolate")["images"] == [first, second]


def test_the_ends_of_the_strips_are_the_reconstructions_of_the_stops(opened: Opened, server: str) -> None:
    images = [10, 0, 3]
    page = opened_way(opened, server, "interpolate", {"images": images})
    x = data()[0][images]
    for name, model in (("main", PLANE), ("twin", AE)):
        mu = mu_of(model)[images]
        strip_is(page, lane(page, name), decoded(model, through(mu, 6, straight)))
        one, shown = shipped.checkpoint(model).model, pixels(lane(page, name))
        with torch.no_grad():
            again = one.mean_image(one.decode(one.encode(x)[0]))[:, 0] * 255
        ends = np.hstack([shown[:, 28 * k : 28 * (k + 1)] for k in (0, 5, 10)])
        assert difference(ends, again) < CLOSE


def test_a_drag_along_the_path_decodes_without_a_message(opened: Opened, server: str) -> None:
    page = opened_way(opened, server, "interpolate", {"images": [10, 0]})
    sent = sent_by(page)
    seek, big = within(page, "interpolate", "seek"), page.locator("[data-part=decoded]")
    strip_is(page, lane(page, "twin"), decoded(AE, straight(*pair(AE), 11)))
    page.wait_for_timeout(1000)  # whatever the page said on opening
    before, seen = len(sent), set()
    drag(page, seek, [0.05, 0.1])
    for share in (0.2, 0.35, 0.5, 0.65, 0.8):
        drag_on(page, seek, share)
        page.wait_for_timeout(150)
        place = int(seek.input_value()) / int(seek.get_attribute("max") or 1)
        assert place == pytest.approx(share, abs=0.03)
        a, b = pair(PLANE)
        z = a + place * (b - a)
        assert np.allclose(z_of(page), z, atol=1e-4)
        assert difference(pixels(big), decoded(PLANE, z[None])) < CLOSE
        assert difference(pixels(picture(page, "now")), decoded(PLANE, z[None])) < CLOSE
        c, d = pair(AE)
        assert difference(pixels(picture(page, "nowTwin")), decoded(AE, (c + place * (d - c))[None])) < CLOSE
        seen.add(pixels(big).tobytes())
    assert len(seen) == 5
    page.wait_for_timeout(500)
    assert len(sent) == before
    page.mouse.up()
    until(page, lambda: len(sent) > before and "interpolate=" in page.url)
    until(page, lambda: in_link(page, "interpolate").get("at") == pytest.approx(place, abs=1e-3))


def drag_on(page: Page, slider: Locator, share: float) -> None:
    box = slider.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 8 + share * (box["width"] - 16), box["y"] + box["height"] / 2, steps=3)


@pytest.mark.parametrize(("model", "twin"), [(PLANE, AE), (CONV, CONV_AE)])
def test_straight_and_spherical_paths_differ_and_both_are_torchs(
    opened: Opened, server: str, model: str, twin: str
) -> None:
    if twin not in shipped.cards():
        pytest.fail(f"{twin} does not ship")
    page = opened_way(opened, server, "interpolate", {"images": [1, 10]}, model)
    strips = {}
    for shape, way in (("Straight", straight), ("Spherical", spherical)):
        page.get_by_role("button", name=shape, exact=True).click()
        for name, one in (("main", model), ("twin", twin)):
            strip_is(page, lane(page, name), decoded(one, way(*pair(one, 1, 10), 11)))
        strips[shape] = pixels(lane(page, "main")).astype(float)
    changed = np.abs(strips["Straight"] - strips["Spherical"]).reshape(28, 11, 28).max((0, 2))
    assert changed[5] > 50 and changed[[0, 10]].max() <= 1  # the ends stay


def test_half_way_in_pixels_and_in_each_models_codes(opened: Opened, server: str) -> None:
    page = opened_way(opened, server, "interpolate", {"images": [10, 0]})
    expect(picture(page, "halfTwin")).to_be_visible(timeout=20_000)
    images = data()[0][:, 0] * 255
    expected = {
        "first": images[[10]], "second": images[[0]], "average": images[[10, 0]].mean(0, keepdim=True),
        "half": decoded(PLANE, half_way(*pair(PLANE))[None]),
        "halfTwin": decoded(AE, half_way(*pair(AE))[None]),
    }  # fmt: skip
    for name, wanted in expected.items():
        assert difference(pixels(picture(page, name)), wanted) < CLOSE, name


def test_the_numbers_under_the_strips_are_distances_from_codes_and_images(opened: Opened, server: str) -> None:
    page = opened_way(opened, server, "interpolate", {"images": [10, 0]})
    pictures = data()[0].reshape(5000, 784)
    for name, model in (("main", PLANE), ("twin", AE)):
        cells = within(page, "interpolate", name).locator(".cells > span")
        until(page, lambda cells=cells: cells.count() == 11 and "…" not in cells.all_inner_texts()[10])
        mu = mu_of(model)
        near = torch.cdist(mu[::25], mu, compute_mode="donot_use_mm_for_euclid_dist")
        near.scatter_(1, torch.arange(0, 5000, 25)[:, None], torch.inf)
        gap = near.min(1).values.sort().values[100]
        zs = straight(*pair(model), 11)
        gaps = torch.cdist(zs, mu, compute_mode="donot_use_mm_for_euclid_dist").min(1).values / gap
        away = torch.cdist(decoded(model, zs).reshape(11, 784) / 255, pictures).min(1).values / 28
        for text, g, d in zip(cells.all_inner_texts(), gaps, away, strict=True):
            said_gaps, said_away = (float(v) for v in text.split())
            assert said_gaps == pytest.approx(g.item(), abs=0.51 if g > 9.9 else 0.06)
            assert said_away == pytest.approx(d.item(), abs=0.006)


def test_stops_are_added_taken_away_and_brought_back_with_the_keyboard(opened: Opened, server: str) -> None:
    page = opened_way(opened, server, "interpolate", {"images": [10, 0]})
    chips = within(page, "interpolate", "stops").get_by_role("listitem")
    expect(chips.get_by_role("button", name=re.compile("away")).first).to_be_disabled()  # a path has two ends
    third = lonely(1)[0]
    press_code(page, third)
    expect(chips).to_have_count(3)
    remove = chips.nth(1).get_by_role("button", name="take stop 2 away")
    remove.focus()
    page.keyboard.press("Enter")
    expect(chips).to_have_count(2)
    assert [f"test image {i}," in text for i, text in zip((10, third), chips.all_inner_texts(), strict=True)] == [
        True
    ] * 2
    within(page, "interpolate", "undo").click()
    expect(chips).to_have_count(3)
    next_one = chips.nth(0).get_by_role("button", name="stop 1: another 0")
    next_one.focus()
    page.keyboard.press("Enter")
    labels = data()[1]
    following = next(i for i in range(11, 5000) if labels[i] == 0)
    expect(chips.nth(0)).to_contain_text(f"test image {following}, a 0")
    expect(chips.nth(0).get_by_role("button", name="stop 1: another 0")).to_be_focused()
    seek = within(page, "interpolate", "seek")
    seek.focus()
    page.keyboard.press("ArrowRight")
    expect(within(page, "interpolate", "t")).to_contain_text("0.01 from stop 1 to stop 2")


def test_six_stops_are_the_most_and_a_random_pair_has_two_classes(opened: Opened, server: str) -> None:
    page = opened_way(opened, server, "interpolate", {"images": [1, 2, 3, 4, 5, 6]})
    chips, hint = within(page, "interpolate", "stops").get_by_role("listitem"), within(page, "interpolate", "hint")
    expect(chips).to_have_count(6)
    press_code(page, lonely(1)[0])
    expect(hint).to_contain_text("6 stops at most: take one away first.")
    expect(chips).to_have_count(6)
    page.get_by_role("button", name="Two random images").click()
    expect(chips).to_have_count(2)
    classes = [re.search(r"a (\d)", text).group(1) for text in chips.all_inner_texts()]  # type: ignore[union-attr]
    assert classes[0] != classes[1]


def test_play_moves_along_the_path_in_silence_and_pause_rests(opened: Opened, server: str) -> None:
    page = opened_way(opened, server, "interpolate", {"images": [10, 0]})
    sent = sent_by(page)
    page.wait_for_timeout(1000)
    before, seek = len(sent), within(page, "interpolate", "seek")
    play = within(page, "interpolate", "play")
    play.click()
    until(page, lambda: int(seek.input_value()) > 60)
    until(page, lambda: int(seek.input_value()) > 120)
    assert len(sent) == before
    play.click()
    expect(play).to_have_text("▶ Play")
    rests = int(seek.input_value()) / int(seek.get_attribute("max") or 1)
    until(
        page,
        lambda: "interpolate=" in page.url and in_link(page, "interpolate").get("at") == pytest.approx(rests, abs=1e-3),
    )
    a, b = pair(PLANE)
    until(page, lambda: np.allclose(z_of(page), a + rests * (b - a), atol=2e-3))


def test_without_a_twin_the_page_says_so(opened: Opened, server: str) -> None:
    page = opened_way(opened, server, "interpolate", {"images": [10, 0]}, model=AE)
    expect(within(page, "interpolate", "without")).to_contain_text("is a plain autoencoder itself")
    expect(within(page, "interpolate", "twin")).to_be_hidden()
    strip_is(page, lane(page, "main"), decoded(AE, straight(*pair(AE), 11)))


def test_another_model_brings_its_own_path(opened: Opened, server: str) -> None:
    page = opened_way(opened, server, "interpolate", {"images": [10, 0]})
    strip_is(page, lane(page, "twin"), decoded(AE, straight(*pair(AE), 11)))
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name=re.compile("VAE, mlp, 2 latents, beta 4")).click()
    page.locator(".explore[data-ready='mnist-vae-beta4-mlp-2']").wait_for(timeout=60_000)
    other = "mnist-vae-beta4-mlp-2"
    strip_is(page, lane(page, "main"), decoded(other, straight(*pair(other), 11)))
    strip_is(page, lane(page, "twin"), decoded(AE, straight(*pair(AE), 11)))


def test_the_table_that_is_saved_has_both_paths(opened: Opened, server: str, tmp_path: Path) -> None:
    page = opened_way(opened, server, "interpolate", {"images": [10, 0]})
    cells = within(page, "interpolate", "twin").locator(".cells > span")
    until(page, lambda: cells.count() == 11 and "…" not in cells.all_inner_texts()[10])
    for kind in ("PNG", "GIF"):
        with page.expect_download() as saved:
            page.get_by_role("button", name=kind, exact=True).click()
        assert Path(saved.value.path()).stat().st_size > 1000
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV", exact=True).click()
    rows = list(csv.DictReader(Path(saved.value.path()).read_text().splitlines()))
    assert [row["model"] for row in rows] == [PLANE] * 11 + [AE] * 11
    for model, part in ((PLANE, rows[:11]), (AE, rows[11:])):
        zs = [[float(row["z1"]), float(row["z2"])] for row in part]
        assert np.allclose(zs, straight(*pair(model), 11), rtol=1e-4, atol=1e-4)


# ---- arithmetic


def table(page: Page) -> dict[str, list[str]]:
    rows = within(page, "arithmetic", "table").locator("tbody tr").all()
    return {row.locator("th").inner_text().split(",")[0]: row.locator("td").all_inner_texts() for row in rows}


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def test_more_strength_leans_a_1_further_as_measured(opened: Opened, server: str) -> None:
    page = opened_way(opened, server, "arithmetic", {"image": 0, "attribute": "slant", "strength": 0})
    sent = sent_by(page)
    page.wait_for_timeout(1000)
    before, slider = len(sent), within(page, "arithmetic", "strength")
    images, _ = data()
    mu = mu_of(PLANE)
    vector = attribute_vectors(mu, measure(images))[0]
    leans = []
    drag(page, slider, [0.5, 0.5])
    for share in (0.5, 0.6, 0.7, 0.8, 0.9, 0.99):
        drag_on(page, slider, share)
        page.wait_for_timeout(150)
        strength = float(slider.input_value())
        made = decoded(PLANE, (mu[0] + strength * vector)[None])
        assert difference(pixels(picture(page, "changed")), made) < CLOSE
        wanted = measure(torch.stack([images[0, 0], decoded(PLANE, mu[:1])[0].round() / 255, made[0].round() / 255]))
        for row, column in zip(table(page).values(), wanted.T, strict=True):
            assert [number(text) for text in row[:3]] == pytest.approx(column.tolist(), abs=0.06)
            assert number(row[3]) == pytest.approx((column[2] - column[1]).item(), abs=0.06)
        leans.append(number(table(page)["Slant"][2]))
    assert leans == sorted(leans) and leans[-1] - leans[0] > 25
    assert len(sent) == before
    page.mouse.up()
    until(page, lambda: "arithmetic=" in page.url and in_link(page, "arithmetic").get("strength") == strength)


@pytest.mark.parametrize("model", [PLANE, CONV])
def test_the_strip_of_an_attribute_is_torchs_with_what_it_measures(opened: Opened, server: str, model: str) -> None:
    page = opened_way(opened, server, "arithmetic", model=model)
    images, labels = data()
    page.get_by_role("button", name="a test image of class 7").click()
    image = int((labels == 7).nonzero()[0])
    page.get_by_role("button", name="Another 7").click()
    image = next(i for i in range(image + 1, 5000) if labels[i] == 7)
    page.get_by_role("button", name="Width (pixels)").click()
    vector = attribute_vectors(mu_of(model), measure(images))[3]
    made = decoded(model, mu_of(model)[image] + torch.linspace(-2, 2, 9)[:, None] * vector)
    strip_is(page, within(page, "arithmetic", "film").locator("canvas"), made)
    cells = within(page, "arithmetic", "film").locator(".cells b")
    expect(cells).to_have_count(9)
    assert [number(text) for text in cells.all_inner_texts()] == pytest.approx(
        measure(made.round() / 255)[:, 3].tolist(), abs=0.06
    )
    expect(within(page, "arithmetic", "note")).to_contain_text(
        f"Its length: {vector.norm():.2f} prior standard deviations."
    )


def test_the_difference_of_two_is_added_to_a_third(opened: Opened, server: str) -> None:
    page = opened_way(opened, server, "arithmetic", {"mode": "difference", "strength": 1})
    mu, (_, labels) = mu_of(PLANE), data()
    means, (b, c) = class_means(mu, labels), lonely(2)
    page.get_by_role("button", name="mean of the 4s").and_(page.locator(":visible")).click()  # a, then b's turn
    press_code(page, b)
    press_code(page, c)
    for slot, words in (
        ("a", "mean of the 4s"),
        ("b", f"test image {b}, a {labels[b]}"),
        ("c", f"test image {c}, a {labels[c]}"),
    ):
        expect(page.get_by_role("button", name=f"choose {slot}: {words}")).to_be_visible()
    vector = mu[b] - means[4]
    strip_is(
        page,
        within(page, "arithmetic", "film").locator("canvas"),
        decoded(PLANE, mu[c] + torch.linspace(-2, 2, 9)[:, None] * vector),
    )
    assert difference(pixels(picture(page, "changed")), decoded(PLANE, (mu[c] + vector)[None])) < CLOSE
    until(page, lambda: np.allclose(z_of(page), mu[c] + vector, atol=2e-3))  # z goes with it
    within(page, "arithmetic", "film").locator("canvas").click(position={"x": 5, "y": 20})  # strength -2
    expect(within(page, "arithmetic", "value")).to_have_text("−2.00")
    assert difference(pixels(picture(page, "changed")), decoded(PLANE, (mu[c] - 2 * vector)[None])) < CLOSE


def test_a_class_mean_is_a_place_to_go_to(opened: Opened, server: str) -> None:
    page = opened_way(opened, server, "arithmetic", {"mode": "means"})
    means = class_means(mu_of(PLANE), data()[1])
    for digit in (0, 7):
        button = page.get_by_role("button", name=f"mean of the {digit}s").and_(page.locator(":visible"))
        assert difference(pixels(button.locator("canvas")), decoded(PLANE, means[digit][None])) < CLOSE
        button.focus()
        page.keyboard.press("Enter")
        until(page, lambda digit=digit: np.allclose(z_of(page), means[digit], atol=2e-3))


@pytest.mark.parametrize("state", ["interpolate", "attribute", "means", "difference"])
def test_a_phone_shows_it_all_without_scrolling_sideways(opened: Opened, server: str, state: str) -> None:
    way = "interpolate" if state == "interpolate" else "arithmetic"
    options: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = opened_way(opened, server, way, None if way == "interpolate" else {"mode": state}, **options)
    page.wait_for_timeout(500)
    assert page.locator(f".way[data-way={way}]").evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0
    small = """(way) => [...way.querySelectorAll("*")].filter((e) => e.checkVisibility() && e.innerText &&
      parseFloat(getComputedStyle(e).fontSize) < 12).map((e) => e.outerHTML.slice(0, 90))"""
    assert page.locator(f".way[data-way={way}]").evaluate(small) == []
