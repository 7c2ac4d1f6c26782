"""What a choice of likelihood, of sigma and of the reduction does to the loss of one image. Nats per image."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vae_core.losses import LOG_2PI

REDUCTIONS = ("sum", "pixels", "both")  # sum everything; mean over pixels; mean over pixels and over latents


@dataclass(frozen=True)
class GaussianParts:
    """The terms of losses.gaussian_nll of one image."""

    squared_error: float  # Σ (x − x_hat)², in squared units of x
    pixels: int
    sigma: float

    @property
    def weighted(self) -> float:
        """Squared error / (2 sigma²), nats."""
        return self.squared_error / (2 * self.sigma**2)

    @property
    def log_sigma(self) -> float:
        """pixels · log sigma, nats; negative below sigma = 1."""
        return self.pixels * math.log(self.sigma)

    @property
    def constant(self) -> float:
        """pixels · ½ log 2π, nats."""
        return self.pixels * 0.5 * LOG_2PI

    @property
    def total(self) -> float:
        return self.weighted + self.log_sigma + self.constant


def gaussian_parts(mean: Tensor, x: Tensor, sigma: float) -> GaussianParts:
    """The terms of −log N(x; mean, sigma² I).

    Args:
        mean, x: (1, ...) one image each.
        sigma: > 0, in units of x.
    Raises:
        ValueError: more than one image, or sigma is not positive.
    """
    if len(x) != 1 or not sigma > 0:
        raise ValueError(f"one image and a positive sigma are needed, not {len(x)} and {sigma}.")
    return GaussianParts((x - mean).double().square().sum().item(), x.numel(), sigma)


def mean_image_error(x: Tensor) -> float:
    """Root mean square error of the best image that does not depend on x, the mean image: sqrt(Σ (x − mean)² / (N P)).

    Whoever does no better has learned nothing of the single image; a sigma far below it makes every error dear.

    Args:
        x: (N, 1, 28, 28) images in [0, 1].
    """
    return x.var(0, correction=0).mean().sqrt().item()


def error_cost(error: float, sigma: float) -> float:
    """What an error costs a pixel beyond being right, ½ (error / sigma)², nats.

    Args:
        error: root mean square error. sigma: > 0, of the Gaussian likelihood. Both in units of x.
    """
    return 0.5 * (error / sigma) ** 2


def best_sigma(mean_squared_error: float, floor: float = 0.0) -> float:
    """The sigma with the lowest Gaussian nll for an error: sigma² = mean squared error.

    It is where the derivative of mse / (2 sigma²) + log sigma is 0; below the floor, the floor is best. A sigma that
    learns settles there (Rybkin et al. 2021, "Simple and effective VAE training with calibrated decoders", sigma-VAE).
    """
    return max(math.sqrt(mean_squared_error), floor)


def best_gaussian_nll(mean_squared_error: float, pixels: int, floor: float = 0.0) -> float:
    """The Gaussian nll at `best_sigma`. Without a floor: pixels · ½ (log(2π mse) + 1), which has no lower bound.

    As the error goes to 0 it falls without end, and only then (Mattei and Frellsen 2018, "Leveraging the exact
    likelihood of deep latent variable models").

    Args:
        mean_squared_error: per pixel, > 0 (or >= 0 with a floor).
    """
    return GaussianParts(pixels * mean_squared_error, pixels, best_sigma(mean_squared_error, floor)).total


def pixel_entropy(x: Tensor) -> Tensor:
    """The least that losses.bernoulli_nll can be for grey pixels, reached by x_hat = x; 0 for black and white.

        H = −Σ x log x + (1 − x) log(1 − x)

    Args:
        x: (B, ...) images in [0, 1].
    Returns:
        (B,) nats per image.
    """
    return (torch.special.entr(x) + torch.special.entr(1 - x)).flatten(1).sum(-1)


@dataclass(frozen=True)
class Reduced:
    """The loss of one image under a reduction."""

    nll: float  # the reconstruction part as it enters the loss
    kl: float
    implied_beta: float  # nll_sum + implied_beta · kl_sum has the same minimum as this loss

    @property
    def loss(self) -> float:
        return self.nll + self.kl


def reduced(reduction: str, nll: float, kl: float, pixels: int, latent_dim: int) -> Reduced:
    """The loss that a reduction makes of both terms.

        sum       nll + kl                                  the −ELBO, beta = 1
        pixels    nll / pixels + kl                         beta = pixels
        both      nll / pixels + kl / latent_dim            beta = pixels / latent_dim

    Args:
        reduction: one of REDUCTIONS.
        nll, kl: summed over pixels and latents, nats per image.
    Raises:
        ValueError: an unknown reduction.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"no reduction {reduction!r}: choose one of {', '.join(REDUCTIONS)}.")
    per_pixel = 1 if reduction == "sum" else pixels
    per_latent = latent_dim if reduction == "both" else 1
    return Reduced(nll / per_pixel, kl / per_latent, per_pixel / per_latent)
