"""Arithmetic with codes, as a student does it; what is drawn, said and saved is held against torch."""

import csv

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

from tests.browser.test_explorer import in_link, pixels, sent_by, z_of
from tests.browser.test_live_training import until
from tests.browser.ways import (
    CLOSE,
    CONV,
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
    lonely,
    mu_of,
    name_of,
    near_radius,
    opened_way,
    picture,
    press_code,
    row_of_sheet,
    saved,
    strip_is,
    too_wide_or_small,
    within,
)
from vae_core.inspect.image_attributes import measure
from vae_core.latent import attribute_vectors, class_means


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
        ("b", name_of(b)),
        ("c", name_of(c)),
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


def test_numbers_under_a_difference_are_distances_from_codes_and_are_saved(opened: Opened, server: str) -> None:
    page = opened_way(opened, server, "arithmetic", {"mode": "difference", "a": 0, "b": 10, "c": 3})
    mu, cells = mu_of(PLANE), within(page, "arithmetic", "film").locator(".cells > span")
    zs = mu[3] + torch.linspace(-2, 2, 9)[:, None] * (mu[10] - mu[0])
    expect(cells).to_have_count(9, timeout=20_000)
    away = from_codes(zs, mu)
    ratios = away / near_radius(PLANE)
    for text, ratio in zip(cells.all_inner_texts(), ratios.tolist(), strict=True):
        assert number(text.split()[0]) == pytest.approx(ratio, abs=0.011 if ratio < 9.9 else 0.51)
    assert [cell.get_attribute("class") == "strong" for cell in cells.all()] == (ratios > 1).tolist()
    assert 0 < (ratios > 1).sum() < 9
    assert difference(row_of_sheet(saved(page, "PNG"), 0, 9), decoded(PLANE, zs)) < CLOSE
    rows = list(csv.DictReader(saved(page, "CSV").read_text().splitlines()))
    assert [float(row["distance_to_nearest_code"]) for row in rows] == pytest.approx(away.tolist(), abs=1e-4)
    assert [float(row["near_radius"]) for row in rows] == pytest.approx([near_radius(PLANE)] * 9, rel=1e-3)
    frames = frames_of(saved(page, "GIF"))
    assert len(frames) == 94
    made = decoded(PLANE, mu[3] + torch.linspace(-2, 2, 48)[:, None] * (mu[10] - mu[0]))
    assert difference(np.hstack(frames[:48]), made) < CLOSE


@pytest.mark.parametrize("mode", ["attribute", "means", "difference"])
def test_a_phone_shows_it_all_without_scrolling_sideways(opened: Opened, server: str, mode: str) -> None:
    page = opened_way(opened, server, "arithmetic", {"mode": mode}, **PHONE)
    assert too_wide_or_small(page, "arithmetic") == (0, [])
