"""The code map in a real browser: a place, another code, the picture that torch decodes, and the link that holds it."""

import json
from urllib.parse import quote

import numpy as np
import torch
from playwright.sync_api import Page, expect

from pages.ui import shipped
from tests.browser.ways import CLOSE, Opened
from vae_core.inspect.snapshot import map_images

NAME = "mnist-vq"
PIXELS = "c => Array.from(c.getContext('2d').getImageData(0, 0, 28, 28).data).filter((_, i) => i % 4 === 0)"


def ready(opened: Opened, url: str) -> Page:
    page = opened(url)
    page.wait_for_selector(f".explore[data-ready='{NAME}']", timeout=30_000)
    return page


def picture(page: Page) -> np.ndarray:
    return np.array(page.locator(".explore [data-part=decoded]").evaluate(PIXELS))


def decoded(codes: torch.Tensor) -> np.ndarray:
    """The picture of a code map (7, 7), by torch."""
    model = shipped.checkpoint(NAME).model
    with torch.no_grad():
        return 255 * model.mean_image(model.decode_map(codes[None])).flatten().numpy()


def test_another_code_at_a_place_changes_the_picture_and_the_link_keeps_it(opened: Opened, server: str) -> None:
    page = ready(opened, f"{server}/explorer?model={NAME}")
    codes = shipped.checkpoint(NAME).model.quantise_images(map_images(shipped.images())[0][:1].float() / 255)[0]
    assert np.abs(picture(page) - decoded(codes)).max() < CLOSE
    canvas, place = page.locator(".explore [data-part=map]"), page.locator(".explore [data-part=place]")
    canvas.focus()
    for key in ("ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    expect(place).to_contain_text("at row 5, column 3")
    page.keyboard.press("ArrowUp")
    box = canvas.bounding_box()
    assert box is not None
    canvas.click(position={"x": box["width"] * 2.5 / 7, "y": box["height"] * 4.5 / 7})
    expect(place).to_contain_text("at row 5, column 3")
    other = (int(codes[4, 2]) + 9) % 64
    page.locator(f".explore [data-code='{other}']").click()
    changed = codes.clone()
    changed[4, 2] = other
    assert np.abs(picture(page) - decoded(changed)).max() < CLOSE
    assert np.abs(decoded(changed) - decoded(codes)).max() > 30
    page.wait_for_function("location.search.includes('codes=')")
    again = ready(opened, page.url)
    assert np.abs(picture(again) - decoded(changed)).max() < CLOSE
    again.locator(".explore [data-part=undo]").click()
    assert np.abs(picture(again) - decoded(codes)).max() < CLOSE
    for kind in ("prior", "uniform"):
        expect(again.locator(f".explore [data-part={kind}] button")).to_have_count(20)
    expect(again.locator(".explore [data-part=bits]")).to_contain_text("109.0 bits")


def test_draws_can_be_taken_to_the_page_and_keys_move_on_the_map(opened: Opened, server: str) -> None:
    state = quote(json.dumps({"of": "prior", "index": 3}))
    page = ready(opened, f"{server}/explorer?model={NAME}&way=codes&codes={state}")
    expect(page.locator(".explore [data-part=originalBox]")).to_be_hidden()
    page.locator(".explore [data-part=map]").focus()
    for key in ("ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator(".explore [data-part=place]")).to_contain_text("at row 5, column 5")
    before = picture(page)
    page.keyboard.press("+")
    assert (picture(page) != before).any()
    page.keyboard.press("Delete")
    assert (picture(page) == before).all()
    page.locator(".explore button[data-digit='7']").click()
    expect(page.locator(".explore [data-part=name]")).to_contain_text("a 7")


def test_the_live_page_shows_the_code_maps_of_the_shipped_run(opened: Opened, server: str) -> None:
    page = opened(f"{server}/training?run={NAME}")
    maps = page.locator(".live canvas[data-part=code_maps]")
    expect(maps).to_be_visible(timeout=30_000)
    expect(page.locator(".live [data-part=usage]")).to_contain_text("64 of 64 codes in use, perplexity 3")
    header = page.locator(".live header")
    expect(header).to_contain_text("codebook, commitment: squared distance")
    assert "ELBO" not in header.inner_text() and "KL" not in header.inner_text()
    for hidden in ("klCard", "barsCard", "mapCard", "prior_draws"):
        expect(page.locator(f".live [data-part={hidden}]")).to_be_hidden()
    colours = maps.evaluate(
        "c => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size"
    )
    assert colours > 20
