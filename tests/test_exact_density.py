"""Whether p(x given z) is a distribution: what no identity in z can see, and this sum over all images can."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Bernoulli, Normal

from vae_core import losses, models
from vae_core.config import RunConfig
from vae_core.exact.density import total_probability
from vae_core.losses import LOG_2PI
from vae_core.models.vae import VAE

Z = torch.tensor([[0.7, -1.2]])


def built(**settings: object) -> VAE:
    model = models.build(RunConfig(device="cpu", **settings), (1, 28, 28)).eval()  # type: ignore[arg-type]
    assert isinstance(model, VAE)
    return model


@pytest.mark.parametrize(
    "settings",
    [
        {"likelihood": "bernoulli"},
        {"likelihood": "gaussian", "sigma": 0.01},
        {"likelihood": "gaussian", "sigma": 2.0},
        {"likelihood": "gaussian-learned", "sigma": 0.3},
        {"likelihood": "gaussian-per-pixel", "sigma": 0.3},
        {"likelihood": "gaussian-per-pixel", "sigma": 0.05, "net": "conv"},
        {"likelihood": "bernoulli", "net": "conv"},
    ],
    ids=str,
)
def test_every_likelihood_sums_to_one(settings: dict[str, object]) -> None:
    assert abs(total_probability(built(**settings), Z).value) < 1e-9


def test_what_pixels_may_be_covers_the_distribution() -> None:
    """Held by torch.distributions, pixel by pixel."""
    for likelihood in ("bernoulli", "gaussian"):
        model = built(likelihood=likelihood)
        logits = model.decode(Z).double()
        values, width = model.outcomes(logits)
        p = Bernoulli(logits=logits) if likelihood == "bernoulli" else Normal(logits.sigmoid(), model.sigma.double())
        assert (p.log_prob(values).exp().sum(0) * width).allclose(torch.ones(1, 28, 28, dtype=torch.float64))


def per_image(pixels: Tensor) -> Tensor:
    return pixels.flatten(1).sum(-1)


def cross_entropy(logits: Tensor, x: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none")


WRONG: dict[str, tuple[str, Callable[[Tensor, Tensor], Tensor]]] = {
    "mean over pixels": ("bernoulli", lambda a, x: cross_entropy(a, x).flatten(1).mean(-1)),
    "only where there is ink": ("bernoulli", lambda a, x: per_image(-x * F.logsigmoid(a))),
    "twice": ("bernoulli", lambda a, x: 2 * losses.bernoulli_nll(a, x)),
    "logits taken for probabilities": ("bernoulli", lambda a, x: per_image(-(x * a + (1 - x) * (1 - a)))),
    "the other sign": ("bernoulli", lambda a, x: -losses.bernoulli_nll(a, x)),
    "no half": ("gaussian", lambda a, x: per_image(((x - a.sigmoid()) / 0.1).square() + LOG_2PI / 2 - 2.302585)),
    "no constant": ("gaussian", lambda a, x: losses.gaussian_nll(a.sigmoid(), x, 0.1) - x[0].numel() * LOG_2PI / 2),
    "no log sigma": ("gaussian", lambda a, x: losses.gaussian_nll(a.sigmoid(), x, 0.1) + x[0].numel() * 2.302585),
    "sigma for its square": (
        "gaussian",
        lambda a, x: per_image((x - a.sigmoid()).square() / (2 * 0.1) - 2.302585 + LOG_2PI / 2),
    ),
    "squared error alone": ("gaussian", lambda a, x: per_image((x - a.sigmoid()).square())),
}


@pytest.mark.parametrize("slip", WRONG)
def test_a_wrong_likelihood_does_not(slip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    likelihood, nll = WRONG[slip]
    model = built(likelihood=likelihood)
    monkeypatch.setattr(model, "nll", nll)
    assert not abs(total_probability(model, Z).value) < 1
