"""A model judged by what its images were drawn from: parts of the KL against mixtures of torch.distributions."""

import math
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal, kl_divergence

from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.data.sets import circles, read
from vae_core.metrics.judged import can_be_judged, encode, judge, measure_parts
from vae_core.models import family
from vae_core.models.vae import VAE

IMAGES, MEASURED = 60, 20
CONFIG = RunConfig(dataset="circles", latent_dim=4, device="cpu")
NOISE = 0.05  # std of the posterior, in units of a factor's range


@pytest.fixture(scope="module")
def few() -> Iterator[Images]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(circles, "DECLARED", replace(circles.DECLARED, train=10, test=2_000))
        yield read("circles", torch.device("cpu"))


class Knowing(VAE):
    """Its latents are the factors, measured in the picture: radius, nothing, x and y."""

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        weight = x[:, 0].double() / x.sum((1, 2, 3))[:, None, None]  # (B, 28, 28)
        middles = torch.arange(28) + 0.5
        across, down = ((weight.sum(axis) * middles).sum(-1) for axis in (1, 2))
        radius = (x.sum((1, 2, 3)) / torch.pi).sqrt()
        codes = torch.stack([(radius - 5.5) / 2.5, torch.zeros_like(radius), (across - 14) / 5, (down - 14) / 5], -1)
        log_var = torch.full_like(codes, 2 * torch.log(torch.tensor(2 * NOISE)).item())
        log_var[:, 1] = 0
        return codes.float(), log_var.float()


def log_q(z: Tensor, mu: Tensor, std: Tensor) -> Tensor:
    """(B,) log of the mean density of all images."""
    one = Categorical(torch.ones(len(mu)))
    return MixtureSameFamily(one, Independent(Normal(mu, std), 1)).log_prob(z)


def test_the_parts_are_ratios_of_densities_and_q_is_that_of_all_images() -> None:
    """Means are taken over a third of the images, q(z) over all."""
    mu, log_var, eps = torch.randn(3, IMAGES, 3, generator=torch.Generator().manual_seed(0))
    std = (log_var / 2).exp()
    found = measure_parts(mu + std * eps, mu, log_var, measured=MEASURED)
    chosen = [(IMAGES - 1) * i // (MEASURED - 1) for i in range(MEASURED)]
    z, q = (mu + std * eps)[chosen], Normal(mu[chosen], std[chosen])
    whole, dims = log_q(z, mu, std), sum(log_q(z[:, [j]], mu[:, [j]], std[:, [j]]) for j in range(3))
    own, prior = q.log_prob(z).sum(-1), Normal(0.0, 1.0).log_prob(z).sum(-1)
    wanted = {"index_code": own - whole, "total_correlation": whole - dims, "dimension_kl": dims - prior}
    assert found.images == MEASURED and list(found.means) == list(wanted)
    for name, values in wanted.items():
        assert found.means[name] == pytest.approx(values.mean().item(), abs=1e-5), name
        assert found.errors[name] == pytest.approx(values.std().item() / MEASURED**0.5, rel=1e-4), name
    kl = kl_divergence(q, Normal(0.0, 1.0)).sum(-1)
    assert found.kl == pytest.approx(kl.mean().item(), rel=1e-5)
    assert found.rest == pytest.approx(sum(found.means.values()) - found.kl, abs=1e-5)
    assert found.rest_error == pytest.approx((own - prior - kl).std().item() / MEASURED**0.5, rel=1e-4)


def test_latents_that_are_the_factors_are_found_and_score(few: Images) -> None:
    found = judge(Knowing("mlp", 4, widths="8"), few, CONFIG)
    assert found.bins.best.tolist() == found.neighbours.best.tolist() == [2, 3, 0]
    assert 0.4 < found.bins.mig < 0.6 and found.neighbours.mig > 0.9  # only the first sees the noise
    assert abs(found.parts.rest) < 5 * found.parts.rest_error
    uniform = 3 * math.log(1 / (NOISE * math.sqrt(2 * math.pi * math.e)))  # of a channel whose ends do not matter
    assert uniform - 0.2 < found.parts.means["index_code"] < uniform + 0.8  # at each end half the noise is missing
    assert 0 < found.parts.means["total_correlation"] < 0.1


def test_noise_is_the_evaluations_and_no_latent_is_seen_without_it(few: Images) -> None:
    model = Knowing("mlp", 4, widths="8")
    mu, log_var, z = encode(model, few, CONFIG)
    again = encode(model, few, CONFIG)
    assert torch.equal(z, again[2]) and not torch.equal(z, encode(model, few, CONFIG.with_(seed=1))[2])
    assert mu.shape == log_var.shape == z.shape == (2_000, 4)
    eps = (z - mu) / (log_var / 2).exp()
    assert abs(eps.mean()) < 0.05 and abs(eps.std() - 1) < 0.05
    factors = few.factors_test
    assert factors is not None and (mu[:, 2] * 5 + 14 - factors[:, 0]).abs().max() < 0.05  # row by row


def test_only_latents_with_a_posterior_and_images_with_factors_are_judged() -> None:
    assert can_be_judged(family("vae"), ("x",)) and can_be_judged(family("beta-tc"), ("x",))
    assert not can_be_judged(family("vae"), ())
    assert not can_be_judged(family("ae"), ("x",)) and not can_be_judged(family("vq"), ("x",))
