"""Rows of a trainer, and its weights at a moment."""

import numpy as np
import torch

from vae_core.trainer import Trainer

STEP, NLL, KL, LOSS = range(4)


def steps(trainer: Trainer, count: int) -> np.ndarray:
    """Train and return the rows of these steps."""
    for _ in range(count):
        trainer.step()
    return trainer.flush()


def decoder_of(trainer: Trainer) -> list[torch.Tensor]:
    return [p.detach().clone() for p in trainer.model.decoder.parameters()]


def same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return all(torch.equal(p, q) for p, q in zip(a, b, strict=True))
