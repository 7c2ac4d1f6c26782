"""The VAE: shapes, sizes, noise as an argument, seeds."""

import math
import random

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import Normal

from vae_core import models
from vae_core.config import LIKELIHOODS, NETS, SIGMA_FLOOR, RunConfig
from vae_core.models.vae import VAE

BATCH = 4


def build(**settings: object) -> VAE:
    return models.build(RunConfig(**settings))  # type: ignore[arg-type]


def images(count: int = BATCH) -> Tensor:
    return torch.rand(count, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def size(model: VAE) -> int:
    return sum(p.numel() for p in model.parameters())


def test_conv_with_32_latents_has_the_known_number_of_parameters() -> None:
    assert size(build(net="conv", latent_dim=32)) == 715_537


def test_mlp_has_the_parameters_of_its_layers() -> None:
    """784-400-200-2D and D-200-400-784: weights and biases of six matrices."""
    layers = [(784, 400), (400, 200), (200, 14), (7, 200), (200, 400), (400, 784)]
    assert size(build(net="mlp", latent_dim=7)) == sum((i + 1) * o for i, o in layers)


def test_a_learned_sigma_adds_one_parameter() -> None:
    assert size(build(likelihood="gaussian-learned")) == size(build(likelihood="gaussian")) + 1


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("latent_dim", [1, 2, 32])
@pytest.mark.parametrize("net", NETS)
def test_shapes(net: str, latent_dim: int, likelihood: str) -> None:
    model = build(net=net, latent_dim=latent_dim, likelihood=likelihood)
    terms = model(images(), noise(BATCH, latent_dim))
    assert terms.terms["nll"].shape == terms.terms["kl"].shape == (BATCH,)
    assert terms.mu.shape == terms.log_var.shape == terms.z.shape == (BATCH, latent_dim)
    assert terms.logits.shape == (BATCH, 2 if likelihood == "gaussian-per-pixel" else 1, 28, 28)
    x_hat = model.mean_image(terms.logits)
    assert x_hat.shape == (BATCH, 1, 28, 28) and x_hat.min() >= 0 and x_hat.max() <= 1


@pytest.mark.parametrize("net", NETS)
def test_one_image_can_be_trained_on(net: str) -> None:
    """The last batch of an epoch may hold a single image, also for BatchNorm."""
    terms = build(net=net).train()(images(1), noise(1, 2))
    assert terms.terms["nll"].isfinite().all()


def test_samples_are_distributed_as_q() -> None:
    """Kolmogorov-Smirnov against torch's normal distribution, in every dimension."""
    mu, log_var = torch.tensor([[-3.0, 0.0, 2.0]]), torch.tensor([[2.0, 0.0, -4.0]])
    count = 100_000
    z = build().sample(mu, log_var, noise(count, 1, 3))[:, 0]  # (K, 3)
    target = Normal(mu[0].double(), log_var[0].double().exp().sqrt())
    expected = target.cdf(z.sort(0).values.double())
    empirical = torch.arange(1, count + 1)[:, None] / count
    assert (empirical - expected).abs().max() < 2 / math.sqrt(count)  # exceeded once in a thousand times


def test_the_sample_passes_gradients_to_mu_and_to_the_spread() -> None:
    mu, log_var = torch.zeros(1, 2, requires_grad=True), torch.zeros(1, 2, requires_grad=True)
    build().sample(mu, log_var, torch.tensor([[3.0, -1.0]])).sum().backward()
    assert mu.grad.tolist() == [[1.0, 1.0]] and log_var.grad.tolist() == [[1.5, -0.5]]


@pytest.mark.parametrize(("bias", "expected"), [(1e4, 10.0), (-1e4, -14.0)])
def test_encode_clamps_log_var(bias: float, expected: float) -> None:
    model = build()
    with torch.no_grad():
        model.encoder[-1].bias.fill_(bias)
    mu, log_var = model.encode(images())
    assert (log_var == expected).all()
    assert (mu.abs() > 1000).all()  # mu is left as it is


def test_log_var_is_clamped_nowhere_else() -> None:
    mu = torch.zeros(1, 2)
    wide = build().sample(mu, torch.full((1, 2), 20.0), torch.ones(1, 2))
    narrow = build().sample(mu, torch.full((1, 2), -30.0), torch.ones(1, 2))
    assert wide[0, 0].item() == pytest.approx(math.exp(10)) and narrow[0, 0].item() == pytest.approx(math.exp(-15))


def test_eval_does_not_change_the_estimator() -> None:
    model, x, eps = build(net="mlp"), images(), noise(BATCH, 2)
    trained, evaluated = model.train()(x, eps), model.eval()(x, eps)
    assert torch.equal(trained.z, evaluated.z) and torch.equal(trained.terms["nll"], evaluated.terms["nll"])
    assert not torch.equal(model.eval()(x, noise(BATCH, 2, seed=2)).z, evaluated.z)  # it is a sample, not mu


def test_a_fixed_sigma_is_the_one_of_the_config_and_not_trained() -> None:
    model = build(likelihood="gaussian", sigma=0.25)
    assert model.sigma.item() == 0.25 and not model.sigma.requires_grad


@pytest.mark.parametrize("sigma", [0.01, 0.1, 1.0, 10.0])
def test_a_learned_sigma_starts_at_the_one_of_the_config(sigma: float) -> None:
    model = build(likelihood="gaussian-learned", sigma=sigma)
    assert model.sigma.item() == pytest.approx(sigma, rel=0.02) and model.sigma.requires_grad


def test_a_learned_sigma_never_falls_below_its_floor() -> None:
    model = build(likelihood="gaussian-learned")
    for raw in (-1e6, -100.0, -10.0, 0.0):
        model.raw_sigma.data.fill_(raw)
        assert model.sigma.item() >= np.float32(SIGMA_FLOOR), raw


@pytest.mark.parametrize("net", NETS)
def test_the_seed_decides_the_weights(net: str) -> None:
    torch.manual_seed(1)
    first = build(net=net, seed=3).state_dict()
    torch.manual_seed(2)
    same, other = build(net=net, seed=3).state_dict(), build(net=net, seed=4).state_dict()
    assert all(torch.equal(first[k], same[k]) for k in first)
    weights = [k for k in first if k.startswith(("encoder", "decoder")) and first[k].dim() > 1]
    assert weights and not any(torch.equal(first[k], other[k]) for k in weights)


def test_building_leaves_global_random_numbers_alone() -> None:
    before = torch.random.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # type: ignore[index]
    build(net="conv")
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all() and random.getstate() == before[2]  # type: ignore[index]


def test_a_plain_autoencoder_decodes_mu_whatever_the_noise() -> None:
    ae, vae = build(model="ae", beta=0.0), build()
    assert (ae.has.posterior, vae.has.posterior) == (None, "gaussian")
    assert all(torch.equal(a, b) for a, b in zip(ae.parameters(), vae.parameters(), strict=True))  # the same start
    (mu,) = ae.encode(images())
    assert torch.equal(mu, vae.encode(images())[0])
    assert torch.equal(ae.sample(mu, noise(3, BATCH, 2)), mu.expand(3, BATCH, 2))
    assert torch.equal(ae(images(), noise(BATCH, 2)).logits, ae(images(), noise(BATCH, 2, seed=9)).logits)


def test_what_a_plain_autoencoder_says_of_log_var_gets_no_gradient() -> None:
    ae = build(model="ae", beta=0.0)
    ae(images(), noise(BATCH, 2)).terms["nll"].mean().backward()
    last = ae.encoder[-1].weight.grad  # (2 D, 200): D rows make mu, D rows log_var
    assert last[:2].abs().max() > 0 and last[2:].abs().max() == 0
