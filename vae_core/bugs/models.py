"""Classic mistakes, each in one line of a VAE that is otherwise right. For the bug lab; never for a result."""

from __future__ import annotations

from torch import Tensor

from vae_core.models.vae import VAE


class LogVarAsLogStd(VAE):
    """Takes exp(log_var) for the std. It is the variance: the noise is then too narrow or too wide by a square."""

    def sample(self, mu: Tensor, log_var: Tensor, eps: Tensor) -> Tensor:
        std = log_var.exp()  # (B, D)
        return mu + std * eps


class MeanForSample(VAE):
    """Decodes mu in place of a sample of z, and still adds the KL: no bound on log p(x) any more."""

    def sample(self, mu: Tensor, log_var: Tensor, eps: Tensor) -> Tensor:
        std = (0.5 * log_var).exp()  # (B, D)
        return mu.expand_as(std * eps)


class DrawsFromPosterior(VAE):
    """Shows "new" pictures from the posterior of training images: they are copies, and hide every hole."""

    def draw(self, eps: Tensor, x: Tensor) -> Tensor:
        return self.sample(*self.encode(x), eps)
