"""losses.py against torch.distributions, Monte Carlo, enumeration and finite differences."""

import itertools

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

from vae_core import losses

EXTREME_LOG_VARS = [-60.0, -14.0, -1e-3, -1e-9, 0.0, 1e-9, 1e-3, 10.0, 30.0]


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def draw(*shape: int, generator: torch.Generator, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(*shape, generator=generator, dtype=torch.float64)


def normal(mu: Tensor, log_var: Tensor) -> Independent:
    return Independent(Normal(mu, (0.5 * log_var).exp()), 1)


def assert_close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-6)


def test_kl_agrees_with_torch_distributions(generator: torch.Generator) -> None:
    mu, log_var = draw(200, 7, generator=generator, scale=3), draw(200, 7, generator=generator, scale=3)
    per_dim = kl_divergence(Normal(mu, (0.5 * log_var).exp()), Normal(torch.zeros_like(mu), torch.ones_like(mu)))
    assert_close(losses.gaussian_kl_dims(mu, log_var), per_dim)
    prior = Independent(Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)
    assert_close(losses.gaussian_kl(mu, log_var), kl_divergence(normal(mu, log_var), prior))


@pytest.mark.parametrize("log_var", EXTREME_LOG_VARS)
def test_kl_agrees_with_torch_distributions_at_extreme_variances(log_var: float) -> None:
    mu = torch.tensor([[-40.0, 0.0, 1e-8, 40.0]], dtype=torch.float64)
    spread = torch.full_like(mu, log_var)
    expected = kl_divergence(Normal(mu, (0.5 * spread).exp()), Normal(torch.zeros_like(mu), torch.ones_like(mu)))
    assert_close(losses.gaussian_kl_dims(mu, spread), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_kl_is_never_negative(dtype: torch.dtype, generator: torch.Generator) -> None:
    for exponent in range(-12, 2):  # close to the prior is where rounding could push it below 0
        log_var = torch.randn(20_000, 3, generator=generator, dtype=dtype) * 10.0**exponent
        mu = torch.randn(20_000, 3, generator=generator, dtype=dtype) * 10.0**exponent
        mu[::2] = 0
        assert losses.gaussian_kl(mu, log_var).min() >= 0, exponent


def test_kl_is_zero_exactly_at_the_prior() -> None:
    assert losses.gaussian_kl(torch.zeros(2, 5), torch.zeros(2, 5)).tolist() == [0.0, 0.0]


def test_kl_is_the_mean_log_ratio_of_draws(generator: torch.Generator) -> None:
    mu, log_var = draw(1, 4, generator=generator), draw(1, 4, generator=generator)
    q = normal(mu, log_var)
    prior = Independent(Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)
    z = mu + (0.5 * log_var).exp() * draw(200_000, 4, generator=generator)
    ratio = q.log_prob(z) - prior.log_prob(z)
    standard_error = ratio.std() / len(z) ** 0.5
    assert (losses.gaussian_kl(mu, log_var) - ratio.mean()).abs() < 5 * standard_error


def test_bernoulli_nll_agrees_with_torch_distributions(generator: torch.Generator) -> None:
    logits = draw(20, 1, 28, 28, generator=generator, scale=10)
    x = (draw(20, 1, 28, 28, generator=generator) > 0).double()
    assert_close(losses.bernoulli_nll(logits, x), -Independent(Bernoulli(logits=logits), 3).log_prob(x))


def test_bernoulli_nll_is_finite_where_the_sigmoid_saturates() -> None:
    logits = torch.tensor([[[[500.0, -500.0]]]])
    assert losses.bernoulli_nll(logits, torch.tensor([[[[0.0, 1.0]]]])).item() == 1000.0
    assert losses.bernoulli_nll(logits, torch.tensor([[[[1.0, 0.0]]]])).item() == 0.0


def test_grey_bernoulli_nll_is_the_expectation_over_redrawn_pixels(generator: torch.Generator) -> None:
    """All 2^6 black-and-white versions of an image of 6 grey pixels, each with its probability."""
    logits, grey = draw(1, 1, 2, 3, generator=generator), torch.rand(6, generator=generator, dtype=torch.float64)
    expected = torch.zeros((), dtype=torch.float64)
    for bits in itertools.product([0.0, 1.0], repeat=6):
        x = torch.tensor(bits, dtype=torch.float64)
        probability = Bernoulli(grey).log_prob(x).sum().exp()
        expected -= probability * Bernoulli(logits=logits.flatten()).log_prob(x).sum()
    assert_close(losses.bernoulli_nll(logits, grey.view(1, 1, 2, 3)), expected[None])


def test_the_floor_of_grey_bernoulli_nll_is_the_entropy_of_the_pixels(generator: torch.Generator) -> None:
    grey = torch.rand(1, 1, 4, 4, generator=generator, dtype=torch.float64)
    at_best = losses.bernoulli_nll(grey.logit(), grey)
    assert_close(at_best, Bernoulli(grey).entropy().flatten(1).sum(-1))
    assert losses.bernoulli_nll(grey.logit() + 0.1, grey) > at_best


@pytest.mark.parametrize("sigma", [0.01, 0.3, 1.0, 10.0])
@pytest.mark.parametrize("as_tensor", [False, True])
def test_gaussian_nll_agrees_with_torch_distributions(
    sigma: float, as_tensor: bool, generator: torch.Generator
) -> None:
    mean, x = draw(9, 1, 28, 28, generator=generator), draw(9, 1, 28, 28, generator=generator)
    given = torch.tensor(sigma, dtype=torch.float64) if as_tensor else sigma
    assert_close(losses.gaussian_nll(mean, x, given), -Independent(Normal(mean, sigma), 3).log_prob(x))


def test_gaussian_nll_is_a_density_and_may_be_negative() -> None:
    x = torch.zeros(1, 1, 28, 28)
    assert losses.gaussian_nll(x, x, 0.01).item() < 0


@pytest.mark.parametrize("log_var", [None, *EXTREME_LOG_VARS])
def test_gaussian_log_prob_agrees_with_torch_distributions(log_var: float | None, generator: torch.Generator) -> None:
    mu = draw(50, 6, generator=generator)
    spread = draw(50, 6, generator=generator, scale=2) if log_var is None else torch.full_like(mu, log_var)
    z = mu + (0.5 * spread).exp() * draw(50, 6, generator=generator)
    assert_close(losses.gaussian_log_prob(z, mu, spread), normal(mu, spread).log_prob(z))


def test_gaussian_log_prob_takes_a_sample_axis_in_front(generator: torch.Generator) -> None:
    mu, log_var = draw(5, 2, generator=generator), draw(5, 2, generator=generator)
    z = draw(3, 5, 2, generator=generator)
    assert_close(losses.gaussian_log_prob(z, mu, log_var), normal(mu, log_var).log_prob(z))


def test_standard_normal_log_prob_agrees_with_torch_distributions(generator: torch.Generator) -> None:
    z = draw(4, 50, 6, generator=generator, scale=20)
    prior = Independent(Normal(torch.zeros(6, dtype=torch.float64), torch.ones(6, dtype=torch.float64)), 1)
    assert_close(losses.standard_normal_log_prob(z), prior.log_prob(z))


def arguments(batch: int, generator: torch.Generator) -> dict[str, tuple[Tensor, ...]]:
    image, code = (batch, 1, 3, 3), (batch, 4)
    x = torch.rand(*image, generator=generator, dtype=torch.float64)
    return {
        "gaussian_kl": (draw(*code, generator=generator), draw(*code, generator=generator)),
        "bernoulli_nll": (draw(*image, generator=generator), x),
        "gaussian_nll": (draw(*image, generator=generator), x, torch.tensor(0.7, dtype=torch.float64)),
        "gaussian_log_prob": tuple(draw(*code, generator=generator) for _ in range(3)),
        "standard_normal_log_prob": (draw(*code, generator=generator),),
    }


NAMES = list(arguments(1, torch.Generator()))


@pytest.mark.parametrize("name", NAMES)
def test_every_image_has_a_value_of_its_own(name: str, generator: torch.Generator) -> None:
    """Shape (B,), and the value of an image does not depend on the others in the batch."""
    given, function = arguments(5, generator)[name], getattr(losses, name)
    together = function(*given)
    alone = torch.cat([function(*(a[i : i + 1] if a.dim() else a for a in given)) for i in range(5)])
    assert together.shape == (5,)
    assert_close(together, alone)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_agree_with_finite_differences(name: str, generator: torch.Generator) -> None:
    given = tuple(a.requires_grad_() for a in arguments(2, generator)[name])
    assert gradcheck(getattr(losses, name), given)
