"""The lab notebook's own training loop, in our words, as the reference that `train_speed` is measured against.

Its settings: MNIST as PIL images behind a DataLoader with ToTensor, shuffled, batch 1024; a DCGAN-like encoder and
decoder (hidden sizes 16 and 64, z of 32) of torch's own layers; one draw of z through Normal.rsample; sigmoid, then
BCELoss summed, plus the KL of torch.distributions; Adam at 0.002.
"""

from collections.abc import Iterator

import torch
from PIL import Image
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence
from torch.utils.data import DataLoader, Dataset

from vae_core.vision import transforms

LEARNING_RATE = 0.002
SLOPE = 0.2  # of LeakyReLU in the encoder


class Pictures(Dataset):
    """uint8 (N, 1, 28, 28) as torchvision's MNIST gives it: a PIL image, then ToTensor, one image at a time."""

    def __init__(self, x: Tensor, y: Tensor) -> None:
        self.x, self.y, self.change = x[:, 0].numpy(), y, transforms.Compose([transforms.ToTensor()])

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.change(Image.fromarray(self.x[index], mode="L")), int(self.y[index])


def encoder(latent_dim: int) -> nn.Sequential:
    """Three convolutions to 2 D numbers."""
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 4, 2), nn.BatchNorm2d(16), nn.LeakyReLU(SLOPE, inplace=True)),
        *(nn.Conv2d(16, 32, 4, 2), nn.BatchNorm2d(32), nn.LeakyReLU(SLOPE, inplace=True)),
        *(nn.Conv2d(32, 2 * latent_dim, 4, 2), nn.Flatten()),
    )


def decoder(latent_dim: int) -> nn.Sequential:
    """Four transposed convolutions to pixels in [0, 1]."""
    return nn.Sequential(
        nn.Unflatten(-1, (latent_dim, 1, 1)),
        *(nn.ConvTranspose2d(latent_dim, 256, 3, 2), nn.BatchNorm2d(256), nn.ReLU(inplace=True)),
        *(nn.ConvTranspose2d(256, 128, 4, 1), nn.BatchNorm2d(128), nn.ReLU(inplace=True)),
        *(nn.ConvTranspose2d(128, 64, 3, 2), nn.BatchNorm2d(64), nn.ReLU(inplace=True)),
        *(nn.ConvTranspose2d(64, 1, 4, 2), nn.Sigmoid()),
    )


def steps(x: Tensor, y: Tensor, latent_dim: int, batch_size: int, device: torch.device) -> Iterator[float]:
    """One update after another, epoch by epoch: yields the loss, the sum over the batch in nats, as a number.

    Args:
        x: (N, 1, 28, 28) uint8. y: (N,) labels.
    """
    halves = nn.ModuleList([encoder(latent_dim), decoder(latent_dim)]).to(device)
    optimizer = torch.optim.Adam(halves.parameters(), lr=LEARNING_RATE)
    measure = nn.BCELoss(reduction="sum")
    loader = DataLoader(Pictures(x, y), batch_size, shuffle=True)
    while True:
        for images, _ in loader:
            images = images.to(device)
            optimizer.zero_grad()
            mean, log_variance = halves[0](images).chunk(2, dim=-1)
            q = Normal(mean, log_variance.exp())  # the notebook takes the exponential as the standard deviation
            kl = kl_divergence(q, Normal(torch.zeros_like(q.mean), torch.ones_like(q.stddev))).sum()
            loss = measure(halves[1](q.rsample()), images) + kl
            loss.backward()
            optimizer.step()
            yield float(loss.detach())
