"""Gradient estimators against closed forms, autograd through torch.distributions and finite differences."""

import math
from functools import partial

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal

from tests.oracles.linear_gaussian import closed_form, line_model
from vae_core.exact.density import log_joint
from vae_core.exact.gradients import (
    OTHERS,
    Gradient,
    compare,
    draw_eps,
    evaluate,
    exact,
    pathwise,
    score,
)

BEND, TOP = torch.tensor([2.0, 0.5]).double(), torch.tensor([0.3, -1.0]).double()


def parabola(z: Tensor) -> Tensor:
    """−½ Σ bend (z − top)² − 100: as far from 0 as a log-likelihood is."""
    dims = z.shape[-1]
    return -0.5 * (BEND[:dims] * (z - TOP[:dims]).square()).sum(-1) - 100


def q(dims: int) -> tuple[Tensor, Tensor]:
    return torch.tensor([[0.8, -0.4]]).double()[:, :dims], torch.tensor([[-1.0, 0.3]]).double()[:, :dims]


def truth(dims: int) -> tuple[Tensor, Tensor]:
    """E = −½ bend ((mu − top)² + var) − 100, by hand."""
    mu, log_var = q(dims)
    return -BEND[:dims] * (mu - TOP[:dims]), -0.5 * BEND[:dims] * log_var.exp()


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def assert_unbiased(found: Gradient, expected: tuple[Tensor, Tensor]) -> None:
    for drawn, true in zip((found.mu, found.log_var), expected, strict=True):
        assert ((drawn.mean(0) - true[0]).abs() < 5 * drawn.std(0) / len(drawn) ** 0.5).all()


@pytest.mark.parametrize("dims", [1, 2])
def test_the_exact_gradient_of_a_parabola(dims: int) -> None:
    found, error = exact(parabola, *q(dims))
    for value, bound, true in zip((found.mu, found.log_var), (error.mu, error.log_var), truth(dims), strict=True):
        torch.testing.assert_close(value, true, rtol=0, atol=1e-6)
        assert ((value - true).abs() <= bound + 1e-6).all()


@pytest.mark.parametrize("dims", [1, 2])
@pytest.mark.parametrize("baseline", [None, -90.0, OTHERS])
def test_estimators_are_unbiased(dims: int, baseline: float | str | None) -> None:
    mu, log_var = q(dims)
    eps = draw_eps(mu, 4000, 3, seeded())
    values, slopes = evaluate(parabola, mu, log_var, eps)
    assert_unbiased(score(values, eps, log_var, baseline), truth(dims))
    assert_unbiased(pathwise(slopes, eps, log_var), truth(dims))


def test_estimators_are_those_of_autograd_draw_by_draw() -> None:
    mu, log_var = (t.clone().requires_grad_() for t in q(2))
    eps = draw_eps(mu, 6, 1, seeded(1))
    values, slopes = evaluate(parabola, mu.detach(), log_var.detach(), eps)
    by_score, by_path = score(values, eps, log_var.detach()), pathwise(slopes, eps, log_var.detach())
    for row in range(6):
        moving = mu + (0.5 * log_var).exp() * eps[row]  # (1, 2), a function of mu and log_var
        log_q = Normal(mu, (0.5 * log_var).exp()).log_prob(moving.detach()).sum()
        of_score = torch.autograd.grad(log_q * parabola(moving.detach())[0], (mu, log_var))
        of_path = torch.autograd.grad(parabola(moving)[0], (mu, log_var))
        torch.testing.assert_close((by_score.mu[row], by_score.log_var[row]), (of_score[0][0], of_score[1][0]))
        torch.testing.assert_close((by_path.mu[row], by_path.log_var[row]), (of_path[0][0], of_path[1][0]))


def test_variances_are_those_known_by_hand() -> None:
    """f = −½ z², q = N(0, 1), S = 1: pathwise z has variance 1; the score −½ z³ has 15 / 4."""
    zero = torch.zeros(1, 1).double()
    found = compare(lambda z: -0.5 * z.square().sum(-1), zero, zero, 200_000, 1, seeded(2), baseline=0.0)
    assert found.pathwise.mu.var(0).item() == pytest.approx(1, rel=0.02)
    assert found.score.mu.var(0).item() == pytest.approx(15 / 4, rel=0.05)


def test_more_draws_divide_the_variance() -> None:
    one, many = (compare(parabola, *q(1), 4000, s, seeded(3)) for s in (1, 16))
    for few, more in ((one.score, many.score), (one.pathwise, many.pathwise)):
        assert (few.mu.var(0) / more.mu.var(0)).item() == pytest.approx(16, rel=0.2)


def test_a_baseline_lowers_the_variance_and_the_path_needs_none() -> None:
    found = compare(parabola, *q(2), 2000, 4, seeded(4))
    plain, based, path = (g.mu.var(0) for g in (found.score, found.score_baseline, found.pathwise))
    assert (plain > 100 * based).all() and (based > path).all()
    assert_unbiased(found.score_baseline, (found.exact.mu, found.exact.log_var))
    assert found.score.mu.shape == found.pathwise.log_var.shape == (2000, 2) and found.exact.mu.shape == (1, 2)


def test_the_path_is_blind_to_a_step_that_the_score_sees() -> None:
    """f = 1 where z > 0: the gradient is N(mu; 0, std²), f' is 0 almost everywhere."""
    mu, log_var = torch.tensor([[0.4]]).double(), torch.tensor([[-0.5]]).double()
    std = math.exp(-0.25)

    def step(z: Tensor) -> Tensor:
        return (z[:, 0] > 0).double() + 0 * z[:, 0]

    found = compare(step, mu, log_var, 5000, 2, seeded(5))
    density = math.exp(-0.5 * (0.4 / std) ** 2) / (std * math.sqrt(2 * math.pi))
    assert found.exact.mu.item() == pytest.approx(density, abs=found.error.mu.item() + 1e-6)
    assert (found.pathwise.mu == 0).all()
    assert_unbiased(found.score, (torch.tensor([[density]]), found.exact.log_var))


def test_the_gradient_of_the_conjugate_elbo() -> None:
    """f = log p(x, z) and the entropy's ½, against autograd of the closed form."""
    model, x = line_model(weight=1.3, sigma=0.5), torch.tensor([[0.7]]).double()
    mu, log_var = (torch.tensor([[v]]).double().requires_grad_() for v in (-0.6, 0.2))
    of_mu, of_log_var = torch.autograd.grad(closed_form(model, x, mu, log_var).elbo.sum(), (mu, log_var))
    found = compare(partial(log_joint, model, x), mu.detach(), log_var.detach(), 3000, 2, seeded(6))
    torch.testing.assert_close(found.exact.mu, of_mu, rtol=0, atol=1e-5)
    torch.testing.assert_close(found.exact.log_var + 0.5, of_log_var, rtol=0, atol=1e-5)
    for estimator in (found.score, found.score_baseline, found.pathwise):
        assert_unbiased(estimator, (of_mu, of_log_var - 0.5))


def test_draws_are_common_and_follow_the_seed() -> None:
    a, b, c = (compare(parabola, *q(1), 5, 2, seeded(s)) for s in (0, 0, 1))
    assert torch.equal(a.score.mu, b.score.mu) and not torch.equal(a.score.mu, c.score.mu)


def test_a_baseline_that_cannot_be_is_refused() -> None:
    eps = draw_eps(q(1)[0], 3, 1, seeded())
    with pytest.raises(ValueError, match="at least 2"):
        score(torch.zeros(3, 1).double(), eps, q(1)[1], OTHERS)
    with pytest.raises(ValueError, match="'mean'"):
        score(torch.zeros(3, 1).double(), eps, q(1)[1], "mean")
