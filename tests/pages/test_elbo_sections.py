"""Sections 1 and 5 of the ELBO page: every number that they show, computed once more in another way."""

import ast
import json
import math
import re

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from pages.elbo import figures_evidence, figures_reparameterise, reparameterise
from pages.elbo.subject import Subject, subject
from tests.pages.conftest import checked
from tests.pages.elbo_sections import GAUSSIAN, KEY, bold, figure, figures_of, log_p, number, opened, words
from vae_core.exact.quadrature import Estimate, Evidence


def test_the_contour_of_the_posterior_lies_where_the_posterior_does() -> None:
    """Of a posterior at z1 = 1.2 and z2 = −0.5, five times as wide along z1: its mass is where its line is."""
    z1, z2 = (torch.arange(start, start + 2.4, 0.05, dtype=torch.float64) for start in (0.0, -1.7))
    at, std = torch.tensor([1.2, -0.5], dtype=torch.float64), torch.tensor([0.5, 0.1], dtype=torch.float64)
    joint = Normal(at[0], std[0]).log_prob(z1)[None, :] + Normal(at[1], std[1]).log_prob(z2)[:, None]
    log_p = Estimate(0.0, 0.0)
    known = torch.ones_like(joint, dtype=torch.bool)
    seen = Evidence(log_p, log_p, z1, z2, 0.05, joint, known, joint.numel(), True)
    figure = figures_evidence.where_figure(torch.zeros(3, 2), torch.tensor([0]), seen, False)
    line = figure.data[-1]
    height = np.array(line.z)
    row, column = np.unravel_index(height.argmax(), height.shape)
    assert (line.x[column], line.y[row]) == pytest.approx((1.2, -0.5), abs=0.03)
    inside = height > line.contours.start
    reach = np.sqrt(-2 * figures_evidence.EDGE)
    across, up = np.array(line.x)[inside.any(axis=0)], np.array(line.y)[inside.any(axis=1)]
    assert across.min() == pytest.approx(max(0, 1.2 - 0.5 * reach), abs=0.06)
    assert (up.min(), up.max()) == pytest.approx((-0.5 - 0.1 * reach, -0.5 + 0.1 * reach), abs=0.06)


def exact_gradient(s: Subject) -> torch.Tensor:
    """(4,) of mu 1, mu 2, log_var 1, log_var 2: the pathwise way, integrated on a fine grid (the slope has jumps)."""
    line = torch.linspace(-6, 6, 161, dtype=torch.float64)
    eps = torch.cartesian_prod(line, line)
    weight = Normal(0.0, 1.0).log_prob(eps).sum(-1).exp()
    mu, log_var = (v.double().clone().requires_grad_() for v in (s.mu, s.log_var))
    mean = (weight / weight.sum() * log_p(s, mu + (log_var / 2).exp() * eps)).sum()
    of_mu, of_log_var = torch.autograd.grad(mean, (mu, log_var))
    return torch.cat([of_mu[0], of_log_var[0]])


def estimates(s: Subject, seed: int, samples: int, baseline: float) -> dict[str, torch.Tensor]:
    """(R, 4) estimates by autograd: of log q for the score function, of log p for the pathwise way."""
    repeats, most = figures_reparameterise.REPEATS, figures_reparameterise.SAMPLES[-1]
    generator = torch.Generator().manual_seed(seed)
    eps = torch.randn(repeats, most, 2, generator=generator, dtype=torch.float64)[:, :samples]
    mu, log_var = (v.double().expand(repeats, 1, 2).clone().requires_grad_() for v in (s.mu, s.log_var))
    q = Normal(mu, (log_var / 2).exp())
    z = mu + (log_var / 2).exp() * eps
    f = log_p(s, z.flatten(0, 1)).view(repeats, samples)
    log_q = q.log_prob(z.detach()).sum(-1)  # (R, S)
    losses = {
        "score function": (f.detach() * log_q).mean(1),
        "score function with baseline": ((f.detach() - baseline) * log_q).mean(1),
        "pathwise": f.mean(1),
    }
    gradients = {n: torch.autograd.grad(v.sum(), (mu, log_var), retain_graph=True) for n, v in losses.items()}
    return {name: torch.cat([g[:, 0] for g in both], dim=-1) for name, both in gradients.items()}


ONE_DIGIT = 0.35  # what rounding to one significant digit moves a number at most: 1.5 to 2


@pytest.mark.parametrize(
    ("key", "component", "samples"), [(KEY, "mu 1", 4), (KEY, "log_var 2", 16), ((GAUSSIAN, 1, 2), "mu 2", 8)]
)
def test_estimates_and_the_exact_gradient(key: tuple[str, int, int], component: str, samples: int) -> None:
    at = opened("reparameterise", key, gradient=component, estimate=samples, noise=5)
    s, index = subject(*key), list(figures_reparameterise.COMPONENTS).index(component)
    exact = exact_gradient(s)[index].item()
    assert number(bold(at)[0]) == pytest.approx(exact, rel=2e-3, abs=2e-3)
    baseline = figures_reparameterise.truth(key)[0]
    shown = at.table[0].value
    theirs = estimates(s, 5, samples, baseline)
    least = theirs["pathwise"][:, index].var().item()
    for name, found in theirs.items():
        own = found[:, index]
        mean, std = own.mean().item(), own.std().item()
        error = std / len(own) ** 0.5
        row = shown.loc[name]
        assert number(row["mean ± SE"]) == pytest.approx(mean, abs=0.52 * error)  # rounded to the digit of its error
        assert number(row["mean ± SE"].split("±")[1]) == pytest.approx(error, rel=ONE_DIGIT)
        assert number(row["std of one estimate"]) == pytest.approx(std, rel=0.01)
        assert number(row["variance"]) == pytest.approx(std**2 / least, rel=ONE_DIGIT)
        assert row["off by"].startswith("✓") == (abs(mean - exact) < 4 * error)
        assert number(row["off by"]) == pytest.approx(abs(mean - exact) / error, abs=0.2)
    raised = estimates(s, 5, samples, -reparameterise.CONSTANT)["score function with baseline"][:, index]
    said = re.search(r"about \*\*(\S+) times\*\* .* it is (\S+); .* makes it (\S+)\. ", words(at))
    assert said
    told = [theirs["score function with baseline"][:, index], theirs["score function"][:, index], raised]
    for text, own in zip(said.groups(), told, strict=True):
        assert number(text) == pytest.approx(own.var().item() / least, rel=ONE_DIGIT)


def test_the_picture_has_log_p_on_a_line_through_mu() -> None:
    s, along = subject(*KEY), reparameterise.along(KEY)
    assert (along.mu, along.std) == pytest.approx((s.mu[0, 0].item(), (s.log_var[0, 0] / 2).exp().item()))
    z = s.mu.double().repeat(len(along.values), 1)
    z[:, 0] = torch.linspace(along.low, along.high, len(along.values), dtype=torch.float64)
    with torch.no_grad():
        assert list(along.values) == pytest.approx(log_p(s, z).tolist(), rel=1e-5)


def test_the_baseline_is_the_mean_of_log_p_under_q() -> None:
    s = subject(*KEY)
    eps = torch.randn(20_000, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    with torch.no_grad():
        values = log_p(s, s.mu + (s.log_var / 2).exp() * eps)
    error = values.std().item() / len(values) ** 0.5
    assert figures_reparameterise.truth(KEY)[0] == pytest.approx(values.mean().item(), abs=4 * error)


def test_the_spread_falls_with_the_square_root_and_the_axis_stays() -> None:
    few, many = opened("reparameterise", estimate=1), opened("reparameterise", estimate=64)
    for name in reparameterise.ESTIMATORS.values():
        before, after = (number(at.table[0].value.loc[name, "std of one estimate"]) for at in (few, many))
        assert after == pytest.approx(before / 8, rel=0.4), name
        assert number(many.table[0].value.loc[name, "std at S = 1, over √S"]) == pytest.approx(before / 8, rel=0.01)
    assert figure(few)["layout"]["xaxis"]["range"] == figure(many)["layout"]["xaxis"]["range"]


@pytest.mark.parametrize(("axis", "wide"), [("score", True), ("pathwise", False)])
def test_the_histograms_count_every_estimate_once(axis: str, wide: bool) -> None:
    spec = figure(opened("reparameterise", axis=axis, estimate=8))
    heights = [figures_of(trace["y"]) for trace in spec["data"]]
    outside = [int(n) for n in re.findall(r"\((\d+) outside\)", json.dumps(spec["layout"]["annotations"]))]
    assert len(heights) == 3 and sum(map(sum, heights)) + sum(outside) == 3 * figures_reparameterise.REPEATS
    assert (sum(outside) == 0) == wide


def test_new_draws_are_other_draws_of_the_same_gradient() -> None:
    at = opened("reparameterise")
    first, exact = at.table[0].value, bold(at)[0]
    next(b for b in at.button if b.label == "New draws").click()
    checked(at.run())
    assert not at.table[0].value.equals(first) and bold(at)[0] == exact
    assert "Seed of the draws 1." in at.caption[-1].value
    assert not any("✗" in cell for cell in at.table[0].value["off by"])


def test_what_autograd_said_is_what_it_says() -> None:
    at = opened("reparameterise", reparameterise="autograd", noise=2)
    drawn, made, blocked, free = (c.value for c in at.get("code")[:4])
    assert "q.sample()" in drawn and "model.sample(mu, log_var, eps)" in made
    for line in (
        "z.requires_grad   False",
        "z.grad_fn         None",
        "mu.grad           None",
        "log_var.grad      None",
    ):
        assert line in blocked
    s = subject(*KEY)
    mu, log_var = (v.clone().requires_grad_() for v in (s.mu, s.log_var))
    eps = torch.randn(1, 2, generator=torch.Generator().manual_seed(2))
    z = mu + (log_var / 2).exp() * eps
    of_mu, of_log_var = torch.autograd.grad(-log_p(s, z).sum(), (mu, log_var))
    said = dict(line.split(maxsplit=1) for line in free.splitlines())
    assert said["z.requires_grad"] == "True" and said["z.grad_fn"] == f"<{type(z.grad_fn).__name__}>"
    for name, expected in (("z", z), ("mu.grad", of_mu), ("log_var.grad", of_log_var)):
        assert ast.literal_eval(said[name]) == pytest.approx(expected[0].tolist(), rel=1e-3, abs=1e-3)
    assert said["nll"].split()[0] in blocked  # the same draw, the same loss
    named = at.table[0].value.set_axis(["normal", "sample", "rsample"])
    assert named["mu.grad"][["normal", "sample"]].tolist() == ["[0.000, 0.000]", "None"]
    assert named["z"].nunique() == 1 and named.loc["rsample", "mu.grad"] == said["mu.grad"]  # one seed, one z
    assert all(p.grad is None for p in s.model.parameters())


@pytest.mark.parametrize("log_var", [-8.0, -1.3, 2.0])
def test_slopes_of_the_kl_in_both_parametrisations(log_var: float) -> None:
    at = opened("reparameterise", reparameterise="log variance", log_var=log_var)
    std = math.exp(log_var / 2)
    here, further, of_std, of_log_var = (number(text) for text in bold(at)[-4:])
    assert (here, further) == (pytest.approx(std, rel=5e-3), pytest.approx(math.exp((log_var + 1) / 2), rel=5e-3))
    assert of_std == pytest.approx(std - 1 / std, rel=5e-3)
    assert of_log_var == pytest.approx((std**2 - 1) / 2, rel=5e-3)
    leaf = torch.tensor(std, dtype=torch.float64, requires_grad=True)
    kl_divergence(Normal(0.0, leaf), Normal(0.0, 1.0)).backward()
    assert of_std == pytest.approx(leaf.grad.item(), rel=5e-3)
