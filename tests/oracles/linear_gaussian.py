"""A model whose evidence p(x) is known in closed form: the oracle of the tests."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from vae_core import losses

KL = Callable[[Tensor, Tensor], Tensor]


class LinearGaussian:
    """p(z) = N(0, I), p(x given z) = N(W z + b, sigma² I): probabilistic PCA (Tipping and Bishop 1999).

        p(x)         = N(b, W Wᵀ + sigma² I)
        p(z given x) = N(M⁻¹ Wᵀ (x − b), sigma² M⁻¹),   M = Wᵀ W + sigma² I

    Its encoder is the exact posterior mean with the diagonal of the exact precision, the best a factorised
    Gaussian can do; `widen` spoils it on purpose, so that a gap can be seen.
    """

    def __init__(self, weight: Tensor, bias: Tensor, sigma: float, widen: float = 1.0) -> None:
        """
        Args:
            weight: (P, D).
            bias: (P,).
            sigma: standard deviation of the pixels given z, > 0.
            widen: factor on the standard deviation of q; 1 is the best one.
        """
        self.weight, self.bias, self.sigma, self.widen = weight, bias, sigma, widen
        self.latent_dim = weight.shape[1]

    @property
    def precision(self) -> Tensor:
        """(D, D) precision of the exact posterior, M / sigma²."""
        eye = torch.eye(self.latent_dim, dtype=self.weight.dtype)
        return (self.weight.T @ self.weight) / self.sigma**2 + eye

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, P) to mu, log_var of q(z given x), (B, D) each."""
        mu, _ = self.posterior(x)
        log_var = -self.precision.diagonal().log() + 2 * torch.log(torch.tensor(self.widen, dtype=x.dtype))
        return mu, log_var.expand_as(mu)

    def decode(self, z: Tensor) -> Tensor:
        """(B, D) to the mean of x, (B, P)."""
        return z @ self.weight.T + self.bias

    def nll(self, logits: Tensor, x: Tensor) -> Tensor:
        """−log p(x given z) with mean `logits`, (B,) nats."""
        return losses.gaussian_nll(logits, x, self.sigma)

    def log_evidence(self, x: Tensor) -> Tensor:
        """log p(x), exactly: (B, P) to (B,) nats."""
        eye = torch.eye(self.weight.shape[0], dtype=x.dtype)
        covariance = self.weight @ self.weight.T + self.sigma**2 * eye  # (P, P)
        chol = torch.linalg.cholesky(covariance)
        white = torch.linalg.solve_triangular(chol, (x - self.bias).T, upper=False)  # (P, B)
        return losses.standard_normal_log_prob(white.T) - chol.diagonal().log().sum()

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """p(z given x): mean (B, D) and covariance (D, D)."""
        covariance = torch.linalg.inv(self.precision)
        mean = (x - self.bias) @ self.weight @ covariance / self.sigma**2
        return mean, covariance

    def elbo(self, x: Tensor) -> Tensor:
        """The ELBO of the encoder's q in closed form: log p(x) − KL(q ‖ p(z given x)), (B,) nats."""
        mean, covariance = self.posterior(x)
        mu, log_var = self.encode(x)
        precision = self.precision
        trace = (precision.diagonal() * log_var.exp()).sum(-1)  # (B,)
        shift = mean - mu
        quadratic = ((shift @ precision) * shift).sum(-1)
        gap = 0.5 * (trace + quadratic - self.latent_dim + torch.logdet(covariance) - log_var.sum(-1))
        return self.log_evidence(x) - gap


@dataclass(frozen=True)
class ClosedForm:
    """The terms of the bound for any Gaussian q, exactly; everything (B,) nats per image."""

    reconstruction: Tensor  # E_q[log p(x given z)]
    kl: Tensor  # KL(q ‖ prior)
    gap: Tensor  # KL(q ‖ p(z given x)), not by way of the other terms
    log_p: Tensor  # log p(x)

    @property
    def elbo(self) -> Tensor:
        return self.reconstruction - self.kl


def closed_form(
    model: LinearGaussian, x: Tensor, mu: Tensor, log_var: Tensor, kl: KL = losses.gaussian_kl
) -> ClosedForm:
    """The bound of any factorised Gaussian q, without its noise: ELBO + gap = log p(x).

        E_q[log p(x | z)] = log N(x; W mu + b, sigma² I) − tr(Wᵀ W diag(var)) / (2 sigma²)

    Args:
        x: (B, P).
        mu, log_var: (B, D) of q; B = 1 goes with any number of images, and the other way round.
        kl: (mu, log_var) to KL(q ‖ prior), (B,) nats; a wrong one breaks the identity.
    """
    spread = (model.weight.square().sum(0) * log_var.exp()).sum(-1) / (2 * model.sigma**2)  # (B,)
    reconstruction = -model.nll(model.decode(mu), x) - spread
    return ClosedForm(reconstruction, kl(mu, log_var), posterior_kl(model, x, mu, log_var), model.log_evidence(x))


def posterior_kl(model: LinearGaussian, x: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    """KL(q ‖ p(z given x)) of q = N(mu, diag exp(log_var)), both Gaussian: (B, P), (B, D) to (B,) nats, >= 0."""
    mean, covariance = model.posterior(x)
    precision, shift = model.precision, mean - mu
    trace = (precision.diagonal() * log_var.exp()).sum(-1)  # (B,)
    quadratic = ((shift @ precision) * shift).sum(-1)
    return 0.5 * (trace + quadratic - model.latent_dim + torch.logdet(covariance) - log_var.sum(-1))


def line_model(weight: float = 1.0, bias: float = 0.0, sigma: float = 0.5) -> LinearGaussian:
    """One pixel, one latent: p(x given z) = N(weight z + bias, sigma²).

    The posterior is a Gaussian in one dimension, so q can be exactly right and the gap exactly 0.

    Raises:
        ValueError: sigma is not positive.
    """
    if sigma <= 0:
        raise ValueError(f"sigma must be above 0, not {sigma}.")
    return LinearGaussian(torch.tensor([[weight]]).double(), torch.tensor([bias]).double(), sigma)


@dataclass(frozen=True)
class Curves:
    """Log densities of one x along an axis of z, (N,) each, for the one-dimensional drawing."""

    z: Tensor
    log_prior: Tensor  # log p(z)
    log_likelihood: Tensor  # log p(x given z): no density of z
    log_joint: Tensor  # log p(x, z)
    log_posterior: Tensor  # log p(z given x)
    log_q: Tensor  # log q(z given x)


def curves(model: LinearGaussian, x: Tensor, mu: Tensor, log_var: Tensor, z: Tensor) -> Curves:
    """What a drawing of the line model needs, each density from its own formula.

    Args:
        x: (1, P).
        mu, log_var: (1, 1) of q.
        z: (N,) places.
    Raises:
        ValueError: the model has more than one latent dimension.
    """
    if model.latent_dim != 1:
        raise ValueError(f"curves need one latent dimension, the model has {model.latent_dim}.")
    points = z[:, None]  # (N, 1)
    mean, covariance = model.posterior(x)
    prior = losses.standard_normal_log_prob(points)
    likelihood = -model.nll(model.decode(points), x.expand(len(z), -1))
    posterior = losses.gaussian_log_prob(points, mean, covariance.log())
    return Curves(z, prior, likelihood, prior + likelihood, posterior, losses.gaussian_log_prob(points, mu, log_var))
