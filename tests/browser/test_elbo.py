"""The ELBO page as a lecturer uses it: three derivations walked with the keyboard, q dragged over the posterior."""

import re

import pytest
import torch
from playwright.sync_api import Page, expect
from torch.distributions import Bernoulli

from pages.elbo.bound import TELLING
from pages.elbo.subject import subject
from pages.ui.shipped import PLANE
from tests.browser.test_live_training import until

FROM = re.compile(r"^(exact|quadrature|Monte Carlo)$")  # below each value of a line
WAYS = [("bayes", "Bayes", 9), ("multiply", "Multiply by q / q", 7), ("jensen", "Jensen", 6)]


@pytest.mark.parametrize(("way", "name", "last"), WAYS)
def test_a_derivation_is_walked_with_the_arrow_keys(opened, server, way, name, last):
    page = opened(f"{server}/elbo?section=derivation")
    page.get_by_role("radio", name=name).or_(page.get_by_role("button", name=name, exact=True)).first.click()
    values = page.locator("[class*='st-key-line']").get_by_text(FROM)
    expect(values).to_have_count(1)
    page.locator("[data-testid=stCaptionContainer]").last.click()  # the focus leaves the choice
    for count in range(2, last + 1):
        page.keyboard.press("ArrowRight")
        expect(values).to_have_count(
            count + (count == last), timeout=20_000
        )  # beside the last line p(x given z) itself
        expect(values.last).to_be_in_viewport(ratio=1)  # whoever walks on with the keys sees what comes
        expect(page.get_by_role("button", name="Back", exact=False).first).to_be_in_viewport()
    expect(page.get_by_text("over all black-or-white images x it sums to one")).to_be_visible()
    expect(page.get_by_text("Every line holds")).to_be_visible()
    expect(page).to_have_url(re.compile(f"line={last}"))
    page.keyboard.press("ArrowLeft")
    expect(values).to_have_count(last - 1)
    expect(page.get_by_text("does not hold")).to_have_count(0)


def total(page: Page) -> tuple[float, float, float]:
    """log p(x), ELBO and gap as the bars say."""
    text = page.locator(".bound").inner_text().replace("−", "-")
    log_p = float(re.search(r"log p\(x\) (-?[\d.]+)", text).group(1))
    elbo = float(re.search(r"ELBO (-?[\d.]+)\s*\+", text).group(1))
    gap = float(re.search(r"KL\(q ‖ p\(z \| x\)\) (-?[\d.]+)", text).group(1))
    return log_p, elbo, gap


def test_q_is_dragged_and_the_sum_of_the_bars_stays(opened, server):
    page = opened(f"{server}/elbo?section=bound")
    q = page.get_by_role("slider").or_(page.locator(".bound [tabindex='0']")).first
    expect(q).to_be_visible(timeout=20_000)
    until(page, lambda: "log p(x)" in page.locator(".bound").inner_text())
    log_p, elbo, gap = total(page)
    assert elbo + gap == pytest.approx(log_p, abs=0.03)
    q.focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    until(page, lambda: abs(total(page)[1] - elbo) > 0.1)
    moved = total(page)
    assert moved[0] == log_p and moved[1] + moved[2] == pytest.approx(log_p, abs=0.03)
    until(page, lambda: "q=" in page.url)
    page.get_by_role("button", name="Optimise q").click()
    until(page, lambda: total(page)[1] > elbo)
    page.get_by_role("button", name="full covariance").click()
    page.get_by_role("button", name="Where it matters").click()
    encoder = subject(PLANE, *TELLING).bound.gap.value  # q of the image before is not that of this one
    until(page, lambda: total(page)[2] == pytest.approx(encoder, abs=0.03))
    until(page, lambda: "digit=1&image=8&q=" in page.url and "rho" in page.url)
    page.reload()
    expect(page.get_by_role("button", name="full covariance", pressed=True)).to_be_visible(timeout=60_000)
    expect(page.locator("[data-bar=gap]")).not_to_have_text("")
    until(page, lambda: total(page)[2] == pytest.approx(encoder, abs=0.03))


def test_a_link_brings_back_image_and_line(opened, server):
    page = opened(f"{server}/elbo?section=derivation&digit=9&image=1&line=3")
    expect(page.locator("[class*='st-key-line']").get_by_text(FROM)).to_have_count(3, timeout=30_000)
    expect(page.get_by_text("x, test image 9, a 9")).to_be_visible()


def test_a_line_that_fails_is_scrolled_to_and_marked(opened, server):
    page = opened(f"{server}/elbo?section=derivation&line=9&wrong=1")
    failed = page.locator("[class*='st-key-failed-line']")
    expect(failed.first).to_be_in_viewport(ratio=1, timeout=30_000)
    expect(failed.first.get_by_text("does not hold")).to_be_in_viewport()
    assert float(failed.first.evaluate("e => parseFloat(getComputedStyle(e).borderLeftWidth)")) >= 4


def test_with_mu_the_kept_eps_moves_along_and_left_z_is_drawn_anew(opened, server):
    """What the right graph says is log p(x given z) of the model at z = mu + std · eps."""
    page = opened(f"{server}/elbo?section=reparameterise")
    texts = page.locator(".chance text")
    expect(texts.filter(has_text="gradient for mu")).to_be_visible(timeout=30_000)
    page.locator(".chance [data-part=mu]").focus()
    s, left = subject(PLANE, 0, 0), set()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
        until(page, lambda: len(left) < len(left | {shown(page)[0]}))
        drawn, mu, std, eps, value = shown(page)
        left.add(drawn)
        z = torch.tensor([[mu + std * eps, s.mu[0, 1].item()]])
        with torch.no_grad():
            expected = Bernoulli(logits=s.model.decode(z), validate_args=False).log_prob(s.x).sum().item()
        assert value == pytest.approx(expected, abs=1.0)  # mu and std are shown rounded
    assert len(left) == 4


def shown(page: Page) -> tuple[float, ...]:
    """log p of the left graph; mu, std, eps and log p of the right one."""
    found = [text.replace("−", "-") for text in page.locator(".chance text").all_text_contents()]
    after = {name: [found[i + 1] for i, text in enumerate(found) if text == name] for name in ("mu", "std", "eps")}
    costs = [float(text.split()[-1]) for text in found if text.startswith("log p")]
    return costs[0], *(float(after[name][-1]) for name in ("mu", "std", "eps")), costs[1]
