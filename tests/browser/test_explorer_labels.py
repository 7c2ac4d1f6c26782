"""One z under ten labels, and an image that is told a wrong one: pictures and nats on the page are those of torch."""

import re

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

from pages.ui import shipped
from tests.browser.test_explorer import at, in_link, part, pixels, z_of
from tests.browser.test_live_training import until
from tests.test_explore_labels_js import cost
from vae_core.inspect.snapshot import map_images

MODEL = "mnist-cvae-mlp-2"


def nats(words: str) -> list[float]:
    """−ELBO given the right label, and given the wrong one."""
    return [float(value) for value in re.findall(r"(?:−ELBO|Given 0:) ([\d.]+) =", words)]


def test_ten_labels_follow_z_and_a_wrong_one_costs_what_torch_says(opened, server):
    page = opened(f"{server}/explorer?model={MODEL}&way=labels&label=3")
    page.locator(f".explore[data-ready='{MODEL}~3']").wait_for(timeout=60_000)
    model = shipped.checkpoint(MODEL).model

    def drawn(z: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            ten = model.given(torch.arange(10)).generate(torch.tensor(z, dtype=torch.float32).expand(10, 2))
        return 255 * torch.cat(list(ten[:, 0]), dim=1).numpy()  # (28, 280)

    ten = page.locator(".explore [data-part=ten] canvas")
    before = pixels(ten)
    page.mouse.move(*at(page, 1.5, -1))
    until(page, lambda: np.allclose(z_of(page), [1.5, -1], atol=0.03))
    until(page, lambda: np.abs(pixels(ten) - drawn(z_of(page))).max() <= 0.6)
    assert np.abs(pixels(ten).astype(int) - before).max() > 50
    assert np.abs(pixels(part(page, "decoded")) - drawn(z_of(page))[:, 84:112]).max() <= 0.6  # that of the label 3

    images, labels = map_images(shipped.images())
    page.get_by_role("button", name="a test image of a 7").click()
    number = next(i for i, label in enumerate(labels) if label == 7)
    x = images[number].float()[None] / 255
    page.locator(".explore [data-part=wrong] canvas").click(position={"x": 3, "y": 3})  # told 0
    said = page.locator(".explore [data-way=labels] [data-part=said]")
    for told, encoder in (("the right label", 7), ("the decoder’s", 0)):
        page.get_by_role("button", name=told).click()
        wanted = [sum(cost(model, x, *labels)) for labels in ((7, 7), (encoder, 0))]
        until(page, lambda wanted=wanted: nats(said.text_content()) == pytest.approx(wanted, abs=0.06))
    until(page, lambda: "&labels=" in page.url and in_link(page, "labels")["told"] == "same")
    assert in_link(page, "labels") == {"image": number, "told": "same", "wrong": 0}
    the_wrong_label_by_keys(page)


def the_wrong_label_by_keys(page: Page) -> None:
    """From the 0 that was clicked over the 7 that is right to the 8, which is then clicked, too."""
    strip = page.locator(".explore [data-part=wrong] canvas")
    for key in ("ArrowLeft", "ArrowLeft"):
        strip.press(key)
    expect(strip).to_have_attribute("aria-valuetext", "8")
    until(page, lambda: in_link(page, "labels")["wrong"] == 8)
    strip.press("ArrowLeft")
    expect(strip).to_have_attribute("aria-valuenow", "6")
    box = strip.bounding_box()
    strip.click(position={"x": box["width"] * 0.85, "y": 3})
    expect(strip).to_have_attribute("aria-valuetext", "8")
