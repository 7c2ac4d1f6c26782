"""Everything exact of points of the plane, against closed forms, brute force, draws from the prior, another lattice."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from tests.oracles.linear_gaussian import LinearGaussian
from vae_core import models
from vae_core.config import RunConfig
from vae_core.exact import points
from vae_core.exact.points import Exact, bound, decode_sheet, log_evidence, log_evidence_map
from vae_core.exact.quadrature import evidence

X = torch.tensor([[0.3, -0.2], [1.4, 0.9], [-1.1, 1.3], [0.0, -1.9]], dtype=torch.float64)


class Line(LinearGaussian):
    """As a model of points: what the decoder gives is the mean of x."""

    def mean_image(self, logits: Tensor) -> Tensor:
        return logits


def linear(dims: int, widen: float = 1.6, scale: float = 1.0) -> Line:
    weight = torch.tensor([[1.1, -0.4], [0.5, 0.8]], dtype=torch.float64)[:, :dims] * scale
    return Line(weight, torch.tensor([0.2, -0.1], dtype=torch.float64), 0.3, widen)


@pytest.fixture(scope="module")
def bent() -> dict[int, Any]:
    """Networks that bend latent space, with one latent and with two."""
    made = {}
    for dims in (1, 2):
        config = RunConfig(dataset="ring", likelihood="gaussian", sigma=0.2, latent_dim=dims, widths="16-16")
        model = models.build(config.with_(activation="tanh", seed=dims)).double().eval()
        with torch.no_grad():
            for parameter in model.decoder.parameters():
                parameter *= 2.5
        made[dims] = model
    return made


@torch.no_grad()
def exact(model: Any, x: Tensor = X) -> Exact:
    sheet = decode_sheet(model, x)
    return bound(model, x, *log_evidence(sheet, x))


@pytest.mark.parametrize("dims", [1, 2])
def test_of_a_linear_model_all_is_known_in_closed_form(dims: int) -> None:
    model = linear(dims)
    found = exact(model)
    marginal = MultivariateNormal(
        model.bias, model.weight @ model.weight.T + model.sigma**2 * torch.eye(2, dtype=torch.float64)
    )
    torch.testing.assert_close(found.log_p, marginal.log_prob(X), rtol=0, atol=1e-6)
    q = Independent(Normal(found.mu, found.std), 1)
    mean, _ = model.posterior(X)
    posterior = MultivariateNormal(mean, precision_matrix=model.precision.expand(len(X), dims, dims))
    covariance = torch.diag_embed(found.std.square())
    gap = kl_divergence(MultivariateNormal(q.mean, covariance), posterior)
    torch.testing.assert_close(found.gap, gap, rtol=0, atol=1e-6)
    torch.testing.assert_close(found.elbo, marginal.log_prob(X) - gap, rtol=0, atol=1e-6)
    assert found.error < 1e-4 and found.residual < 1e-6 and found.gap.min() > 0.05
    assert found.means == {"exact_elbo": found.elbo.mean().item(), "exact_log_p": found.log_p.mean().item()}


@pytest.mark.parametrize("dims", [1, 2])
def test_the_map_is_the_density_with_up_upwards(dims: int) -> None:
    model = linear(dims)
    picture = log_evidence_map(decode_sheet(model, X), 8)
    centres = torch.linspace(-1.75, 1.75, 8, dtype=torch.float64)
    x2, x1 = torch.meshgrid(centres.flip(0), centres, indexing="ij")  # row by row, from the top
    covariance = model.weight @ model.weight.T + model.sigma**2 * torch.eye(2, dtype=torch.float64)
    wanted = MultivariateNormal(model.bias, covariance).log_prob(torch.stack([x1, x2], dim=-1))
    seen = wanted > -20
    torch.testing.assert_close(picture[seen], wanted[seen], rtol=0, atol=1e-4)
    assert picture.min() >= points.FLOOR and seen.sum() > 30


def test_one_latent_against_a_riemann_sum_by_the_models_own_nll(bent: dict[int, Any]) -> None:
    model, z = bent[1], torch.linspace(-9, 9, 60_001, dtype=torch.float64)[:, None]
    found = exact(model)
    with torch.no_grad():
        joint = -torch.stack([model.nll(model.decode(z), x.expand(len(z), 2)) for x in X])
    joint += Normal(0.0, 1.0).log_prob(z[:, 0])
    step = (z[1] - z[0]).item()
    torch.testing.assert_close(found.log_p, (joint.exp() * step).sum(1).log(), rtol=0, atol=1e-7)
    log_q = Normal(found.mu, found.std).log_prob(z[:, 0])  # (4, Z)
    gap = (log_q.exp() * (log_q - joint + found.log_p[:, None])).sum(1) * step
    torch.testing.assert_close(found.gap, gap, rtol=0, atol=2e-4)


def test_two_latents_against_the_lattice_that_is_refined_for_one_point(bent: dict[int, Any]) -> None:
    found = exact(bent[2])
    for i, x in enumerate(X[:2]):
        other = evidence(bent[2], x[None], starts=found.mu[i : i + 1])
        assert found.log_p[i].item() == pytest.approx(other.log_p.value, abs=other.log_p.error + 1e-6)


@pytest.mark.parametrize("dims", [1, 2])
def test_draws_from_the_prior_agree_and_the_bound_holds(bent: dict[int, Any], dims: int) -> None:
    model = bent[dims]
    found = exact(model)
    with torch.no_grad():
        z = torch.randn(200_000, dims, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        weights = (-model.nll(model.decode(z), X[:1].expand(len(z), 2))).exp()  # drawn from the prior: an unbiased mean
    p, error = found.log_p[0].exp().item(), (weights.std() / len(z) ** 0.5).item()
    assert weights.mean().item() == pytest.approx(p, abs=4 * error) and error < 0.05 * p
    assert (found.elbo <= found.log_p).all() and (found.gap > 0.01).all()
    assert found.residual < 0.02 and found.error < 1e-3


def test_the_lattice_grows_to_where_a_far_point_has_its_z() -> None:
    model, far = linear(1, scale=0.1), torch.tensor([[1.2, 0.5]], dtype=torch.float64)
    assert decode_sheet(model, far).z.max() > 6
    marginal = MultivariateNormal(
        model.bias, model.weight @ model.weight.T + model.sigma**2 * torch.eye(2, dtype=torch.float64)
    )
    strict = Line(model.weight, model.bias, 0.02)  # z at home 10 std from the prior's mean
    narrow = MultivariateNormal(model.bias, model.weight @ model.weight.T + 0.02**2 * torch.eye(2, dtype=torch.float64))
    for one, density in ((model, marginal), (strict, narrow)):
        log_p, _ = log_evidence(decode_sheet(one, far), far)
        assert log_p.item() == pytest.approx(density.log_prob(far).item(), abs=1e-3)


@pytest.mark.parametrize("scale", [0.08, 0.06, 0.03])
def test_z_far_from_home_is_found_or_the_error_says_so(scale: float) -> None:
    """At home some 12, 15 and 30 prior std from 0: in the widest lattice, or beyond it."""
    weak, far = linear(1, scale=scale), torch.tensor([[1.2, 0.5]], dtype=torch.float64)
    strict = Line(weak.weight, weak.bias, 0.02)
    covariance = strict.weight @ strict.weight.T + 0.02**2 * torch.eye(2, dtype=torch.float64)
    found = exact(strict, far)
    off = abs(found.log_p.item() - MultivariateNormal(strict.bias, covariance).log_prob(far).item())
    assert off <= max(found.error, found.residual) + 1e-6
    assert (off < 1e-3) == (scale > 0.05)


def test_a_lattice_that_is_too_coarse_says_so(bent: dict[int, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "SIDES", {1: (16, 16)})
    assert exact(bent[1]).error > 0.3
