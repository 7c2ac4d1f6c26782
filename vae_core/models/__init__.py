"""Model families, one self-contained file each, and the one place that knows them by name."""

from __future__ import annotations

import torch

from vae_core import rng
from vae_core.config import RunConfig
from vae_core.models.ae import AE
from vae_core.models.bugs import DrawsFromPosterior, LogVarAsLogStd, MeanForSample
from vae_core.models.vae import VAE

FAMILIES: dict[str, type[VAE]] = {
    "vae": VAE,
    "ae": AE,
    "bug-log-var": LogVarAsLogStd,
    "bug-mean": MeanForSample,
    "bug-draws": DrawsFromPosterior,
}


def build(config: RunConfig) -> VAE:
    """A freshly initialised model on the CPU: the same config and seed give the same weights everywhere.

    Args:
        config: its model, net, latent_dim, likelihood, sigma and seed are used.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.stream_seed(config.seed, "init"))
        return FAMILIES[config.model](config.net, config.latent_dim, config.likelihood, config.sigma)
