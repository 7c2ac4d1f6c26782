"""Evidence and posterior on the lattice against closed forms (mixtures, linear Gaussian) and brute force."""

import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, MultivariateNormal, Normal

from tests.oracles.ascent import peaks
from tests.oracles.linear_gaussian import LinearGaussian
from vae_core.exact.density import log_joint
from vae_core.exact.expectation import expectation
from vae_core.exact.modes import modes
from vae_core.exact.quadrature import evidence

X = torch.zeros(1, 1, dtype=torch.float64)


class Mixture:
    """A decoder whose likelihood is a mixture of Gaussians in z: Σ share_k N(z; centre_k, width_k² I).

    Its evidence is Σ share_k N(centre_k; 0, (1 + width_k²) I), in closed form however many and narrow the modes.
    """

    latent_dim = 2

    def __init__(self, share: list[float], centre: list[tuple[float, float]], width: list[float]) -> None:
        self.share = torch.tensor(share, dtype=torch.float64)
        self.centre = torch.tensor(centre, dtype=torch.float64)  # (K, 2)
        self.width = torch.tensor(width, dtype=torch.float64)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.centre[:1], 2 * self.width[:1, None].log().expand(1, 2)

    def decode(self, z: Tensor) -> Tensor:
        return z

    def nll(self, logits: Tensor, x: Tensor) -> Tensor:
        parts = Independent(Normal(self.centre, self.width[:, None].expand(-1, 2)), 1)
        return -MixtureSameFamily(Categorical(self.share), parts).log_prob(logits)

    def log_evidence(self) -> float:
        spread = (1 + self.width.square()).sqrt()[:, None].expand(-1, 2)
        return (
            (self.share.log() + Independent(Normal(0 * self.centre, spread), 1).log_prob(self.centre))
            .logsumexp(0)
            .item()
        )

    def posterior_mean(self) -> Tensor:
        """(2,): each mode's mean is centre / (1 + width²), its weight its part of the evidence."""
        spread = (1 + self.width.square()).sqrt()[:, None].expand(-1, 2)
        weight = (self.share.log() + Independent(Normal(0 * self.centre, spread), 1).log_prob(self.centre)).softmax(0)
        return weight @ (self.centre / (1 + self.width.square())[:, None])


MIXTURES = {
    "one narrow": Mixture([1.0], [(1.137, -0.381)], [0.02]),
    "very narrow": Mixture([1.0], [(-2.0409, 1.777)], [0.003]),
    "as wide as the prior": Mixture([1.0], [(0.3, 0.1)], [1.5]),
    "three far apart": Mixture([0.2, 0.5, 0.3], [(2.9, 2.1), (-2.31, 0.4), (0.513, -2.87)], [0.02, 0.05, 0.03]),
    "a spike on a hill": Mixture([0.3, 0.7], [(0.6180, 0.3141), (-0.2, 0.1)], [0.02, 0.7]),
    "far out": Mixture([1.0], [(7.5, -8.2)], [0.1]),
}


@pytest.mark.parametrize("name", MIXTURES)
def test_evidence_of_a_mixture_is_its_closed_form_within_the_stated_error(name: str) -> None:
    model = MIXTURES[name]
    found = evidence(model, X)
    assert found.converged and found.log_p.error <= 2e-3
    assert abs(found.log_p.value - model.log_evidence()) <= found.log_p.error
    assert abs(found.normaliser.value - model.log_evidence()) <= found.normaliser.error
    torch.testing.assert_close(found.moments()[0], model.posterior_mean(), rtol=0, atol=2e-3)


def hidden(width: float, hill: float = 0.7) -> Mixture:
    """Half of the evidence in a mode that no point of the coarse lattice feels, beside a wide one."""
    return Mixture([0.5, 0.5], [(0.6180, 0.3141), (-0.2, 0.1)], [width, hill])


@pytest.mark.parametrize("width", [0.016, 0.012, 0.009])
def test_a_mode_that_the_lattice_steps_over_is_found_from_what_the_encoder_says(width: float) -> None:
    """Also when its mu lies some widths away from the mode."""
    model = hidden(width)
    for away in (0.0, 2.0):
        found = evidence(model, X, starts=model.centre[:1] + away * width, max_points=500_000)
        assert found.converged
        assert found.log_p.value == pytest.approx(model.log_evidence(), abs=2e-3)
        assert abs(found.log_p.value - model.log_evidence()) <= found.log_p.error < 0.02


@pytest.mark.parametrize("width", [0.005, 0.0005])
def test_a_mode_that_is_too_narrow_for_the_points_at_hand_is_said(width: float) -> None:
    model = hidden(width, 1.7)
    found = evidence(model, X, starts=model.centre[:1])
    assert not found.converged
    assert abs(found.log_p.value - model.log_evidence()) <= found.log_p.error < 3


def test_mass_far_outside_is_found_though_the_border_of_the_first_square_is_empty() -> None:
    for centre in ((7.1, 0.0), (-0.3, -7.2)):
        model = Mixture([1e-14, 1.0], [(-0.2, 0.1), centre], [0.5, 0.1])
        assert evidence(model, X).log_p.value == pytest.approx(model.log_evidence(), abs=2e-3)


def test_modes_are_climbed_to_and_measured() -> None:
    model = Mixture([0.5, 0.5], [(1.3, -0.4), (-2.0, 2.0)], [0.03, 0.2])
    found = modes(partial(log_joint, model, X), torch.tensor([[1.34, -0.43], [-1.8, 1.9]]))
    for mode, centre, width in zip(found, model.centre, model.width, strict=True):
        torch.testing.assert_close(mode.z, centre / (1 + width.square()), rtol=0, atol=2e-3)
        assert mode.width == pytest.approx(width.item() / (1 + width.item() ** 2) ** 0.5, rel=0.2)


def test_two_computations_of_the_evidence_share_no_number() -> None:
    found = evidence(MIXTURES["a spike on a hill"], X)
    assert found.log_p.value != found.normaliser.value


def test_every_mode_is_found_even_between_the_points_of_the_coarse_lattice() -> None:
    """Modes of width 0.02 whose centres move through a cell of the coarse lattice (step 0.25)."""
    for fraction in (0.0, 0.17, 0.33, 0.5):
        centres = [(1 + 0.25 * fraction, 1 + 0.25 * fraction), (-1.5 - 0.25 * fraction, 0.125)]
        model = Mixture([0.5, 0.5], centres, [0.02, 0.02])
        assert evidence(model, X).log_p.value == pytest.approx(model.log_evidence(), abs=2e-3)


def test_the_peaks_are_the_modes_highest_first() -> None:
    model = MIXTURES["three far apart"]
    found = peaks(evidence(model, X))
    heights = -model.nll(model.centre, X) - 0.5 * model.centre.square().sum(-1)
    torch.testing.assert_close(found, model.centre[heights.argsort(descending=True)], rtol=0, atol=0.02)


def linear(pixels: int, scale: float, seed: int = 2) -> tuple[LinearGaussian, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    weight = scale * torch.randn(pixels, 2, generator=generator, dtype=torch.float64)
    model = LinearGaussian(weight, torch.randn(pixels, generator=generator, dtype=torch.float64), 0.6)
    z = torch.randn(1, 2, generator=generator, dtype=torch.float64)
    return model, z @ weight.T + model.bias + 0.6 * torch.randn(1, pixels, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("scale", [0.3, 1.0, 30.0])
def test_evidence_and_posterior_of_the_linear_gaussian(scale: float) -> None:
    model, x = linear(5, scale)
    found = evidence(model, x)
    covariance = model.weight @ model.weight.T + 0.36 * torch.eye(5, dtype=torch.float64)
    truth = MultivariateNormal(model.bias, covariance).log_prob(x).item()
    assert abs(found.log_p.value - truth) <= found.log_p.error <= 1e-3
    mean, covariance = model.posterior(x)
    torch.testing.assert_close(found.moments()[0], mean[0], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found.moments()[1], covariance, rtol=1e-3, atol=1e-9)
    torch.testing.assert_close(found.mode, mean[0], rtol=0, atol=found.step)


def test_the_posterior_on_the_lattice_is_the_density_it_claims_to_be() -> None:
    model, x = linear(5, 1.0)
    found = evidence(model, x)
    assert len(found.z1) == len(found.z2) >= 64 and found.log_joint.shape == (len(found.z2), len(found.z1))
    assert (found.posterior.sum() * found.step**2).item() == pytest.approx(1, abs=1e-9)
    z2, z1 = torch.meshgrid(found.z2, found.z1, indexing="ij")
    mean, covariance = model.posterior(x)
    truth = MultivariateNormal(mean[0], covariance).log_prob(torch.stack([z1, z2], -1)).exp()
    torch.testing.assert_close(found.posterior[found.known], truth[found.known], rtol=1e-3, atol=1e-12)
    assert (found.posterior - truth).abs().max() < 1e-3 * truth.max()  # interpolated points hardly count


class ReluNet(nn.Module):
    """A decoder with kinks, in float32, as the real ones: 2-24-40 and Bernoulli pixels."""

    latent_dim = 2

    def __init__(self, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.first, self.second = nn.Linear(2, 24), nn.Linear(24, 40)
        for parameter in self.parameters():
            parameter.data = 2.0 * torch.randn(parameter.shape, generator=generator)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return torch.zeros(len(x), 2), torch.zeros(len(x), 2)

    def decode(self, z: Tensor) -> Tensor:
        return self.second(self.first(z).relu())

    def nll(self, logits: Tensor, x: Tensor) -> Tensor:
        return nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1)


def test_a_net_with_kinks_agrees_with_brute_force() -> None:
    step = 0.02
    axis = torch.arange(-300, 301) * step
    for seed in range(3):
        model = ReluNet(seed).eval()
        x = (torch.rand(1, 40, generator=torch.Generator().manual_seed(seed)) > 0.5).float()
        with torch.no_grad():
            rows = [torch.stack([axis, z2.expand_as(axis)], -1) for z2 in axis]
            joint = [
                -model.double().nll(model.decode(z.double()), x.double().expand(len(z), -1))
                + Independent(Normal(torch.zeros(2).double(), 1.0), 1).log_prob(z.double())
                for z in rows
            ]
        brute = torch.stack(joint).flatten().logsumexp(0).item() + 2 * math.log(step)
        found = evidence(model.float(), x)
        assert abs(found.log_p.value - brute) <= found.log_p.error + 1e-3  # brute force has an error too


def test_a_bound_on_points_is_kept_and_the_error_says_so() -> None:
    model = MIXTURES["three far apart"]
    found = evidence(model, X, max_points=200)
    assert not found.converged and found.evaluations < 97**2 + 200 + 800  # 800 to climb and to measure
    assert abs(found.log_p.value - model.log_evidence()) <= found.log_p.error > 1e-3


def test_what_lies_outside_every_square_makes_the_error_infinite() -> None:
    found = evidence(Mixture([1.0], [(40.0, 0.0)], [0.05]), X, max_points=2000)
    assert not found.converged and math.isinf(found.log_p.error)


def test_what_cannot_be_integrated_is_refused() -> None:
    model, x = linear(5, 1.0)
    flat = LinearGaussian(torch.ones(5, 1).double(), torch.zeros(5).double(), 1.0)
    with pytest.raises(ValueError, match="2 latents"):
        evidence(flat, x)
    with pytest.raises(ValueError, match="one image"):
        evidence(model, x.expand(2, -1))
    with pytest.raises(ValueError, match="not finite"):
        evidence(model, x * math.nan)
    with pytest.raises(ValueError, match=r"model\.eval"):
        evidence(ReluNet(0).train(), torch.zeros(1, 40))


# expectations under q


def q(mu: list[float], std: list[float]) -> tuple[Tensor, Tensor]:
    return torch.tensor([mu], dtype=torch.float64), 2 * torch.tensor([std], dtype=torch.float64).log()


FUNCTIONS: dict[str, tuple[Callable[[Tensor], Tensor], float]] = {
    "one": (lambda z: torch.ones_like(z[:, 0]), 1.0),
    "square": (lambda z: z[:, 0].square(), 0.5**2 + 0.3**2),
    "fourth power": (lambda z: (z[:, 0] - 0.5).pow(4), 3 * 0.3**4),
    "kink": (lambda z: (z[:, 0] - 0.5).abs(), 0.3 * math.sqrt(2 / math.pi)),
    "exponential": (lambda z: z[:, 0].exp(), math.exp(0.5 + 0.045)),
    "step": (lambda z: (z[:, 0] > 0.71).double(), 0.5 * math.erfc(0.7 / math.sqrt(2))),
    "wave": (lambda z: (20 * z[:, 0]).cos(), math.cos(10) * math.exp(-0.5 * 36)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dims", [1, 2])
def test_expectations_agree_with_their_closed_forms(name: str, dims: int) -> None:
    f, truth = FUNCTIONS[name]
    mu, log_var = q([0.5, -1.0][:dims], [0.3, 0.8][:dims])
    for offset in (0.0, 0.3):
        found = expectation(f, mu, log_var, offset=offset)
        assert abs(found.value.item() - truth) <= found.error.item() + 1e-9


def test_expectations_of_vectors_and_what_is_refused() -> None:
    mu, log_var = q([0.5, -1.0], [0.3, 0.8])
    both = expectation(lambda z: torch.stack([z[:, 0], z[:, 1].square()], -1), mu, log_var).value
    torch.testing.assert_close(both, torch.tensor([0.5, 1.64], dtype=torch.float64), rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match="1 or 2 latents"):
        expectation(lambda z: z[:, 0], torch.zeros(1, 3), torch.zeros(1, 3))
    with pytest.raises(ValueError, match="1 or 2 latents"):
        expectation(lambda z: z[:, 0], torch.zeros(2, 2), torch.zeros(2, 2))
