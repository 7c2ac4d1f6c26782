"""The variational autoencoder (Kingma and Welling 2014; Rezende, Mohamed and Wierstra 2014).

encode      x (B, 1, 28, 28)  ->  mu, log_var (B, D)
sample      z = mu + exp(½ log_var) * eps,  eps ~ N(0, I)
decode      z (B, D)          ->  logits (B, 1, 28, 28)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vae_core import losses
from vae_core.config import SIGMA_FLOOR

# std stays between 0.0009 and 148: far outside what training needs, and exp() never overflows.
LOG_VAR_RANGE = (-14.0, 10.0)


@dataclass(frozen=True)
class Terms:
    """What one pass of a batch gives the trainer; everything per image."""

    nll: Tensor  # (B,) nats
    kl: Tensor  # (B,) nats
    mu: Tensor  # (B, D)
    log_var: Tensor  # (B, D)
    z: Tensor  # (B, D)
    logits: Tensor  # (B, 1, 28, 28)


class VAE(nn.Module):
    """Encoder, decoder and likelihood. Noise is always an argument, so eval() never changes an estimator.

    `stochastic` tells families apart that have no posterior: there std, KL and ELBO are not defined.
    """

    stochastic = True

    def __init__(self, net: str, latent_dim: int, likelihood: str = "bernoulli", sigma: float = 0.1) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.likelihood = likelihood
        make_encoder, make_decoder = NETS[net]
        self.encoder = make_encoder(2 * latent_dim)
        self.decoder = make_decoder(latent_dim)
        if likelihood == "gaussian-learned":
            self.raw_sigma = nn.Parameter(torch.tensor(_softplus_inverse(max(sigma - SIGMA_FLOOR, 1e-4))))
        else:
            self.fixed_sigma: Tensor
            self.register_buffer("fixed_sigma", torch.tensor(sigma), persistent=False)

    @property
    def sigma(self) -> Tensor:
        """() standard deviation of the Gaussian likelihood; a learned one stays above its floor of 0.01."""
        if self.likelihood == "gaussian-learned":
            return SIGMA_FLOOR + F.softplus(self.raw_sigma)
        return self.fixed_sigma

    def set_trainable(self, reconstruction: bool, frozen: str = "none") -> None:
        """Say what learns in training: what does not keeps even the running statistics of its BatchNorm.

        Args:
            reconstruction: whether that term counts; without it the decoder learns nothing at all.
            frozen: the half that keeps its weights, "encoder", "decoder" (with a learned sigma) or "none".
        """
        self.encoder.train(self.training and frozen != "encoder")
        self.decoder.train(self.training and frozen != "decoder" and reconstruction)
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(frozen != ("encoder" if name.startswith("encoder.") else "decoder"))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """q(z given x): images (B, 1, 28, 28) to mu and log_var, (B, D) each.

        log_var is clamped here, and only here, to LOG_VAR_RANGE.
        """
        mu, log_var = self.encoder(x).chunk(2, dim=-1)  # (B, D), (B, D)
        return mu, log_var.clamp(*LOG_VAR_RANGE)

    def sample(self, mu: Tensor, log_var: Tensor, eps: Tensor) -> Tensor:
        """z = mu + std * eps, the reparameterised sample (Kingma and Welling 2014, section 2.4).

        Args:
            mu, log_var: (B, D).
            eps: (B, D) or (K, B, D) draws from N(0, I).
        Returns:
            z with the shape of eps.
        """
        std = (0.5 * log_var).exp()  # (B, D)
        return mu + std * eps

    def draw(self, eps: Tensor, x: Tensor) -> Tensor:
        """z for new pictures: draws from the prior N(0, I), whatever the training images x are.

        Args:
            eps: (B, D) draws from N(0, I). x: (B, 1, 28, 28).
        """
        return eps

    def decode(self, z: Tensor) -> Tensor:
        """z (B, D) to logits (B, 1, 28, 28)."""
        return self.decoder(z)

    def mean_image(self, logits: Tensor) -> Tensor:
        """x_hat, the mean of p(x given z), in [0, 1]: what is shown."""
        return logits.sigmoid()

    def nll(self, logits: Tensor, x: Tensor) -> Tensor:
        """−log p(x given z), (B,) nats per image."""
        if self.likelihood == "bernoulli":
            return losses.bernoulli_nll(logits, x)
        return losses.gaussian_nll(self.mean_image(logits), x, self.sigma)

    def forward(self, x: Tensor, eps: Tensor) -> Terms:
        """One pass: both terms of the negative ELBO, one sample of z an image.

        Args:
            x: (B, 1, 28, 28) images in [0, 1].
            eps: (B, D) draws from N(0, I).
        """
        mu, log_var = self.encode(x)
        z = self.sample(mu, log_var, eps)
        logits = self.decode(z)
        return Terms(self.nll(logits, x), losses.gaussian_kl(mu, log_var), mu, log_var, z, logits)


def mlp_encoder(out_features: int) -> nn.Module:
    """784-400-200-out, ReLU between."""
    return nn.Sequential(
        nn.Flatten(),  # (B, 784)
        nn.Linear(784, 400),
        nn.ReLU(),
        nn.Linear(400, 200),
        nn.ReLU(),
        nn.Linear(200, out_features),
    )


def mlp_decoder(latent_dim: int) -> nn.Module:
    """D-200-400-784, ReLU between."""
    return nn.Sequential(
        nn.Linear(latent_dim, 200),
        nn.ReLU(),
        nn.Linear(200, 400),
        nn.ReLU(),
        nn.Linear(400, 784),
        nn.Unflatten(-1, (1, 28, 28)),
    )


def conv_encoder(out_features: int) -> nn.Module:
    """Three strided convolutions, 28 -> 13 -> 5 -> 1 pixels (a DCGAN discriminator with two outputs)."""
    return nn.Sequential(
        nn.Conv2d(1, 16, kernel_size=4, stride=2),  # (B, 16, 13, 13)
        nn.BatchNorm2d(16),
        nn.LeakyReLU(0.2),
        nn.Conv2d(16, 32, kernel_size=4, stride=2),  # (B, 32, 5, 5)
        nn.BatchNorm2d(32),
        nn.LeakyReLU(0.2),
        nn.Conv2d(32, out_features, kernel_size=4, stride=2),  # (B, out, 1, 1)
        nn.Flatten(),
    )


def conv_decoder(latent_dim: int) -> nn.Module:
    """Four transposed convolutions, 1 -> 3 -> 6 -> 13 -> 28 pixels (a DCGAN generator without its sigmoid)."""
    return nn.Sequential(
        nn.Unflatten(-1, (latent_dim, 1, 1)),
        nn.ConvTranspose2d(latent_dim, 256, kernel_size=3, stride=2),  # (B, 256, 3, 3)
        nn.BatchNorm2d(256),
        nn.ReLU(),
        nn.ConvTranspose2d(256, 128, kernel_size=4, stride=1),  # (B, 128, 6, 6)
        nn.BatchNorm2d(128),
        nn.ReLU(),
        nn.ConvTranspose2d(128, 64, kernel_size=3, stride=2),  # (B, 64, 13, 13)
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.ConvTranspose2d(64, 1, kernel_size=4, stride=2),  # (B, 1, 28, 28)
    )


NETS = {"mlp": (mlp_encoder, mlp_decoder), "conv": (conv_encoder, conv_decoder)}


def _softplus_inverse(y: float) -> float:
    return math.log(math.expm1(y))
