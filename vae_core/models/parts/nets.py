"""The networks of encoder and decoder, by name, for images of 28 x 28 grey pixels."""

import itertools
from collections.abc import Callable, Sequence

from torch import nn

ACTIVATIONS = {"relu": nn.ReLU, "elu": nn.ELU, "tanh": nn.Tanh}


def mlp_encoder(
    out_features: int, widths: Sequence[int] = (400, 200), activation: str = "relu", beside: int = 0
) -> nn.Module:
    """784-400-200-out, with ReLU between, or with other hidden layers; `beside` the pixels so many inputs more."""
    return nn.Sequential(nn.Flatten(), *dense([784 + beside, *widths, out_features], activation))


def mlp_decoder(
    latent_dim: int, channels: int = 1, widths: Sequence[int] = (400, 200), activation: str = "relu"
) -> nn.Module:
    """D-200-400-784: the hidden layers of the encoder, the other way round; 784 outputs a channel."""
    layers = dense([latent_dim, *widths[::-1], channels * 784], activation)
    return nn.Sequential(*layers, nn.Unflatten(-1, (channels, 28, 28)))


def point_encoder(out_features: int, widths: Sequence[int], activation: str, beside: int = 0) -> nn.Module:
    """The mlp for points of the plane: 2-...-out."""
    return nn.Sequential(*dense([2 + beside, *widths, out_features], activation))


def point_decoder(latent_dim: int, channels: int, widths: Sequence[int], activation: str) -> nn.Module:
    """D-...-2: the mean of a point; the channel is one."""
    return nn.Sequential(*dense([latent_dim, *widths[::-1], 2 * channels], activation))


def dense(widths: Sequence[int], activation: str) -> list[nn.Module]:
    """Linear layers from each width to the next, the activation between them and not after the last."""
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(widths):
        layers += [nn.Linear(inputs, outputs), ACTIVATIONS[activation]()]
    return layers[:-1]


def conv_encoder(out_features: int, beside: int = 0) -> nn.Module:
    """Three strided convolutions, 28 -> 13 -> 5 -> 1 pixels (a DCGAN discriminator with two outputs).

    Args:
        beside: so many planes of inputs beside the image.
    """
    return nn.Sequential(
        nn.Conv2d(1 + beside, 16, kernel_size=4, stride=2),  # (B, 16, 13, 13)
        nn.BatchNorm2d(16),
        nn.LeakyReLU(0.2),
        nn.Conv2d(16, 32, kernel_size=4, stride=2),  # (B, 32, 5, 5)
        nn.BatchNorm2d(32),
        nn.LeakyReLU(0.2),
        nn.Conv2d(32, out_features, kernel_size=4, stride=2),  # (B, out, 1, 1)
        nn.Flatten(),
    )


def conv_decoder(latent_dim: int, channels: int = 1) -> nn.Module:
    """Four transposed convolutions, 1 -> 3 -> 6 -> 13 -> 28 pixels (a DCGAN generator without its sigmoid)."""
    return nn.Sequential(
        nn.Unflatten(-1, (latent_dim, 1, 1)),
        nn.ConvTranspose2d(latent_dim, 256, kernel_size=3, stride=2),  # (B, 256, 3, 3)
        nn.BatchNorm2d(256),
        nn.ReLU(),
        nn.ConvTranspose2d(256, 128, kernel_size=4, stride=1),  # (B, 128, 6, 6)
        nn.BatchNorm2d(128),
        nn.ReLU(),
        nn.ConvTranspose2d(128, 64, kernel_size=3, stride=2),  # (B, 64, 13, 13)
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.ConvTranspose2d(64, channels, kernel_size=4, stride=2),  # (B, channels, 28, 28)
    )


NETS: dict[str, tuple[Callable[..., nn.Module], Callable[..., nn.Module]]] = {
    "mlp": (mlp_encoder, mlp_decoder),
    "conv": (conv_encoder, conv_decoder),
}
POINT_NETS: tuple[Callable[..., nn.Module], Callable[..., nn.Module]] = (point_encoder, point_decoder)
