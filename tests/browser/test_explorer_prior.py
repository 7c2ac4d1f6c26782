"""The explorer's prior in a real browser: the grid, the draws and the warp are held against torch and numpy."""

import functools
import json
import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect
from safetensors.torch import load

from pages.ui.explore.package import package_bytes
from pages.ui.explore.sources import find
from pages.ui.shipped import PLANE
from tests.browser.sheets import (
    AE,
    MANY,
    Opened,
    decoded,
    draws_of,
    held,
    opened_way,
    part,
    pictures,
    same,
    state,
)
from tests.browser.test_live_training import until
from vae_core.latent import quantile_grid


@pytest.fixture
def explorer(opened: Opened, server: str) -> Callable[..., Page]:
    return functools.partial(opened_way, opened, server)


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


def test_draws_in_many_dimensions_by_the_slow_network(explorer: Callable[..., Page]) -> None:
    page = explorer("prior", "&prior=" + json.dumps({"tab": "draws", "temperature": 0.7}), MANY)
    eps = torch.randn(40, 32, generator=torch.Generator().manual_seed(0))
    wanted = decoded(0.7 * eps, MANY)
    until(page, lambda: same(draws_of(page), wanted))
    page.wait_for_timeout(500)
    assert same(draws_of(page), wanted)  # and nothing that comes late draws over them


def near_radius(tensors: dict[str, torch.Tensor]) -> float:
    """As close as 95 of 100 samples of q(z given x), of about 400 codes, are to another image's mu."""
    mu, chosen = tensors["mu"], torch.arange(0, len(tensors["mu"]), len(tensors["mu"]) // 400)
    z = mu[chosen]
    if "log_var" in tensors:
        eps = torch.randn(z.shape, generator=torch.Generator().manual_seed(0))
        z = z + torch.exp(tensors["log_var"].float()[chosen] / 2) * eps
    apart = torch.cdist(z, mu, compute_mode="donot_use_mm_for_euclid_dist")
    apart[torch.arange(len(chosen)), chosen] = torch.inf
    nearest = apart.min(1).values.sort().values
    return nearest[int(0.95 * len(nearest))].item()


@pytest.mark.parametrize("model", [PLANE, AE])
def test_draws_that_are_not_near_a_code_are_counted(model: str, explorer: Callable[..., Page]) -> None:
    page = explorer("prior", "&prior=" + json.dumps({"tab": "draws", "temperature": 1.5}), model)
    tensors = load(package_bytes(find(model)))
    eps = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
    nearest = torch.cdist(1.5 * eps, tensors["mu"], compute_mode="donot_use_mm_for_euclid_dist").min(1).values
    near = near_radius(tensors)
    far = int((nearest > near).sum())
    assert model == AE or 0 < far < 40
    figures = page.locator("[data-box=draws] [data-part=figures]")
    expect(figures).to_contain_text(f"{far} of the 40 are not near a code. Near is within")
    said = float(re.search(r"Near is within ([\d.]+) σ", figures.inner_text()).group(1))
    assert said == pytest.approx(near, abs=0.0051)


@pytest.mark.parametrize(
    ("tab", "name", "press"),
    [
        ("grid", "n", lambda page: part(page, "prior", "labels").select_option("z")),
        ("draws", "temperature", lambda page: page.get_by_role("button", name="New draws").click()),
        ("warp", "warp", lambda page: page.get_by_label("colour by stretch").check()),
    ],
)
def test_a_slider_in_the_hand_is_not_reset_by_an_echo(
    tab: str, name: str, press: Callable[[Page], object], explorer: Callable[..., Page]
) -> None:
    told = {"tab": tab, "n": 9, "temperature": 0.2, "warp": 0.1}
    page = explorer("prior", "&prior=" + json.dumps(told))
    slider = part(page, "prior", name)
    press(page)  # told a moment later, while the slider is held
    before = page.url
    held(page, slider, 0.5)
    value = float(slider.input_value())
    until(page, lambda: page.url != before)
    page.wait_for_timeout(1000)
    assert float(slider.input_value()) == value != told[name]
    assert state(page, "prior")[name] == told[name]
    page.mouse.up()
    until(page, lambda: state(page, "prior")[name] == value)


def test_another_way_while_the_warp_plays_ends_it(explorer: Callable[..., Page]) -> None:
    page = explorer("prior", "&prior=" + json.dumps({"tab": "warp"}))
    expect(page.locator("[data-box=warp] [data-part=figures]")).to_contain_text("keep", timeout=30_000)
    play, slider = part(page, "prior", "play"), part(page, "prior", "warp")
    play.click()
    until(page, lambda: float(slider.input_value()) > 0)
    page.get_by_role("radio", name="Pad").or_(page.get_by_role("button", name="Pad", exact=True)).click()
    expect(page.locator(".way[data-way=pad]")).to_be_visible()
    until(page, lambda: play.evaluate("(e) => e.textContent") == "▶ Play")
    still = slider.input_value()
    page.wait_for_timeout(400)
    assert slider.input_value() == still and 0 < float(still) < 1


YARDSTICK = "An autoencoder has no prior: N(0, I) is only a yardstick here, to compare with the VAE."


@pytest.mark.parametrize("tab", ["grid", "draws", "warp"])
def test_a_plain_autoencoder_is_not_said_to_have_a_prior(tab: str, explorer: Callable[..., Page]) -> None:
    page = explorer("prior", "&prior=" + json.dumps({"tab": tab}), AE)
    box = page.locator(f"[data-box={tab}]")
    expect(box.locator("[data-part=note]")).to_contain_text(YARDSTICK, timeout=30_000)
    words = box.inner_text().replace(YARDSTICK, "").replace("prior standard deviations", "")
    assert not re.search(r"prior|p\(x\)|is the model", words), words
