"""The collapse meter against closed forms, brute force in numpy, and models made so that the answer is known."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Normal

from vae_core import models, rng
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.evaluate import evaluate
from vae_core.metrics import codes
from vae_core.metrics.definitions import METRICS
from vae_core.metrics.draws import draw_quality, energy_distance, nearest, thinned
from vae_core.metrics.measure import measure
from vae_core.models.base import Family, Has


def normals(*shape: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def flat(pixels: Tensor) -> np.ndarray:
    return pixels.reshape(len(pixels), -1).numpy() / 255.0


def rms(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Every difference written out: (K, P) and (N, P) to (K, N)."""
    return np.sqrt(((a[:, None] - b[None]) ** 2).mean(-1))


# Codes


def test_the_radius_leaves_out_what_three_sigma_leave_out_in_the_plane() -> None:
    tail, erfc = math.exp(-4.5), math.erfc(codes.three_sigma_radius(1) / math.sqrt(2))
    assert codes.three_sigma_radius(2) == pytest.approx(3) and erfc == pytest.approx(tail)
    for dims in (4, 16, 64):  # even D: the tail of the chi distribution is a Poisson sum
        half = codes.three_sigma_radius(dims) ** 2 / 2
        assert math.exp(-half) * sum(half**k / math.factorial(k) for k in range(dims // 2)) == pytest.approx(tail)
    far = normals(200_000, 5).norm(dim=-1) > codes.three_sigma_radius(5)
    assert far.double().mean() == pytest.approx(tail, abs=0.001)


def test_codes_outside_and_their_spread_by_hand() -> None:
    mu = torch.tensor([[3.1, 0.0], [0.0, -2.9], [2.2, 2.2], [-2.0, 2.0], [0.0, 0.0]]).double()
    assert codes.share_outside(mu) == pytest.approx(2 / 5)  # lengths 3.1, 2.9, 3.11, 2.83, 0
    assert codes.spread(mu) == pytest.approx(np.sqrt(mu.numpy().var(axis=0, ddof=1).mean()))


@pytest.mark.parametrize("dims", [1, 2, 16])
def test_distance_to_the_prior_of_gaussians_is_the_closed_form(dims: int) -> None:
    """W2 of N(u·m, s²) and N(0, 1) is √((u·m)² + (s − 1)²), and (u·m)² is ‖m‖² / D on average."""
    eps = normals(4_000, dims)
    assert codes.distance_to_prior(0 * eps) == pytest.approx(1)
    assert codes.distance_to_prior(eps) < 0.06
    for s, m in ((0.5, 0.0), (3.0, 0.0), (1.0, 2.0), (0.2, -1.5)):
        assert codes.distance_to_prior(s * eps + m) == pytest.approx(math.hypot(m, s - 1), abs=0.06)


def test_distance_to_the_prior_in_one_dimension_is_the_integral_over_quantiles() -> None:
    z = torch.tensor([[-2.0], [0.3], [0.5], [4.0]]).double()
    q = (torch.arange(1_000_000).double() + 0.5) / 1_000_000
    squared = (z[(q * 4).long(), 0] - Normal(0.0, 1.0).icdf(q)).square().mean()
    assert codes.distance_to_prior(z[[2, 0, 3, 1]]) == pytest.approx(squared.sqrt().item(), abs=1e-4)


def test_neighbour_accuracy_against_a_loop() -> None:
    mu, labels = normals(150, 3), torch.from_numpy(np.random.default_rng(1).integers(0, 3, 150))
    mu += labels[:, None]
    right = []
    for i, code in enumerate(mu.numpy()):
        others = np.delete(np.arange(150), i)
        right.append(labels[others[np.abs((mu.numpy()[others] - code) ** 2).sum(-1).argmin()]] == labels[i])
    assert codes.neighbour_accuracy(mu, labels, chunk=7) == pytest.approx(np.mean(right)) and 0.4 < np.mean(right) < 1
    assert codes.neighbour_accuracy(1e-4 * mu + 50, labels) == codes.neighbour_accuracy(mu, labels)  # no scale


# Pictures


def test_nearest_is_the_least_of_all_differences(small: Images) -> None:
    pictures, pixels = small.x_test[:9], small.x_train[:200]
    distances = rms(flat(pictures), flat(pixels))
    for given in (pictures, pictures[:, 0], pictures / 255):
        index, distance = nearest(given, pixels, chunk=4)
        assert index.tolist() == distances.argmin(1).tolist()
        np.testing.assert_allclose(distance, distances.min(1), rtol=1e-5)


def test_an_image_is_nearest_to_itself_and_exactly(small: Images) -> None:
    index, distance = nearest(small.x_test[[3, 77]] / 255, small.x_test)
    assert index.tolist() == [3, 77] and distance.tolist() == [0, 0]


def test_energy_distance_against_all_pairs(small: Images) -> None:
    a, b = flat(small.x_test[:30]), flat(small.x_train[:50])
    expected = 2 * rms(a, b).mean() - rms(a, a).mean() - rms(b, b).mean()
    found = energy_distance(torch.tensor(a).float(), torch.tensor(b).float())
    assert found == pytest.approx(expected, abs=1e-4) and expected > 0.005
    assert energy_distance(torch.tensor(a).float(), torch.tensor(a).float()) == pytest.approx(0, abs=1e-5)
    black, grey = torch.zeros(4, 784), torch.full((7, 784), 0.3)
    assert energy_distance(black, grey) == pytest.approx(0.6, abs=1e-3)  # two points: twice their distance


def test_thinning_keeps_both_ends_and_all_of_a_small_set() -> None:
    x = torch.arange(10_001).unsqueeze(-1)
    assert thinned(x, 5).flatten().tolist() == [0, 2500, 5000, 7500, 10_000]
    assert thinned(x[:5], 5).tolist() == x[:5].tolist()


def test_what_each_figure_of_the_draws_can_and_cannot_tell(mnist: Images) -> None:
    """The reason for three figures: a blank picture beats real digits in fidelity, blurred digits also in coverage."""
    test = mnist.x_test[::5]
    digits = draw_quality(mnist.x_train[:300], test)
    blank, one, mean = (
        draw_quality(p.expand(300, 1, 28, 28), test)
        for p in (torch.zeros(1), test[0] / 255, test.float().mean(0) / 255)
    )
    assert blank.fidelity < digits.fidelity and one.fidelity == 0
    for other in (blank, one, mean):
        assert other.coverage > digits.coverage + 0.02 and other.gap > 0.1 > 0.01 > digits.gap
        assert other.variety == pytest.approx(0, abs=1e-6) and digits.variety > 0.15
    blurred = draw_quality(blur(mnist.x_train[:300] / 255), test)
    assert blurred.coverage < digits.coverage - 0.01 and blurred.fidelity < digits.fidelity
    assert blurred.gap > 3 * digits.gap  # and here they do not
    noise = draw_quality(torch.rand(300, 1, 28, 28), test)
    assert noise.variety > digits.variety and noise.gap > digits.gap


def blur(x: Tensor, sigma: float = 1.0) -> Tensor:
    """(B, 1, 28, 28) under a Gaussian of so many pixels."""
    weights = torch.exp(-torch.arange(-4.0, 5.0).square() / (2 * sigma**2))
    weights /= weights.sum()
    x = F.conv2d(x, weights.view(1, 1, 1, -1), padding=(0, 4))
    return F.conv2d(x, weights.view(1, 1, -1, 1), padding=(4, 0))


# A whole model


class Toy(Family):
    """Reads its codes off two pixels; its decoder shows the picture whose turn the sign of each z calls."""

    has = Has(codes=True, posterior="gaussian")
    latent_dim = 2

    def __init__(self, pictures: Tensor) -> None:
        super().__init__()
        self.pictures = pictures  # (4, 1, 28, 28)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return torch.stack([4 * x[:, 0, 0, 0], 0 * x[:, 0, 0, 1]], -1), torch.full((len(x), 2), math.log(0.25))

    def sample(self, mu: Tensor, log_var: Tensor, eps: Tensor) -> Tensor:
        return mu + (0.5 * log_var).exp() * eps

    def decode(self, z: Tensor) -> Tensor:
        return self.pictures[((z > 0).long() @ torch.tensor([2, 1]))]

    def mean_image(self, logits: Tensor) -> Tensor:
        return logits


@pytest.fixture
def marked(small: Images) -> tuple[Tensor, Tensor]:
    """200 test images, the first pixel of every second one white; its own label: white or not."""
    pixels, labels = small.x_test[:200].clone(), torch.arange(200) % 2
    pixels[:, 0, 0, 0] = 255 * labels.to(torch.uint8)
    return pixels, labels


def test_a_decoder_that_shows_four_test_images(marked: tuple[Tensor, Tensor]) -> None:
    pixels, labels = marked
    known = pixels[[5, 50, 100, 150]]
    found = measure(Toy(known / 255), pixels, labels, "grey", seed=0)
    assert found.draw_fidelity == 0
    assert found.draw_coverage == pytest.approx(rms(flat(pixels), flat(known)).min(1).mean(), rel=1e-5)
    assert found.active_dims == (True, False) and (found.active, found.units) == (1, 2)
    assert found.kl_dims == pytest.approx([0.5 * (m - math.log(0.25) + 0.25 - 1) for m in (16 / 2, 0)])
    assert found.kl == pytest.approx(sum(found.kl_dims or ())) and found.mean_std == pytest.approx(0.5)
    assert found.spread == pytest.approx(math.sqrt(16 / 4 * 200 / 199 / 2)) and found.outside == 0.5
    assert found.neighbours == 1 and found.continuity is not None and found.continuity < 0.02  # few z change their sign


def test_continuity_of_a_decoder_whose_slope_is_known(marked: tuple[Tensor, Tensor]) -> None:
    """Pictures W z with WᵀW = c²: a step of 0.1 in any direction changes them by 0.1 c / √784."""

    class Linear(Toy):
        def decode(self, z: Tensor) -> Tensor:
            return (0.5 + z @ self.pictures).reshape(-1, 1, 28, 28)

    basis, _ = torch.linalg.qr(normals(784, 2).float())
    found = measure(Linear(7 * basis.T), *marked, "grey", seed=0)
    assert found.continuity == pytest.approx(0.1 * 7 / 28, rel=1e-4)


def test_the_aggregate_posterior_is_made_of_samples_and_the_draws_of_other_noise(small: Images) -> None:
    """On black images mu is 0 and z is N(0, ½²): half a prior std away. mu alone would be a whole one."""
    black, heard = torch.zeros(200, 1, 28, 28, dtype=torch.uint8), []

    class Listening(Toy):
        def sample(self, mu: Tensor, log_var: Tensor, eps: Tensor) -> Tensor:
            heard.append(eps)
            return super().sample(mu, log_var, eps)

        def decode(self, z: Tensor) -> Tensor:
            heard.append(z)
            return super().decode(z)

    found = measure(Listening(small.x_test[:4] / 255), black, torch.zeros(200), "grey", seed=0, draws=200)
    assert found.prior_gap == pytest.approx(0.5, abs=0.08)
    eps, prior, nearby = heard
    assert eps.shape == prior.shape == (200, 2) and abs((eps * prior).mean()) < 0.2
    torch.testing.assert_close((nearby - prior).norm(dim=-1), torch.full((200,), 0.1))


def test_a_decoder_with_one_picture(marked: tuple[Tensor, Tensor]) -> None:
    pixels, labels = marked
    found = measure(Toy(torch.full((4, 1, 28, 28), 0.25)), pixels, labels, "grey", seed=0)
    to_all = rms(np.full((1, 784), 0.25), flat(pixels))
    assert found.variety == found.continuity == 0 and found.draw_fidelity == pytest.approx(to_all.min(), rel=1e-5)
    assert found.draw_coverage == pytest.approx(to_all.mean(), rel=1e-5)


def test_black_and_white_pixels_are_compared_with_such_draws(marked: tuple[Tensor, Tensor]) -> None:
    pixels, labels = marked
    toy = Toy((pixels[[5, 50, 100, 150]] > 127).float())
    assert measure(toy, pixels, labels, "threshold", seed=0).draw_fidelity == 0
    assert measure(toy, pixels, labels, "grey", seed=0).draw_fidelity > 0.05


def test_the_figures_are_those_of_an_evaluation_and_come_out_the_same_again(small: Images) -> None:
    config = RunConfig(latent_dim=5, seed=3)
    model = models.build(config)
    first, again = (measure(model, small.x_test, small.y_test, "dynamic", seed=3) for _ in range(2))
    other = measure(model, small.x_test, small.y_test, "dynamic", seed=4)
    assert first == again and other.prior_gap != first.prior_gap and other.draw_gap != first.draw_gap
    result = evaluate(model, small.x_test, "dynamic", rng.stream_seed(3, "eval"))
    assert first.kl == pytest.approx(result.terms["kl"], rel=1e-5)
    assert first.mean_std == pytest.approx(result.mean_std, rel=1e-5)
    assert list(first.active_dims) == result.active.tolist()
    chunked = measure(model, small.x_test, small.y_test, "grey", 3, chunk=70).to_dict()
    whole = measure(model, small.x_test, small.y_test, "grey", 3).to_dict()
    for key in ("kl", "mean_std", "spread", "outside", "draw_gap", "draw_coverage"):  # need no noise, or fixed draws
        assert chunked[key] == pytest.approx(whole[key], rel=1e-3, abs=1e-6)


def test_the_model_is_left_as_it_was(small: Images) -> None:
    model = models.build(RunConfig(net="conv")).train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    measure(model, small.x_test[:60], small.y_test[:60], "grey", 0, draws=20)
    assert model.training and all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_what_an_autoencoder_has_not_is_none(small: Images) -> None:
    model = models.build(RunConfig(model="ae", beta=0.0))
    found = measure(model, small.x_test, small.y_test, "grey", 0)
    none = {key for key, value in vars(found).items() if value is None}
    made_of = {"information", "marginal_kl"}
    also = {"kl_dims", "information_error", "information_dims", "information_dims_error"}
    assert none == {"kl", "mean_std"} | made_of | also
    assert {f.key for f in METRICS if f.text(found) == "not defined"} == {"kl", "mean_std"} | made_of
    with torch.no_grad():
        (mu,) = model.encode(small.x_test / 255)
    assert found.prior_gap == pytest.approx(codes.distance_to_prior(mu.double()), rel=1e-5)


@pytest.mark.requires_cuda
def test_on_a_gpu_what_needs_no_noise_is_the_same(small: Images) -> None:
    model = models.build(RunConfig(latent_dim=4))
    here = measure(model, small.x_test, small.y_test, "grey", 0)
    there = measure(model.cuda(), small.x_test.cuda(), small.y_test.cuda(), "grey", 0)
    assert there.kl == pytest.approx(here.kl, rel=1e-3) and there.spread == pytest.approx(here.spread, rel=1e-3)
    assert there.draw_fidelity == pytest.approx(here.draw_fidelity, rel=0.05)
