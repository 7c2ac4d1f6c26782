"""Paths between images, as a student makes them; what is drawn, said and saved is held against torch."""

import csv
import re

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from pages.ui import shipped
from pages.ui.shipped import title_of
from tests.browser.test_explorer import in_link, pixels, sent_by, z_of
from tests.browser.test_live_training import until
from tests.browser.ways import (
    AE,
    CLOSE,
    CONV,
    CONV_AE,
    PHONE,
    PLANE,
    Opened,
    data,
    decoded,
    difference,
    drag,
    drag_on,
    frames_of,
    from_codes,
    lane,
    lonely,
    mu_of,
    name_of,
    near_radius,
    opened_way,
    pair,
    picture,
    press_code,
    row_of_sheet,
    saved,
    strip_is,
    too_wide_or_small,
    within,
)
from vae_core.latent import half_way, spherical, straight, through


def test_two_images_chosen_on_the_map_are_joined_in_both_models(opened: Opened, server: str) -> None:
    page = opened_way(opened, server, "interpolate")
    first, second = lonely(2)
    within(page, "interpolate", "anew").click()
    press_code(page, first)
    expect(within(page, "interpolate", "hint")).to_contain_text("where the path shall end")
    press_code(page, second)
    chips = within(page, "interpolate", "stops").get_by_role("listitem")
    for chip, image in zip(chips.all(), (first, second), strict=True):
        expect(chip).to_contain_text(name_of(image))
    for name, model in (("main", PLANE), ("twin", AE)):
        mu = mu_of(model)
        strip_is(page, lane(page, name), decoded(model, straight(mu[first], mu[second], 11)))
        expect(within(page, "interpolate", name)).to_contain_text(title_of(model))
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


@pytest.mark.parametrize(("model", "twin"), [(PLANE, AE), (CONV, CONV_AE)])
def test_straight_and_spherical_paths_differ_and_both_are_torchs(
    opened: Opened, server: str, model: str, twin: str
) -> None:
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
        "first": images[[10]],
        "second": images[[0]],
        "average": images[[10, 0]].mean(0, keepdim=True),
        "half": decoded(PLANE, half_way(*pair(PLANE))[None]),
        "halfTwin": decoded(AE, half_way(*pair(AE))[None]),
    }
    for name, wanted in expected.items():
        assert difference(pixels(picture(page, name)), wanted) < CLOSE, name


def test_the_numbers_under_the_strips_are_distances_from_codes_and_images(opened: Opened, server: str) -> None:
    page = opened_way(opened, server, "interpolate", {"images": [10, 0]})
    pictures = data()[0].reshape(5000, 784)
    for name, model in (("main", PLANE), ("twin", AE)):
        cells = within(page, "interpolate", name).locator(".cells > span")
        until(page, lambda cells=cells: cells.count() == 11 and "…" not in cells.all_inner_texts()[10])
        zs = straight(*pair(model), 11)
        ratios = from_codes(zs, mu_of(model)) / near_radius(model)
        away = torch.cdist(decoded(model, zs).reshape(11, 784) / 255, pictures).min(1).values / 28
        for text, ratio, d in zip(cells.all_inner_texts(), ratios, away, strict=True):
            said_ratio, said_away = (float(v) for v in text.split())
            assert said_ratio == pytest.approx(ratio.item(), abs=0.011)
            assert said_away == pytest.approx(d.item(), abs=0.006)
        bold = [cell.evaluate("(c) => getComputedStyle(c.querySelector('b')).fontWeight > 600") for cell in cells.all()]
        assert bold == (ratios > 1).tolist()
        assert any(bold) is (model == AE)  # the gap on this way is the plain autoencoder's
        words = f"{sum(bold)} of 11 pictures in a gap" if any(bold) else "no gap"
        expect(within(page, "interpolate", name)).to_contain_text(words)


def test_the_page_says_what_near_is_and_how_far_test_images_are_apart(opened: Opened, server: str) -> None:
    page = opened_way(opened, server, "interpolate", {"images": [10, 0]})
    rule, vae = (
        within(page, "interpolate", "rule"),
        "Near, VAE: 95 of 100 samples of q(z | x) have another image's mu so close",
    )
    expect(rule).to_contain_text("Near, Plain autoencoder: 95 of 100 codes have another one so close", timeout=20_000)
    expect(rule).to_contain_text(vae)
    within(page, "interpolate", "compare").uncheck()
    expect(rule).not_to_contain_text("Plain autoencoder")
    expect(rule).to_contain_text(vae)
    images = data()[0].reshape(5000, 784).double()
    others = images[::5]
    squares = images.square().sum(1) + others.square().sum(1)[:, None] - 2 * others @ images.T  # (1000, 5000)
    half = (squares.topk(2, largest=False).values[:, 1] / 784).sqrt().quantile(0.5).item()  # the first is itself
    expect(within(page, "interpolate", "yardstick")).to_contain_text(f"another test image within {half:.2f}.")


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
    assert all(name_of(i) in text for i, text in zip((10, third), chips.all_inner_texts(), strict=True))
    within(page, "interpolate", "undo").click()
    expect(chips).to_have_count(3)
    next_one = chips.nth(0).get_by_role("button", name="stop 1: another 0")
    next_one.focus()
    page.keyboard.press("Enter")
    labels = data()[1]
    following = next(i for i in range(11, 5000) if labels[i] == 0)
    expect(chips.nth(0)).to_contain_text(name_of(following))
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
    until(page, lambda: "interpolate=" in page.url)
    until(page, lambda: in_link(page, "interpolate").get("at") == pytest.approx(rests, abs=1e-3))
    a, b = pair(PLANE)
    until(page, lambda: np.allclose(z_of(page), a + rests * (b - a), atol=2e-3))


def test_another_way_ends_the_film_and_z_is_where_it_rested(opened: Opened, server: str) -> None:
    page = opened_way(opened, server, "interpolate", {"images": [10, 0]})
    seek, play = within(page, "interpolate", "seek"), within(page, "interpolate", "play")
    seek.fill("100")  # it rests there: the pad's z
    until(page, lambda: "pad=" in page.url)
    rested = z_of(page)
    a, b = pair(PLANE)
    assert np.allclose(rested, a + 0.25 * (b - a), atol=2e-3)
    play.click()
    until(page, lambda: int(seek.input_value()) > 160)
    page.get_by_role("radio", name="Arithmetic").click()
    expect(page.locator(".way[data-way=arithmetic]")).to_be_visible()
    until(page, lambda: np.allclose(z_of(page), rested, atol=2e-3))
    shown = pixels(page.locator("[data-part=decoded]"))
    assert difference(shown, decoded(PLANE, torch.from_numpy(z_of(page)).float()[None])) < CLOSE
    page.wait_for_timeout(300)
    assert np.allclose(z_of(page), rested, atol=2e-3)  # the film is over, not only out of sight
    page.get_by_role("radio", name="Interpolate").click()
    expect(play).to_be_visible()
    expect(play).to_have_text("▶ Play")
    expect(seek).to_have_value("100")


def test_without_a_twin_the_page_says_so(opened: Opened, server: str) -> None:
    page = opened_way(opened, server, "interpolate", {"images": [10, 0]}, model=AE)
    expect(within(page, "interpolate", "without")).to_contain_text("is an autoencoder itself")
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
    before = decoded(PLANE, straight(*pair(PLANE), 11))
    assert difference(pixels(lane(page, "main")), before) > 50


def test_what_is_saved_has_both_paths(opened: Opened, server: str) -> None:
    page = opened_way(opened, server, "interpolate", {"images": [10, 0]})
    cells = within(page, "interpolate", "twin").locator(".cells > span")
    until(page, lambda: cells.count() == 11 and "…" not in cells.all_inner_texts()[10])
    sheet = saved(page, "PNG")
    rows = list(csv.DictReader(saved(page, "CSV").read_text().splitlines()))
    assert [row["model"] for row in rows] == [PLANE] * 11 + [AE] * 11
    for k, model in enumerate((PLANE, AE)):
        zs, part = straight(*pair(model), 11), rows[11 * k : 11 * k + 11]
        assert difference(row_of_sheet(sheet, k, 11), decoded(model, zs)) < CLOSE
        assert np.allclose([[float(row["z1"]), float(row["z2"])] for row in part], zs, rtol=1e-4, atol=1e-4)
        away = from_codes(zs, mu_of(model))
        assert [float(row["distance_to_nearest_code"]) for row in part] == pytest.approx(away.tolist(), abs=1e-4)
        assert [float(row["near_radius"]) for row in part] == pytest.approx([near_radius(model)] * 11, rel=1e-3)


def test_the_film_that_is_saved_goes_there_and_back(opened: Opened, server: str) -> None:
    page = opened_way(opened, server, "interpolate", {"images": [10, 0]})
    strip_is(page, lane(page, "main"), decoded(PLANE, straight(*pair(PLANE), 11)))
    expect(page.get_by_role("button", name="GIF", exact=True)).to_be_enabled(timeout=20_000)
    frames, (a, b) = frames_of(saved(page, "GIF")), pair(PLANE)
    assert len(frames) == 94
    t = torch.linspace(0, 1, 48).mul(400).round() / 400  # places of the slider
    assert difference(np.hstack(frames[:48]), decoded(PLANE, a + t[:, None] * (b - a))) < CLOSE
    assert all(np.array_equal(frames[47 + k], frames[47 - k]) for k in range(1, 47))


def test_a_phone_shows_a_path_without_scrolling_sideways(opened: Opened, server: str) -> None:
    page = opened_way(opened, server, "interpolate", **PHONE)
    assert too_wide_or_small(page, "interpolate") == (0, [])
