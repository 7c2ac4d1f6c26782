"""E_q[f(z)] for a Gaussian q with one or two latents, on a lattice that is q's own.

The lattice lies in eps, z = mu + std eps, so it is as fine as q is narrow. The trapezoid rule on it is exponentially
accurate for smooth f; it is refined until it agrees with itself at twice the step.
"""

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from vae_core import losses
from vae_core.exact.estimate import QUADRATURE, Estimate, rounding

RADIUS = 7.0  # standard deviations of q; outside lies e^-24.5 of it
Function = Callable[[Tensor], Tensor]  # (N, D) points to (N,) or (N, M) values


class Integral(NamedTuple):
    """Values with an error estimate each, of the shape f has without its first axis."""

    value: Tensor
    error: Tensor

    def estimate(self) -> Estimate:
        """As an Estimate; for an f with one value a point."""
        return Estimate(self.value.item(), self.error.item(), QUADRATURE)


@torch.no_grad()
def expectation(
    f: Function, mu: Tensor, log_var: Tensor, tolerance: float = 1e-3, max_points: int = 50_000, offset: float = 0.0
) -> Integral:
    """E_q[f(z)] for q = N(mu, diag exp(log_var)) by the trapezoid rule in eps.

    Step 1 is halved until the largest distance between the sums over its cosets (the same lattice with twice
    the step, shifted) and their mean is below the tolerance, or the next halving would need too many points.

    Args:
        f: any function of z; it need not be smooth, only then is it slower. Called with float64 points.
        mu, log_var: (1, D) with D = 1 or 2.
        tolerance: in the units of f.
        max_points: points at which f is computed at most (never less than two levels).
        offset: shift of the lattice in steps of eps; another offset gives an independent result. Not ¼: there
            the two cosets mirror each other about mu and agree by symmetry alone.
    Raises:
        ValueError: D is not 1 or 2, or more than one q.
    """
    if len(mu) != 1 or mu.shape[-1] not in (1, 2):
        raise ValueError(f"one q with 1 or 2 latents is needed, not mu of shape {tuple(mu.shape)}.")
    step, spent = 0.5, 0
    shifts = [torch.tensor(s, dtype=torch.float64) for s in itertools.product((0.0, 1.0), repeat=mu.shape[-1])]
    cosets: list[Tensor] = []
    while True:
        for shift in shifts[len(cosets) :]:
            eps = _lattice(2 * step, offset + step * shift).to(mu.device)
            cosets.append(_sum(f, eps, 2 * step, mu, log_var))
            spent += len(eps)
        value = torch.stack(cosets).mean(0)
        error = (torch.stack(cosets) - value).abs().amax(0)
        if error.max().item() <= tolerance or 4 * spent > max_points:
            break
        step, cosets = step / 2, [value]  # the whole lattice is the first coset of the finer one
    return Integral(value, error + rounding(mu.dtype, 1.0) * value.abs())


def _lattice(step: float, shift: Tensor) -> Tensor:
    """(N, D) points of the lattice with that step and shift within RADIUS of the origin, float64."""
    count = math.ceil(RADIUS / step) + 1
    line = step * torch.arange(-count, count + 1, dtype=torch.float64)
    eps = torch.stack(torch.meshgrid(*(line + s for s in shift), indexing="ij"), dim=-1).flatten(0, -2)
    return eps[eps.square().sum(-1) <= RADIUS**2]


def _sum(f: Function, eps: Tensor, step: float, mu: Tensor, log_var: Tensor) -> Tensor:
    """Σ step^D N(eps; 0, I) f(mu + std eps): (N, D) to the shape of one value of f."""
    weight = losses.standard_normal_log_prob(eps).exp() * step ** eps.shape[-1]  # (N,)
    values = f(mu.double() + (0.5 * log_var.double()).exp() * eps).double()
    return torch.tensordot(weight, values, dims=1)
