"""Sections 6 and 7 of the ELBO page: every number that they show, computed once more in another way; and its links."""

import ast
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from streamlit.testing.v1 import AppTest
from torch.distributions import Bernoulli, Normal, kl_divergence

from pages.elbo import code, likelihood
from pages.elbo.settings import COSTS, LOOKS, STEPS, link
from pages.elbo.subject import subject
from pages.ui.lesson.code_map import source_of
from tests.pages.conftest import ROUTER, checked
from tests.pages.elbo_sections import GAUSSIAN, KEY, bold, figure, figures_of, log_p, number, opened, words
from vae_core.runs.registry import Registry

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("x", "sigma"), [(1.0, 0.2), (0.35, 0.05)])
def test_the_cost_of_one_pixel(x: float, sigma: float) -> None:
    shown = opened("likelihood", x=x, sigma=sigma).table[0].value
    for x_hat in (0.01, 0.5, 0.99):
        column = shown[f"x̂ = {x_hat:g}"]
        bernoulli = -(x * math.log(x_hat) + (1 - x) * math.log(1 - x_hat))
        gaussian = -Normal(torch.tensor(x_hat).double(), sigma).log_prob(torch.tensor(x).double()).item()
        assert number(column["Bernoulli (nats)"]) == pytest.approx(bernoulli, rel=6e-3)
        assert number(column[f"Gaussian, sigma {sigma:g} (nats)"]) == pytest.approx(gaussian, rel=6e-3)


@pytest.mark.parametrize("key", [KEY, (GAUSSIAN, 1, 1)])
def test_the_costs_of_one_image_and_the_best_sigma(key: tuple[str, int, int]) -> None:
    at = opened("likelihood", key, likelihood="sigma", sigma=0.3)
    s = subject(*key)
    with torch.no_grad():
        x_hat = s.model.decode(s.mu).sigmoid()
    bernoulli = -Bernoulli(probs=x_hat, validate_args=False).log_prob(s.x).sum().item()
    gaussian = -Normal(x_hat.double(), 0.3).log_prob(s.x.double()).sum().item()
    *parts, total = (number(text) for text in at.table[0].value.loc["nats"])
    assert sum(parts) == pytest.approx(total, abs=0.21)
    assert total == pytest.approx(gaussian, abs=0.1)
    best, lowest = number(bold(at)[-2]), number(bold(at)[-1])
    by_error = ((s.x - x_hat) ** 2).mean().sqrt().item()
    assert number(bold(at)[1]) == pytest.approx(bernoulli, abs=0.1)
    assert best == pytest.approx(by_error, rel=6e-3)
    assert lowest == pytest.approx(-Normal(x_hat, by_error).log_prob(s.x).sum().item(), rel=2e-3)
    entropy = Bernoulli(probs=s.x).entropy().sum().item()
    assert number(words(at).split("own entropy")[1]) == pytest.approx(entropy, rel=6e-3)


@pytest.mark.parametrize("reduction", ["sum", "pixels", "both"])
@pytest.mark.parametrize("key", [KEY, (GAUSSIAN, 1, 1)])
def test_the_reduction_and_the_beta_that_it_implies(key: tuple[str, int, int], reduction: str) -> None:
    at = opened("likelihood", key, likelihood="reduction", reduction=reduction)
    s = subject(*key)
    eps = torch.randn(1, 2, generator=torch.Generator().manual_seed(likelihood.SEED))
    with torch.no_grad():
        nll = -log_p(s, s.mu + (s.log_var / 2).exp() * eps).item()
        kl = kl_divergence(Normal(s.mu, (s.log_var / 2).exp()), Normal(0.0, 1.0))[0]
    nll = nll if reduction == "sum" else nll / 784
    term = kl.mean().item() if reduction == "both" else kl.sum().item()
    shown = {m.label: number(m.value) for m in at.metric}
    assert shown["reconstruction"] == pytest.approx(nll, rel=2e-3)
    assert shown["+ KL"] == pytest.approx(term, rel=2e-3)
    assert shown["= loss"] == pytest.approx(nll + term, rel=2e-3)
    assert shown["implied beta"] == {"sum": 1, "pixels": 784, "both": 392}[reduction]
    assert f"**beta = {shown['implied beta']:g}**" in words(at)
    for trace, share in zip(figure(at)["data"], (nll, term), strict=True):
        row = ["sum", "pixels", "both"].index(reduction)
        assert figures_of(trace["x"])[row] == pytest.approx(100 * share / (abs(nll) + abs(term)), rel=1e-3)
    told = re.findall(r" (\d+\.\d)%", at.get("plotly_chart")[0].proto.alt)  # what a screen reader says is the picture
    assert float(told[row]) == pytest.approx(100 * term / (abs(nll) + abs(term)), abs=0.06)


def test_the_bernoulli_terms_are_those_of_cross_entropy() -> None:
    """The same once more by torch's own function, not by a distribution."""
    found, s = likelihood.costs(*KEY), subject(*KEY)
    with torch.no_grad():
        logits = s.model.decode(s.mu)
    assert found.bernoulli == pytest.approx(F.binary_cross_entropy_with_logits(logits, s.x, reduction="sum").item())
    assert found.squared_error == pytest.approx(F.mse_loss(logits.sigmoid(), s.x, reduction="sum").item(), rel=1e-5)


@pytest.mark.parametrize(("key", "nll"), [(KEY, "bernoulli_nll"), ((GAUSSIAN, 3, 0), "gaussian_nll")])
def test_the_steps_carry_the_numbers_of_the_image(key: tuple[str, int, int], nll: str) -> None:
    checked(opened("code", key))
    steps = {step.name: step for step in code.steps_of(*key)}
    s = subject(*key)
    eps = torch.randn(1, 2, generator=torch.Generator().manual_seed(code.SEED))
    with torch.no_grad():
        z = s.mu + (s.log_var / 2).exp() * eps
        cost = -log_p(s, z).item()
    kl = kl_divergence(Normal(s.mu, (s.log_var / 2).exp()), Normal(0.0, 1.0)).sum().item()
    assert number(steps["reconstruction"].value) == pytest.approx(cost, abs=0.01)
    assert number(steps["kl"].value) == pytest.approx(kl, abs=0.01)
    assert number(steps["update"].value.split("=")[1]) == pytest.approx(cost + kl, abs=0.02)
    drawn = [number(part) for part in steps["sample"].value.split("(")[1].split(",")]
    assert drawn == pytest.approx(z[0].tolist(), abs=0.006)
    assert [f.__name__ for f in steps["reconstruction"].functions] == [nll]


def test_the_sources_are_what_stands_in_their_files() -> None:
    functions: list[Callable[..., Any]] = [f for step in code.steps_of(*KEY) for f in step.functions]
    assert len(functions) == 7
    for function in functions:
        source = source_of(function)
        lines = (ROOT / source.file).read_text(encoding="utf-8").splitlines()[source.line - 1 :]
        own = source.text.rstrip().splitlines()
        assert [line.strip() for line in own] == [line.strip() for line in lines[: len(own)]]
        name = source.name.rsplit(".", 1)[-1]
        assert own[0].startswith(f"def {name}(")
        first, last = source.doc
        documented = ast.get_docstring(ast.parse(source.text).body[0])  # type: ignore[arg-type]
        assert (first > 0) == bool(documented)
        if documented:
            assert own[first - 1].lstrip().startswith('"""') and own[last - 1].rstrip().endswith('"""')


@pytest.mark.parametrize(
    ("section", "part"),
    [*(("reparameterise", look) for look in LOOKS), *(("likelihood", cost) for cost in COSTS)],
)
def test_what_can_be_linked_is_what_the_widgets_are_called(section: str, part: str) -> None:
    at = opened(section, **{section: part})
    widgets = [*at.segmented_control, *at.select_slider, *at.slider, *at.selectbox]
    assert widgets and {widget.key for widget in widgets} <= {link.key(name) for name in link.settings}


def test_the_steps_that_can_be_linked_are_those_of_the_map() -> None:
    assert tuple(step.name for step in code.steps_of(*KEY)) == STEPS


def test_an_unknown_step_of_a_link_is_the_first(registry: Registry) -> None:
    at = AppTest.from_file(str(ROUTER), default_timeout=60).run()
    at.query_params["section"] = at.query_params["code"] = "code"
    checked(at.switch_page("elbo/page.py").run())
    assert at.session_state["elbo code"] == "encode" and "code 'code' is not offered here" in at.warning[0].value
