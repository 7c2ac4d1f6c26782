"""What the number of samples does to a bound of importance weights, with one and the same weights of the model.

L_1 <= L_5 <= L_50 <= log p(x)     but of the encoder's gradient ever less is signal (see gradient_snr)
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vae_core import models
from vae_core.config import RunConfig
from vae_core.data import prepare
from vae_core.evaluate import mean_iw_bound
from vae_core.metrics.gradient_snr import gradient_snr
from vae_core.models.base import Family

SAMPLES = (1, 5, 50)


@dataclass(frozen=True)
class OfSamples:
    """Under the bound of K samples.

    Attributes:
        samples: K. neg_bound: −L_K, nats per image. encoder, decoder: SNR of the gradient of each half.
    """

    samples: int
    neg_bound: float
    encoder: float
    decoder: float


def compare_samples(model: Family, config: RunConfig, pixels: Tensor, seed: int, draws: int = 20) -> list[OfSamples]:
    """The same weights under bounds of 1, 5 and 50 samples; the model is left as it was.

    Args:
        model: trained with this config; a family that reads its setting "samples". pixels: (N, 1, 28, 28) uint8, on
            whose first 20 the gradients are taken.
        seed: of all noise.
    """
    x = prepare(pixels[:draws], config.protocol, torch.Generator().manual_seed(seed))
    found = []
    for samples in SAMPLES:
        other = models.build(config.with_(samples=samples))
        other.load_state_dict(model.state_dict())
        snr = {
            half: gradient_snr(other, x, draws, torch.Generator().manual_seed(seed), half)
            for half in ("encoder", "decoder")
        }
        found.append(OfSamples(samples, -mean_iw_bound(other, pixels, config.protocol, seed, samples), **snr))
    return found
