"""The explorer's traversal and prior, and what it saves, in a real browser: pictures are held against torch."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from safetensors.torch import load

from pages.ui.explore.package import package_bytes
from pages.ui.explore.sources import find
from pages.ui.shipped import PLANE
from tests.browser.test_live_training import until
from vae_core import checkpoints
from vae_core.latent import quantile_grid

GREYS = """(canvas) => { const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  return [height, width, Array.from({ length: width * height }, (_, p) => data[4 * p])]; }"""


@pytest.fixture
def explorer(opened: Callable[..., Page], server: str) -> Callable[..., Page]:
    def open_way(way: str, query: str = "", **options: object) -> Page:
        page = opened(f"{server}/explorer?way={way}{query}", **options)
        expect(page.locator(".explore")).to_have_attribute("data-ready", PLANE, timeout=60_000)
        return page

    return open_way


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


# ---- traversal


def along(base: torch.Tensor, latent: int, values: torch.Tensor) -> torch.Tensor:
    z = base.repeat(len(values), 1)
    z[:, latent] = values
    return z


def test_a_row_is_what_torch_makes_of_it(explorer: Callable[..., Page]) -> None:
    page = explorer("traverse")
    for latent in (0, 1):
        wanted = decoded(along(torch.zeros(2), latent, torch.linspace(-3, 3, 9)))
        canvas = page.locator(f"[data-latent='{latent}'] canvas")
        until(page, lambda canvas=canvas, wanted=wanted: same(canvas, wanted))
        ends = np.sqrt((((wanted[0] - wanted[-1]) / 255) ** 2).mean())
        figure = page.locator(".latent", has=canvas).locator("output")
        assert float(figure.inner_text()) == pytest.approx(ends, abs=0.002)
    names = page.locator(".latent .name small").all_inner_texts()
    shares = [float(re.search(r"KL ([\d.]+) nats", name).group(1)) for name in names]
    assert len(shares) == 2 and shares == sorted(shares, reverse=True)


def test_a_test_image_becomes_the_base(explorer: Callable[..., Page]) -> None:
    page = explorer("traverse")
    tensors = load(package_bytes(find(PLANE)))
    part(page, "traverse", "index").fill("1234")
    part(page, "traverse", "index").press("Enter")
    expect(part(page, "traverse", "base")).to_have_text(f"mu of test image 1234, a {tensors['labels'][1234]}")
    part(page, "traverse", "steps").select_option("7")
    part(page, "traverse", "reach").fill("2")
    wanted = decoded(along(tensors["mu"][1234], 1, torch.linspace(-2, 2, 7)))
    until(page, lambda: same(page.locator("[data-latent='1'] canvas"), wanted))
    until(page, lambda: state(page, "traverse") == {"from": 1234, "reach": 2, "steps": 7, "latent": None})
    page.get_by_role("button", name="Use z").click()
    expect(part(page, "traverse", "base")).to_have_text("z of the map")


def test_a_picture_shows_itself_big_and_a_click_stays(explorer: Callable[..., Page]) -> None:
    page = explorer("traverse")
    sheet, big = page.locator("[data-latent='0'] canvas"), page.locator("[data-part=decoded]")
    box = sheet.bounding_box()
    middle = {"x": box["width"] * 1.5 / 9, "y": box["height"] / 2}
    sheet.hover(position=middle)
    until(page, lambda: at(big) == [-2.25, 0])
    page.mouse.move(5, 5)
    until(page, lambda: at(big) == [0, 0])
    sheet.click(position=middle)
    page.mouse.move(5, 5)
    until(page, lambda: at(big) == [-2.25, 0])
    until(page, lambda: (state(page, "pad") or {}).get("z") == [-2.25, 0])
    assert same(big, decoded(torch.tensor([[-2.25, 0.0]])))
    sheet.focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    until(page, lambda: (state(page, "pad") or {}).get("z") == [-0.75, 0])


def at(big: Locator) -> list[float]:
    return [float(v) for v in big.get_attribute("data-z").split(",")]


def test_playing_moves_along_the_chosen_latent_only(explorer: Callable[..., Page]) -> None:
    page = explorer("traverse")
    part(page, "traverse", "latent").select_option("0")
    big, play = page.locator("[data-part=decoded]"), part(page, "traverse", "play")
    seen = set()
    play.click()
    until(page, lambda: seen.add(tuple(at(big))) or len(seen) > 4)
    expect(play).to_have_text("❚❚ Pause")
    play.click()
    assert len({z[0] for z in seen}) > 4 and {z[1] for z in seen} == {0}
    still = at(big)
    page.wait_for_timeout(300)
    assert at(big) == still
    expect(play).to_have_text("▶ Play")


# ---- the prior


def test_the_grid_is_decoded_at_prior_quantiles(explorer: Callable[..., Page]) -> None:
    page = explorer("prior")
    canvas = part(page, "prior", "sheet").locator("canvas").first
    until(page, lambda: same(canvas, decoded(quantile_grid(12))))
    part(page, "prior", "n").fill("8")
    until(page, lambda: same(canvas, decoded(quantile_grid(8))))
    box = canvas.bounding_box()
    canvas.click(position={"x": box["width"] * 7.5 / 8, "y": box["height"] * 0.5 / 8})
    corner = quantile_grid(8)[7].tolist()
    until(page, lambda: np.allclose((state(page, "pad") or {"z": [9, 9]})["z"], corner, atol=1e-3))
    labels = part(page, "prior", "below").locator("span").all_inner_texts()
    assert labels == ["6%", "19%", "31%", "44%", "56%", "69%", "81%", "94%"]
    part(page, "prior", "labels").select_option("z")
    expect(part(page, "prior", "across")).to_have_text("z₁, prior standard deviations →")


def draws_of(page: Page) -> Locator:
    return page.locator("[data-box=draws] canvas").first


def test_draws_are_those_of_torch_with_the_seed(explorer: Callable[..., Page]) -> None:
    page = explorer("prior")
    page.get_by_role("button", name="Random draws").click()
    for seed in (0, 1):
        eps = torch.randn(40, 2, generator=torch.Generator().manual_seed(seed))
        until(page, lambda eps=eps: same(draws_of(page), decoded(eps)))
        page.get_by_role("button", name="New draws").click()
    temperature = page.locator("input[data-part=temperature]")
    temperature.fill("0.5")
    eps = torch.randn(40, 2, generator=torch.Generator().manual_seed(2))
    until(page, lambda: same(draws_of(page), decoded(0.5 * eps)))
    expect(page.locator("[data-box=draws] [data-part=note]")).to_contain_text("not draws from the model's p(x)")
    temperature.fill("0")
    until(page, lambda: same(draws_of(page), decoded(torch.zeros(40, 2))))
    assert len(np.unique(pictures(draws_of(page)), axis=0)) == 1
    expect(page.locator("[data-box=draws] [data-part=figures]")).to_contain_text("differ by 0.00")
    until(page, lambda: (state(page, "prior") or {}).get("temperature") == 0)
    assert state(page, "prior")["seed"] == 2


def test_the_slider_asks_no_server_while_it_moves(explorer: Callable[..., Page]) -> None:
    page = explorer("prior")
    page.get_by_role("button", name="Random draws").click()
    until(page, lambda: (state(page, "prior") or {}).get("tab") == "draws")
    before, slider = page.url, page.locator("input[data-part=temperature]")
    first = pictures(draws_of(page))
    slider.evaluate("(e) => { e.value = 0.3; e.dispatchEvent(new Event('input')); }")
    until(page, lambda: not np.array_equal(pictures(draws_of(page)), first))
    page.wait_for_timeout(800)
    assert page.url == before
    slider.evaluate("(e) => e.dispatchEvent(new Event('change'))")
    until(page, lambda: state(page, "prior")["temperature"] == 0.3)


def test_the_warp_goes_from_z_to_the_pictures_components(explorer: Callable[..., Page]) -> None:
    page = explorer("prior")
    page.get_by_role("button", name="Warp to images").click()
    x = decoded(quantile_grid(20)) / 255
    s = np.linalg.svd(x - x.mean(0), compute_uv=False) ** 2
    figures = page.locator("[data-box=warp] [data-part=figures]")
    expect(figures).to_contain_text(
        f"keep {100 * s[:2].sum() / s.sum():.0f}% of the variance of these 400", timeout=30_000
    )
    mesh, legend = page.locator("canvas.mesh"), page.locator("[data-part=legend]")
    first = mesh.evaluate("c => c.toDataURL()")
    expect(legend).to_be_hidden()
    page.get_by_label("colour by stretch").check()
    expect(legend).to_be_visible()
    page.get_by_role("button", name="Play").click()
    seen = set()
    until(page, lambda: seen.add(mesh.evaluate("c => c.toDataURL()")) or len(seen) > 3)
    assert first not in seen
    until(page, lambda: (state(page, "prior") or {}).get("warp") == 1)
    assert state(page, "prior")["heat"] is True
    page.get_by_label("warp, from the plane of z").fill("0")
    until(page, lambda: state(page, "prior")["warp"] == 0)


def test_who_asked_for_less_motion_gets_the_end_at_once(explorer: Callable[..., Page]) -> None:
    page = explorer("prior", "&prior=" + json.dumps({"tab": "warp"}), reduced_motion="reduce")
    expect(page.locator("[data-box=warp] [data-part=figures]")).to_contain_text("keep", timeout=30_000)
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_label("warp, from the plane of z")).to_have_value("1", timeout=500)


MANY = "mnist-vae-conv-32"


def test_many_latents_and_the_slow_network(opened: Callable[..., Page], server: str) -> None:
    """Decoded in the background: rows round a test image, the inactive ones folded away, and draws in 32 dimensions."""
    page = opened(f"{server}/explorer?way=traverse&model={MANY}")
    expect(page.locator(".explore")).to_have_attribute("data-ready", MANY, timeout=60_000)
    tensors = load(package_bytes(find(MANY)))
    first = int(part(page, "traverse", "latent").input_value())
    assert first == int(tensors["kl_dims"].argmax())
    wanted = decoded(along(tensors["mu"][0], first, torch.linspace(-3, 3, 9)), MANY)
    until(page, lambda: same(page.locator(f"[data-latent='{first}'] canvas"), wanted))
    inactive = int((tensors["active"] == 0).sum())
    expect(part(page, "traverse", "summary")).to_contain_text(f"{inactive} inactive latents")
    part(page, "traverse", "summary").click()
    last = int(tensors["kl_dims"].argmin())
    wanted = decoded(along(tensors["mu"][0], last, torch.linspace(-3, 3, 9)), MANY)
    until(page, lambda: same(page.locator(f"[data-latent='{last}'] canvas"), wanted))
    page = opened(f"{server}/explorer?way=prior&model={MANY}&prior={json.dumps({'tab': 'draws', 'temperature': 0.7})}")
    eps = torch.randn(40, 32, generator=torch.Generator().manual_seed(0))
    expect(draws_of(page)).to_be_visible(timeout=60_000)
    until(page, lambda: same(draws_of(page), decoded(0.7 * eps, MANY)))


# ---- files and links


def saved(page: Page, kind: str, folder: Path) -> tuple[str, bytes]:
    """The name and the bytes of what a button saves."""
    button = page.locator(f"[data-file={kind}]")
    expect(button).to_be_enabled(timeout=20_000)
    with page.expect_download(timeout=60_000) as started:
        button.click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path.name, path.read_bytes()


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
    picture = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    assert name == f"elbo-room-{PLANE}-traverse.png" and picture.shape[1] > 9 * 56 and len(np.unique(picture)) > 50


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
    expect(page.locator("[data-part=files] [role=status]")).to_have_text("Link copied.")
    link = page.evaluate("navigator.clipboard.readText()")
    other = opened(link)
    expect(other.locator("input[data-part=temperature]")).to_have_value("0.8", timeout=60_000)
    eps = torch.randn(40, 2, generator=torch.Generator().manual_seed(1))
    until(other, lambda: same(draws_of(other), decoded(0.8 * eps)))
    assert other.get_by_role("button", name="Random draws").get_attribute("aria-pressed") == "true"


def test_without_a_clipboard_the_address_is_there_to_copy(explorer: Callable[..., Page]) -> None:
    page = explorer("traverse")
    page.evaluate(
        "() => { navigator.clipboard.writeText = () => Promise.reject(); document.execCommand = () => false; }"
    )
    page.get_by_role("button", name="Copy link").click()
    field = page.locator("[data-file=address]")
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
