"""The importance-weighted autoencoder against the VAE's own step, and against a model whose log p(x) is known."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.distributions import Bernoulli, Normal

from tests.oracles.linear_gaussian import LinearGaussian
from vae_core.data import Images
from vae_core.evaluate import evaluate, iw_bound
from vae_core.models.iwae import IWAE
from vae_core.trainer import Trainer


def test_one_sample_is_the_step_of_the_vae_exactly(make_trainer: Callable[..., Trainer]) -> None:
    """The same eps, the same loss, the same weights afterwards, bit for bit."""
    vae, iwae = make_trainer(model="vae", latent_dim=3), make_trainer(model="iwae", latent_dim=3, samples=1)
    assert torch.equal(vae.batch()[1], iwae.batch()[1].squeeze(1))
    for _ in range(3):
        vae.step(), iwae.step()
    assert np.array_equal(vae.flush()[:, -1], iwae.flush()[:, -1])
    assert all(torch.equal(a, b) for a, b in zip(vae.model.parameters(), iwae.model.parameters(), strict=True))


def test_the_loss_is_minus_the_log_of_the_mean_weight(make_trainer: Callable[..., Trainer]) -> None:
    """Each weight by hand in float64, from torch.distributions, and their mean before the logarithm."""
    trainer = make_trainer(model="iwae", samples=4, latent_dim=2, batch_size=6)
    model, (x, eps) = trainer.model.double(), trainer.batch()
    x, eps = x.double(), eps.double()
    mu, log_var = model.encode(x)
    q, log_w = Normal(mu, log_var.exp().sqrt()), []
    for k in range(4):
        z = mu + log_var.exp().sqrt() * eps[:, k]
        log_p = Bernoulli(logits=model.decode(z), validate_args=False).log_prob(x).sum((1, 2, 3))
        log_w.append(log_p + (Normal(0.0, 1.0).log_prob(z) - q.log_prob(z)).sum(-1))
    top = torch.stack(log_w).max(0).values
    expected = -(top + sum(((w - top).exp() for w in log_w), torch.zeros(6)).div(4).log())
    torch.testing.assert_close(model(x, eps).terms["iw"], expected)


class Linear(IWAE):
    """The family's own loss, on a decoder and an encoder that are linear: log p(x) is known."""

    def __init__(self, oracle: LinearGaussian) -> None:
        nn.Module.__init__(self)
        self.latent_dim, self.oracle = oracle.latent_dim, oracle
        self.encode, self.decode, self.nll = oracle.encode, oracle.decode, oracle.nll  # type: ignore[method-assign]


def linear_gaussian(widen: float) -> LinearGaussian:
    generator = torch.Generator().manual_seed(2)
    weight, bias = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((5, 2), (5,)))
    return LinearGaussian(weight, bias, 0.6, widen)


def test_more_samples_bound_log_p_more_tightly() -> None:
    """L_1 <= L_5 <= L_50 <= log p(x), each by five standard errors; L_1 is the ELBO in closed form."""
    oracle, draws = linear_gaussian(widen=1.6), 20_000
    x = torch.tensor([[0.3, -0.5, 1.0, 0.2, -0.1]], dtype=torch.float64)
    found, errors = [], []
    for samples in (1, 5, 50):
        generator = torch.Generator().manual_seed(samples)
        eps = torch.randn(draws, samples, 2, generator=generator, dtype=torch.float64)
        bounds = -Linear(oracle)(x.expand(draws, -1), eps).terms["iw"]  # (draws,)
        found.append(bounds.mean().item()), errors.append(bounds.std().item() / draws**0.5)
    found.append(oracle.log_evidence(x).item()), errors.append(0.0)
    for lower, higher, error, other in zip(found, found[1:], errors, errors[1:], strict=False):
        assert higher - lower > 5 * (error**2 + other**2) ** 0.5
    assert abs(found[0] - oracle.elbo(x).item()) < 5 * errors[0]


def test_with_the_exact_posterior_every_number_of_samples_gives_log_p() -> None:
    """One latent: q is the posterior then, and all weights are p(x)."""
    oracle = LinearGaussian(torch.ones(3, 1).double(), torch.zeros(3).double(), 0.6)
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for samples in (2, 7):
        found = -Linear(oracle)(x, torch.randn(4, samples, 1, dtype=torch.float64)).terms["iw"]
        torch.testing.assert_close(found, oracle.log_evidence(x), rtol=0, atol=1e-9)


def test_its_elbo_is_measured_beside_its_bound(small: Images, make_trainer: Callable[..., Trainer]) -> None:
    """On the same images: −ELBO of one sample, above the bound of five, with the KL of its q; none is the other."""
    trainer = make_trainer(model="iwae", latent_dim=4)
    for _ in range(10):
        trainer.step()
    seen = evaluate(trainer.model, small.x_test, "grey", 3)
    assert seen.neg_elbo is not None and seen.kl_dims is not None and set(seen.terms) == {"iw"}
    assert seen.neg_elbo > seen.terms["iw"] and {"iw", "neg_elbo"} == set(seen.errors)
    x = small.x_test.float() / 255
    mine = -iw_bound(trainer.model.eval(), x, 1, torch.Generator().manual_seed(0)).mean().item()  # type: ignore
    assert abs(mine - seen.neg_elbo) < 2.0 and seen.kl_dims.sum() > 0
