"""An encoder, a decoder, and what the decoder's output says about pixels: the half that autoencoders share."""

import math
from collections.abc import Mapping
from typing import ClassVar, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vae_core import losses
from vae_core.config import SIGMA_FLOOR, ConfigError, RunConfig, layer_widths
from vae_core.models.base import POINT, SHAPE, Family, Pass
from vae_core.models.parts.nets import NETS, POINT_NETS


class Coder(Family):
    """Two networks and the likelihood p(x given z). The encoder has 2 D outputs, of which a family may use half.

    Attributes:
        BESIDE: how many inputs both halves have besides x or z.
    """

    BESIDE: ClassVar[int] = 0

    def __init__(
        self,
        net: str,
        latent_dim: int,
        likelihood: str = "bernoulli",
        sigma: float = 0.1,
        widths: str = "400-200",
        activation: str = "relu",
        shape: tuple[int, ...] = SHAPE,
    ) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.likelihood = likelihood
        self.shape = shape
        make_encoder, make_decoder = NETS[net] if shape == SHAPE else POINT_NETS
        layers = (layer_widths(widths), activation) if net == "mlp" else ()  # conv has layers of its own
        self.encoder = make_encoder(2 * latent_dim, *layers, beside=self.BESIDE)
        self.decoder = make_decoder(latent_dim + self.BESIDE, 2 if likelihood == "gaussian-per-pixel" else 1, *layers)
        if likelihood == "gaussian-per-pixel":
            _begin_sigma(self.decoder, sigma)
        elif likelihood == "gaussian-learned":
            self.raw_sigma = nn.Parameter(torch.tensor(_raw(sigma)))
        else:
            self.fixed_sigma: Tensor
            self.register_buffer("fixed_sigma", torch.tensor(sigma), persistent=False)

    @classmethod
    def from_config(cls, config: RunConfig, shape: tuple[int, ...] = SHAPE) -> Self:
        if shape not in (SHAPE, POINT):
            raise ConfigError(f"The networks take images of the shape {SHAPE}, and these have {shape}: choose others.")
        if shape == POINT and (config.net != "mlp" or config.likelihood not in ("gaussian", "gaussian-learned")):
            raise ConfigError("Points are no pixels: take net mlp, and the likelihood gaussian or gaussian-learned.")
        layers = (config.widths, config.activation)
        return cls(config.net, config.latent_dim, config.likelihood, config.sigma, *layers, shape)

    @classmethod
    def scales(cls, config: RunConfig) -> tuple[str, ...]:
        """The sigma of a Gaussian likelihood, and the error beside which it stands: sigma² = mean squared error."""
        return () if config.likelihood == "bernoulli" else ("sigma", "rmse")

    @property
    def sigma(self) -> Tensor:
        """() the one sigma of all pixels; one that learns stays above its floor of 0.01.

        Raises:
            ValueError: each pixel has its own.
        """
        if self.likelihood == "gaussian-per-pixel":
            raise ValueError("each pixel has a sigma of its own: ask sigma_of(logits).")
        if self.likelihood == "gaussian-learned":
            return SIGMA_FLOOR + F.softplus(self.raw_sigma)
        return self.fixed_sigma

    def sigma_of(self, logits: Tensor) -> Tensor:
        """Standard deviations of the Gaussian likelihood, in units of x: () for all pixels, or (B, 1, 28, 28)."""
        if self.likelihood == "gaussian-per-pixel":
            return SIGMA_FLOOR + F.softplus(logits[:, 1:])
        return self.sigma.to(logits)

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

    def minimised(self, out: Pass, free_bits: float = 0.0) -> dict[str, Tensor]:
        """The terms as the loss has them: with free bits the KL no further down than these."""
        if not free_bits:
            return out.terms
        assert out.mu is not None and out.log_var is not None  # models.check saw to it
        return out.terms | {"kl": losses.free_bits_kl(out.mu, out.log_var, free_bits)}

    def decode(self, z: Tensor) -> Tensor:
        """z (B, D) to logits (B, 1, 28, 28); with a sigma per pixel (B, 2, 28, 28), the second channel for sigma."""
        return self.decoder(z)

    def mean_image(self, logits: Tensor) -> Tensor:
        """x_hat, the mean of every pixel, in [0, 1]: the sigmoid of the first channel; of a point the output itself."""
        return logits if self.shape == POINT else logits[:, :1].sigmoid()

    def sigma_image(self, logits: Tensor) -> Tensor | None:
        """(B, 1, 28, 28) the sigma of every pixel, where each has its own."""
        return self.sigma_of(logits) if self.likelihood == "gaussian-per-pixel" else None

    def nll(self, logits: Tensor, x: Tensor) -> Tensor:
        """−log p(x given z), (B,) nats per image."""
        if self.likelihood == "bernoulli":
            return losses.bernoulli_nll(logits, x)
        return losses.gaussian_nll(self.mean_image(logits), x, self.sigma_of(logits))

    def squares(self, logits: Tensor, x: Tensor) -> dict[str, Tensor]:
        """Of a Gaussian likelihood sigma² and the squared error, (B,) means over the pixels, in squared units of x."""
        if self.likelihood == "bernoulli":
            return {}
        variance = self.sigma_of(logits).square().expand_as(x)  # (B, 1, 28, 28)
        error = (self.mean_image(logits) - x).square()  # (B, 1, 28, 28)
        return {"sigma": variance.flatten(1).mean(-1), "rmse": error.flatten(1).mean(-1)}

    def outcomes(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """What the pixels may be at z: 0 or 1 of a Bernoulli; of a Gaussian a line of values through its mean.

        Args:
            logits: (1, C, 28, 28) decoder output.
        Returns:
            (V, 1, 28, 28) values, and how much of the axis each stands for, in units of x: () or (1, 28, 28).
        """
        if self.likelihood == "bernoulli":
            return torch.stack([torch.zeros_like(logits[0]), torch.ones_like(logits[0])]), logits.new_tensor(1.0)
        sigma = self.sigma_of(logits)
        steps = torch.arange(-16, 17).to(logits).view(-1, 1, 1, 1) / 2  # in sigma: what lies beyond is e^-35
        return self.mean_image(logits) + sigma * steps, sigma[0] / 2 if sigma.dim() else sigma / 2


def _begin_sigma(decoder: nn.Module, sigma: float) -> None:
    """Let the second channel of a new decoder be near one value in every pixel, whatever z."""
    *_, last = (layer for layer in decoder.modules() if isinstance(layer, (nn.Linear, nn.ConvTranspose2d)))
    assert last.bias is not None
    biases = last.bias.detach().view(2, -1)  # (2, pixels), or (2, 1) of a convolution
    biases[1] = _raw(sigma)


def _raw(sigma: float) -> float:
    """What softplus and the floor turn into this sigma again."""
    return math.log(math.expm1(max(sigma - SIGMA_FLOOR, 1e-4)))
