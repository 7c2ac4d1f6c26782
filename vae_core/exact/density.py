"""log p(x given z) and log p(x, z) of one image at many z, the net in its own precision, sums in float64."""

from typing import Any

import torch
from torch import Tensor, nn

from vae_core import losses

CHUNK = 1024  # codes decoded at once: larger ones gain nothing on a CPU


def log_likelihood(model: Any, x: Tensor, z: Tensor) -> Tensor:
    """log p(x given z) of one image at many codes; differentiable in z.

    Args:
        model: an evaluate.LatentModel; a torch module must be in evaluation mode.
        x: (1, ...) the image; the net computes in its dtype and on its device.
        z: (N, D) codes, any dtype.
    Returns:
        (N,) float64, nats per image.
    Raises:
        ValueError: more than one image, or a model in training mode.
    """
    if len(x) != 1:
        raise ValueError(f"one image at a time, not {len(x)}: x needs the shape (1, ...).")
    if isinstance(model, nn.Module) and model.training:
        raise ValueError("the model is in training mode: call model.eval() first.")
    parts = [-model.nll(model.decode(part), x.expand(len(part), *x.shape[1:])) for part in z.to(x).split(CHUNK)]
    return torch.cat(parts).double()


def log_joint(model: Any, x: Tensor, z: Tensor) -> Tensor:
    """log p(x, z) = log p(x given z) + log p(z); arguments, returns and errors as log_likelihood."""
    return log_likelihood(model, x, z) + losses.standard_normal_log_prob(z.double())
