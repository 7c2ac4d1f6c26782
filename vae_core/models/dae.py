"""The denoising autoencoder (Vincent et al. 2008, "Extracting and composing robust features").

The encoder sees an image with noise on it, and the loss asks for the image without it:

    x_tilde = clamp(x + level * eps, 0, 1),   eps ~ N(0, I) a pixel
    nll     = −log p(x given z),              z the code of x_tilde

A copy is no longer enough: what comes back must be what the noise left of the digit. No posterior, no prior.
"""

from typing import ClassVar, Self

import torch
from torch import Tensor

from vae_core.config import RunConfig
from vae_core.models.about import About
from vae_core.models.ae import AE
from vae_core.models.base import SHAPE, Pass
from vae_core.models.parts.coder import Coder


class DAE(AE):
    """Encoder and decoder of the plain autoencoder, trained to take noise away.

    Attributes:
        level: standard deviation of the noise, in units of x; 0 is the plain autoencoder.
    """

    title = "Denoising autoencoder"
    SETTINGS: ClassVar = ("corruption",)
    about = About(
        loss=r"-\log p(x \mid z), \quad z = \mathrm{encoder}(x + \mathrm{noise})",
        use="Taking noise away, and codes that do not depend on it.",
        limits="It knows the noise that it was trained with. No prior, so no new images; no bound on log p(x).",
        paper="Vincent et al. 2008",
        address="https://doi.org/10.1145/1390156.1390294",
    )
    level: float = 0.5

    @classmethod
    def from_config(cls, config: RunConfig, shape: tuple[int, ...] = SHAPE) -> Self:
        model = super().from_config(config, shape)
        model.level = config.corruption
        return model

    def noise_shape(self) -> tuple[int, ...]:
        """Noise on every pixel."""
        return SHAPE

    def corrupt(self, x: Tensor, eps: Tensor) -> Tensor:
        """x_tilde of images x and draws eps from N(0, I), (B, 1, 28, 28) each."""
        return (x + self.level * eps).clamp(0, 1)

    def forward(self, x: Tensor, eps: Tensor) -> Pass:
        """One pass: the clean images from their noisy ones.

        Args:
            x: (B, 1, 28, 28) images in [0, 1]. eps: (B, 1, 28, 28) draws from N(0, I).
        Returns:
            Its codes are those of the noisy images, which the decoder is given.
        """
        x_tilde = self.corrupt(x, eps)
        (mu,) = self.encode(x_tilde)
        logits = self.decode(mu)
        return Pass({"nll": self.nll(logits, x)}, logits, mu, mu, seen=x_tilde)


def nll_by_level(model: Coder, x: Tensor, levels: tuple[float, ...], generator: torch.Generator) -> list[float]:
    """−log p(x given z) of clean images from noisy ones, at other levels than that of training; nats per image.

    Args:
        model: with codes mu, such as a plain autoencoder beside it; in evaluation mode.
        x: (B, 1, 28, 28). generator: of the one draw of noise, which all levels share.
    """
    eps = torch.randn(x.shape, generator=generator, device=x.device)
    found = []
    with torch.no_grad():
        for level in levels:
            mu = model.encode((x + level * eps).clamp(0, 1))[0]
            found.append(model.nll(model.decode(mu), x).mean().item())
    return found
