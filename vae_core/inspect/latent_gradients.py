"""Ten images close up: where their posteriors lie, and what the reconstruction term does to them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vae_core.evaluate import evaluating

SAMPLES = 32  # of z an image, over which a pull is averaged


@dataclass(frozen=True)
class LatentGradients:
    """Of n images; D latent dimensions. Pulls are minus the gradient of the mean nll over SAMPLES samples of z.

    The KL's own pulls need no computing: −∂kl/∂mu = −mu, −∂kl/∂log_var = (1 − std²) / 2.

    Attributes:
        mu: (n, D). log_var: (n, D), or (0, D) for a model without a posterior.
        pull_mu: (n, D) −∂nll/∂mu, nats per unit of z.
        pull_log_var: (n, D) −∂nll/∂log_var, nats per unit of log variance; (0, D) where z does not depend on it.
    """

    mu: np.ndarray
    log_var: np.ndarray
    pull_mu: np.ndarray
    pull_log_var: np.ndarray


def latent_gradients(model: Any, x: Tensor, eps: Tensor) -> LatentGradients:
    """Look at images closely; the model is left as it was.

    Args:
        model: of a family with codes.
        x: (n, 1, 28, 28). eps: (K, n, D) draws from N(0, I).
    """
    with evaluating(model), torch.enable_grad():
        parameters = tuple(t.detach().requires_grad_() for t in model.encode(x))  # (n, D) each
        z = model.sample(*parameters, eps)  # (K, n, D)
        nll = model.nll(model.decode(z.flatten(0, 1)), x.repeat(len(eps), 1, 1, 1))  # (K * n,)
        pulls = torch.autograd.grad(-nll.sum() / len(eps), parameters, allow_unused=True)
    nothing = parameters[0][:0]
    mu, log_var = (*parameters, nothing)[:2]
    of_mu, of_log_var = (*pulls, None)[:2]
    return LatentGradients(*map(_array, (mu, log_var, of_mu, nothing if of_log_var is None else of_log_var)))


def _array(values: Tensor) -> np.ndarray:
    return values.detach().float().cpu().numpy()
