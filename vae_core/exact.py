"""Models whose evidence p(x) is known exactly: the oracle of the lesson and of the tests."""

from __future__ import annotations

import torch
from torch import Tensor

from vae_core import losses


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
