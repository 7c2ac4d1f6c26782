"""Somebody's own VAE, written in plain PyTorch, in the explorer: what is seen there is what that model computes."""

import re

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

from pages.ui import shipped
from tests.browser.test_explorer import PLANE, explorer, pixels, z_of
from tests.browser.test_explorer_encode import part
from tests.browser.test_live_training import until
from tests.plain_vae import PlainVAE, plain_vae, saved
from vae_core.inspect.snapshot import map_images


def open_file(page: Page, name: str, content: bytes) -> None:
    page.get_by_role("button", name="Open a model").click()
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.locator("[data-testid='stFileUploader'] input[type=file]").set_input_files(file)
    button = page.get_by_test_id("stPopoverBody").get_by_test_id("stBaseButton-primary")
    expect(button).to_be_enabled()
    button.click()


def reconstruction(page: Page, vae: PlainVAE) -> tuple[np.ndarray, np.ndarray]:
    """(D,) mu and (28, 28) grey levels that the plain model makes of the image on the page."""
    x = torch.from_numpy(pixels(part(page, "x")).copy()).float().flatten()[None] / 255
    with torch.no_grad():
        mu, _ = vae.encode(x)
        return mu[0].numpy(), 255 * vae.decode(mu).view(28, 28).numpy()


def holds(page: Page, vae: PlainVAE) -> None:
    """The code and the picture on the page are those of the plain model, to 1e-4 and half a grey level."""
    until(page, lambda: np.abs(z_of(page) - reconstruction(page, vae)[0]).max() < 1e-4)
    assert np.abs(pixels(part(page, "fromMu")) - reconstruction(page, vae)[1]).max() <= 0.52


@pytest.mark.parametrize("latents", [2, 20])
def test_a_plain_state_dict_opens_and_its_reconstructions_are_those_of_its_model(latents, opened, server):
    vae = plain_vae(latents, pixels=map_images(shipped.images())[0])
    page = explorer(opened, server, PLANE, "&way=encode")
    open_file(page, f"mnist_{latents}.pt", saved(vae.state_dict()))
    page.locator(".explore[data-ready^='opened-']").wait_for(timeout=60_000)
    expect(page.get_by_role("combobox", name="Model")).to_have_value(f"mnist_{latents}.pt")
    expect(page.get_by_text(re.compile(r"−ELBO \d+\.\d ± \d\.\d, reconstruction .* KL .*10,000 grey"))).to_be_visible()
    holds(page, vae)
    if latents == 2:  # another image, by the link of the model
        first = pixels(part(page, "fromMu"))
        page.goto(re.sub(r"&encode=[^&]*", "", page.url) + "&encode=%7B%22image%22%3A77%7D")
        page.locator(".explore[data-ready^='opened-']").wait_for(timeout=60_000)
        holds(page, vae)
        assert np.abs(pixels(part(page, "fromMu")).astype(int) - first).max() > 5
        return
    for way in ("Interpolate", "Arithmetic", "Traverse", "Prior", "Pad"):
        page.get_by_role("radio", name=way, exact=True).or_(page.get_by_role("button", name=way, exact=True)).click()
        expect(page.locator(f".explore [data-way={way.lower()}]").first).to_be_visible()


def test_a_file_with_code_gets_a_sentence(opened, server):
    page = explorer(opened, server, PLANE)
    open_file(page, "whole.pt", saved(plain_vae(2, 10)))
    expect(page.get_by_text("holds Python objects besides tensors")).to_be_visible(timeout=30_000)
    assert PLANE in page.locator(".explore").get_attribute("data-ready")
