"""The lesson's components in a real browser, on a page of their own: drag, keyboard, links, numbers as torch's."""

import json
import re
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch.distributions import Normal, kl_divergence

from tests.browser.conftest import serving_page

APP = """
import sys
sys.path.insert(0, {root!r})
import streamlit as st
from pages.ui.assets import asset_route
app = st.App({page!r}, routes=[asset_route()])
"""
PAGE = """
import json
import streamlit as st
from pages.ui.lesson.gaussians.view import gaussians_view
from pages.ui.lesson.transform import transform_view

st.set_page_config(layout="wide")
st.session_state["runs"] = st.session_state.get("runs", 0) + 1
again = st.button("again") + st.session_state.get("again", 0)
st.session_state["again"] = again
view = {"gaussians": gaussians_view, "transform": transform_view}[st.query_params["view"]]
reported = view("view", json.loads(st.query_params.get("state", "null")), again)
st.text(f"runs={st.session_state['runs']}")
st.text("reported=" + json.dumps(reported))
"""


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving_page(tmp_path_factory.mktemp("lesson"), APP, PAGE) as url:
        yield url


@pytest.fixture
def show(lesson: str, opened: Callable[..., Page]) -> Callable[..., Page]:
    """Open a view, perhaps with a state from its link."""

    def open_view(view: str, state: Any = None, **options: Any) -> Page:
        query = urllib.parse.urlencode({"view": view, "state": json.dumps(state)})
        page = opened(f"{lesson}/?{query}", **options)
        expect(page.locator(".lesson .handle").first).to_be_visible()
        page.wait_for_timeout(300)  # the state of the link comes with the first update
        return page

    return open_view


def said(page: Page, part: str) -> str:
    return page.locator(f"[data-part={part}]").inner_text().replace("−", "-").replace(",", "")


def number(page: Page, part: str) -> float:
    found = re.match(r"-?[\d.]+", said(page, part))
    assert found, said(page, part)
    return float(found.group())


def runs(page: Page) -> int:
    found = re.search(r"runs=(\d+)", page.get_by_text("runs=").inner_text())
    assert found
    return int(found.group(1))


def reported(page: Page) -> Any:
    return json.loads(page.get_by_text("reported=").inner_text().removeprefix("reported="))


def centre(where: Locator) -> tuple[float, float]:
    box = where.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def handle(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=name, exact=True)


def value(page: Page, name: str) -> float:
    return float(handle(page, name).get_attribute("aria-valuenow") or "nan")


def distributions(page: Page) -> tuple[Normal, Normal]:
    """q and p as the handles say."""
    pair = []
    for name in ("q", "p"):
        mu, std = value(page, f"mean of {name}"), value(page, f"standard deviation of {name}")
        pair.append(Normal(torch.tensor(mu, dtype=torch.float64), torch.tensor(std, dtype=torch.float64)))
    return pair[0], pair[1]


def agrees_with_torch(page: Page) -> None:
    """Closed form, Monte Carlo with the seed that is shown, and the formula against the prior."""
    q, p = distributions(page)
    draws, seed = int(said(page, "drawsNow")), int(said(page, "seed"))
    eps = torch.randn(draws, generator=torch.Generator().manual_seed(seed)).double()
    for direction, first, second in (("qp", q, p), ("pq", p, q)):
        exact = float(kl_divergence(first, second))
        assert number(page, f"exact_{direction}") == pytest.approx(exact, abs=6e-4, rel=6e-3)
        z = first.mean + first.stddev * eps
        ratios = first.log_prob(z) - second.log_prob(z)
        mean, error = float(ratios.mean()), float(ratios.std()) / draws**0.5
        assert number(page, f"mean_{direction}") == pytest.approx(mean, abs=6e-4, rel=6e-3)
        assert number(page, f"error_{direction}") == pytest.approx(error, abs=6e-4, rel=6e-3)
        distance = abs(mean - exact) / error
        assert number(page, f"judged_{direction}") == pytest.approx(distance, abs=0.06)
        assert ("✓" in said(page, f"judged_{direction}")) == (distance <= 3)
    prior = Normal(torch.zeros_like(q.mean), torch.ones_like(q.mean))
    terms = page.locator("[data-part=terms]").inner_text().replace("−", "-")
    assert float(re.findall(r"-?[\d.]+", terms)[-1]) == pytest.approx(float(kl_divergence(q, prior)), abs=6e-4)


def drag(page: Page, where: Locator, by: tuple[float, float]) -> None:
    """Press, move in steps and keep the button down."""
    x, y = centre(where)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by[0], y + by[1], steps=12)
    page.wait_for_timeout(100)


def fingerprint(page: Page, part: str) -> str:
    """Of what the canvas of a plot shows."""
    return page.locator(f"[data-part={part}] canvas").evaluate("c => c.toDataURL()")


def test_dragging_a_mean_moves_every_number_and_tells_the_server_on_release(show):
    page = show("gaussians")
    agrees_with_torch(page)
    before, count = value(page, "mean of q"), runs(page)
    areas = page.locator("[data-part=areas]").inner_text()
    drag(page, handle(page, "mean of q"), (-90, 25))
    moved = value(page, "mean of q")
    assert moved < before - 0.5
    agrees_with_torch(page)
    assert page.locator("[data-part=areas]").inner_text() != areas
    page.wait_for_timeout(500)
    assert runs(page) == count  # nothing is sent while it moves
    page.mouse.up()
    expect(page.get_by_text(f"runs={count + 1}")).to_be_visible(timeout=20_000)
    assert reported(page)["q_mu"] == moved
    assert value(page, "mean of q") == moved  # the run of the script leaves it where it is


def test_the_curve_itself_and_the_width_can_be_dragged(show):
    page = show("gaussians", {"q_mu": -1.5, "q_std": 1})
    width = value(page, "standard deviation of q")
    drag(page, handle(page, "standard deviation of q"), (30, 0))
    page.mouse.up()
    assert value(page, "standard deviation of q") > width + 0.2 and value(page, "mean of q") == -1.5
    # a place on the curve that is no handle: two standard deviations to the left of the mean
    x, y = page.locator("path.curve.q").first.evaluate(
        """(path) => {
          const all = path.getTotalLength(), at = (share) => path.getPointAtLength(share * all);
          const ys = Array.from({ length: 400 }, (_, i) => at(i / 400)), top = Math.min(...ys.map((p) => p.y));
          const bottom = Math.max(...ys.map((p) => p.y)), wanted = bottom - 0.25 * (bottom - top);
          const found = ys.find((p) => p.y <= wanted);
          const box = path.ownerSVGElement.ownerSVGElement.getBoundingClientRect();
          return [box.x + found.x, box.y + found.y];
        }"""
    )
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=8)
    page.mouse.up()
    page.wait_for_timeout(100)
    assert value(page, "mean of q") > -0.9
    agrees_with_torch(page)


def test_the_keyboard_moves_what_the_pointer_moves(show):
    page = show("gaussians")
    for name in ("mean of q", "standard deviation of q", "mean of p", "standard deviation of p"):
        before = value(page, name)
        handle(page, name).focus()
        for key, by in (("ArrowRight", 0.1), ("Shift+ArrowUp", 0.01), ("ArrowLeft", -0.1), ("ArrowLeft", -0.1)):
            page.keyboard.press(key)
            page.wait_for_timeout(60)
            before += by
            assert value(page, name) == pytest.approx(before), (name, key)
        agrees_with_torch(page)
    for _ in range(4):
        page.keyboard.press("PageDown")
    page.wait_for_timeout(60)
    assert value(page, "standard deviation of p") == 0.2  # it stops at the end of its range
    agrees_with_torch(page)
    page.get_by_text("reported=").filter(has_text='"p_std": 0.2').wait_for(timeout=20_000)


def test_a_finger_moves_the_curve_and_not_the_page(show):
    page = show("gaussians", viewport={"width": 390, "height": 700}, has_touch=True, is_mobile=True)
    scrolled = "() => document.querySelector('[data-testid=stMain]').scrollTop"
    fingers = page.context.new_cdp_session(page)
    x, y = centre(handle(page, "mean of q"))
    fingers.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for i in range(1, 11):
        place = {"x": x - 6 * i, "y": y - 10 * i}
        fingers.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [place]})
        page.wait_for_timeout(30)
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(200)
    assert value(page, "mean of q") < -0.5 and page.evaluate(scrolled) == 0
    agrees_with_torch(page)


def test_new_draws_change_the_estimate_and_nothing_else(show):
    page = show("gaussians")
    exact, estimate = said(page, "exact_qp"), said(page, "mean_qp")
    page.get_by_role("button", name="New draws").click()
    expect(page.locator("[data-part=seed]")).to_have_text("1")
    page.wait_for_timeout(100)
    assert said(page, "exact_qp") == exact and said(page, "mean_qp") != estimate
    agrees_with_torch(page)
    page.locator("[data-part=log2_draws]").fill("16")
    expect(page.locator("[data-part=drawsNow]")).to_have_text("65,536")
    page.wait_for_timeout(200)
    agrees_with_torch(page)


def test_the_fit_ends_where_its_start_leads(show):
    page = show("gaussians", {"distance": 5, "left": 0.6, "right": 0.9})
    assert number(page, "forward_mu") == pytest.approx(0, abs=0.01)
    assert number(page, "forward_std") == pytest.approx((0.5 * (0.36 + 0.81) + 6.25) ** 0.5, abs=0.01)
    assert number(page, "reverse_mu") == pytest.approx(-2.5, abs=0.05)
    expect(page.locator("[data-part=see]")).to_contain_text("from the left: it sits on the left bump")
    page.get_by_role("button", name="right", exact=True).click()
    expect(page.locator("[data-part=see]")).to_contain_text("sits on the right bump", timeout=20_000)
    assert number(page, "reverse_mu") == pytest.approx(2.5, abs=0.05)
    assert "▾" in said(page, "forward_forward") and "▾" in said(page, "reverse_reverse")
    assert "▾" not in said(page, "forward_reverse") + said(page, "reverse_forward")
    page.locator("[data-part=distance]").fill("0.5")
    expect(page.locator("[data-part=see]")).to_contain_text("from the right: it covers both bumps")


def test_a_link_brings_back_what_was_shown(show):
    state = {"q_mu": -1.25, "q_std": 0.4, "p_mu": 1, "p_std": 1.5, "shown": "pq", "log2_draws": 8, "seed": 41}
    state |= {"distance": 6, "left": 0.5, "right": 1, "start": "right"}
    page = show("gaussians", state)
    assert [value(page, "mean of q"), value(page, "standard deviation of p")] == [-1.25, 1.5]
    assert [said(page, "drawsNow"), said(page, "seed"), said(page, "rightNow")] == ["256", "41", "1.00"]
    expect(page.locator("[data-part=areas]")).to_contain_text("KL(p‖q)")
    expect(page.get_by_role("button", name="right", exact=True)).to_have_attribute("aria-pressed", "true")
    agrees_with_torch(page)
    assert reported(page) == state
    handle(page, "mean of q").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_text("reported=").filter(has_text="-1.15").wait_for(timeout=20_000)
    assert reported(page) == state | {"q_mu": -1.15}
    page.get_by_role("button", name="again", exact=True).click()  # the page asks for the link's state once more
    expect(handle(page, "mean of q")).to_have_attribute("aria-valuenow", "-1.25", timeout=20_000)


def test_a_broken_link_shows_what_can_be_shown(show):
    page = show("gaussians", {"q_mu": "<img src=x onerror=alert(1)>", "q_std": 1e9, "seed": -5, "nonsense": []})
    assert [value(page, "mean of q"), value(page, "standard deviation of q"), said(page, "seed")] == [1.5, 2, "0"]
    agrees_with_torch(page)


def test_the_strength_of_the_function_moves_the_data_with_the_pointer(show):
    page = show("transform")
    slider = page.locator("[data-part=strength]")
    count, z, x = runs(page), fingerprint(page, "latent"), fingerprint(page, "data")
    box = slider.bounding_box()
    assert box
    page.mouse.move(box["x"] + 8, box["y"] + box["height"] / 2)
    page.mouse.down()
    seen = set()
    for share in (0.3, 0.6, 0.9):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2, steps=4)
        page.wait_for_timeout(100)
        seen.add(fingerprint(page, "data"))
    assert len(seen | {x}) == 4 and fingerprint(page, "latent") == z
    assert runs(page) == count
    page.mouse.up()
    expect(page.get_by_text(f"runs={count + 1}")).to_be_visible(timeout=20_000)
    assert reported(page)["strength"] == number(page, "strengthNow") > 0.8


def test_pointing_at_a_latent_shows_where_it_goes(show):
    page = show("transform", {"strength": 1})
    x, y = centre(page.locator("[data-part=latent] svg").first)
    page.mouse.move(x + 70, y - 40)
    page.wait_for_timeout(100)
    probe = page.locator("[data-part=probe]")
    z1, z2, f1, f2 = map(float, re.findall(r"-?\d+\.\d+", said(page, "probe").replace("−", "-")))
    radius = (z1**2 + z2**2) ** 0.5
    assert radius > 0.5
    assert (f1, f2) == pytest.approx((z1 / 10 + z1 / radius, z2 / 10 + z2 / radius), abs=0.02)
    text = probe.inner_text()
    handle(page, "your point z").focus()
    page.keyboard.press("ArrowLeft")
    expect(probe).not_to_have_text(text)


def test_new_draws_of_the_latent(show):
    page = show("transform", {"function": "circles", "strength": 1, "seed": 6})
    z, x = fingerprint(page, "latent"), fingerprint(page, "data")
    page.get_by_role("button", name="New draws").click()
    expect(page.locator("[data-part=seed]")).to_have_text("7")
    page.wait_for_timeout(100)
    assert fingerprint(page, "latent") != z and fingerprint(page, "data") != x
    page.get_by_text("reported=").filter(has_text='"seed": 7').wait_for(timeout=20_000)


@pytest.mark.parametrize("view", ["gaussians", "transform"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_of_it_in_both_themes(view, scheme, show):
    page = show(view, viewport={"width": 390, "height": 844}, color_scheme=scheme)
    root = page.locator(".lesson")
    assert ("dark" in (root.get_attribute("class") or "").split()) == (scheme == "dark")
    wide = (
        "(e) => [...e.querySelectorAll('*')].filter((c) => !c.closest('svg svg')).map((c) => c.getBoundingClientRect())"
    )
    assert all(box["right"] <= 391 for box in root.evaluate(f"(e) => ({wide})(e).map((b) => ({{ right: b.right }}))"))
    sizes = "(e) => [...e.querySelectorAll('*')].map((c) => parseFloat(getComputedStyle(c).fontSize))"
    assert min(root.evaluate(sizes)) >= 12
    unnamed = "(e) => [...e.querySelectorAll('input, select')].filter((c) => !c.labels.length).length"
    assert root.evaluate(unnamed) == 0
