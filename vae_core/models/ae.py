"""The plain autoencoder: the same two networks, but z is the code itself. Nothing is drawn, so nothing is bounded.

Its encoder still has outputs for log_var; nothing uses them, so they mean nothing: no std, no KL, no ELBO.
"""

from __future__ import annotations

from torch import Tensor

from vae_core.models.vae import VAE


class AE(VAE):
    """Encoder and decoder without noise."""

    stochastic = False

    def sample(self, mu: Tensor, log_var: Tensor, eps: Tensor) -> Tensor:
        """z = mu, whatever eps is: (B, D), or (K, B, D) if eps has K samples."""
        return mu.expand_as(eps)
