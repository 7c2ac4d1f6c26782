"""The split of the KL against closed forms, quadrature, and its own error over many repetitions."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal, kl_divergence

from pages.ui import shipped
from vae_core.inspect.snapshot import map_images
from vae_core.metrics import information as module
from vae_core.metrics.information import Information, information
from vae_core.metrics.measure import measure

Posteriors = tuple[Tensor, Tensor]


def split(posteriors: Posteriors, seed: int = 0) -> Information:
    return information(*posteriors, torch.Generator().manual_seed(seed))


def numbers(n: int, dims: int, seed: int = 0, width: float = 0.5) -> Posteriors:
    """N overlapping posteriors of different widths around 1."""
    r = np.random.default_rng(seed)
    return torch.from_numpy(1 + r.normal(size=(n, dims))), torch.from_numpy(
        2 * np.log(width) + r.normal(size=(n, dims)) / 2
    )


def aggregate(mu: Tensor, log_var: Tensor) -> MixtureSameFamily:
    """q(z) as torch.distributions has it."""
    parts = Independent(Normal(mu, (0.5 * log_var).exp()), 1)
    return MixtureSameFamily(Categorical(torch.ones(len(mu), dtype=mu.dtype)), parts)


def mean_kl(mu: Tensor, log_var: Tensor) -> float:
    prior = Normal(torch.zeros_like(mu), torch.ones_like(mu))
    return kl_divergence(Normal(mu, (0.5 * log_var).exp()), prior).sum(-1).mean().item()


def by_quadrature(mu: Tensor, log_var: Tensor, side: int, reach: float = 9.0) -> tuple[float, float]:
    """I and KL(q(z) ‖ p(z)) as sums over a grid, D = 1 or 2: I is the entropy of q(z) less the mean one of q(z|x)."""
    axis = torch.linspace(-reach, reach, side, dtype=torch.float64)
    z = torch.cartesian_prod(*[axis] * mu.shape[1]).reshape(-1, mu.shape[1])
    log_q, cell = aggregate(mu, log_var).log_prob(z), (axis[1] - axis[0]) ** mu.shape[1]
    log_p = Normal(0.0, 1.0).log_prob(z).sum(-1)
    mass = log_q.exp() * cell
    assert mass.sum() == pytest.approx(1, abs=1e-6)
    own = Independent(Normal(mu, (0.5 * log_var).exp()), 1).entropy().mean()
    return (-(mass * log_q).sum() - own).item(), (mass * (log_q - log_p)).sum().item()


@pytest.mark.parametrize(("n", "dims"), [(2, 1), (3, 2), (3, 32)])
def test_far_apart_the_information_is_all_that_n_images_can_have(n: int, dims: int) -> None:
    mu = 40.0 * torch.arange(n).double()[:, None].expand(n, dims) - 20
    found = split((mu, torch.full((n, dims), -4.0).double()))
    assert found.information == pytest.approx(math.log(n), abs=1e-6) and found.error < 1e-6
    assert found.dims == pytest.approx([math.log(n)] * dims, abs=1e-6)


def test_where_all_posteriors_are_one_all_of_the_kl_is_marginal() -> None:
    posteriors = torch.tensor([[0.7, -2.0]]).double().expand(50, 2), torch.tensor([[-1.0, 0.3]]).double().expand(50, 2)
    found = split(posteriors)
    assert found.information == pytest.approx(0, abs=1e-6) and found.error < 1e-6
    assert found.marginal_kl == pytest.approx(mean_kl(*posteriors), abs=1e-6)


@pytest.mark.parametrize(("dims", "side", "seed"), [(1, 4001, 0), (1, 4001, 1), (1, 4001, 2), (2, 251, 3), (2, 251, 4)])
def test_overlapping_posteriors_against_quadrature(dims: int, side: int, seed: int) -> None:
    posteriors = numbers(40, dims, seed)
    wanted, marginal = by_quadrature(*posteriors, side)
    found = split(posteriors, seed)
    assert wanted + marginal == pytest.approx(mean_kl(*posteriors), abs=1e-5)  # the identity itself
    assert abs(found.information - wanted) < 4 * found.error and abs(found.marginal_kl - marginal) < 4 * found.error
    assert 0.01 < found.error < 0.05
    for dim in range(dims):
        alone, _ = by_quadrature(*(p[:, dim : dim + 1] for p in posteriors), 4001)
        assert abs(found.dims[dim] - alone) < 4 * found.dims_error[dim]


@pytest.mark.parametrize(("images", "draws"), [(60, 600), (300, 300)])
def test_the_errors_are_honest(images: int, draws: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In 120 repetitions about 95% lie within 1.96 errors, whether z is drawn for all images or for half of them."""
    posteriors = numbers(images, 1, width=0.2)
    wanted, _ = by_quadrature(*posteriors, 8001)
    monkeypatch.setattr(module, "DRAWS", draws)
    monkeypatch.setattr(module, "thinned", lambda x, keep: x[torch.randperm(len(x))[:keep]])
    torch.manual_seed(1)
    found = [split(posteriors, seed) for seed in range(120)]
    off = np.array([(one.information - wanted) / one.error for one in found])
    assert 0.9 <= (np.abs(off) < 1.96).mean() <= 0.99 and 0.8 < off.std() < 1.2 and abs(off.mean()) < 0.3
    spread = np.std([one.information for one in found])
    assert np.mean([one.error for one in found]) == pytest.approx(spread, rel=0.2)


def test_the_rest_is_the_marginal_kl_as_it_is_estimated_by_itself() -> None:
    """E over q(z) of log q(z) − log p(z), by torch.distributions with draws of its own, in 20 dimensions."""
    posteriors = numbers(300, 20, width=0.7)
    q, found = aggregate(*posteriors), split(posteriors)
    torch.manual_seed(0)
    z = q.sample((1000,))
    ratio = q.log_prob(z) - Normal(0.0, 1.0).log_prob(z).sum(-1)
    error = math.hypot(found.error, ratio.std().item() / 1000**0.5)
    assert abs(ratio.mean().item() - found.marginal_kl) < 4 * error and error < 0.4
    assert found.information + found.marginal_kl == pytest.approx(mean_kl(*posteriors), abs=1e-9)


def test_it_never_passes_ln_n_nor_the_kl_and_is_not_below_0() -> None:
    for width, seed in itertools.product((1e-6, 1e-3, 1.0), range(3)):
        mu, log_var = numbers(25, 8, seed, width)
        found = split((100 * mu, log_var), seed)
        assert found.information <= math.log(25) and found.marginal_kl >= 0
    nearly = 1e-3 * numbers(200, 2)[0], torch.zeros(200, 2).double()  # a KL of a millionth of a nat
    for seed in range(10):
        found = split(nearly, seed)
        assert 0 <= found.information <= mean_kl(*nearly) + 1e-12 and found.marginal_kl >= 0


def test_where_it_lies_and_in_which_order_does_not_matter_to_the_information() -> None:
    mu, log_var = numbers(30, 3, width=1e-3)
    assert split((mu + 1e4, log_var)).information == pytest.approx(split((mu, log_var)).information, abs=1e-5)


def test_pieces_are_small_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    posteriors = numbers(100, 3)
    whole = split(posteriors)
    monkeypatch.setattr(module, "_AT_ONCE", 700)
    pieces = information.pieces(*posteriors, torch.Generator().manual_seed(0))
    assert len(list(pieces)) > 100
    cut = split(posteriors)
    assert cut.information == pytest.approx(whole.information, abs=1e-6) and cut.dims == pytest.approx(
        whole.dims, abs=1e-6
    )


def test_a_shipped_model_against_a_grid() -> None:
    """12 test images and 2 latents: narrow posteriors on a fine grid."""
    model = shipped.checkpoint("mnist-vae-beta4-mlp-2").model
    pixels, labels = (part[:12] for part in map_images(shipped.images()))
    with torch.no_grad():
        mu, log_var = (part.double() for part in model.encode(pixels.float() / 255))
    wanted, marginal = by_quadrature(mu, log_var, 601, reach=3.5)
    found = measure(model, pixels, torch.from_numpy(labels), "grey", 0, draws=20)
    assert found.information is not None and found.information_error is not None and found.marginal_kl is not None
    assert abs(found.information - wanted) < 4 * found.information_error
    assert abs(found.marginal_kl - marginal) < 4 * found.information_error
    assert found.images == 12 and 2 < found.information <= math.log(12) and found.kl is not None
    assert found.information + found.marginal_kl == pytest.approx(found.kl)
