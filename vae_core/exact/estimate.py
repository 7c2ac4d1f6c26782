"""A number in nats together with how far it may be off: what every check of the lesson compares."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

EXACT, QUADRATURE, MONTE_CARLO = "exact", "quadrature", "Monte Carlo"
_ORDER = (EXACT, QUADRATURE, MONTE_CARLO)


@dataclass(frozen=True)
class Estimate:
    """A value and its error; sums combine errors as independent ones, in quadrature."""

    value: float  # nats
    error: float = 0.0  # nats: a standard error (Monte Carlo), an error estimate (quadrature) or 0 (exact)
    how: str = EXACT  # EXACT, QUADRATURE or MONTE_CARLO; of a sum, the least certain of its parts

    def __add__(self, other: "Estimate") -> "Estimate":
        how = max(self.how, other.how, key=_ORDER.index)
        return Estimate(self.value + other.value, math.hypot(self.error, other.error), how)

    def __neg__(self) -> "Estimate":
        return Estimate(-self.value, self.error, self.how)

    def __sub__(self, other: "Estimate") -> "Estimate":
        return self + -other


def sample_mean(values: Tensor) -> Estimate:
    """The mean of independent draws with its standard error.

    Args:
        values: (S,) draws, S >= 2.
    Raises:
        ValueError: fewer than two draws, from which no standard error follows.
    """
    if len(values) < 2:
        raise ValueError(f"{len(values)} draw(s) give no standard error: take at least 2.")
    error = values.std().item() / math.sqrt(len(values))
    return Estimate(values.mean().item(), error, MONTE_CARLO)


def rounding(dtype: torch.dtype, size: float) -> float:
    """What sums of that size may be off by because the net computes in `dtype`: a few units in the last place."""
    return 4 * torch.finfo(dtype).eps * abs(size)
