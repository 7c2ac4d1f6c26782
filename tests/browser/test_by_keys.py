"""Everything that a pointer does in the explorer is done by keys, too, and the same comes of it.

tests/pointers.py names what pointers do elsewhere, and the tests of it.
"""

import re

import numpy as np
import torch
from playwright.sync_api import Locator, Page, expect

from pages.ui import shipped
from tests.browser.test_explorer import at, explorer, part, z_of
from tests.browser.test_live_training import until
from tests.browser.ways import (
    PLANE,
    Opened,
    data,
    decoded,
    from_codes,
    lane,
    lonely,
    mu_of,
    name_of,
    near_radius,
    press_code,
    within,
)
from vae_core.latent import quantile_grid

STEP = 0.1  # of an arrow key
NEAR = 0.51 * STEP
SPOKEN = ".explore p.spoken[aria-live=polite]"
Point = tuple[float, float]


def test_the_explorer_is_used_by_keys_as_by_a_mouse(opened: Opened, server: str) -> None:
    page = explorer(opened, server)
    the_map_of_the_pad(page)
    the_strip_of_a_slider(page)
    expect(page.locator(SPOKEN)).to_contain_text(what_torch_says(page), timeout=12_000)
    show(page, "Encode")
    a_code_on_the_map(page, within(page, "encode", "source"))
    the_samples(page)
    show(page, "Interpolate")
    a_code_on_the_map(page, within(page, "interpolate", "stops").get_by_role("listitem").last)
    a_new_path(page)
    the_strip_of_a_path(page)
    show(page, "Arithmetic")
    a_code_on_the_map(page, within(page, "arithmetic", "attribute").locator("small"))
    the_strip_of_a_vector(page)
    show(page, "Traverse")
    a_code_on_the_map(page, within(page, "traverse", "base"))
    a_row_of_the_traversal(page)
    show(page, "Prior")
    the_grid_of_the_prior(page)
    the_draws(page)
    the_warp(page)
    expect(page.locator(SPOKEN)).to_contain_text(what_torch_says(page), timeout=12_000)


def show(page: Page, way: str) -> None:
    page.get_by_test_id("stButtonGroup").get_by_text(way, exact=True).click()
    expect(page.locator(f".explore[data-way={way.lower()}]")).to_be_visible()
    page.mouse.move(5, 300)


def press(page: Page, key: str, times: int = 1) -> None:
    for _ in range(times):
        page.keyboard.press(key)


def arrows(page: Page, x: int, y: int) -> None:
    """So many steps to the right, and down, of a cursor that knows rows."""
    press(page, "ArrowRight" if x > 0 else "ArrowLeft", abs(x))
    press(page, "ArrowDown" if y > 0 else "ArrowUp", abs(y))


def walk(page: Page, x: float, y: float) -> None:
    """z to a point of the map, by the keys of the map."""
    part(page, "over").focus()
    press(page, "Home")
    arrows(page, round(x / STEP), -round(y / STEP))
    until(page, lambda: np.allclose(z_of(page), [x, y], atol=NEAR))


def comes_to(page: Page, z: np.ndarray, atol: float = 1e-3) -> None:
    until(page, lambda: np.allclose(z_of(page), z, atol=atol), 20)


def click(shown: Locator, x: float, y: float = 0.5) -> None:
    """At a share of its width and height."""
    shown.scroll_into_view_if_needed()
    box = shown.bounding_box()
    assert box is not None
    shown.click(position={"x": x * box["width"], "y": y * box["height"]})
    shown.page.mouse.move(5, 300)


def the_map_of_the_pad(page: Page) -> None:
    """A drag moves z; a click pins it."""
    page.mouse.move(*at(page, 0, 0))
    page.mouse.down()
    page.mouse.move(*at(page, 1.2, -0.7), steps=3)
    page.mouse.up()
    by_mouse = z_of(page)
    walk(page, 1.2, -0.7)
    comes_to(page, by_mouse, 0.03)
    press(page, "Enter")
    page.mouse.click(*at(page, 1.2, -0.7))
    pins = page.locator(".explore .pins figcaption span")
    expect(pins).to_have_count(2)
    places = [[float(v) for v in re.findall(r"[\d.−]+", pin.replace("−", "-"))] for pin in pins.all_inner_texts()]
    assert np.allclose(*places, atol=0.03)
    page.mouse.move(5, 300)


def the_strip_of_a_slider(page: Page) -> None:
    row = page.locator(".explore [data-way=pad] .slider").first
    click(row.locator("canvas"), 6.5 / 7)
    until(page, lambda: 3 in z_of(page))
    by_mouse, slider = z_of(page), row.locator("input")
    slider.press("Home")
    until(page, lambda: -4 in z_of(page))
    slider.press("End")
    slider.press("PageDown")  # by a tenth of all
    press(page, "ArrowLeft", 20)
    comes_to(page, by_mouse)


def a_code_on_the_map(page: Page, told: Locator) -> None:
    """A press on a code, and Enter beside it."""
    first, second = lonely(2)
    for image in (first, second):
        press_code(page, image)
        expect(told).to_contain_text(name_of(image), ignore_case=True)
    page.mouse.move(5, 300)
    walk(page, *mu_of(PLANE)[first].tolist())
    press(page, "Enter")
    expect(told).to_contain_text(name_of(first), ignore_case=True)


def a_sheet(page: Page, sheet: Locator, size: tuple[int, int], cell: tuple[int, int]) -> np.ndarray:
    """A click on a picture, and arrows and Enter; returns z."""
    click(sheet, *((place + 0.5) / count for place, count in zip(cell, size, strict=True)))
    page.wait_for_timeout(50)
    by_mouse = z_of(page)
    click(sheet, 0.5 / size[0], 0.5 / size[1])
    until(page, lambda: not np.allclose(z_of(page), by_mouse, atol=1e-3))
    sheet.focus()
    arrows(page, *cell)
    press(page, "Enter")
    comes_to(page, by_mouse)
    return by_mouse


def the_samples(page: Page) -> None:
    """On their sheet, and as dots of the enlarged cloud."""
    (image, _), sample = lonely(2), 11
    with torch.no_grad():
        mu, log_var = shipped.checkpoint(PLANE).model.encode(data()[0][image][None])
    way = (log_var[0] / 2).exp() * torch.randn(16, 2, generator=torch.Generator().manual_seed(0))
    by_keys = a_sheet(page, within(page, "encode", "sheet").locator("canvas"), (8, 2), (sample % 8, sample // 8))
    assert np.allclose(by_keys, mu[0] + way[sample], atol=2e-3)
    wide = float(re.search(r"([\d.]+) prior σ wide", within(page, "encode", "window").inner_text())[1])  # type: ignore[index]
    page.get_by_role("button", name="decoded from mu").click()
    comes_to(page, mu[0].numpy(), 2e-3)
    click(within(page, "encode", "zoom"), 0.5 + way[sample, 0].item() / wide, 0.5 - way[sample, 1].item() / wide)
    comes_to(page, by_keys)


def a_new_path(page: Page) -> None:
    first, second = lonely(2)
    stops = within(page, "interpolate", "stops").get_by_role("listitem")
    within(page, "interpolate", "anew").press("Enter")
    for image in (second, first):
        walk(page, *mu_of(PLANE)[image].tolist())
        press(page, "Enter")
    expect(stops).to_have_count(2)
    for stop, image in zip(stops.all(), (second, first), strict=True):
        expect(stop).to_contain_text(name_of(image))


def the_strip_of_a_path(page: Page) -> None:
    t, seek = within(page, "interpolate", "t"), within(page, "interpolate", "seek")
    click(lane(page, "main"), 1.5 / 11)
    expect(t).to_have_text("0.10 from stop 1 to stop 2")
    by_mouse = z_of(page)
    seek.press("End")
    expect(t).to_have_text("1.00 from stop 1 to stop 2")
    seek.press("Home")
    seek.press("PageUp")
    expect(t).to_have_text("0.10 from stop 1 to stop 2")
    comes_to(page, by_mouse)


def the_strip_of_a_vector(page: Page) -> None:
    value, strength = within(page, "arithmetic", "value"), within(page, "arithmetic", "strength")
    click(within(page, "arithmetic", "film").locator("canvas"), 0.99)
    expect(value).to_have_text("2.00")
    by_mouse = z_of(page)
    strength.press("Home")
    expect(value).to_have_text("−2.00")
    strength.press("End")
    comes_to(page, by_mouse)


def a_row_of_the_traversal(page: Page) -> None:
    a_sheet(page, page.locator("[data-latent='0'] canvas"), (9, 1), (6, 0))


def the_grid_of_the_prior(page: Page) -> None:
    z = a_sheet(page, within(page, "prior", "sheet").first.locator("canvas"), (12, 12), (8, 3))
    assert np.allclose(z, quantile_grid(12)[3 * 12 + 8], atol=1e-3)


def the_draws(page: Page) -> None:
    """On their sheet, and as dots of the map."""
    page.get_by_role("button", name="Random draws").click()
    z = a_sheet(page, page.locator("[data-box=draws] [data-part=sheet] canvas"), (10, 4), (3, 2))
    walk(page, 0, 0)
    page.mouse.click(*at(page, *z))
    comes_to(page, z)
    page.mouse.move(5, 300)


def the_warp(page: Page) -> None:
    page.get_by_role("button", name="Warp to images").click()
    mesh, nodes = within(page, "prior", "mesh"), quantile_grid(20)
    expect(page.locator("[data-box=warp] [data-part=figures]")).to_contain_text("PC 1", timeout=20_000)
    walk(page, 0.1, -0.1)
    page.wait_for_timeout(500)  # many arrow keys in a row make one stop
    mesh.focus()
    press(page, "ArrowRight")
    press(page, "Escape")
    comes_to(page, np.array([0.1, -0.1]))  # only looked at
    arrows(page, 4, -3)
    press(page, "Enter")
    x, y = nodes[7 * 20 + 14].tolist()
    comes_to(page, np.array([x, y]))
    walk(page, 0, 0)
    wide = 2 * 1.16 * float(nodes.max())
    click(mesh, 0.5 + x / wide, 0.5 - y / wide)
    comes_to(page, np.array([x, y]))


def what_torch_says(page: Page) -> str:
    """Of z: where it is, whether a code is near, and which test images are most like its picture."""
    z = z_of(page)
    images, labels = data()
    apart = (images.flatten(1) - decoded(PLANE, torch.tensor(z).float()[None]).flatten(1) / 255).square().mean(1).sqrt()
    nearest = apart.topk(5, largest=False)
    likest = ", ".join(f"{labels[i]} ({far:.2f})" for far, i in zip(nearest.values, nearest.indices, strict=True))
    inside = np.linalg.norm(z) < 3
    near = from_codes(torch.tensor(z).float()[None], mu_of(PLANE)).item() <= near_radius(PLANE)
    place = {
        (True, True): "Prior draws fall here, and a code is near.",
        (True, False): "Prior draws fall here, but no code is near.",
        (False, True): "A code is near, but almost all prior draws fall nearer to 0.",
        (False, False): "Further out than almost all prior draws, and far from every code.",
    }[bool(inside), near]
    pair = ", ".join(f"{v:.2f}".replace("-", "−") for v in z)
    return f"z = ({pair}): {place} Nearest test images: {likest}, RMS of full scale."
