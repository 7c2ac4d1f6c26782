"""An encoder, a decoder, and what the decoder's output says about pixels: the half that autoencoders share."""

import math
from collections.abc import Mapping
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vae_core import losses
from vae_core.config import SIGMA_FLOOR, ConfigError, RunConfig, layer_widths
from vae_core.models.base import SHAPE, Family
from vae_core.models.parts.nets import NETS


class Coder(Family):
    """Two networks and the likelihood p(x given z). The encoder has 2 D outputs, of which a family may use half."""

    def __init__(
        self,
        net: str,
        latent_dim: int,
        likelihood: str = "bernoulli",
        sigma: float = 0.1,
        widths: str = "400-200",
        activation: str = "relu",
    ) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.likelihood = likelihood
        make_encoder, make_decoder = NETS[net]
        layers = (layer_widths(widths), activation) if net == "mlp" else ()  # conv has layers of its own
        self.encoder = make_encoder(2 * latent_dim, *layers)
        self.decoder = make_decoder(latent_dim, *layers)
        if likelihood == "gaussian-learned":
            self.raw_sigma = nn.Parameter(torch.tensor(_softplus_inverse(max(sigma - SIGMA_FLOOR, 1e-4))))
        else:
            self.fixed_sigma: Tensor
            self.register_buffer("fixed_sigma", torch.tensor(sigma), persistent=False)

    @classmethod
    def from_config(cls, config: RunConfig, shape: tuple[int, ...] = SHAPE) -> Self:
        if shape != SHAPE:
            raise ConfigError(f"The networks take images of the shape {SHAPE}, and these have {shape}: choose others.")
        layers = (config.widths, config.activation)
        return cls(config.net, config.latent_dim, config.likelihood, config.sigma, *layers)

    @property
    def sigma(self) -> Tensor:
        """() standard deviation of the Gaussian likelihood; a learned one stays above its floor of 0.01."""
        if self.likelihood == "gaussian-learned":
            return SIGMA_FLOOR + F.softplus(self.raw_sigma)
        return self.fixed_sigma

    def set_trainable(self, weights: Mapping[str, float], frozen: str = "none") -> None:
        """Say what learns in training: what does not keeps even the running statistics of its BatchNorm.

        Args:
            weights: of the terms; without "nll", the reconstruction, the decoder learns nothing at all.
            frozen: the half that keeps its weights, "encoder", "decoder" (with a learned sigma) or "none".
        """
        self.encoder.train(self.training and frozen != "encoder")
        self.decoder.train(self.training and frozen != "decoder" and weights.get("nll", 1) > 0)
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(frozen != ("encoder" if name.startswith("encoder.") else "decoder"))

    def decode(self, z: Tensor) -> Tensor:
        """z (B, D) to logits (B, 1, 28, 28)."""
        return self.decoder(z)

    def nll(self, logits: Tensor, x: Tensor) -> Tensor:
        """−log p(x given z), (B,) nats per image."""
        if self.likelihood == "bernoulli":
            return losses.bernoulli_nll(logits, x)
        return losses.gaussian_nll(self.mean_image(logits), x, self.sigma)

    def outcomes(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """What the pixels may be at z: 0 or 1 of a Bernoulli; of a Gaussian a line of values through its mean.

        Args:
            logits: (1, 1, 28, 28) decoder output.
        Returns:
            (V, 1, 28, 28) values, and () how much of the axis each stands for, in units of x.
        """
        if self.likelihood == "bernoulli":
            return torch.stack([torch.zeros_like(logits[0]), torch.ones_like(logits[0])]), logits.new_tensor(1.0)
        sigma = self.sigma.to(logits)
        steps = torch.arange(-16, 17).to(logits).view(-1, 1, 1, 1) / 2  # in sigma: what lies beyond is e^-35
        return self.mean_image(logits) + sigma * steps, sigma / 2


def _softplus_inverse(y: float) -> float:
    return math.log(math.expm1(y))
