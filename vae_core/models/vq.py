"""The VQ-VAE with one level of codes (van den Oord, Vinyals and Kavukcuoglu 2017).

encode      x (B, 1, 28, 28)   ->  z_e (B, C, 7, 7)      a vector at each of 49 places
quantise    codes (B, 7, 7)    =   the nearest of K vectors of the codebook;  z_q (B, C, 7, 7): those vectors
decode      z_q (B, C, 7, 7)   ->  logits (B, 1, 28, 28)

    loss = nll + Σ ‖sg[z_e] − e‖² + 0.25 Σ ‖z_e − sg[e]‖²      (eq. 3; sg: no gradient; Σ over the 49 places)

nll is in nats. Both distances are in squared units of the codebook: numbers that the training weighs, no information.
They are the same number, "codebook" and "commitment", and differ in what they move: the vectors, or the encoder.

Each image has one code map and nothing is drawn, so there is no KL, and no ELBO until a prior over code maps is learned
(parts/code_prior.py).

Without a restart most vectors are never the nearest, and never learn. After 300 steps of the shipped run (seed 0, 2,000
test images) 16 of 64 are in use without one, with a perplexity of 5 and a reconstruction of 86 nats; with one, as here
(`VQ.restart`), all are, with 20 and 75 nats.
"""

from collections.abc import Mapping
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from vae_core import losses
from vae_core.config import ConfigError, RunConfig
from vae_core.models.about import About
from vae_core.models.base import SHAPE, Family, Has, Pass

SIDE = 7  # of the code map
PATIENCE = 50  # batches


class VQ(Family):
    """Encoder, codebook and decoder."""

    TERMS: ClassVar = {"nll": 1.0, "codebook": 1.0, "commitment": 0.25}
    UNITS: ClassVar = {"codebook": "squared distance", "commitment": "squared distance"}
    FIXED: ClassVar = {"net": "conv", "likelihood": "bernoulli"}
    SETTINGS: ClassVar = ("codebook_size",)
    title = "VQ-VAE"
    has = Has(code_map=(SIDE, SIDE))
    about = About(
        loss=r"\begin{gathered}-\log p(x \mid z_q) + \|\mathrm{sg}[z_e] - e\|^2 \\"
        r"{} + \tfrac{1}{4} \|z_e - \mathrm{sg}[e]\|^2\end{gathered}",
        use="Sharp copies from few numbers, and a code that another model can write.",
        limits="Nothing new without a learned prior over code maps. Its codes are no coordinates. No ELBO.",
        paper="van den Oord, Vinyals and Kavukcuoglu 2017",
        address="https://arxiv.org/abs/1711.00937",
        point="straight_through",
    )

    def __init__(self, latent_dim: int, codebook_size: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim  # C
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=4, stride=2, padding=1),  # (B, 16, 14, 14)
            nn.ReLU(),
            nn.Conv2d(16, 32, kernel_size=4, stride=2, padding=1),  # (B, 32, 7, 7)
            nn.ReLU(),
            nn.Conv2d(32, latent_dim, kernel_size=1),  # (B, C, 7, 7)
        )
        self.codebook = nn.Parameter(0.05 * torch.randn(codebook_size, latent_dim))  # (K, C), as small as a new z_e
        self.unused: Tensor  # (K,) int64: batches since a place chose this vector
        self.register_buffer("unused", torch.zeros(codebook_size, dtype=torch.int64))
        self.decoder = nn.Sequential(
            nn.Conv2d(latent_dim, 32, kernel_size=3, padding=1),  # (B, 32, 7, 7)
            nn.ReLU(),
            nn.ConvTranspose2d(32, 16, kernel_size=4, stride=2, padding=1),  # (B, 16, 14, 14)
            nn.ReLU(),
            nn.ConvTranspose2d(16, 1, kernel_size=4, stride=2, padding=1),  # (B, 1, 28, 28)
        )

    @classmethod
    def from_config(cls, config: RunConfig, shape: tuple[int, ...] = SHAPE) -> Self:
        if shape != SHAPE:
            raise ConfigError(f"The networks take images of the shape {SHAPE}, and these have {shape}: choose others.")
        return cls(config.latent_dim, config.codebook_size)

    def set_trainable(self, weights: Mapping[str, float], frozen: str = "none") -> None:
        """As of every family; without its term the codebook keeps its vectors, and none is restarted."""
        super().set_trainable(weights, frozen)
        self.codebook.requires_grad_(weights.get("codebook", 1) > 0)

    def quantise(self, z_e: Tensor) -> Tensor:
        """codes (B, 7, 7) int64: which vector of the codebook is nearest at each place (eq. 1).

        ‖z_e − e‖² = ‖z_e‖² − 2 z_e · e + ‖e‖²,   of which the first is the same for all e
        """
        at = z_e.movedim(1, -1)  # (B, 7, 7, C)
        distances = self.codebook.square().sum(-1) - 2 * at @ self.codebook.T  # (B, 7, 7, K)
        return distances.argmin(-1)

    @torch.no_grad()
    def restart(self, z_e: Tensor, codes: Tensor) -> None:
        """Move the vectors that nothing has chosen for PATIENCE batches to places of this batch.

        A vector that is never the nearest gets no gradient, so without this it would stay unused for ever.

        Args:
            z_e: (B, C, 7, 7). codes: (B, 7, 7), of these.
        """
        self.unused += 1
        self.unused[codes.unique()] = 0
        dead = (self.unused >= PATIENCE).nonzero()[:, 0]  # (n,)
        at = z_e.movedim(1, -1).flatten(0, 2)  # (49 B, C)
        places = torch.arange(1, len(dead) + 1, device=at.device) * len(at) // (len(dead) + 1)  # of different images
        self.codebook[dead] = at[places]
        self.unused[dead] = 0

    def look_up(self, codes: Tensor) -> Tensor:
        """z_q (B, C, 7, 7): the vectors of these codes (B, 7, 7) (eq. 2)."""
        return self.codebook[codes].movedim(-1, 1)

    @staticmethod
    def straight_through(z_e: Tensor, z_q: Tensor) -> Tensor:
        """z_q, with the gradient of z_e: to choose the nearest has none (section 3.2).

        Forward the value is z_q. Backward the decoder's gradient at z_q is copied to z_e as it is, and the codebook
        gets none of it.
        """
        return z_e + (z_q - z_e).detach()

    def quantise_images(self, x: Tensor) -> Tensor:
        """Images (B, 1, 28, 28) to their codes (B, 7, 7), int64."""
        return self.quantise(self.encoder(x))

    def decode_map(self, codes: Tensor) -> Tensor:
        """codes (B, 7, 7) to logits (B, 1, 28, 28)."""
        return self.decoder(self.look_up(codes))

    def nll(self, logits: Tensor, x: Tensor) -> Tensor:
        """−log p(x given z_q), (B,) nats per image."""
        return losses.bernoulli_nll(logits, x)

    def forward(self, x: Tensor, eps: Tensor) -> Pass:
        """One pass: the reconstruction from the nearest codes, and what pulls both sides together.

        Args:
            x: (B, 1, 28, 28) images in [0, 1]. eps: not used, as nothing is drawn.
        """
        z_e = self.encoder(x)  # (B, C, 7, 7)
        codes = self.quantise(z_e)  # (B, 7, 7)
        if self.training and self.codebook.requires_grad:
            self.restart(z_e, codes)  # from the next batch on
        z_q = self.look_up(codes)  # (B, C, 7, 7)
        logits = self.decoder(self.straight_through(z_e, z_q))
        terms = {
            "nll": self.nll(logits, x),
            "codebook": _squared_distance(z_e.detach(), z_q),  # moves the codebook
            "commitment": _squared_distance(z_e, z_q.detach()),  # moves the encoder
        }
        return Pass(terms, logits, codes=codes)


def _squared_distance(a: Tensor, b: Tensor) -> Tensor:
    """Σ ‖a − b‖² over the places: (B, C, 7, 7) twice to (B,), in squared units of the codebook."""
    return (a - b).square().flatten(1).sum(-1)
