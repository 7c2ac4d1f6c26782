"""One image on its way through a trained model: the numbers of the home page."""

from dataclasses import dataclass

import numpy as np
import torch

from vae_core import losses
from vae_core.data import Images
from vae_core.evaluate import evaluating
from vae_core.inspect.snapshot import to_uint8
from vae_core.models.base import Family


@dataclass(frozen=True)
class Passage:
    """x → mu, std, eps → z → x_hat of one image, and its two terms in nats."""

    number: int  # of the image among all test images
    digit: int
    x: np.ndarray  # (28, 28) uint8
    x_hat: np.ndarray  # (28, 28) uint8, from the sample z
    mu: np.ndarray  # (2,)
    std: np.ndarray  # (2,)
    eps: np.ndarray  # (2,)
    z: np.ndarray  # (2,)
    nll: float
    kl: float


@dataclass(frozen=True)
class Codes:
    """Where many test images lie: mu (N, 2) and their labels (N,)."""

    mu: np.ndarray
    labels: np.ndarray


def codes(model: Family, images: Images, count: int = 2_000) -> Codes:
    """mu of the last `count` test images."""
    with evaluating(model):
        mu, *_ = model.encode(images.x_test[-count:].float() / 255)
    return Codes(mu.numpy(), images.y_test[-count:].numpy())


def passage(model: Family, images: Images, digit: int, which: int, draw: int) -> Passage:
    """Send the `which`-th test image of a digit through the model with the `draw`-th noise."""
    candidates = images.of_class(digit)
    index = int(candidates[which % len(candidates)])
    x = images.x_test[index : index + 1].float() / 255  # (1, 1, 28, 28)
    eps = torch.randn(1, model.latent_dim, generator=torch.Generator().manual_seed(draw))
    with evaluating(model):
        mu, log_var = model.encode(x)
        z = model.sample(mu, log_var, eps)
        logits = model.decode(z)
        return Passage(
            number=index,
            digit=digit,
            x=to_uint8(x)[0],
            x_hat=to_uint8(model.mean_image(logits))[0],
            mu=mu[0].numpy(),
            std=(0.5 * log_var[0]).exp().numpy(),
            eps=eps[0].numpy(),
            z=z[0].numpy(),
            nll=float(model.nll(logits, x)),
            kl=float(losses.gaussian_kl(mu, log_var)),
        )
