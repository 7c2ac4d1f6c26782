"""A VAE as it is written everywhere, by somebody who knows nothing of this repository (after pytorch/examples/vae)."""

import io
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PlainVAE(nn.Module):
    def __init__(self, latents: int = 20, hidden: int = 400) -> None:
        super().__init__()
        self.fc1 = nn.Linear(784, hidden)
        self.fc21 = nn.Linear(hidden, latents)
        self.fc22 = nn.Linear(hidden, latents)
        self.fc3 = nn.Linear(latents, hidden)
        self.fc4 = nn.Linear(hidden, 784)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h1 = F.relu(self.fc1(x.view(-1, 784)))
        return self.fc21(h1), self.fc22(h1)

    def decode(self, z: Tensor) -> Tensor:
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))


def plain_vae(latents: int = 20, hidden: int = 400, seed: int = 0, pixels: Tensor | None = None) -> PlainVAE:
    """Fresh, or after 60 steps on uint8 pixels (N, 1, 28, 28): its codes are apart and its pictures differ then."""
    torch.manual_seed(seed)
    vae = PlainVAE(latents, hidden)
    if pixels is None:
        return vae
    for x in (pixels[torch.randperm(len(pixels))[:128]].float().flatten(1) / 255 for _ in range(60)):
        mu, logvar = vae.encode(x)
        x_hat = vae.decode(mu + torch.exp(0.5 * logvar) * torch.randn_like(mu))
        bce = F.binary_cross_entropy(x_hat, x, reduction="sum")
        kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        gradients = torch.autograd.grad((bce + kld) / len(x), list(vae.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(vae.parameters(), gradients, strict=True):
                parameter -= 3e-3 * gradient
    return vae


def saved(content: Any, **options: Any) -> bytes:
    """What torch.save writes."""
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()
