"""Likelihoods, the best sigma and the reduction, against torch.distributions and torch's own mean reductions."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli, Normal, kl_divergence

from vae_core import losses
from vae_core.exact import likelihood
from vae_core.exact.likelihood import GaussianParts, best_gaussian_nll, best_sigma, gaussian_parts, reduced

PIXELS = 784


def images(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """An image with black, white and grey pixels, and another one."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(1, 1, 28, 28, generator=generator, dtype=torch.float64)
    x[x < 0.3], x[x > 0.8] = 0.0, 1.0
    return x, torch.rand(x.shape, generator=generator, dtype=torch.float64)


def cost_when_right(sigma: float) -> float:
    """Of a pixel without error, nats."""
    zero = torch.tensor(0.0, dtype=torch.float64)
    return -Normal(zero, torch.tensor(sigma, dtype=torch.float64)).log_prob(zero).item()


@pytest.mark.parametrize("sigma", [0.01, 0.2, 1.7])
def test_the_parts_add_up_to_the_normal_log_density(sigma: float) -> None:
    x, mean = images(0)
    parts = gaussian_parts(mean, x, sigma)
    expected = -Normal(mean, sigma).log_prob(x).sum().item()
    assert parts.total == pytest.approx(expected)
    assert parts.total == pytest.approx(losses.gaussian_nll(mean, x, sigma).item())
    # Without the error only what sigma costs is left: the density of a pixel that is right.
    at_best = cost_when_right(sigma)
    assert parts.log_sigma + parts.constant == pytest.approx(PIXELS * at_best)
    assert parts.weighted == pytest.approx(expected - PIXELS * at_best, abs=1e-6)


def test_two_images_or_no_width_are_refused() -> None:
    x, mean = images(0)
    with pytest.raises(ValueError, match="one image"):
        gaussian_parts(mean.expand(2, 1, 28, 28), x.expand(2, 1, 28, 28), 0.1)
    with pytest.raises(ValueError, match="positive sigma"):
        gaussian_parts(mean, x, 0.0)


def test_no_sigma_is_better_than_the_best() -> None:
    x, mean = images(1)
    mse = F.mse_loss(mean, x).item()
    best = best_sigma(mse)
    grid = torch.logspace(-2, 1, 4001, dtype=torch.float64)
    values = torch.stack([-Normal(mean, s).log_prob(x).sum() for s in grid])
    assert best == pytest.approx(grid[values.argmin()].item(), rel=2e-3)
    assert best_gaussian_nll(mse, PIXELS) <= values.min().item()
    assert best_gaussian_nll(mse, PIXELS) == pytest.approx(values.min().item(), abs=1e-2)


def test_the_lowest_nll_is_an_entropy_and_has_no_floor_of_its_own() -> None:
    for mse in (0.3, 1e-2, 1e-8, 1e-30):
        entropy = Normal(0.0, torch.tensor(math.sqrt(mse), dtype=torch.float64)).entropy().item()
        assert best_gaussian_nll(mse, PIXELS) == pytest.approx(PIXELS * entropy)
    assert best_gaussian_nll(1e-30, PIXELS) < -20_000


def test_a_floor_for_sigma_is_a_floor_for_the_nll() -> None:
    floor = 0.01
    assert best_sigma(1e-9, floor) == floor and best_sigma(0.04, floor) == pytest.approx(0.2)
    at_zero = cost_when_right(floor) * PIXELS
    assert best_gaussian_nll(0.0, PIXELS, floor) == pytest.approx(at_zero)
    assert all(best_gaussian_nll(mse, PIXELS, floor) >= at_zero for mse in (1e-12, 1e-6, 1e-4, 0.1))
    assert best_gaussian_nll(0.04, PIXELS, floor) == best_gaussian_nll(0.04, PIXELS)


def test_the_entropy_of_grey_pixels_is_the_least_that_bernoulli_costs() -> None:
    x, _ = images(2)
    floor = likelihood.pixel_entropy(x)
    assert floor.item() == pytest.approx(Bernoulli(probs=x).entropy().sum().item())
    for seed in range(5):
        other = (x + 0.01 * images(seed)[1] - 0.005).clamp(1e-9, 1 - 1e-9)
        assert losses.bernoulli_nll(other.logit(), x).item() > floor.item()
    assert likelihood.pixel_entropy((x > 0.5).double()).item() == 0


def by_torch(reduction: str, logits, x, mu, log_var) -> tuple[torch.Tensor, torch.Tensor]:
    """Both terms with the reductions that torch offers, as many programs write them."""
    q = kl_divergence(Normal(mu, (log_var / 2).exp()), Normal(0.0, 1.0))
    nll = F.binary_cross_entropy_with_logits(logits, x, reduction="sum" if reduction == "sum" else "mean")
    return nll, q.mean() if reduction == "both" else q.sum()


@pytest.mark.parametrize("reduction", likelihood.REDUCTIONS)
@pytest.mark.parametrize("dims", [2, 16])
def test_a_reduction_pulls_like_the_beta_that_it_implies(reduction: str, dims: int) -> None:
    """The gradients of the reduced loss and of nll + implied beta · KL point the same way."""
    generator = torch.Generator().manual_seed(7)
    x, _ = images(3)
    mu, log_var = (torch.randn(1, dims, generator=generator, dtype=torch.float64).requires_grad_() for _ in range(2))
    weight = torch.randn(dims, PIXELS, generator=generator, dtype=torch.float64)
    logits = (torch.tanh(mu) + 0.1 * log_var).matmul(weight).view(x.shape)
    nll, kl = by_torch("sum", logits, x, mu, log_var)
    found = reduced(reduction, nll.item(), kl.item(), PIXELS, dims)
    its_nll, its_kl = by_torch(reduction, logits, x, mu, log_var)
    assert (found.nll, found.kl) == (pytest.approx(its_nll.item()), pytest.approx(its_kl.item()))
    assert found.loss == pytest.approx((its_nll + its_kl).item())
    theirs = torch.cat(torch.autograd.grad(its_nll + its_kl, (mu, log_var), retain_graph=True))
    ours = torch.cat(torch.autograd.grad(nll + found.implied_beta * kl, (mu, log_var)))
    torch.testing.assert_close(theirs / theirs.norm(), ours / ours.norm())


def test_the_implied_betas_of_the_lesson() -> None:
    betas = [reduced(name, 100.0, 5.0, PIXELS, 2).implied_beta for name in likelihood.REDUCTIONS]
    assert betas == [1, 784, 392]
    with pytest.raises(ValueError, match="no reduction"):
        reduced("mean", 1.0, 1.0, PIXELS, 2)


def test_parts_of_an_error_alone() -> None:
    assert GaussianParts(50.0, PIXELS, 0.5).weighted == 100.0
