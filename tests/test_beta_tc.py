"""beta-TC-VAE: three parts that add up to the KL, each against a mixture made with torch.distributions."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from vae_core import models
from vae_core.config import ConfigError, RunConfig
from vae_core.data import Images
from vae_core.metrics.information import information
from vae_core.models.beta_tc import BetaTC, kl_parts
from vae_core.trainer import Trainer

CONFIG = RunConfig(model="beta-tc", latent_dim=3, batch_size=100, device="cpu", widths="40")


@pytest.fixture
def posteriors() -> tuple[Tensor, Tensor, Tensor]:
    """A sample of z, mu and log_var of seven images, (7, 3) float64."""
    generator = torch.Generator().manual_seed(0)
    mu, log_var, eps = torch.randn(3, 7, 3, generator=generator, dtype=torch.float64)
    return mu + (log_var / 2).exp() * eps, mu, log_var


def mixture(mu: Tensor, log_var: Tensor) -> MixtureSameFamily:
    """q(z) = 1/B Σ q(z|x_n) over D dimensions."""
    return MixtureSameFamily(
        Categorical(torch.ones(len(mu), dtype=mu.dtype)), Independent(Normal(mu, (log_var / 2).exp()), 1)
    )


def test_each_part_is_a_ratio_of_densities(posteriors: tuple[Tensor, Tensor, Tensor]) -> None:
    z, mu, log_var = posteriors
    log_q = mixture(mu, log_var).log_prob(z)
    dims = [mixture(mu[:, [j]], log_var[:, [j]]).log_prob(z[:, [j]]) for j in range(3)]
    own, prior = Normal(mu, (log_var / 2).exp()).log_prob(z).sum(-1), Normal(0.0, 1.0).log_prob(z).sum(-1)
    wanted = {"index_code": own - log_q, "total_correlation": log_q - sum(dims), "dimension_kl": sum(dims) - prior}
    found = kl_parts(z, mu, log_var)
    assert list(found) == list(wanted)
    for name, values in wanted.items():
        torch.testing.assert_close(found[name], values, atol=1e-9, rtol=0, msg=name)
    torch.testing.assert_close(sum(found.values()), own - prior)


def test_one_image_alone_says_nothing_and_independent_dimensions_have_no_total_correlation() -> None:
    z, mu, log_var = torch.randn(3, 1, 4, generator=torch.Generator().manual_seed(1))
    parts = kl_parts(z, mu, log_var)
    assert abs(parts["index_code"].item()) < 1e-5 and abs(parts["total_correlation"].item()) < 1e-5
    grid = torch.cartesian_prod(torch.tensor([-3.0, 3.0]), torch.tensor([-1.0, 2.0]))  # a product: independent
    parts = kl_parts(grid + 0.1, grid, torch.full_like(grid, -2.0))
    assert parts["total_correlation"].abs().max() < 1e-5


def test_the_means_are_those_of_the_split_of_the_kl(posteriors: tuple[Tensor, Tensor, Tensor]) -> None:
    """Against metrics.information, which measures all images: I, and Σ_j I_j − I, which is the total correlation."""
    _, mu, log_var = posteriors
    eps = torch.randn(4_000, 7, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    found = [kl_parts(mu + (log_var / 2).exp() * e, mu, log_var) for e in eps]
    means = {name: torch.stack([one[name].mean() for one in found]) for name in found[0]}
    split = information(mu, log_var, torch.Generator().manual_seed(3))
    for name, wanted, error in (
        ("index_code", split.information, split.error),
        ("total_correlation", sum(split.dims) - split.information, math.hypot(split.error, *split.dims_error)),
    ):
        noise = math.hypot(error, means[name].std().item() / len(eps) ** 0.5)
        assert abs(means[name].mean().item() - wanted) < 4 * noise, name


def test_the_batch_that_stands_for_all_moves_no_gradient(posteriors: tuple[Tensor, Tensor, Tensor]) -> None:
    """Chen's weights 1 / (N M) in place of our 1 / M: constants."""
    z, mu, log_var = posteriors
    grads = []
    for images in (1, 60_000):
        leaf = mu.clone().requires_grad_()
        moved = z - mu + leaf
        each = Normal(leaf, (log_var / 2).exp()).log_prob(moved[:, None])  # (B, B, D)
        log_q = each.sum(-1).logsumexp(1) - math.log(len(z) * images)
        log_dims = (each.logsumexp(1) - math.log(len(z) * images)).sum(-1)
        (log_q - log_dims).mean().backward()
        grads.append(leaf.grad)
    leaf = mu.clone().requires_grad_()
    kl_parts(z - mu + leaf, leaf, log_var)["total_correlation"].mean().backward()
    for grad in grads:
        torch.testing.assert_close(leaf.grad, grad)


def test_with_equal_weights_it_is_the_vae(small: Images) -> None:
    """The sum of its terms is −ELBO with the KL of the sample, whose mean over many samples is the closed form."""
    trainer = Trainer(CONFIG.with_(weights="total_correlation=1"), small)
    vae = Trainer(CONFIG.with_(model="vae"), small)
    vae.model.load_state_dict(trainer.model.state_dict())
    x, eps = trainer.batch()
    with torch.no_grad():
        ours, theirs = trainer.model(x, eps).terms, vae.model(x, eps).terms
        assert torch.equal(ours["nll"], theirs["nll"])
        draws = torch.randn(300, *eps.shape, generator=torch.Generator().manual_seed(4))
        kls = torch.stack(
            [sum(trainer.model(x, e).terms.values()) - trainer.model(x, e).terms["nll"] for e in draws[:60]]
        )
    error = kls.mean(1).std() / len(kls) ** 0.5
    assert abs(kls.mean() - theirs["kl"].mean()) < 4 * error


def test_a_batch_that_is_too_large_is_a_sentence() -> None:
    with pytest.raises(ConfigError, match="give a batch size of at most 7,745"):
        models.build(CONFIG.with_(latent_dim=1, batch_size=8_000))


def test_its_weight_is_what_training_minimises(small: Images) -> None:
    assert BetaTC.has.bound and BetaTC.TERMS["total_correlation"] == 6
    trainer = Trainer(CONFIG, small)
    trainer.step()
    (row,) = trainer.flush().tolist()
    named = dict(zip(trainer.columns, row, strict=True))
    weighted = sum(weight * named[term] for term, weight in trainer.weights.items())
    assert weighted == pytest.approx(named["loss"], rel=1e-5) and trainer.weights["total_correlation"] == 6
