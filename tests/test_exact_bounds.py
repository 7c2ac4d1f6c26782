"""The terms of the bound, its gap and the best Gaussian against torch.distributions and brute force."""

import itertools

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, MultivariateNormal, Normal, kl_divergence

from tests.oracles.ascent import best_gaussian, best_of_starts, gauss_hermite
from tests.oracles.gaps import gaps
from tests.oracles.linear_gaussian import LinearGaussian, closed_form, curves, line_model
from vae_core.exact.bounds import bound
from vae_core.exact.quadrature import evidence

QS = [([0.0, 0.0], [1.0, 1.0]), ([0.4, -0.3], [0.1, 0.4]), ([-2.0, 1.0], [0.02, 0.03]), ([0.1, 0.1], [2.0, 0.5])]


def wrong_kl(mu: Tensor, log_var: Tensor) -> Tensor:
    """The KL of the textbooks, its ½ forgotten."""
    return (mu.square() + log_var.exp() - 1 - log_var).sum(-1)


def tensors(mu: list[float], std: list[float]) -> tuple[Tensor, Tensor]:
    return torch.tensor([mu], dtype=torch.float64), 2 * torch.tensor([std], dtype=torch.float64).log()


def linear(dims: int = 2, seed: int = 4) -> tuple[LinearGaussian, Tensor]:
    """A model whose posterior is correlated, and one draw of it."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(5, dims, generator=generator, dtype=torch.float64)
    x = torch.randn(1, 5, generator=generator, dtype=torch.float64)
    return LinearGaussian(weight, torch.zeros(5).double(), 0.6), x


def truth(model: LinearGaussian, x: Tensor, mu: Tensor, log_var: Tensor) -> tuple[float, float, float]:
    """E_q[log p(x given z)], KL to the prior, KL to the posterior, by torch.distributions."""
    q = MultivariateNormal(mu[0], torch.diag(log_var[0].exp()))
    eye = torch.eye(model.latent_dim, dtype=torch.float64)
    mean, covariance = model.posterior(x)
    to_prior = kl_divergence(q, MultivariateNormal(0 * mu[0], eye)).item()
    to_posterior = kl_divergence(q, MultivariateNormal(mean[0], covariance)).item()
    nodes, weight = gauss_hermite(4, model.latent_dim, x.device)  # exact: log p(x given z) is a parabola in z
    z = mu + (0.5 * log_var).exp() * nodes
    likelihood = Independent(Normal(z @ model.weight.T + model.bias, model.sigma), 1).log_prob(x)
    return (weight @ likelihood).item(), to_prior, to_posterior


@pytest.mark.parametrize(("mu", "std"), QS)
def test_terms_of_any_q_on_the_lattice(mu: list[float], std: list[float]) -> None:
    model, x = linear()
    q = tensors(mu, std)
    found = bound(model, x, evidence(model, x), *q)
    reconstruction, to_prior, to_posterior = truth(model, x, *q)
    assert abs(found.reconstruction.value - reconstruction) <= found.reconstruction.error + 1e-9
    assert found.kl.value == pytest.approx(to_prior, abs=1e-9)
    assert abs(found.gap.value - to_posterior) <= found.gap.error
    assert found.elbo.value == pytest.approx(reconstruction - to_prior, abs=2e-3)
    assert abs(found.residual.value) <= found.residual.error < 5e-3


def test_the_elbo_of_the_encoder_is_the_closed_form_of_the_model() -> None:
    model, x = linear()
    found = bound(model, x, evidence(model, x), *model.encode(x))
    assert found.elbo.value == pytest.approx(model.elbo(x).item(), abs=1e-4)


def test_a_wrong_kl_breaks_the_identity() -> None:
    model, x = linear()
    found = bound(model, x, evidence(model, x), *model.encode(x), kl=wrong_kl)
    assert abs(found.residual.value) > 100 * found.residual.error


class TwoModes:
    """A narrow high mode that holds little and a wide one that holds most of the posterior."""

    latent_dim = 2

    def __init__(self) -> None:
        centre, width = torch.tensor([[1.5, 0.0], [-1.5, 0.5]]).double(), torch.tensor([0.05, 0.3]).double()
        parts = Independent(Normal(centre, width[:, None].expand(-1, 2)), 1)
        self.likelihood = MixtureSameFamily(Categorical(torch.tensor([0.1, 0.9]).double()), parts)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return tensors([1.4, 0.1], [0.1, 0.1])

    def decode(self, z: Tensor) -> Tensor:
        return z

    def nll(self, logits: Tensor, x: Tensor) -> Tensor:
        return -self.likelihood.log_prob(logits)


def test_the_gap_to_a_posterior_with_two_modes_agrees_with_brute_force() -> None:
    model, x = TwoModes(), torch.zeros(1, 1).double()
    step = 0.01
    axis = torch.arange(-600, 601).double() * step
    z = torch.cartesian_prod(axis, axis)  # (N, 2)
    joint = model.likelihood.log_prob(z) + Independent(Normal(torch.zeros(2).double(), 1.0), 1).log_prob(z)
    log_posterior = joint.log_softmax(0) - 2 * torch.tensor(step).double().log()
    for mu, std in (([1.5, 0.0], [0.06, 0.05]), ([-1.0, 0.3], [0.5, 0.2]), ([0.0, 0.0], [0.9, 0.9])):
        q = tensors(mu, std)
        log_q = Independent(Normal(q[0][0], (0.5 * q[1][0]).exp()), 1).log_prob(z)
        brute = (log_q.exp() * (log_q - log_posterior)).sum().item() * step**2
        found = bound(model, x, evidence(model, x), *q)
        assert found.gap.value == pytest.approx(brute, abs=2e-3)
        assert abs(found.residual.value) <= found.residual.error


# the best Gaussian


def test_ascent_finds_the_best_factorised_gaussian_and_never_falls() -> None:
    """For a Gaussian posterior: its mean, and the inverse of the diagonal of its precision."""
    model, x = linear()
    ascent = best_gaussian(model, x, *tensors([1.5, -1.0], [1.0, 0.02]), tolerance=1e-8)
    mu, log_var = ascent.best
    torch.testing.assert_close(mu, model.posterior(x)[0], rtol=0, atol=1e-3)
    torch.testing.assert_close(log_var[0], -model.precision.diagonal().log(), rtol=0, atol=1e-3)
    assert ascent.converged and len(ascent.elbo) == len(ascent.mu) == len(ascent.log_var)
    assert all(later >= earlier for earlier, later in itertools.pairwise(ascent.elbo.tolist()))
    assert ascent.elbo[-1].item() == pytest.approx(model.elbo(x).item(), abs=1e-5)  # the encoder is the best one
    torch.testing.assert_close(ascent.mu[0], torch.tensor([1.5, -1.0]).double())


def test_ascent_stops_at_its_bound_on_steps() -> None:
    model, x = linear()
    ascent = best_gaussian(model, x, *tensors([1.5, -1.0], [1.0, 0.02]), steps=3)
    assert len(ascent.elbo) == 4 and not ascent.converged


def test_one_latent_is_enough_for_the_gap_to_close() -> None:
    model = line_model(weight=1.3, sigma=0.4)
    x = torch.tensor([[0.7]], dtype=torch.float64)
    ascent = best_gaussian(model, x, *tensors([-2.0], [1.0]), tolerance=1e-10)
    assert closed_form(model, x, *ascent.best).gap.item() < 1e-6


def test_several_starts_find_the_better_mode() -> None:
    model, x = TwoModes(), torch.zeros(1, 1).double()
    found = evidence(model, x)
    near = best_gaussian(model, x, *model.encode(x))
    best = best_of_starts(model, x, found, *model.encode(x))
    assert near.best[0][0, 0] > 1 and best.best[0][0, 0] < -1
    assert best.elbo[-1] > near.elbo[-1] + 1


def test_the_two_gaps_add_up_to_the_whole() -> None:
    model, x = TwoModes(), torch.zeros(1, 1).double()
    found = evidence(model, x)
    mine = bound(model, x, found, *model.encode(x))
    best = bound(model, x, found, *best_of_starts(model, x, found, *model.encode(x)).best)
    split = gaps(mine, best)
    assert split.approximation.value > 0 and split.amortisation.value > 0
    assert split.total == pytest.approx(mine.log_p.value - mine.elbo.value, abs=4 * mine.residual.error)
    with pytest.raises(ValueError, match="below"):
        gaps(best, mine)


def test_gauss_hermite_is_exact_for_polynomials() -> None:
    nodes, weight = gauss_hermite(5, 2, torch.device("cpu"))
    for power, moment in ((0, 1), (1, 0), (2, 1), (4, 3), (6, 15), (8, 105)):
        assert (weight @ nodes[:, 1].pow(power)).item() == pytest.approx(moment, abs=1e-9)
    assert (weight @ (nodes[:, 0] * nodes[:, 1]).square()).item() == pytest.approx(1, abs=1e-9)


# closed forms


@pytest.mark.parametrize(("mu", "std"), QS)
def test_the_closed_form_agrees_with_torch_distributions(mu: list[float], std: list[float]) -> None:
    model, x = linear()
    q = tensors(mu, std)
    found = closed_form(model, x, *q)
    expected = truth(model, x, *q)
    assert (found.reconstruction.item(), found.kl.item(), found.gap.item()) == pytest.approx(expected, abs=1e-8)
    torch.testing.assert_close(found.elbo + found.gap, model.log_evidence(x), rtol=0, atol=1e-8)
    broken = closed_form(model, x, *q, kl=wrong_kl)
    assert (broken.elbo + broken.gap - broken.log_p).item() == pytest.approx(-expected[1], abs=1e-8)


def test_the_line_model_closes_its_gap_for_the_posterior_only() -> None:
    model, x = line_model(weight=1.5, bias=0.2, sigma=0.5), torch.tensor([[0.9]], dtype=torch.float64)
    mean, covariance = model.posterior(x)
    assert closed_form(model, x, mean, covariance.log()).gap.item() == pytest.approx(0, abs=1e-12)
    log_vars = covariance.log() + torch.linspace(-2, 2, 41, dtype=torch.float64)[:, None]  # (41, 1)
    found = closed_form(model, x, mean, log_vars)
    assert found.gap.shape == (41,) and found.gap.argmin() == 20 and (found.gap[:20] > found.gap[1:21]).all()
    with pytest.raises(ValueError, match="sigma"):
        line_model(sigma=0.0)


def test_curves_are_what_bayes_says() -> None:
    model, x = line_model(weight=1.5, bias=0.2, sigma=0.5), torch.tensor([[0.9]], dtype=torch.float64)
    z = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    mu, log_var = tensors([0.3], [0.7])
    found = curves(model, x, mu, log_var, z)
    torch.testing.assert_close(found.log_prior, Normal(0.0, 1.0).log_prob(z))
    torch.testing.assert_close(found.log_likelihood, Normal(1.5 * z + 0.2, 0.5).log_prob(x[0]))
    torch.testing.assert_close(found.log_q, Normal(0.3, 0.7).log_prob(z))
    assert torch.trapezoid(found.log_joint.exp(), z).log().item() == pytest.approx(model.log_evidence(x).item())
    torch.testing.assert_close(found.log_posterior, found.log_joint - model.log_evidence(x), rtol=0, atol=1e-9)
    with pytest.raises(ValueError, match="one latent"):
        curves(linear()[0], linear()[1], mu, log_var, z)
