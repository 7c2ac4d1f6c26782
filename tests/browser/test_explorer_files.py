"""What the explorer saves, and its address: pictures and films are held against torch pixel by pixel."""

import csv
import functools
import io
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, expect

from pages.ui.shipped import PLANE
from tests.browser.sheets import Opened, along, decoded, draws_of, opened_way, part, same, saved
from tests.browser.test_live_training import until
from vae_core.latent import quantile_grid


@pytest.fixture
def explorer(opened: Opened, server: str) -> Callable[..., Page]:
    return functools.partial(opened_way, opened, server)


def sheet(picture: np.ndarray, columns: int, step: int, left: int, top: int) -> np.ndarray:
    """(n, 784) of the pictures in a sheet whose pixels are squares of `step`, from a corner on."""
    side = 28 * step
    rows = (picture.shape[0] - top) // side
    cut = picture[top : top + rows * side, left : left + columns * side][step // 2 :: step, step // 2 :: step]
    return cut.reshape(rows, 28, columns, 28).transpose(0, 2, 1, 3).reshape(-1, 784)


def holds(image: Image.Image, wanted: np.ndarray, columns: int) -> None:
    """A PNG has these pictures twice as large under a line of text; its left margin is as wide as the labels are."""
    picture = np.asarray(image.convert("L")).astype(float)
    rows = len(wanted) // columns
    found = [
        sheet(picture[: 26 + 56 * rows], columns, 2, left, 26) for left in range(16, picture.shape[1] - 56 * columns)
    ]
    assert min(np.abs(one - wanted).max() for one in found) <= 0.51


def frame(film: Image.Image, k: int) -> np.ndarray:
    film.seek(k)
    return np.asarray(film.convert("L")).astype(float)


def draws(temperature: float) -> np.ndarray:
    return decoded(temperature * torch.randn(40, 2, generator=torch.Generator().manual_seed(0)))


def hold_draws_film(film: Image.Image) -> None:
    """The same eps at temperatures from 0 to 2."""
    for k in (0, 5, 10, 20):
        assert np.abs(sheet(frame(film, k), 10, 3, 0, 0) - draws(k / 10)).max() <= 0.51, k


def hold_warp_film(film: Image.Image) -> None:
    """There and back the same way, and every step moves the sheet."""
    there = [frame(film, k) for k in range(25)]
    assert all(np.array_equal(there[k], frame(film, 48 - k)) for k in range(1, 25))
    assert all((a != b).any() for a, b in itertools.pairwise(there))


def hold_warp(image: Image.Image) -> None:
    """At warp 0 every second node of the grid at prior quantiles has its picture's ink."""
    picture = np.asarray(image.convert("L")).astype(float)
    scale = 500 / (1.16 * quantile_grid(20).abs().max().item())
    nodes = (
        500 + scale * quantile_grid(20).reshape(20, 20, 2)[::2, ::2].reshape(-1, 2) * torch.tensor([1, -1])
    ).numpy()
    ink = decoded(quantile_grid(20).reshape(20, 20, 2)[::2, ::2].reshape(-1, 2)).reshape(-1, 28, 28)
    for (x, y), drawn in zip(nodes[::9], ink[::9], strict=True):
        rows, columns = (np.clip(np.rint(v - 29 + 58 * (np.arange(28) + 0.5) / 28).astype(int), 0, 999) for v in (y, x))
        assert np.corrcoef(255 - picture[np.ix_(rows, columns)].ravel(), drawn.ravel())[0, 1] > 0.8


HOLD: dict[tuple[str, str], Callable[[Image.Image], None]] = {
    ("grid", "png"): lambda image: holds(image, decoded(quantile_grid(12)), 12),
    ("draws", "png"): lambda image: holds(image, draws(1), 10),
    ("draws", "gif"): hold_draws_film,
    ("warp", "png"): hold_warp,
    ("warp", "gif"): hold_warp_film,
}


def test_the_traversal_is_saved(explorer: Callable[..., Page], tmp_path: Path) -> None:
    page = explorer("traverse")
    name, data = saved(page, "gif", tmp_path)
    film = Image.open(io.BytesIO(data))
    assert name == f"elbo-room-{PLANE}-traverse.gif" and (film.size, film.n_frames) == ((168, 168), 48)
    latent = int(part(page, "traverse", "latent").input_value())
    frame = np.asarray(film.convert("L"))[3::6, 3::6].reshape(1, 784)
    assert np.abs(frame - decoded(along(torch.zeros(2), latent, torch.tensor([-3.0])))).max() <= 0.51
    name, data = saved(page, "csv", tmp_path)
    head, *rows = csv.reader(io.StringIO(data.decode(), newline=""))
    assert name == f"elbo-room-{PLANE}-traverse.csv" and sorted(row[0] for row in rows) == ["1", "2"]
    assert all(len(row) == len(head) for row in rows)
    name, data = saved(page, "png", tmp_path)
    assert name == f"elbo-room-{PLANE}-traverse.png"
    latents = [int(row[0]) - 1 for row in rows]  # from the one with the greatest KL on
    wanted = [decoded(along(torch.zeros(2), d, torch.linspace(-3, 3, 9))) for d in latents]
    holds(Image.open(io.BytesIO(data)), np.concatenate(wanted), 9)


@pytest.mark.parametrize(
    ("tab", "kinds"), [("grid", ["png", "csv"]), ("draws", ["png", "gif", "csv"]), ("warp", ["png", "gif", "csv"])]
)
def test_every_tab_of_the_prior_is_saved(
    tab: str, kinds: list[str], explorer: Callable[..., Page], tmp_path: Path
) -> None:
    page = explorer("prior", "&prior=" + json.dumps({"tab": tab}))
    lines = {"grid": 144, "draws": 40, "warp": 400}[tab]
    for kind in kinds:
        name, data = saved(page, kind, tmp_path)
        assert name == f"elbo-room-{PLANE}-prior.{kind}"
        if kind == "csv":
            rows = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
            assert len(rows) == lines
            z = np.array([[float(row["z1"]), float(row["z2"])] for row in rows])
            wanted = {"grid": quantile_grid(12), "warp": quantile_grid(20)}
            drawn = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
            assert np.allclose(z, wanted.get(tab, drawn), atol=1e-5)
        else:
            image = Image.open(io.BytesIO(data))
            assert image.format == kind.upper() and min(image.size) > 200
            assert kind == "png" or image.n_frames == {"draws": 21, "warp": 48}[tab]
            HOLD[tab, kind](image)
    assert page.locator("[data-file=gif]").is_enabled() == ("gif" in kinds)


def test_the_pad_is_saved(explorer: Callable[..., Page], tmp_path: Path) -> None:
    page = explorer("pad", "&pad=" + json.dumps({"z": [0.5, -1], "pins": [[1, 1], [-1, 1], [0, -2]]}))
    _, data = saved(page, "csv", tmp_path)
    rows = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    assert [row["what"] for row in rows] == ["here", "pin A", "pin B", "pin C"]
    assert [float(rows[0][name]) for name in ("z1", "z2")] == [0.5, -1]
    name, data = saved(page, "gif", tmp_path)
    film = Image.open(io.BytesIO(data))
    assert name == f"elbo-room-{PLANE}-pad.gif" and film.n_frames == 25
    for frame, z in ((0, [1.0, 1.0]), (12, [-1.0, 1.0]), (18, [-0.5, -0.5]), (24, [0.0, -2.0])):
        film.seek(frame)
        shown = np.asarray(film.convert("L"))[2::6, 2::6].reshape(1, 784)
        assert np.abs(shown - decoded(torch.tensor([z]))).max() <= 0.51, frame
    name, data = saved(page, "png", tmp_path)
    picture = Image.open(io.BytesIO(data))
    assert name == f"elbo-room-{PLANE}-pad.png" and picture.width > 1.9 * picture.height * 0.9


def test_a_copied_link_brings_the_draws_back(explorer: Callable[..., Page], opened: Callable[..., Page]) -> None:
    page = explorer("prior", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Random draws").click()
    page.get_by_role("button", name="New draws").click()
    page.locator("input[data-part=temperature]").fill("0.8")
    page.get_by_role("button", name="Copy link").click()  # before what is on the page has come to rest
    expect(page.locator(".copylink [role=status]")).to_have_text("Link copied.")
    link = page.evaluate("navigator.clipboard.readText()")
    other = opened(link)
    expect(other.locator("input[data-part=temperature]")).to_have_value("0.8", timeout=60_000)
    eps = torch.randn(40, 2, generator=torch.Generator().manual_seed(1))
    until(other, lambda: same(draws_of(other), decoded(0.8 * eps)))
    assert other.get_by_role("button", name="Random draws").get_attribute("aria-pressed") == "true"


def test_over_plain_http_the_address_is_copied_the_old_way_or_is_there_to_copy(explorer: Callable[..., Page]) -> None:
    """A page that comes from another machine without TLS has no clipboard."""
    page = explorer("traverse")
    page.evaluate("() => Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.evaluate("() => document.addEventListener('copy', ({ target }) => (window.copied = target.value))")
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator(".copylink [role=status]")).to_have_text("Link copied.")
    assert page.evaluate("window.copied") == page.url
    expect(page.locator(".copylink [data-part=address]")).to_be_hidden()
    page.evaluate("() => { document.execCommand = () => false; }")
    page.get_by_role("button", name="Copy link").click()
    field = page.locator(".copylink [data-part=address]")
    expect(field).to_be_visible()
    expect(field).to_have_value(page.url)
    assert field.evaluate("e => e.selectionEnd - e.selectionStart === e.value.length")


def test_nothing_runs_out_of_a_phone(explorer: Callable[..., Page]) -> None:
    for way, tab in (("traverse", None), ("prior", "grid"), ("prior", "draws"), ("prior", "warp")):
        query = f"&prior={json.dumps({'tab': tab})}" if tab else ""
        page = explorer(way, query, viewport={"width": 390, "height": 844})
        page.wait_for_timeout(500)
        wide = page.locator(".explore").evaluate(
            "(root) => [...root.querySelectorAll('*')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1)"
            ".map((e) => e.outerHTML.slice(0, 80))"
        )
        assert wide == [], (way, tab)
