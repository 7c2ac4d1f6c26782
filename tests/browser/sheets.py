"""What tests of the explorer's traversal and prior share: torch's pictures, and those on the page."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import numpy as np
import torch
from playwright.sync_api import Locator, Page, expect

from pages.ui.explore.sources import find
from pages.ui.shipped import PLANE
from vae_core import checkpoints

MANY, AE = "mnist-vae-conv-32", "mnist-ae-mlp-2"
Opened = Callable[..., Page]

GREYS = """(canvas) => { const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  return [height, width, Array.from({ length: width * height }, (_, p) => data[4 * p])]; }"""


def opened_way(opened: Opened, server: str, way: str, query: str = "", model: str = PLANE, **options: Any) -> Page:
    """The explorer with a model and a way, ready."""
    page = opened(f"{server}/explorer?way={way}&model={model}{query}", **options)
    expect(page.locator(".explore")).to_have_attribute("data-ready", model, timeout=60_000)
    return page


def pictures(canvas: Locator) -> np.ndarray:
    """(n, 784) grey levels of the pictures in a sheet, row by row."""
    height, width, values = canvas.evaluate(GREYS)
    tiles = np.array(values).reshape(height // 28, 28, width // 28, 28)
    return tiles.transpose(0, 2, 1, 3).reshape(-1, 784)


def decoded(z: torch.Tensor, name: str = PLANE) -> np.ndarray:
    """(n, 784) grey levels that a shipped model's own decoder makes of (n, D)."""
    model = checkpoints.load(find(name).path.parent).model.eval()
    with torch.no_grad():
        return (255 * model.mean_image(model.decode(z))).flatten(1).numpy()


def same(canvas: Locator, wanted: np.ndarray) -> bool:
    found = pictures(canvas)
    return found.shape == wanted.shape and np.abs(found - wanted).max() <= 0.51


def state(page: Page, part: str) -> dict | None:
    """What the address says of a part."""
    text = parse_qs(urlparse(page.url).query).get(part)
    return json.loads(text[0]) if text else None


def part(page: Page, way: str, name: str) -> Locator:
    return page.locator(f".way[data-way={way}] [data-part={name}]")


def at(big: Locator) -> list[float]:
    return [float(v) for v in big.get_attribute("data-z").split(",")]


def along(base: torch.Tensor, latent: int, values: torch.Tensor) -> torch.Tensor:
    z = base.repeat(len(values), 1)
    z[:, latent] = values
    return z


def draws_of(page: Page) -> Locator:
    return page.locator("[data-box=draws] canvas").first


def saved(page: Page, kind: str, folder: Path) -> tuple[str, bytes]:
    """The name and the bytes of what a button saves."""
    button = page.locator(f"[data-file={kind}]")
    expect(button).to_be_enabled(timeout=20_000)
    with page.expect_download(timeout=60_000) as started:
        button.click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path.name, path.read_bytes()


def held(page: Page, slider: Locator, share: float) -> None:
    """Take the slider's thumb and move it to a share of its way; the button stays down."""
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.3 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 8 + share * (box["width"] - 16), y, steps=4)
