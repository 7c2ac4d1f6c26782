"""A family of a test's own: three named terms, codes, and no posterior. Nothing but this file knows of it."""

from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from vae_core.config import RunConfig
from vae_core.models.base import Family, Has, Pass


class ThreeTerms(Family):
    """Squared error of the pixels, size of the code, and how far the code moves when the image is noisy."""

    TERMS: ClassVar = {"pixels": 1.0, "size": 0.1, "noise": 0.5}
    title = "Three terms"
    has = Has(codes=True)

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, latent_dim))
        self.decoder = nn.Sequential(nn.Linear(latent_dim, 784), nn.Unflatten(-1, (1, 28, 28)))

    @classmethod
    def from_config(cls, config: RunConfig, shape: tuple[int, ...]) -> Self:
        return cls(config.latent_dim)

    def encode(self, x: Tensor) -> tuple[Tensor]:
        return (self.encoder(x),)

    def sample(self, mu: Tensor, eps: Tensor) -> Tensor:
        return mu.expand_as(eps)

    def decode(self, z: Tensor) -> Tensor:
        return self.decoder(z)

    def forward(self, x: Tensor, eps: Tensor) -> Pass:
        (mu,) = self.encode(x)
        (moved,) = self.encode((x + 0.1 * eps.mean(-1)[:, None, None, None]).clamp(0, 1))
        logits = self.decode(mu)
        terms = {
            "pixels": (logits.sigmoid() - x).square().flatten(1).sum(-1),
            "size": mu.square().sum(-1),
            "noise": torch.linalg.vector_norm(moved - mu, dim=-1),
        }
        return Pass(terms, logits, mu, mu)
