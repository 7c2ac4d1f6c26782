"""What a label is worth to a conditional model: its bound given the right label, beside that given a wrong one."""

import torch
from torch import Tensor

from vae_core.evaluate import Evaluation, evaluate
from vae_core.models.base import CLASSES, Family


def cost_of_labels(
    model: Family, pixels: Tensor, labels: Tensor, protocol: str, seed: int
) -> tuple[Evaluation, Evaluation]:
    """The terms given the right label, and given a wrong one, told to both halves, with the same noise of z.

    Both sums are upper bounds, on −log p(x given y) and on −log p(x given the wrong y), nats per image.

    Args:
        model: one that has.labels. pixels: (N, 1, 28, 28) uint8. labels: (N,) int64, their own.
        protocol: see data.protocols. seed: of the noise, and of the wrong labels: each of the nine as likely.
    """
    generator = torch.Generator(labels.device).manual_seed(seed)
    further = torch.randint(1, CLASSES, labels.shape, generator=generator, device=labels.device)
    right, wrong = (
        evaluate(model, pixels, protocol, seed, labels=told) for told in (labels, (labels + further) % CLASSES)
    )
    return right, wrong
