"""Model families, one self-contained file each, found by name when they are asked for."""

from __future__ import annotations

import importlib

import torch

from vae_core import rng
from vae_core.config import RunConfig
from vae_core.models.vae import VAE

FAMILIES = {  # module and class
    "vae": ("vae_core.models.vae", "VAE"),
    "ae": ("vae_core.models.ae", "AE"),
    "bug-log-var": ("vae_core.bugs.models", "LogVarAsLogStd"),
    "bug-mean": ("vae_core.bugs.models", "MeanForSample"),
    "bug-draws": ("vae_core.bugs.models", "DrawsFromPosterior"),
}


def family(name: str) -> type[VAE]:
    """The class of a family.

    Raises:
        KeyError: there is none of this name.
    """
    module, kind = FAMILIES[name]
    return getattr(importlib.import_module(module), kind)


def build(config: RunConfig) -> VAE:
    """A freshly initialised model on the CPU: the same config and seed give the same weights everywhere.

    Args:
        config: its model, net, latent_dim, likelihood, sigma and seed are used.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.stream_seed(config.seed, "init"))
        return family(config.model)(config.net, config.latent_dim, config.likelihood, config.sigma)
