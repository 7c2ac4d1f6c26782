"""The plane as a class uses it: points are drawn, a run starts, ELBO and log p(x) come, a point shows its gap."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from safetensors.numpy import load

from tests.browser.handwriting import arc, draw
from tests.browser.test_live_training import until
from vae_core.data import points


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def figures(page: Page, *parts: str) -> list[float]:
    """Outputs by their names, once they are there."""
    for part in parts:
        expect(page.locator(f".onplane [data-part={part}]")).to_have_text(re.compile(r"\d"), timeout=60_000)
    root = page.locator(".onplane")  # of one moment, while it trains
    texts = root.evaluate("(e, parts) => parts.map((p) => e.querySelector(`[data-part=${p}]`).textContent)", parts)
    return [number(text) for text in texts]


def ink(page: Page, part: str) -> int:
    """How many pixels of a canvas are drawn."""
    canvas = page.locator(f".onplane canvas[data-part={part}]")
    count = (
        "(c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.filter((v, i) => i % 4 === 3 && v).length"
    )
    return int(canvas.evaluate(count))


def test_drawn_points_are_learned_and_a_chosen_one_shows_its_gap(opened: Callable[..., Page], server: str) -> None:
    page = opened(f"{server}/plane?set=drawn&steps=300")
    pad = page.locator(".planepad")
    canvas, count = pad.locator("canvas"), pad.locator("[data-part=count]")
    draw(page, canvas, [arc((0.5, 0.5), (0.3, 0.3), 0, 350)])
    expect(count).to_contain_text("points")
    drawn = int(count.inner_text().split()[0])
    assert drawn > 20
    canvas.focus()
    for key in ("Shift+ArrowUp", "ArrowRight", "Space"):
        page.keyboard.press(key)
    expect(count).to_have_text(f"{drawn + 1} points · at 0.10, 0.02")
    page.keyboard.press("Control+z")
    expect(count).to_contain_text(f"{drawn} points")
    a_point_by_key_and_by_mouse(page)
    lines: list[str] = []
    page.on("websocket", lambda socket: lines.append(socket.url))
    page.get_by_role("button", name="Start").click()

    elbo, gap, log_p = figures(page, "elbo", "gap", "logP")
    expect(page.locator(".onplane [data-part=status]")).to_have_text("finished", timeout=90_000)
    expect(page.get_by_text("At the end")).to_be_visible(timeout=60_000)
    better = figures(page, "elbo", "gap", "logP")
    assert elbo + gap == pytest.approx(log_p, abs=0.1) and better[0] > elbo and better[0] < better[2]
    it_is_told_what_is_true(page, f"{server}/film/{lines[-1].rpartition('/')[2]}/300")

    plane = page.locator(".onplane canvas[data-part=plane]")
    plane.focus()
    page.keyboard.press("ArrowLeft")
    one = figures(page, "oneElbo", "oneGap", "oneLogP")
    assert one[0] + one[1] == pytest.approx(one[2], abs=0.1) and one[1] > 0
    assert ink(page, "curves") > 1000 and ink(page, "posterior") > 1000
    page.wait_for_url(re.compile("point=0"))
    where = page.locator(".onplane [data-part=x]")
    before = where.inner_text()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    expect(where).not_to_have_text(before)
    shown = [number(v) for v in re.findall(r"[−\d.]+", where.inner_text())]
    _, tested = points.split(np.array(shown_points(page)))
    assert np.abs(tested - shown).max(1).min() < 0.006  # it is one of the drawn points that test
    the_same_point_by_mouse(page, shown)


def a_point_by_key_and_by_mouse(page: Page) -> None:
    """Space drops one at the cross, a click where the mouse is; both are taken back."""
    canvas = page.locator(".planepad canvas")
    page.keyboard.press("Space")
    box = canvas.bounding_box()
    assert box is not None
    x, y = ((1 + 0.1 / points.REACH) / 2, (1 - 0.02 / points.REACH) / 2)
    canvas.click(position={"x": x * box["width"], "y": y * box["height"]})
    page.wait_for_url(re.compile("drawn=drawn-"))
    until(page, lambda: np.allclose(shown_points(page)[-2:], [0.1, 0.02], atol=0.03))
    for _ in range(2):
        page.get_by_role("button", name="Undo").click()
    until(page, lambda: not np.allclose(shown_points(page)[-1], [0.1, 0.02], atol=0.03))


def the_same_point_by_mouse(page: Page, place: list[float]) -> None:
    """That the arrow keys have chosen, after another one."""
    where, plane = page.locator(".onplane [data-part=x]"), page.locator(".onplane canvas[data-part=plane]")
    before = where.inner_text()
    page.keyboard.press("ArrowRight")
    expect(where).not_to_have_text(before)
    box = plane.bounding_box()
    assert box is not None
    left, below, room = 40, 40, 8  # of the axes, as scene.js lays them out
    share = [(v / points.REACH + 1) / 2 for v in place]
    x, y = left + share[0] * (box["width"] - left - room), room + (1 - share[1]) * (box["height"] - below - room)
    plane.click(position={"x": x, "y": y})
    expect(where).to_have_text(before)


def it_is_told_what_is_true(page: Page, frame: str) -> None:
    """Once more by sums over a grid, of the weights and points that the film of the run holds."""
    arrays = load(page.request.get(frame).body())
    x, mu, std = (arrays[f"points_{name}"].astype(float) for name in ("test", "mu", "std"))
    sigma = 0.15  # as the page begins
    normal = lambda v, mean, wide: -0.5 * ((v - mean) / wide) ** 2 - np.log(wide * np.sqrt(2 * np.pi))  # noqa: E731

    def log_likelihood(z: np.ndarray) -> np.ndarray:
        """(n, 1) codes -> (n, N) log p(x | z)."""
        for i in range(layers := sum(name.startswith("points_weight") for name in arrays)):
            z = z @ arrays[f"points_weight{i}"].T + arrays[f"points_bias{i}"].T
            z = np.tanh(z) if i + 1 < layers else z
        return np.asarray(normal(x[None], z[:, None], sigma).sum(2))

    z = np.linspace(-8, 8, 40_001)[:, None]
    log_p = np.log(np.exp(log_likelihood(z) + normal(z, 0, 1)).sum(0) * (z[1] - z[0]))
    eps, weight = np.polynomial.hermite_e.hermegauss(80)
    likelihood = [
        weight @ log_likelihood(m + s * eps[:, None])[:, i] for i, (m, s) in enumerate(zip(mu, std, strict=True))
    ]
    elbo = np.array(likelihood) / weight.sum() - (0.5 * (mu**2 + std**2 - 1) - np.log(std))[:, 0]
    said = page.locator(".onplane p.spoken[aria-live=polite]")
    form = r"At step 300: ELBO (\S+) \+ gap (\S+) = log p\(x\) (\S+) nats per point\."
    expect(said).to_have_text(re.compile(form), timeout=12_000)
    told = [number(text) for text in re.fullmatch(form, said.inner_text()).groups()]  # type: ignore[union-attr]
    assert told == pytest.approx([elbo.mean(), (log_p - elbo).mean(), log_p.mean()], abs=0.012)
    expect(page.locator(".onplane canvas[data-part=curves]")).to_have_attribute("aria-label", re.compile(form[:-2]))


def shown_points(page: Page) -> list[list[float]]:
    """What was drawn, by the link."""
    name = re.search(r"drawn=(drawn-[0-9a-f]{24})", page.url)
    assert name is not None
    return points.drawn(name.group(1)).tolist()


def test_pasted_points_stand_on_the_pad_and_can_be_drawn_on(opened: Callable[..., Page], server: str) -> None:
    page = opened(f"{server}/plane?set=drawn")
    count = page.locator(".planepad [data-part=count]")
    page.get_by_text("Paste points").click()
    text = page.get_by_role("textbox", name="x, y")
    text.fill("1 2 3")
    text.press("Control+Enter")
    expect(page.get_by_text("Line 1 holds no point")).to_be_visible()
    text.fill("\n".join(f"{0.1 * i - 1:.1f} {0.5:.1f}" for i in range(20)))
    text.press("Control+Enter")
    expect(count).to_contain_text("20 points")
    expect(page.get_by_text("Line 1 holds no point")).to_have_count(0)
    page.wait_for_url(re.compile("drawn=drawn-"))
    assert len(shown_points(page)) == 20
    canvas = page.locator(".planepad canvas")
    canvas.focus()
    for key in ("ArrowUp", "Space"):
        page.keyboard.press(key)
    expect(count).to_contain_text("21 points")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".onplane [data-part=logP]")).to_have_text(re.compile(r"\d"), timeout=60_000)
