"""What tests of the ways to explore share: torch's answers, and hands for the page."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import torch
from PIL import Image, ImageSequence
from playwright.sync_api import Locator, Page, expect
from torch import Tensor

from pages.ui import shipped
from pages.ui.words import image_name
from tests.browser.test_explorer import at, explorer, pixels
from tests.browser.test_live_training import until
from vae_core.inspect.snapshot import map_images, map_numbers

PLANE, AE, CONV, CONV_AE = "mnist-vae-mlp-2", "mnist-ae-mlp-2", "mnist-vae-conv-32", "mnist-ae-conv-32"
CLOSE = 1.5  # grey levels of 255: half of one is rounding, and the strip is drawn by way of float32 in JavaScript
Opened = Callable[..., Page]


@functools.cache
def data() -> tuple[Tensor, Tensor]:
    """(5000, 1, 28, 28) in [0, 1] and (5000,) labels of the map's images."""
    images, labels = map_images(shipped.images())
    return images.float() / 255, torch.from_numpy(labels).long()


def name_of(place: int) -> str:
    """What an image of the map is called."""
    return image_name(int(map_numbers(shipped.images())[place]), int(data()[1][place]))


@functools.cache
def mu_of(model: str) -> Tensor:
    """(5000, D) codes."""
    with torch.no_grad():
        return torch.cat([shipped.checkpoint(model).model.encode(part)[0] for part in data()[0].split(500)])


def from_codes(zs: Tensor, mu: Tensor) -> Tensor:
    """(n,) distances of (n, D) places from the nearest of (N, D) codes."""
    return torch.cdist(zs, mu, compute_mode="donot_use_mm_for_euclid_dist").min(1).values


@functools.cache
def near_radius(model: str) -> float:
    """As near as 95 of 100 are to another image's mu: samples of q(z given x), for a plain autoencoder codes."""
    one, some, mu = shipped.checkpoint(model), torch.arange(0, 5000, 12), mu_of(model)
    z = mu[some]
    if one.config.model == "vae":
        with torch.no_grad():
            log_var = one.model.encode(data()[0][some])[1].half().float()  # as it travels
        z = z + (log_var / 2).exp() * torch.randn(z.shape, generator=torch.Generator().manual_seed(0))
    away = torch.cdist(z, mu, compute_mode="donot_use_mm_for_euclid_dist")
    away.scatter_(1, some[:, None], torch.inf)
    return away.min(1).values.sort().values[int(0.95 * len(some))].item()


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


def saved(page: Page, kind: str) -> Path:
    """The file that a button saves."""
    with page.expect_download() as file:
        page.get_by_role("button", name=kind, exact=True).click()
    return Path(file.value.path())


def row_of_sheet(file: Path, row: int, count: int) -> np.ndarray:
    """(28, 28 count) grey levels of a row of the saved sheet: 84 pixels a picture, under a line of text each."""
    with Image.open(file) as image:
        grey = np.asarray(image.convert("RGB"))
    top = 12 + 22 + row * (84 + 44)
    strip = grey[top : top + 84, 12 : 12 + 84 * count]
    assert (strip == strip[..., :1]).all()
    small = strip[1::3, 1::3, 0]
    assert np.array_equal(small.repeat(3, 0).repeat(3, 1), strip[..., 0])  # enlarged without smoothing
    return small


def frames_of(file: Path) -> list[np.ndarray]:
    """(28, 28) grey levels each, of a saved animation, which is enlarged six times."""
    with Image.open(file) as film:
        found = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(film)]
    assert all(frame.shape == (168, 168) for frame in found)
    return [frame[3::6, 3::6] for frame in found]


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


def drag_on(page: Page, slider: Locator, share: float) -> None:
    box = slider.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 8 + share * (box["width"] - 16), box["y"] + box["height"] / 2, steps=3)


PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SMALL = """(way) => [...way.querySelectorAll("*")].filter((e) => e.checkVisibility() && e.innerText &&
  parseFloat(getComputedStyle(e).fontSize) < 12).map((e) => e.outerHTML.slice(0, 90))"""


def too_wide_or_small(page: Page, way: str) -> tuple[int, list[str]]:
    """How many pixels a way must be scrolled sideways, and its texts of less than 12 px."""
    page.wait_for_timeout(500)
    shown = page.locator(f".way[data-way={way}]")
    return max(0, shown.evaluate("(e) => e.scrollWidth - e.clientWidth")), shown.evaluate(SMALL)
