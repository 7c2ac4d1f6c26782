"""log p(x) by drawing: from the prior, which hardly ever hits, and from q, which knows where to look.

    prior    p(x) = E_p(z)[p(x given z)]                           weight w = p(x given z)
    q        p(x) = E_q[p(x given z) p(z) / q(z given x)]          weight w = p(x, z) / q(z given x)

One weight a draw; log of their mean estimates log p(x), from below on average (Burda et al. 2016, theorem 1).
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vae_core import losses
from vae_core.exact.density import log_likelihood
from vae_core.exact.estimate import MONTE_CARLO, Estimate
from vae_core.exact.lattice import REACH
from vae_core.exact.quadrature import Evidence

LARGEST_SCATTER = 0.25  # relative standard error, of about 16 draws that hit
NOTHING_SEEN = 700.0  # nats: exp(-700) is about the least a float holds


@dataclass(frozen=True)
class Draws:
    """S draws of z for one image; logs in nats, float64."""

    z: Tensor  # (S, D)
    log_lik: Tensor  # (S,) log p(x given z)
    log_prior: Tensor  # (S,) log p(z)
    log_q: Tensor  # (S,) log density of the distribution drawn from

    @property
    def log_joint(self) -> Tensor:
        """(S,) log p(x, z)."""
        return self.log_lik + self.log_prior

    @property
    def log_weight(self) -> Tensor:
        """(S,) log p(x, z) − log q(z); the mean of the weights estimates p(x)."""
        return self.log_joint - self.log_q


def from_prior(model: Any, x: Tensor, samples: int, generator: torch.Generator) -> Draws:
    """Draws from p(z) = N(0, I); their weights are the likelihoods.

    Args:
        model: an evaluate.LatentModel, in evaluation mode.
        x: (1, ...) one image.
        samples: S >= 1.
        generator: on the device of x.
    """
    zero = torch.zeros(1, model.latent_dim, dtype=x.dtype, device=x.device)
    return from_q(model, x, zero, zero, samples, generator)


@torch.no_grad()
def from_q(model: Any, x: Tensor, mu: Tensor, log_var: Tensor, samples: int, generator: torch.Generator) -> Draws:
    """Draws from q = N(mu, diag exp(log_var)); mu and log_var (1, D), the rest as from_prior."""
    eps = torch.randn(samples, mu.shape[-1], generator=generator, dtype=mu.dtype, device=mu.device)
    z = mu + (0.5 * log_var).exp() * eps  # (S, D)
    log_prior = losses.standard_normal_log_prob(z.double())
    log_q = losses.gaussian_log_prob(z.double(), mu.double(), log_var.double())
    return Draws(z, log_likelihood(model, x, z), log_prior, log_q)


def running_log_mean(log_weight: Tensor) -> Tensor:
    """log of the mean of the first k weights, k = 1 … S: (S,) to (S,) nats; how the estimate settles."""
    count = torch.arange(1, len(log_weight) + 1, device=log_weight.device).double()
    return log_weight.double().logcumsumexp(0) - count.log()


def effective_size(log_weight: Tensor) -> float:
    """How many equal draws the weighted ones are worth: (Σ w)² / Σ w² (Kong 1992), from 1 to S."""
    log_weight = log_weight.double()
    return (2 * log_weight.logsumexp(0) - (2 * log_weight).logsumexp(0)).exp().item()


def log_mean(log_weight: Tensor, unseen: float = 0.0) -> Estimate:
    """log of the mean weight with its error, nats.

    The standard error is that of the mean, relative to the mean (delta method): sqrt(1 / ESS − 1 / S); to it
    comes half its square, the downward bias of the log. Draws that all miss the posterior know nothing of it
    and give far too small an error: `reach_error` knows, where the posterior is known.

    Args:
        log_weight: (S,) of draws.
        unseen: nats, a lower limit of the error from another source.
    """
    error = math.sqrt(max(0.0, 1 / effective_size(log_weight) - 1 / len(log_weight)))
    return Estimate(running_log_mean(log_weight)[-1].item(), max(error + 0.5 * error**2, unseen), MONTE_CARLO)


def reach_error(evidence: Evidence, mu: Tensor, log_var: Tensor, samples: int) -> float:
    """How far log of the mean of S weights may lie from log p(x), nats, from the posterior itself.

    Where q is thin, weights are huge and rare. Without the part of the posterior where the weight exceeds some
    limit, the mean of S weights has the relative standard error

        sqrt((1 / P² ∫ p(z | x)² / q(z) dz − 1) / S),   P = ∫ p(z | x) dz,   both over the part that is left

    and lies −log P below. The limit is the one for which both together are least; the first is kept below
    LARGEST_SCATTER, since the log of a mean of fewer hits is skewed.

    Args:
        evidence: of the image.
        mu, log_var: (1, 2) of q.
        samples: S >= 1.
    Returns:
        nats; 700 where S draws say nothing at all.
    """
    z2, z1 = torch.meshgrid(evidence.z2, evidence.z1, indexing="ij")
    near = evidence.log_joint > evidence.log_joint.max() - REACH
    z = torch.stack([z1, z2], dim=-1)[near]  # (N, 2)
    log_cell = evidence.log_joint[near].log_softmax(0)  # mass of the cells
    log_q = losses.gaussian_log_prob(z, mu.double(), log_var.double()) + 2 * math.log(evidence.step)
    log_weight, order = (log_cell - log_q).sort()
    log_part = log_cell[order].logcumsumexp(0).clamp(max=0.0)
    log_square = (log_cell[order] + log_weight).logcumsumexp(0)
    relative = ((log_square - 2 * log_part).expm1().clamp(min=0.0) / samples).sqrt()
    total = torch.where(relative <= LARGEST_SCATTER, relative - log_part, NOTHING_SEEN)
    return min(total.min().item(), NOTHING_SEEN)
