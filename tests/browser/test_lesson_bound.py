"""The visible bound in a real browser: q is dragged, typed and optimised over a posterior that is known exactly."""

import json
import math
import re
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from torch import tensor
from torch.distributions import MultivariateNormal, kl_divergence

from tests.browser.conftest import serving_page

APP = """
import sys
sys.path.insert(0, {root!r})
import streamlit as st
from pages.ui.assets import asset_route
app = st.App({page!r}, routes=[asset_route()])
"""
# p(z given x) is the Gaussian below and log p(x) = -130, so every number on the page is known.
PAGE = """
import json
import numpy as np
import streamlit as st
from pages.ui.lesson.bound.view import BoundData, Gaussian, Plane, bound_view

st.set_page_config(layout="wide")
MEAN, COVARIANCE = np.array([0.6, -0.4]), np.array([[0.04, 0.024], [0.024, 0.03]])

def plane(centre, half, side):
    steps = np.linspace(-half, half, side)
    z1, z2 = np.meshgrid(centre[0] + steps, centre[1] - steps)
    off = np.stack([z1, z2], -1) - MEAN
    density = -0.5 * np.einsum("ijk,kl,ijl->ij", off, np.linalg.inv(COVARIANCE), off)
    values = density - np.log(2 * np.pi) - 0.5 * np.log(np.linalg.det(COVARIANCE)) - 130
    return Plane(values, (centre[0] - half, centre[0] + half), (centre[1] - half, centre[1] + half))

asked = json.loads(st.query_params.get("q", "null"))
data = BoundData(
    [plane(MEAN, 1.2, 101), plane((0.0, 0.0), 5.0, 201)], -130.0, 0.001,
    Gaussian((0.75, -0.2), tuple(2 * np.log([0.12, 0.16]))),
    (np.arange(784) % 256).astype(np.uint8).reshape(28, 28), "test image 18, a 3", "a known posterior",
)
left = bound_view(data, key="bound", q=asked and Gaussian(**asked))
st.text("left=" + json.dumps(left and left.to_data()))
"""
POSTERIOR = MultivariateNormal(tensor([0.6, -0.4]).double(), tensor([[0.04, 0.024], [0.024, 0.03]]).double())
COUNT_SENT = """() => {
  window.sent = 0;
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (data) { window.sent++; send.call(this, data); };
}"""
BEYOND_THE_EDGE = """(root) => [...root.querySelectorAll("*")]
  .filter((e) => !e.ownerSVGElement && e.getBoundingClientRect().right > innerWidth + 1)
  .map((e) => e.outerHTML.slice(0, 80))"""
ENCODER = ([0.75, -0.2], [0.12, 0.16])


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving_page(tmp_path_factory.mktemp("bound"), APP, PAGE) as url:
        yield url


@pytest.fixture
def show(scratch: str, opened: Callable[..., Page]) -> Callable[..., Page]:
    def open_page(q: Any = None, **options: Any) -> Page:
        page = opened(f"{scratch}/?{urllib.parse.urlencode({'q': json.dumps(q)})}", **options)
        expect(page.locator("[data-bar=elbo]")).not_to_have_text("", timeout=30_000)
        return page

    return open_page


def text(page: Page, selector: str) -> str:
    return page.locator(selector).inner_text().replace("−", "-")


def bars(page: Page) -> dict[str, float]:
    names = ("evidence", "elbo", "gap", "reconstruction", "kl")
    return {name: float(text(page, f"[data-bar={name}]")) for name in names}


def numbers(page: Page, part: str) -> list[float]:
    return [float(v) for v in re.findall(r"-?\d+(?:\.\d+)?", text(page, f"[data-part={part}]"))]


def exact_gap(mu: list[float], std: list[float], rho: float = 0.0) -> float:
    """KL(q ‖ posterior) as torch.distributions has it."""
    off = rho * std[0] * std[1]
    q = MultivariateNormal(tensor(mu).double(), tensor([[std[0] ** 2, off], [off, std[1] ** 2]]).double())
    return kl_divergence(q, POSTERIOR).item()


def best_std() -> list[float]:
    return POSTERIOR.precision_matrix.diagonal().rsqrt().tolist()


def frames(page: Page) -> None:
    """Until what was done before is on the screen, however busy the machine is."""
    page.evaluate("async () => { for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame); }")


def handle(page: Page, kind: str, picture: str = "plane") -> Locator:
    return page.locator(f".{picture} [data-handle={kind}]")


def grab(page: Page, knob: Locator) -> tuple[float, float]:
    """Press the mouse on a knob; where that is."""
    box = knob.locator(".knob").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    return x, y


def holds(page: Page) -> dict[str, float]:
    """The parts add up on the screen, and the tick says so."""
    now = bars(page)
    assert now["elbo"] + now["gap"] == pytest.approx(now["evidence"], abs=0.03)
    assert now["reconstruction"] - now["kl"] == pytest.approx(now["elbo"], abs=0.02)
    assert text(page, "[data-part=check]").startswith("✓")
    return now


def rest(page: Page) -> dict[str, list[float]]:
    """The q that Python got, once something came."""
    said = page.get_by_text(re.compile("^left=")).first
    expect(said).not_to_have_text("left=null", timeout=20_000)
    return json.loads(said.inner_text().removeprefix("left="))


def test_the_encoders_q_has_its_exact_gap(show: Callable[..., Page]) -> None:
    page = show()
    assert numbers(page, "mu") == pytest.approx(ENCODER[0]) and numbers(page, "std") == pytest.approx(ENCODER[1])
    now = holds(page)
    assert now["evidence"] == -130 and now["gap"] == pytest.approx(exact_gap(*ENCODER), abs=0.01)
    expect(page.locator("[data-part=doubts]")).to_be_hidden()
    assert "cut" in text(page, ".note.cut")  # the axis says that it does not begin at 0


def test_dragging_q_moves_the_parts_and_not_their_sum(show: Callable[..., Page]) -> None:
    """Every frame in the browser: nothing is sent until q is let go."""
    page = show()
    page.evaluate(COUNT_SENT)
    x, y = grab(page, handle(page, "centre"))
    seen = []
    for k in range(1, 9):
        page.mouse.move(x - 12 * k, y + 9 * k)
        frames(page)
        now = holds(page)
        mu, std = numbers(page, "mu"), numbers(page, "std")
        assert now["gap"] == pytest.approx(exact_gap(mu, std), abs=0.02 + 0.02 * now["gap"])  # mu is shown rounded
        seen.append(now["elbo"])
    assert len(set(seen)) == 8
    assert page.evaluate("() => window.sent") == 0
    page.mouse.up()
    left = rest(page)
    assert page.evaluate("() => window.sent") >= 1
    assert left["mu"] == pytest.approx(numbers(page, "mu"), abs=6e-4)
    assert left["mu"][0] < ENCODER[0][0] and left["mu"][1] < ENCODER[0][1]


@pytest.mark.parametrize(("kind", "dimension", "move"), [("width0", 0, (40, 0)), ("width1", 1, (0, -40))])
def test_a_knob_changes_one_width_at_true_scale(
    kind: str, dimension: int, move: tuple[int, int], show: Callable[..., Page]
) -> None:
    page = show()
    ellipse = page.locator(".plane ellipse.q2")
    radius = ("rx", "ry")[dimension]
    before = float(ellipse.get_attribute(radius) or 0)
    x, y = grab(page, handle(page, kind))
    page.mouse.move(x + move[0], y + move[1], steps=4)
    frames(page)
    assert float(ellipse.get_attribute(radius) or 0) == pytest.approx(before + 40, abs=1)  # the edge follows the hand
    std = numbers(page, "std")
    assert std[dimension] / ENCODER[1][dimension] == pytest.approx(1 + 40 / before, rel=0.02)
    assert std[1 - dimension] == pytest.approx(ENCODER[1][1 - dimension])
    holds(page)
    page.mouse.up()


def test_the_keyboard_does_the_same(show: Callable[..., Page]) -> None:
    page = show()
    handle(page, "centre").focus()
    mu = numbers(page, "mu")
    page.keyboard.press("ArrowRight")
    frames(page)
    step = numbers(page, "mu")[0] - mu[0]
    assert step > 0.005 and numbers(page, "mu")[1] == mu[1]
    for _ in range(5):
        page.keyboard.press("Shift+ArrowUp")
    frames(page)
    assert numbers(page, "mu")[1] - mu[1] == pytest.approx(step / 2, abs=2e-3)  # five tenths of a step
    for knob, key, expected in (
        ("centre", "+", [0.132, 0.176]),
        ("centre", "-", [0.12, 0.16]),
        ("width1", "ArrowUp", [0.12, 0.176]),
        ("width0", "ArrowLeft", [0.12 / 1.1, 0.176]),
    ):
        handle(page, knob).focus()
        page.keyboard.press(key)
        frames(page)
        assert numbers(page, "std") == pytest.approx(expected, abs=1e-3)
    holds(page)
    left = rest(page)
    assert left["log_var"] == pytest.approx([2 * math.log(0.12 / 1.1), 2 * math.log(0.176)], abs=1e-3)


def test_optimising_names_the_three_gaps_with_their_exact_values(show: Callable[..., Page]) -> None:
    page = show()
    page.get_by_role("button", name="Optimise q").click()
    expect(page.locator(".bound")).to_have_attribute("data-climb", "done", timeout=60_000)
    best = exact_gap([0.6, -0.4], best_std())
    assert numbers(page, "mu") == pytest.approx([0.6, -0.4], abs=3e-3)
    assert numbers(page, "std") == pytest.approx(best_std(), abs=2e-3)
    assert holds(page)["gap"] == pytest.approx(best, abs=0.006)
    encoder = exact_gap(*ENCODER)
    assert numbers(page, "sides") == pytest.approx([encoder, best, 0.0], abs=0.006)
    assert numbers(page, "parts") == pytest.approx([encoder, encoder - best, best, 0.0], abs=0.011)
    whole, *parts = numbers(page, "parts")
    assert sum(parts) == pytest.approx(whole, abs=1e-9)  # also as they are rounded
    expect(page.get_by_role("button", name="Go to the best q")).to_be_hidden()
    assert rest(page)["mu"] == pytest.approx([0.6, -0.4], abs=3e-3)
    page.get_by_role("button", name="Encoder’s q").click()  # the gaps belong to the image and stay
    expect(page.locator("[data-part=found]")).to_contain_text("q was moved")
    assert numbers(page, "parts") == [whole, *parts]


def test_the_ascent_can_be_paused_and_go_on(show: Callable[..., Page]) -> None:
    page = show()
    page.get_by_role("button", name="q = prior").click()
    frames(page)
    assert bars(page)["kl"] == 0 and numbers(page, "std") == [1, 1]
    page.get_by_role("button", name="Optimise q").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-part=found]")).to_contain_text("Paused at step")
    at = bars(page)
    page.wait_for_timeout(400)
    assert bars(page) == at and at["gap"] > exact_gap([0.6, -0.4], best_std()) + 0.05
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".bound")).to_have_attribute("data-climb", "done", timeout=60_000)
    assert bars(page)["elbo"] > at["elbo"]


def test_the_gap_of_the_gaussian_posterior_closes(show: Callable[..., Page]) -> None:
    """w = 2, b = 0.5, sigma = 1, x = 2.5: evidence N(2.5; 0.5, 5), posterior N(0.8, 0.2)."""
    page = show()
    page.get_by_role("button", name="1-D model").click()
    frames(page)
    assert bars(page)["evidence"] == pytest.approx(-0.5 * (4 / 5 + math.log(5) + math.log(2 * math.pi)), abs=0.006)
    x, y = grab(page, handle(page, "centre", "line"))
    page.mouse.move(x + 60, y, steps=5)
    frames(page)
    page.mouse.up()
    assert holds(page)["gap"] > 0.1
    page.get_by_role("button", name="Optimise q").click()
    expect(page.locator(".bound")).to_have_attribute("data-climb", "done", timeout=60_000)
    assert holds(page)["gap"] < 0.01
    assert numbers(page, "mu") == [0.8] and numbers(page, "std") == [pytest.approx(math.sqrt(0.2), abs=0.006)]
    assert "Approximation gap 0.00 nats" in text(page, "[data-part=sides]")
    expect(page.get_by_role("group", name="family of q")).to_be_hidden()  # one dimension has no correlation


def test_a_q_of_full_covariance_is_turned_optimised_and_linked(show: Callable[..., Page]) -> None:
    """From a link of before, which knows no correlation, to one that brings the turned q back."""
    page = show({"mu": [0.5, -0.3], "log_var": [-3.0, -4.0]})
    assert numbers(page, "mu") == [0.5, -0.3]
    assert numbers(page, "std") == pytest.approx([math.exp(-1.5), math.exp(-2)], abs=6e-4)
    expect(page.locator("[data-part=correlation]")).to_be_hidden()
    page.get_by_role("button", name="full covariance").click()
    assert numbers(page, "rho") == [0.0]
    x, y = grab(page, handle(page, "width0"))
    page.mouse.move(x - 10, y - 60, steps=4)  # counter-clockwise: along the posterior
    page.mouse.up()
    frames(page)
    (by_hand,) = numbers(page, "rho")
    handle(page, "width0").focus()
    page.keyboard.press("ArrowLeft")
    frames(page)
    (by_key,) = numbers(page, "rho")
    assert 0.2 < by_hand < by_key
    shown = numbers(page, "mu"), numbers(page, "std"), by_key
    assert holds(page)["gap"] == pytest.approx(exact_gap(*shown), rel=0.02, abs=0.02)  # q is shown rounded
    expect(page.get_by_text(re.compile(f'"rho": {by_key:.2f}'))).to_be_visible(timeout=20_000)
    left = rest(page)
    page.goto(page.url.split("?")[0] + "?" + urllib.parse.urlencode({"q": json.dumps(left)}))
    expect(page.locator("[data-part=rho]")).to_have_text(f"{by_key:.3f}", timeout=30_000)
    assert (numbers(page, "mu"), numbers(page, "std"), *numbers(page, "rho")) == shown
    page.get_by_role("button", name="Optimise q").click()
    expect(page.locator(".bound")).to_have_attribute("data-climb", "done", timeout=60_000)
    assert holds(page)["gap"] == pytest.approx(0.0, abs=0.006)  # the posterior is a Gaussian of this family
    assert numbers(page, "rho") == pytest.approx([0.024 / math.sqrt(0.04 * 0.03)], abs=2e-3)
    assert numbers(page, "parts")[2] == pytest.approx(exact_gap([0.6, -0.4], best_std()), abs=0.011)


def test_views_keep_an_equal_aspect_and_say_where_q_is(show: Callable[..., Page]) -> None:
    page = show()
    std = numbers(page, "std")
    ellipse = page.locator(".plane ellipse.q2")
    for view in ("around the posterior", "around q", "whole prior"):
        page.get_by_role("button", name=view).click()
        frames(page)
        rx, ry = (float(ellipse.get_attribute(name) or 0) for name in ("rx", "ry"))
        assert rx / ry == pytest.approx(std[0] / std[1], rel=1e-3)
    circles = [float(c.get_attribute("r") or 0) for c in page.locator(".plane circle.prior").all()]
    assert circles == pytest.approx([circles[0], 2 * circles[0], 3 * circles[0]])
    assert rx / circles[0] == pytest.approx(2 * std[0], rel=1e-3)  # in units of the prior's std


def test_a_finger_drags_q_and_elsewhere_scrolls_the_page(show: Callable[..., Page]) -> None:
    page = show(viewport={"width": 390, "height": 844}, has_touch=True)
    touch = page.context.new_cdp_session(page)

    def swipe(x: float, y: float, dx: float, dy: float) -> None:
        for k in range(9):
            points = [{"x": x + dx * k / 8, "y": y + dy * k / 8}]
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove" if k else "touchStart", "touchPoints": points})
            frames(page)
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    scrolled = "() => document.querySelector('[data-testid=stMain]').scrollTop"
    mu, box = numbers(page, "mu"), handle(page, "centre").locator(".knob").bounding_box()
    assert box
    swipe(box["x"] + 8, box["y"] + 8, -40, -60)
    assert numbers(page, "mu")[0] < mu[0] - 0.05 and numbers(page, "mu")[1] > mu[1] + 0.05
    assert page.evaluate(scrolled) == 0
    moved, plane = numbers(page, "mu"), page.locator(".plane svg").bounding_box()
    assert plane
    swipe(plane["x"] + 80, plane["y"] + 0.8 * plane["height"], 0, -150)
    assert numbers(page, "mu") == moved and page.evaluate(scrolled) > 50


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_of_it(scheme: str, show: Callable[..., Page]) -> None:
    page = show(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page.get_by_role("button", name="Optimise q").click()
    expect(page.locator(".bound")).to_have_attribute("data-climb", "done", timeout=60_000)
    wide = page.locator(".bound").evaluate(BEYOND_THE_EDGE)
    assert wide == [] and page.locator(".bound.dark").count() == (scheme == "dark")
    small = page.locator(".bound").evaluate(
        "(root) => [...root.querySelectorAll('p, span, text, button, output')].filter((e) => e.textContent.trim()"
        " && parseFloat(getComputedStyle(e).fontSize) < 12).length"
    )
    assert small == 0
