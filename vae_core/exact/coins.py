"""Equal in distribution is not equal: shown with a coin, where all is known, and with codes.

A fair coin X, its relabelling Y = 1 − X and another coin all have the same distribution. Yet Y never equals X and tells
all of it (ln 2 nats), and the other coin equals X half the time and tells nothing. So that q(z) equals p(z) says
nothing of whether z tells of x: what says it is the mutual information I(x; z).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vae_core import losses
from vae_core.exact.estimate import Estimate, sample_mean


@dataclass(frozen=True)
class Tie:
    """How two variables are related, each figure with its standard error.

    Attributes:
        apart: total variation distance of their distributions, sup |P(A) − P'(A)|: 0 where they are equal, at most 1.
        equal: share of the draws in which their values are equal; None where they live in different spaces.
        information: mutual information, nats: 0 where neither tells anything of the other.
    """

    apart: Estimate
    equal: Estimate | None
    information: Estimate


def toss(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Two fair coins, independent of each other, (count,) int64 each: 1 is heads."""
    generator = torch.Generator().manual_seed(seed)
    coins = torch.randint(2, (2, count), generator=generator)
    return coins[0], coins[1]


def compare_coins(x: Tensor, y: Tensor) -> Tie:
    """What draws of two coins say of them.

    The information is that of the joint frequencies less its bias, (values of the pair − of x − of y + 1) / 2n
    (Miller and Madow 1955), so it may pass either of its limits by as much. Twice n times what is subtracted scatters
    as χ² with one degree of freedom does; the error holds that, too, as near independence there is nothing else.

    Args:
        x, y: (n,) int64, 0 or 1, tossed in pairs; n >= 2.
    """
    moved = sample_mean((y - x).double())
    joint = torch.bincount(2 * x + y, minlength=4).view(2, 2).double() / len(x)  # (x, y)
    alone = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    told = sample_mean((joint / alone).log()[x, y])  # log p(x, y) / p(x) p(y) of each pair
    seen = [int((table > 0).sum()) for table in (joint, joint.sum(1), joint.sum(0))]
    bias = (seen[0] - seen[1] - seen[2] + 1) / (2 * len(x))
    return Tie(
        Estimate(abs(moved.value), moved.error, moved.how),
        sample_mean((x == y).double()),
        Estimate(told.value - bias, math.hypot(told.error, math.sqrt(2) / (2 * len(x))), told.how),
    )


def compare_codes(mu: Tensor, log_var: Tensor, count: int, seed: int) -> Tie:
    """How far the codes as a whole are from the prior, and what a code tells of its image.

        q(z) = 1/N Σ q(z|x_n);    apart = E over p(z) of max(0, 1 − q(z) / p(z));    I(n; z) = E log q(z|x_n) − log q(z)

    I is at most ln N. Both expectations are estimated from draws, with all densities exact.

    Args:
        mu, log_var: (N, D) of the posteriors of N images, each as probable as the others.
        count: draws of each expectation, at least 2.
    """
    mu, log_var = mu.double(), log_var.double()
    generator = torch.Generator().manual_seed(seed)
    image = torch.randint(len(mu), (count,), generator=generator)
    eps = torch.randn(2, count, mu.shape[1], dtype=torch.float64, generator=generator)
    z = mu[image] + (0.5 * log_var[image]).exp() * eps[0]  # (count, D), of q(z)
    told = losses.gaussian_log_prob(z, mu[image], log_var[image]) - log_density(z, mu, log_var)
    prior = eps[1]
    short = -(log_density(prior, mu, log_var) - losses.standard_normal_log_prob(prior)).clamp(max=0).expm1()
    return Tie(sample_mean(short), None, sample_mean(told))


def log_density(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    """log of the mean of N Gaussians at z (count, D), nats; mu and log_var (N, D). Returns (count,)."""
    return losses.gaussian_log_prob(z.unsqueeze(1), mu, log_var).logsumexp(1) - math.log(len(mu))
