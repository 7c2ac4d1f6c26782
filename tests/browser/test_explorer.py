"""The explorer's pad as a student uses it: try out, drag, keys, pins, sliders, planes, links."""

import json
from collections.abc import Callable
from urllib.parse import parse_qs, quote, urlparse

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page, expect

from pages.ui import shipped
from tests.browser.explained import assert_explained, assert_silent
from tests.browser.test_live_training import until
from vae_core.inspect.snapshot import map_images

PLANE, CONV = "mnist-vae-mlp-2", "mnist-vae-conv-32"
PIXELS = """(canvas) => [canvas.width, Array.from(
  canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data).filter((_, i) => i % 4 === 0)]"""


def explorer(opened: Callable[..., Page], server: str, model: str = PLANE, asked: str = "", **options: object) -> Page:
    page = opened(f"{server}/explorer?model={model}{asked}", **options)
    page.locator(f".explore[data-ready='{model}']").wait_for(timeout=60_000)
    return page


def part(page: Page, name: str) -> Locator:
    return page.locator(f".explore [data-part={name}]")


def pixels(canvas: Locator) -> np.ndarray:
    """(height, width) grey levels of a canvas."""
    width, values = canvas.evaluate(PIXELS)
    return np.array(values, dtype=np.uint8).reshape(-1, width)


def z_of(page: Page) -> np.ndarray:
    return np.array([float(v) for v in part(page, "decoded").get_attribute("data-z").split(",")])


def decoded(model: str, z: np.ndarray) -> np.ndarray:
    """(28, 28) grey levels by torch."""
    one = shipped.checkpoint(model).model
    with torch.no_grad():
        x_hat = one.mean_image(one.decode(torch.tensor(z, dtype=torch.float32)[None]))
    return (x_hat[0, 0] * 255).numpy()


def at(page: Page, x: float, y: float, reach: float = 4) -> tuple[float, float]:
    """Where a point of the map is on the screen."""
    box = part(page, "over").bounding_box()
    assert box is not None
    return box["x"] + box["width"] * (x / reach + 1) / 2, box["y"] + box["height"] * (1 - y / reach) / 2


def sent_by(page: Page) -> list[object]:
    """Grows with every message that the page sends; reloads it, to see its sockets open."""
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.reload()
    page.locator(".explore[data-ready]:not([data-ready=''])").wait_for(timeout=60_000)
    return sent


def in_link(page: Page, name: str) -> dict:
    return json.loads(parse_qs(urlparse(page.url).query)[name][0])


@pytest.mark.parametrize("model", [PLANE, CONV])
def test_the_picture_follows_and_is_that_of_torch(model, opened, server):
    page = explorer(opened, server, model)
    sent = sent_by(page)
    page.wait_for_timeout(1500)
    before = len(sent)
    page.mouse.move(*at(page, 0, 0))
    page.mouse.down()
    seen = set()
    for step in range(30):
        page.mouse.move(*at(page, 0.05 * step, 0.03 * step))
        page.wait_for_timeout(20)
        seen.add(part(page, "decoded").get_attribute("data-z"))
    assert len(sent) == before, "messages were sent during the drag"
    assert len(seen) > 10
    page.mouse.up()
    until(page, lambda: "pad" in parse_qs(urlparse(page.url).query))
    z = z_of(page)
    assert np.abs(pixels(part(page, "decoded")) - decoded(model, z)).max() <= 0.52  # rounded to a grey level
    assert np.allclose(in_link(page, "pad")["z"], z, atol=2e-3)


def test_trying_out_leaves_no_trace_and_a_click_goes_and_pins(opened, server):
    page = explorer(opened, server)
    page.mouse.move(*at(page, 1.5, -1))
    until(page, lambda: np.allclose(z_of(page), [1.5, -1], atol=0.03))
    page.mouse.move(5, 300)  # leave
    until(page, lambda: np.array_equal(z_of(page), [0, 0]))
    page.mouse.click(*at(page, 1, 1))
    page.mouse.click(*at(page, -2, 0.5))
    expect(page.locator(".explore .pins figure")).to_have_count(2)
    page.mouse.move(5, 300)
    until(page, lambda: np.allclose(z_of(page), [-2, 0.5], atol=0.03))
    first, second = (page.locator(".explore .pins canvas").nth(i) for i in (0, 1))
    assert np.abs(pixels(second) - decoded(PLANE, z_of(page))).max() <= 0.6
    first.click()
    until(page, lambda: np.allclose(z_of(page), [1, 1], atol=0.03))
    page.get_by_role("button", name="Back").click()
    until(page, lambda: np.allclose(z_of(page), [-2, 0.5], atol=0.03))
    page.get_by_role("button", name="take pin A away").click()
    expect(page.locator(".explore .pins figure")).to_have_count(1)


def test_keys_move_finely_and_the_link_brings_it_all_back(opened, server):
    page = explorer(opened, server)
    part(page, "over").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    until(page, lambda: np.allclose(z_of(page), [0.19, 0.1]))
    page.keyboard.press("Enter")
    part(page, "grid").check()
    until(page, lambda: "pins" in page.url and "true" in page.url)
    other = explorer(opened, server, asked="&" + urlparse(page.url).query)
    assert np.allclose(z_of(other), [0.19, 0.1])
    expect(other.locator(".explore .pins figure")).to_have_count(1)
    expect(part(other, "grid")).to_be_checked()
    page.keyboard.press("Home")


def test_sliders_come_by_kl_and_move_one_latent(opened, server):
    page = explorer(opened, server, CONV, f"&pad={quote(json.dumps({'z': [0] * 32}))}")
    names = page.locator(".explore [data-way=pad] .slider small").all_inner_texts()
    kl = [float(text.split()[1]) for text in names if text]
    assert kl == sorted(kl, reverse=True) and len(kl) >= 5
    sent = sent_by(page)
    page.wait_for_timeout(1500)
    before = len(sent)
    first = page.locator(".explore [data-way=pad] input[type=range]").first
    first.evaluate("(e) => { e.value = 1.5; e.dispatchEvent(new Event('input')) }")
    until(page, lambda: np.count_nonzero(z_of(page)) == 1)
    assert z_of(page).max() == 1.5 and len(sent) == before
    first.evaluate("(e) => e.dispatchEvent(new Event('change'))")
    until(page, lambda: "pad" in parse_qs(urlparse(page.url).query))
    until(page, lambda: len(set(pixels(page.locator(".explore .strip canvas").first).tobytes())) > 20)
    z = z_of(page)
    z[z != 0] = -3
    strip = pixels(page.locator(".explore .strip canvas").first)
    assert np.abs(strip[:, :28] - decoded(CONV, z)).max() <= 0.52


def test_with_many_latents_it_opens_on_a_code_and_says_what_0_is(opened, server):
    page = explorer(opened, server, CONV)
    image = map_images(shipped.images())[0][:1].float() / 255
    with torch.no_grad():
        mu = shipped.checkpoint(CONV).model.encode(image)[0][0].numpy()
    assert np.allclose(z_of(page), mu, atol=1e-3)
    page.get_by_role("button", name="To 0").click()
    expect(part(page, "place")).to_contain_text("Nearer to 0 than almost any prior draw")


def test_a_plane_through_two_latents_holds_the_others(opened, server):
    z = [0.0] * 32
    z[7] = 1.25
    page = explorer(opened, server, CONV, f"&pad={quote(json.dumps({'z': z}))}")
    expect(part(page, "held")).to_contain_text("the other 30 directions")
    page.get_by_label("across", exact=True).select_option("3")
    expect(part(page, "held")).to_contain_text("the other 30 latents of z as they are, 1.25 from 0")
    up = int(page.get_by_label("upwards").input_value())
    page.mouse.move(*at(page, -2, 1))
    until(page, lambda: abs(z_of(page)[3] + 2) < 0.03)
    moved = z_of(page)
    assert abs(moved[up] - 1) < 0.03 if up != 7 else True
    assert moved[7] == 1.25 or up == 7
    assert np.count_nonzero(moved) == (3 if up != 7 else 2)


def choose(page: Page, title: str, model: str) -> None:
    page.get_by_test_id("stSelectbox").locator("input").click()
    page.get_by_role("option", name=title, exact=True).click()
    page.locator(f".explore[data-ready='{model}']").wait_for(timeout=60_000)


def test_another_model_and_back(opened, server):
    page = explorer(opened, server, CONV)
    start = z_of(page)
    page.mouse.move(*at(page, 1, 1))
    page.mouse.down()
    page.mouse.move(*at(page, 1.5, 1), steps=3)
    page.mouse.up()
    until(page, lambda: "pad" in page.url)
    assert not np.allclose(z_of(page), start)
    choose(page, "VAE, mlp, 2 latents", PLANE)
    assert np.array_equal(z_of(page), [0, 0])
    until(page, lambda: len(set(pixels(page.locator(".explore .strip canvas").first).tobytes())) > 20)
    choose(page, "VAE, mlp, 2 latents, beta 4", "mnist-vae-beta4-mlp-2")
    strip = page.locator(".explore .strip canvas").first
    first = int(page.locator(".explore [data-way=pad] .slider b").first.inner_text() == "z₂")
    wanted = decoded("mnist-vae-beta4-mlp-2", np.array([-3.0, 0.0] if first == 0 else [0.0, -3.0]))
    until(page, lambda: np.abs(pixels(strip)[:, :28] - wanted).max() <= 0.52)
    choose(page, "VAE, conv, 32 latents", CONV)
    assert np.allclose(z_of(page), in_link(page, "pad")["z"], atol=2e-3)  # the page and its address agree
    expect(part(page, "held")).to_contain_text("the other 30 directions")  # on the principal axes


def test_two_drags_in_a_row_send_nothing_in_between(opened, server):
    page = explorer(opened, server)
    sent = sent_by(page)
    page.wait_for_timeout(1500)
    for _ in range(2):
        page.mouse.move(*at(page, -1, -1))
        page.mouse.down()
        page.mouse.move(*at(page, 0, 1), steps=5)
        page.mouse.up()
    page.mouse.down()
    places = [at(page, 0.02 * step, 1) for step in range(40)]  # asked beforehand: a question may take a busy page long
    page.mouse.move(*places[1])
    page.evaluate("0")  # the page has seen the hand: what was at rest before that has been told
    before = len(sent)
    for place in places[2:]:
        page.mouse.move(*place)
        page.wait_for_timeout(20)
    assert len(sent) == before
    page.mouse.up()
    until(page, lambda: len(sent) > before)


def test_density_and_neighbours_are_right(opened, server):
    page = explorer(opened, server, asked=f"&pad={quote(json.dumps({'z': [0.6, -1.1]}))}")
    r = (0.6**2 + 1.1**2) ** 0.5
    until(page, lambda: part(page, "near").get_attribute("data-index"))
    text = part(page, "density").inner_text()
    assert f"|z| = {r:.2f} σ: {100 * np.exp(-r * r / 2):.0f}% of prior draws" in text
    test_images = shipped.images().x_test[torch.randperm(10_000, generator=torch.Generator().manual_seed(0))[:5000]]
    away = (
        (test_images[:, 0].float() - torch.tensor(decoded(PLANE, np.array([0.6, -1.1])))).square().mean((1, 2)).sqrt()
    )
    assert int(part(page, "near").get_attribute("data-index") or -1) == int(away.argmin())
    assert f"({away.min() / 255:.2f})" in part(page, "nearText").inner_text()


def test_it_works_under_a_finger_on_a_phone(opened, server):
    page = explorer(opened, server, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.touchscreen.tap(*at(page, 1, 0.5))
    expect(page.locator(".explore .pins figure")).to_have_count(1)
    until(page, lambda: np.allclose(z_of(page), [1, 0.5], atol=0.05))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    word = page.locator(".explore .word", has_text="nats")
    word.tap()  # a finger has no hover
    assert_explained(word)
    page.locator(".explore .word", has_text="KL").tap()
    assert_silent(word)


def test_it_goes_on_without_the_network(opened, server):
    page = explorer(opened, server)
    page.wait_for_timeout(1000)
    page.context.set_offline(True)
    page.mouse.move(*at(page, -1, 2))
    until(page, lambda: np.allclose(z_of(page), [-1, 2], atol=0.03))
    assert np.abs(pixels(part(page, "decoded")) - decoded(PLANE, z_of(page))).max() <= 0.52
    page.context.set_offline(False)


def test_a_link_that_does_not_hold_says_so(opened, server):
    page = opened(f"{server}/explorer?model=nobody&way=fly&pad=%7B%22z&view=%7B%22axes%22:[99,1]%7D")
    expect(page.get_by_text("Of the model 'nobody' no weights are here")).to_be_visible()
    expect(page.locator(".explore")).to_have_count(0)  # no other model in its place
    page.get_by_role("button", name="Show what is here").click()
    expect(page.get_by_text("This link does not hold in full")).to_be_visible()
    page.locator(f".explore[data-ready='{PLANE}']").wait_for(timeout=60_000)
    assert np.array_equal(z_of(page), [0, 0])
