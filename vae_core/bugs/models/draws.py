"""Draws from the posterior for draws from the prior: the "new" pictures are copies, and hide every hole."""

from typing import Any

import torch
from torch import Tensor

from vae_core.models.base import Pass
from vae_core.models.vae import VAE

KEPT = 40  # codes


class DrawsFromPosterior(VAE):
    """Decodes for "new" pictures the z that lies at hand when a step is done: that of the batch it trained on."""

    last_z: Tensor  # (n, D)

    def __init__(self, net: str, latent_dim: int, *settings: Any) -> None:
        super().__init__(net, latent_dim, *settings)
        self.register_buffer("last_z", torch.zeros(KEPT, latent_dim), persistent=False)

    def forward(self, x: Tensor, eps: Tensor) -> Pass:
        out = super().forward(x, eps)
        if self.training and out.z is not None:
            self.last_z = out.z[:KEPT].detach()
        return out

    def generate(self, z: Tensor) -> Tensor:
        return self.mean_image(self.decode(self.last_z))
