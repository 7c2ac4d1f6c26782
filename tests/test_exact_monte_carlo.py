"""Drawing p(x) against the closed form of the linear Gaussian model, and sums done the slow way."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Independent, Normal

from tests.oracles.linear_gaussian import LinearGaussian
from vae_core.exact.estimate import EXACT, MONTE_CARLO, QUADRATURE, Estimate, sample_mean
from vae_core.exact.monte_carlo import (
    Draws,
    effective_size,
    from_prior,
    from_q,
    log_mean,
    reach_error,
    running_log_mean,
)
from vae_core.exact.quadrature import evidence


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def linear(scale: float = 1.0, widen: float = 1.0) -> tuple[LinearGaussian, Tensor]:
    weight = scale * torch.randn(5, 2, generator=seeded(1), dtype=torch.float64)
    x = torch.tensor([[1.0, -0.5]], dtype=torch.float64) @ weight.T
    return LinearGaussian(weight, torch.zeros(5).double(), 0.6, widen), x


def encoded(model: LinearGaussian, x: Tensor, samples: int, seed: int) -> Draws:
    return from_q(model, x, *model.encode(x), samples, seeded(seed))


def test_the_logs_of_the_draws_are_those_of_torch_distributions() -> None:
    model, x = linear()
    mu, log_var = model.encode(x)
    zero = torch.zeros(2, dtype=torch.float64)
    of_prior, of_q = from_prior(model, x, 500, seeded(0)), from_q(model, x, mu, log_var, 500, seeded(0))
    for draws, drawn_from in ((of_prior, Normal(zero, zero + 1)), (of_q, Normal(mu[0], (0.5 * log_var[0]).exp()))):
        likelihood = Independent(Normal(draws.z @ model.weight.T, model.sigma), 1).log_prob(x)
        prior, q = (Independent(d, 1).log_prob(draws.z) for d in (Normal(zero, zero + 1), drawn_from))
        torch.testing.assert_close(draws.log_lik, likelihood)
        torch.testing.assert_close(draws.log_joint, likelihood + prior)
        torch.testing.assert_close(draws.log_weight, likelihood + prior - q)
        assert draws.z.mean(0).sub(drawn_from.mean).abs().le(5 * drawn_from.stddev / 500**0.5).all()
    torch.testing.assert_close(of_prior.log_weight, of_prior.log_lik)


def test_the_same_seed_gives_the_same_draws() -> None:
    model, x = linear()
    assert torch.equal(from_prior(model, x, 50, seeded(3)).z, from_prior(model, x, 50, seeded(3)).z)
    assert not torch.equal(from_prior(model, x, 50, seeded(3)).z, from_prior(model, x, 50, seeded(4)).z)


def test_running_values_are_those_of_the_first_k() -> None:
    log_weight = 5 * torch.randn(60, generator=seeded(0), dtype=torch.float64) - 900
    weight = (log_weight - log_weight.max()).exp()
    mean = [weight[:k].mean().log().item() + log_weight.max().item() for k in range(1, 61)]
    size = [(weight[:k].sum().square() / weight[:k].square().sum()).item() for k in range(1, 61)]
    assert running_log_mean(log_weight).tolist() == pytest.approx(mean, abs=1e-9)
    assert [effective_size(log_weight[:k]) for k in range(1, 61)] == pytest.approx(size, rel=1e-9)


def test_weights_that_are_equal_are_worth_their_number_and_one_giant_is_worth_one() -> None:
    assert effective_size(torch.full((40,), -700.0)) == pytest.approx(40)
    assert effective_size(torch.tensor([0.0, -200.0, -300.0])) == pytest.approx(1)
    assert log_mean(torch.full((40,), -700.0)).error == pytest.approx(0, abs=1e-6)


def test_with_the_exact_posterior_every_draw_gives_the_evidence() -> None:
    weight = torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]]).double()  # orthogonal: the posterior factorises
    model, x = LinearGaussian(weight, torch.zeros(3).double(), 0.6), torch.tensor([[0.3, -1.0, 0.2]]).double()
    draws = encoded(model, x, 300, 0)
    torch.testing.assert_close(draws.log_weight, model.log_evidence(x).expand(300), rtol=0, atol=1e-9)
    assert effective_size(draws.log_weight) == pytest.approx(300)


@pytest.mark.parametrize("source", ["prior", "q"])
def test_the_estimate_lies_within_four_of_its_errors(source: str) -> None:
    model, x = linear(widen=1.3)
    for seed in range(20):
        draws = from_prior(model, x, 4000, seeded(seed)) if source == "prior" else encoded(model, x, 4000, seed)
        found = log_mean(draws.log_weight)
        assert abs(found.value - model.log_evidence(x).item()) < 4 * found.error < 1


def test_q_is_worth_more_than_the_prior() -> None:
    model, x = linear(scale=5)
    prior, q = from_prior(model, x, 4000, seeded(0)), encoded(model, x, 4000, 0)
    assert effective_size(q.log_weight) > 50 * effective_size(prior.log_weight)


def test_draws_that_miss_the_posterior_are_told_so() -> None:
    """The prior hits a posterior of std 0.002 about never; the draws' own error does not know, `reach_error` does."""
    model, x = linear(scale=200)
    truth, found = model.log_evidence(x).item(), evidence(model, x)
    zero = torch.zeros(1, 2, dtype=torch.float64)
    unseen = reach_error(found, zero, zero, 1000)
    fooled = 0
    for seed in range(20):
        log_weight = from_prior(model, x, 1000, seeded(seed)).log_weight
        naive, honest = log_mean(log_weight), log_mean(log_weight, unseen)
        fooled += abs(naive.value - truth) > 4 * naive.error
        assert abs(honest.value - truth) <= 4 * honest.error
    assert fooled > 10


def test_the_error_from_the_posterior_is_the_scatter_of_repeated_estimates() -> None:
    """Away from trouble it is the standard error itself: compared with 400 estimates."""
    model, x = linear(widen=1.5)
    estimates = torch.tensor([running_log_mean(encoded(model, x, 300, seed).log_weight)[-1] for seed in range(400)])
    assert reach_error(evidence(model, x), *model.encode(x), 300) == pytest.approx(estimates.std().item(), rel=0.15)


def test_far_from_the_posterior_nothing_is_seen() -> None:
    model, x = linear(scale=200)
    far = torch.tensor([[-4.0, 4.0]]).double(), torch.full((1, 2), -10.0).double()
    assert reach_error(evidence(model, x), *far, 1000) > 30


# estimates


def test_sums_of_estimates_combine_errors_and_take_the_least_certain_source() -> None:
    a, b, c = Estimate(1.0, 0.3, QUADRATURE), Estimate(5.0, 0.4, MONTE_CARLO), Estimate(2.0)
    assert a - b == Estimate(-4.0, 0.5, MONTE_CARLO)
    assert (a + c).how == QUADRATURE and (a + c).error == 0.3 and c.how == EXACT
    assert -a == Estimate(-1.0, 0.3, QUADRATURE)


def test_the_mean_of_draws_has_their_standard_error() -> None:
    values = torch.tensor([1.0, 2.0, 4.0, 9.0]).double()
    found = sample_mean(values)
    variance = sum((v - 4) ** 2 for v in (1, 2, 4, 9)) / 3
    assert (found.value, found.error) == pytest.approx((4, math.sqrt(variance / 4)))
    with pytest.raises(ValueError, match="at least 2"):
        sample_mean(values[:1])
