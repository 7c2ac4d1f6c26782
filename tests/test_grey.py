"""What a Bernoulli decoder says of grey pixels: the mean over redraws at equal z, and of p(x) a bound from below."""

import itertools

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, ContinuousBernoulli, Normal, kl_divergence

from pages.ui.shipped import PLANE, checkpoint
from vae_core import losses
from vae_core.data import Images, prepare
from vae_core.evaluate import evaluate
from vae_core.exact.density import log_likelihood
from vae_core.exact.estimate import sample_mean
from vae_core.exact.quadrature import evidence
from vae_core.models.base import Family


class FourPixels:
    """A decoder of two latents and four pixels, small enough to add up every image that there is."""

    latent_dim = 2
    weight = torch.tensor([[3.0, -2.0, 1.0, 0.5], [0.5, 2.5, -3.0, 2.0]], dtype=torch.float64)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.new_zeros(1, 2), x.new_zeros(1, 2)

    def decode(self, z: Tensor) -> Tensor:
        return z @ self.weight + 0.3

    def nll(self, logits: Tensor, x: Tensor) -> Tensor:
        return losses.bernoulli_nll(logits, x)

    def log_p(self, r: Tensor) -> Tensor:
        """log p of black or white images, (N, 4) to (N,): torch.distributions on a plain grid."""
        axis = torch.arange(-7, 7, 0.05, dtype=torch.float64)
        z = torch.cartesian_prod(axis, axis)  # (M, 2)
        log_lik = Bernoulli(logits=self.decode(z)).log_prob(r[:, None]).sum(-1)  # (N, M)
        return (log_lik + Normal(0.0, 1.0).log_prob(z).sum(-1)).logsumexp(1) + 2 * axis.diff()[0].log()


EVERY = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)), dtype=torch.float64)  # (16, 4)


@pytest.mark.parametrize("grey", [[0.5, 0.2, 0.7, 0.9], [0.1, 0.5, 0.5, 0.5], [1.0, 0.3, 0.0, 1.0]])
def test_log_p_of_grey_pixels_is_below_the_mean_log_p_of_their_redraws(grey: list[float]) -> None:
    model, x = FourPixels(), torch.tensor([grey], dtype=torch.float64)
    chance = (x * EVERY + (1 - x) * (1 - EVERY)).prod(-1)  # (16,) of each redraw
    log_p = model.log_p(EVERY)
    assert chance.sum().item() == pytest.approx(1) and log_p.exp().sum().item() == pytest.approx(1, abs=1e-6)
    of_grey = evidence(model, x).log_p.value
    assert of_grey < (chance @ log_p).item() - 0.02
    z = torch.tensor([[0.4, -1.1], [2.0, 0.3]], dtype=torch.float64)
    at_equal_z = Bernoulli(logits=model.decode(z)).log_prob(EVERY[:, None]).sum(-1)  # (16, 2)
    assert torch.allclose(chance @ at_equal_z, log_likelihood(model, x, z))


def test_of_black_and_white_pixels_it_is_their_log_p() -> None:
    model = FourPixels()
    for r in EVERY[[3, 8]]:
        assert evidence(model, r[None]).log_p.value == pytest.approx(model.log_p(r[None]).item(), abs=2e-3)


def redraws(x: Tensor, count: int) -> Tensor:
    return torch.bernoulli(x.expand(count, -1, -1, -1), generator=torch.Generator().manual_seed(1))


def test_the_same_in_the_shipped_model(mnist: Images) -> None:
    """At equal z the mean loss is the same; log p(x) of the grey image is no larger than the mean one."""
    model = checkpoint(PLANE).model
    x = prepare(mnist.x_test[:1], "grey", torch.Generator())
    with torch.no_grad():
        mu, _ = model.encode(x)
        many = redraws(x, 2000)
        at_mu = sample_mean(-model.nll(model.decode(mu).expand_as(many), many))
    assert at_mu.value == pytest.approx(log_likelihood(model, x, mu).item(), abs=4 * at_mu.error)
    few = redraws(x, 6)  # log p(r given mu), whose mean is known, takes the luck of the redraw out
    luck = -model.nll(model.decode(mu).expand_as(few), few) - log_likelihood(model, x, mu)
    log_p = torch.tensor([evidence(model, r[None], tolerance=0.05).log_p.value for r in few])
    mean = sample_mean(log_p - luck.detach())
    assert evidence(model, x, tolerance=0.05).log_p.value < mean.value + 3 * mean.error, mean


def test_exp_of_the_cross_entropy_is_no_density_of_grey_images(mnist: Images) -> None:
    """∫ over the cube, by torch's continuous Bernoulli, which is what it would have to be divided by."""
    model = checkpoint(PLANE).model
    with torch.no_grad():
        logits = model.decode(model.encode(prepare(mnist.x_test[:1], "grey", torch.Generator()))[0])
    x = torch.full_like(logits, 0.3)
    log_integral = -(ContinuousBernoulli(logits=logits).log_prob(x).sum() + model.nll(logits, x).sum()).item()
    assert log_integral < -1000


def test_with_its_own_q_a_redrawn_image_costs_more(mnist: Images) -> None:
    """Of the shipped model over all test images: −ELBO 138.9 for grey, half a nat more for dynamic pixels (K = 1)."""
    model = checkpoint(PLANE).model
    x = prepare(mnist.x_test, "grey", torch.Generator())
    r = prepare(mnist.x_test, "dynamic", torch.Generator().manual_seed(0))
    eps = torch.randn(len(x), 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        grey, own, same = (
            negative_elbo(model, x, x, eps),
            negative_elbo(model, r, r, eps),
            negative_elbo(model, x, r, eps),
        )
    more, equal = sample_mean(own - same), sample_mean(same - grey)
    assert abs(equal.value) < 4 * equal.error
    assert more.value > 3 * more.error and 0.2 < more.value < 1.5
    said = evaluate(model, mnist.x_test, "dynamic", 0).neg_elbo
    assert said is not None and own.mean().item() == pytest.approx(said, abs=0.3)


def negative_elbo(model: Family, seen: Tensor, x: Tensor, eps: Tensor) -> Tensor:
    """(B,) with torch.distributions: of x, with the q of what the encoder saw."""
    mu, log_var = model.encode(seen)
    q = Normal(mu, (log_var / 2).exp())
    p = Bernoulli(logits=model.decode(q.loc + q.scale * eps), validate_args=False)
    return kl_divergence(q, Normal(0.0, 1.0)).sum(-1) - p.log_prob(x).flatten(1).sum(-1)
