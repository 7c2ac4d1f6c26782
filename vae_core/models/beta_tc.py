"""beta-TC-VAE: the KL in three parts, one of which is weighted (Chen et al. 2018, "Isolating sources of …").

    KL(q(z|x) ‖ p(z)) = I(n; z)                    index-code information: what z says of which image it is
                      + KL(q(z) ‖ Π_j q(z_j))      total correlation: what the dimensions say of each other
                      + Σ_j KL(q(z_j) ‖ p(z_j))    dimension-wise KL: how far each is from the prior

on average over the images of a batch, whose mean posterior is q(z) here. The paper lets a batch stand for all N images
(equation S5), which moves the parts by constants, ln N − ln B, and leaves every gradient as it is.
"""

import math
from typing import ClassVar, Self

from torch import Tensor

from vae_core import losses
from vae_core.config import ConfigError, RunConfig
from vae_core.models.about import About
from vae_core.models.base import SHAPE, Pass
from vae_core.models.vae import VAE

MOST_DENSITIES = 60_000_000  # of a batch with itself, one for each dimension: 0.24 GB


class BetaTC(VAE):
    """The VAE whose total correlation costs more than the rest of its KL."""

    TERMS: ClassVar = {"nll": 1.0, "index_code": 1.0, "total_correlation": 6.0, "dimension_kl": 1.0}
    title = "beta-TC-VAE"
    about = About(
        loss=r"\mathbb{E}_q[-\log p(x \mid z)] + I + \beta\,\mathrm{TC} + \textstyle\sum_j \mathrm{KL}_j",
        use="Latents that each move one thing in the picture, where the data are made of independent things.",
        limits="Which latent moves what is chance, and whether it comes out depends on the seed. How well it did "
        "depends on who measures.",
        paper="Chen et al. 2018",
        address="https://arxiv.org/abs/1802.04942",
    )

    @classmethod
    def from_config(cls, config: RunConfig, shape: tuple[int, ...] = SHAPE) -> Self:
        """A new model.

        Raises:
            ConfigError: as the VAE; or a batch that is too large to be compared with itself.
        """
        if config.batch_size**2 * config.latent_dim > MOST_DENSITIES:
            most = int(math.sqrt(MOST_DENSITIES / config.latent_dim))
            raise ConfigError(
                f"beta-tc compares each image of a batch with every other: give a batch size of at most {most:,}."
            )
        return super().from_config(config, shape)

    def forward(self, x: Tensor, eps: Tensor) -> Pass:
        """One pass: the reconstruction and the three parts of the KL, one sample of z an image.

        Their sum is −ELBO, the KL in it that of the sample, log q(z|x) − log p(z).

        Args:
            x: (B, 1, 28, 28) images in [0, 1]. eps: (B, D) draws from N(0, I).
        """
        mu, log_var = self.encode(x)
        z = self.sample(mu, log_var, eps)
        logits = self.decode(z)
        parts = kl_parts(z, mu, log_var)
        return Pass({"nll": self.nll(logits, x), **parts}, logits, z, mu, log_var)


def kl_parts(z: Tensor, mu: Tensor, log_var: Tensor, others: tuple[Tensor, Tensor] | None = None) -> dict[str, Tensor]:
    """The three parts at a sample of z of each image; their sum is log q(z|x) − log p(z).

        index_code = log q(z|x) − log q(z)    total_correlation = log q(z) − Σ_j log q(z_j)
        dimension_kl = Σ_j log q(z_j) − log p(z),    q(z) = 1/N Σ_n q(z|x_n)

    Args:
        z, mu, log_var: (B, D). others: mu and log_var, (N, D) each, of the images whose mean posterior is q(z); where
            none are given, those of the batch.
    Returns:
        (B,) nats each; a single one may be negative, their means over many images are not.
    """
    mus, log_vars = (mu, log_var) if others is None else others
    count = math.log(len(mus))
    each = losses.gaussian_log_prob(z[:, None, :, None], mus[:, :, None], log_vars[:, :, None])  # (B, N, D)
    log_q = each.sum(-1).logsumexp(1) - count  # (B,) log q(z)
    log_q_dims = (each.logsumexp(1) - count).sum(-1)  # (B,) Σ_j log q(z_j)
    return {
        "index_code": losses.gaussian_log_prob(z, mu, log_var) - log_q,
        "total_correlation": log_q - log_q_dims,
        "dimension_kl": log_q_dims - losses.standard_normal_log_prob(z),
    }
