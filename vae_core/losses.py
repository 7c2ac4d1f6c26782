"""The terms of the loss: pure functions, one value per image, in nats, no reduction over the batch.

A family's `forward` (models/) calls them; `Trainer._update` weights what it gives and takes the mean, the loss that
training minimises: `(alpha * nll + beta * kl).mean()` of a VAE, with alpha = beta = 1 the negative ELBO (Kingma and
Welling 2014, eq. 3).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

LOG_2PI = math.log(2 * math.pi)


def gaussian_kl_dims(mu: Tensor, log_var: Tensor) -> Tensor:
    """KL(N(mu, exp(log_var)) ‖ N(0, 1)) of every latent dimension (Kingma and Welling 2014, appendix B).

        KL_d = ½ (mu_d² + exp(log_var_d) − 1 − log_var_d)

    Args:
        mu: (B, D) posterior means.
        log_var: (B, D) log variances (not standard deviations).
    Returns:
        (B, D) KL in nats per image and dimension, >= 0.
    """
    # expm1(v) - v, not exp(v) - 1 - v: near v = 0 the plain form loses half its digits.
    return 0.5 * (mu.square() + log_var.expm1() - log_var)


def gaussian_kl(mu: Tensor, log_var: Tensor) -> Tensor:
    """KL(N(mu, exp(log_var)) ‖ N(0, I)), summed over latent dimensions.

    Args:
        mu: (B, D) posterior means.
        log_var: (B, D) log variances.
    Returns:
        (B,) KL in nats per image, >= 0.
    """
    return gaussian_kl_dims(mu, log_var).sum(-1)


def free_bits_kl(mu: Tensor, log_var: Tensor, least: float) -> Tensor:
    """What free bits minimise in place of the KL (Kingma et al. 2016, "Improved variational inference with inverse
    autoregressive flow", appendix C.8, here with one dimension a group). It is no bound and no KL.

        Σ_d max(least, mean over the batch of KL_d)

    Args:
        mu, log_var: (B, D). least: lambda, nats of a dimension: below it the KL has no gradient.
    Returns:
        () nats per image, >= the mean KL.
    """
    return gaussian_kl_dims(mu, log_var).mean(0).clamp(min=least).sum()


def bernoulli_nll(logits: Tensor, x: Tensor) -> Tensor:
    """−log p(x given z) with one Bernoulli per pixel, summed over pixels.

        nll = −Σ [x log x̂ + (1 − x) log(1 − x̂)],   x̂ = sigmoid(logits)

    For grey x in [0, 1] this is the expected value under x redrawn as Bernoulli(x) (dynamic binarisation);
    its floor is then the entropy of the pixels, not 0.

    Args:
        logits: (B, 1, 28, 28) decoder output.
        x: (B, 1, 28, 28) images in [0, 1].
    Returns:
        (B,) nats per image, >= 0.
    """
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(-1)


def gaussian_nll(mean: Tensor, x: Tensor, sigma: Tensor | float) -> Tensor:
    """−log p(x given z) with one Gaussian per pixel, of mean x̂ and standard deviation sigma, summed over pixels.

        nll = Σ [(x − x̂)² / (2 sigma²) + log sigma + ½ log 2π]

    It is a density, so it may be negative. With one sigma for all pixels the lowest is at sigma² = mean squared error,
    so a sigma that learns settles there (Rybkin et al. 2021, "Simple and effective VAE training with calibrated
    decoders", sigma-VAE). Only where the error goes to 0 is there no lowest (Mattei and Frellsen 2018, "Leveraging the
    exact likelihood of deep latent variable models", section 2): hence config.SIGMA_FLOOR.

    Args:
        mean: (B, 1, 28, 28) decoder mean x̂.
        x: (B, 1, 28, 28) images.
        sigma: > 0, in units of x: a number or a 0-d tensor for all pixels, or (B, 1, 28, 28), a sigma per pixel.
    Returns:
        (B,) nats per image, of any sign.
    """
    sigma = torch.as_tensor(sigma, dtype=mean.dtype, device=mean.device)
    per_pixel = 0.5 * ((x - mean) / sigma).square() + sigma.log() + 0.5 * LOG_2PI  # (B, 1, 28, 28)
    return per_pixel.flatten(1).sum(-1)


def gaussian_log_prob(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    """log N(z; mu, exp(log_var)), summed over latent dimensions.

    Args:
        z: (..., D) points.
        mu: (..., D) means, or a number.
        log_var: (..., D) log variances, or a number.
    Returns:
        (...) log density in nats.
    """
    return -0.5 * ((z - mu).square() / log_var.exp() + log_var + LOG_2PI).sum(-1)


def standard_normal_log_prob(z: Tensor) -> Tensor:
    """log N(z; 0, I), the prior, summed over latent dimensions.

    Args:
        z: (..., D) points.
    Returns:
        (...) log density in nats.
    """
    return -0.5 * (z.square() + LOG_2PI).sum(-1)


def log_weights(nll: Tensor, z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    """log p(x given z) + log p(z) − log q(z given x) of every sample: importance weights (Burda et al. 2016, eq. 8).

    Args:
        nll: (K, B). z: (K, B, D). mu, log_var: (B, D) of q.
    Returns:
        (K, B) nats.
    """
    return standard_normal_log_prob(z) - gaussian_log_prob(z, mu, log_var) - nll
