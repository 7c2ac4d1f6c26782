"""exact.py against MultivariateNormal, quadrature and Bayes on a grid; iw_bound against the exact evidence."""

import itertools
import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Independent, MultivariateNormal, Normal

from tests.oracles.linear_gaussian import LinearGaussian
from vae_core.evaluate import iw_bound

SIGMA = 0.6


def linear_gaussian(pixels: int = 5, dims: int = 2, widen: float = 1.0) -> LinearGaussian:
    generator = torch.Generator().manual_seed(dims)
    weight = torch.randn(pixels, dims, generator=generator, dtype=torch.float64)
    bias = torch.randn(pixels, generator=generator, dtype=torch.float64)
    return LinearGaussian(weight, bias, SIGMA, widen)


def data(model: LinearGaussian, count: int, seed: int = 7) -> Tensor:
    """Draws from the model itself."""
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(count, model.latent_dim, generator=generator, dtype=torch.float64)
    noise = torch.randn(count, len(model.bias), generator=generator, dtype=torch.float64)
    return z @ model.weight.T + model.bias + model.sigma * noise


def log_joint(model: LinearGaussian, x: Tensor, z: Tensor) -> Tensor:
    """log p(z) + log p(x given z) of one x (P,) at many z (N, D), by torch.distributions."""
    zero = torch.zeros(model.latent_dim, dtype=torch.float64)
    prior = Independent(Normal(zero, zero + 1), 1).log_prob(z)
    mean = torch.einsum("pd,nd->np", model.weight, z) + model.bias
    return prior + Independent(Normal(mean, model.sigma), 1).log_prob(x)


@pytest.mark.parametrize("dims", [1, 2, 4])
def test_log_evidence_agrees_with_the_multivariate_normal(dims: int) -> None:
    model = linear_gaussian(dims=dims)
    covariance = model.weight @ model.weight.T + SIGMA**2 * torch.eye(5, dtype=torch.float64)
    x = data(model, 100)
    expected = MultivariateNormal(model.bias, covariance).log_prob(x)
    torch.testing.assert_close(model.log_evidence(x), expected, rtol=0, atol=1e-9)


def test_log_evidence_is_the_integral_over_z() -> None:
    model = linear_gaussian(dims=1)
    z = torch.linspace(-12, 12, 40_001, dtype=torch.float64)
    for x in data(model, 5):
        integral = torch.trapezoid(log_joint(model, x, z[:, None]).exp(), z)
        assert model.log_evidence(x[None]).item() == pytest.approx(integral.log().item(), abs=1e-9)


def test_posterior_agrees_with_bayes_on_a_grid() -> None:
    model = linear_gaussian(dims=2)
    axis = torch.linspace(-6, 6, 401, dtype=torch.float64)
    z = torch.cartesian_prod(axis, axis)  # (N, 2)
    for x in data(model, 3):
        weights = log_joint(model, x, z).softmax(0)
        mean = weights @ z
        covariance = ((z - mean) * weights[:, None]).T @ (z - mean)
        found_mean, found_covariance = model.posterior(x[None])
        torch.testing.assert_close(found_mean[0], mean, rtol=0, atol=1e-8)
        torch.testing.assert_close(found_covariance, covariance, rtol=0, atol=1e-8)


@pytest.mark.parametrize("widen", [0.5, 1.0, 2.0])
def test_elbo_in_closed_form_agrees_with_monte_carlo(widen: float) -> None:
    model = linear_gaussian(widen=widen)
    generator = torch.Generator().manual_seed(3)
    for x in data(model, 3):
        mu, log_var = model.encode(x[None])
        std = (0.5 * log_var).exp()
        z = mu + std * torch.randn(200_000, 2, generator=generator, dtype=torch.float64)
        terms = log_joint(model, x, z) - Independent(Normal(mu, std), 1).log_prob(z)
        standard_error = terms.std() / len(z) ** 0.5
        assert (model.elbo(x[None]) - terms.mean()).abs() < 5 * standard_error


def test_the_encoder_is_the_best_factorised_gaussian() -> None:
    x = data(linear_gaussian(), 50)
    best = linear_gaussian().elbo(x).mean()
    assert all(linear_gaussian(widen=w).elbo(x).mean() < best for w in (0.7, 0.95, 1.05, 1.5))


def test_the_elbo_touches_the_evidence_where_q_is_the_exact_posterior() -> None:
    model = linear_gaussian(dims=1)
    x = data(model, 20)
    torch.testing.assert_close(model.elbo(x), model.log_evidence(x), rtol=0, atol=1e-9)


def test_the_importance_weighted_bound_rises_from_the_elbo_to_the_evidence() -> None:
    """Means over 1,500 images; every inequality beyond five standard errors of its own difference."""
    model = linear_gaussian(pixels=8, dims=6, widen=1.7)
    x = data(model, 1500)
    generator = torch.Generator().manual_seed(5)
    bounds = [iw_bound(model, x, k, generator) for k in (1, 10, 100, 1000)]
    mean, error = mean_and_error(bounds[0] - model.elbo(x))
    assert abs(mean) < 5 * error  # K = 1 is the ELBO
    for looser, tighter in itertools.pairwise(bounds):
        mean, error = mean_and_error(tighter - looser)
        assert mean > 5 * error
    gaps = [mean_and_error(model.log_evidence(x) - bound) for bound in bounds]
    assert all(gap > -5 * error for gap, error in gaps)  # never above log p(x)
    assert gaps[-1][0] < 0.02 * gaps[0][0]


def mean_and_error(values: Tensor) -> tuple[float, float]:
    return values.mean().item(), values.std().item() / math.sqrt(len(values))


def test_one_sample_has_the_elbo_as_its_expectation_for_every_image() -> None:
    model = linear_gaussian(widen=1.4)
    generator = torch.Generator().manual_seed(11)
    for x in data(model, 3):
        draws = iw_bound(model, x.expand(20_000, -1), 1, generator)
        assert (draws.mean() - model.elbo(x[None])).abs() < 5 * draws.std() / len(draws) ** 0.5


@pytest.mark.parametrize(("samples", "chunk"), [(1, 10_000), (7, 1), (7, 12), (1000, 64), (1000, 10_000)])
def test_with_the_exact_posterior_every_sample_gives_the_evidence(samples: int, chunk: int) -> None:
    """All importance weights are equal then, so any K and any chunk must give log p(x), exactly."""
    model = linear_gaussian(dims=1)
    x = data(model, 6)
    bound = iw_bound(model, x, samples, torch.Generator().manual_seed(0), chunk)
    torch.testing.assert_close(bound, model.log_evidence(x), rtol=0, atol=1e-9)


class Counting(LinearGaussian):
    """Notes how many codes every call of decode gets."""

    def __init__(self, model: LinearGaussian) -> None:
        super().__init__(model.weight, model.bias, model.sigma, model.widen)
        self.decoded: list[int] = []

    def decode(self, z: Tensor) -> Tensor:
        self.decoded.append(len(z))
        return super().decode(z)


@pytest.mark.parametrize(("images", "samples", "chunk"), [(7, 1000, 70), (7, 1000, 75), (7, 3, 10_000), (9, 5, 4)])
def test_memory_of_the_bound_does_not_grow_with_the_samples(images: int, samples: int, chunk: int) -> None:
    model = Counting(linear_gaussian())
    iw_bound(model, data(model, images), samples, torch.Generator().manual_seed(0), chunk)
    assert max(model.decoded) <= max(chunk, images)
    assert sum(model.decoded) == images * samples


def test_the_chunk_changes_the_bound_by_no_more_than_noise() -> None:
    model = linear_gaussian(widen=1.3)
    x = data(model, 2000)
    small, large = (iw_bound(model, x, 20, torch.Generator().manual_seed(s), c) for s, c in ((1, 2000), (2, 40_000)))
    difference = small - large
    assert difference.mean().abs() < 5 * difference.std() / len(x) ** 0.5
