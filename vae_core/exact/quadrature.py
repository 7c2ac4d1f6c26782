"""Evidence and posterior of one image under any decoder with two latents, by numerical integration.

    p(x) = ∫ p(x given z) p(z) dz,      p(z given x) = p(x given z) p(z) / p(x)

In two dimensions a fine enough lattice gives what is intractable in twenty. The encoder takes no part in the number: it
may only say where to look besides.
"""

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from vae_core.exact import lattice as grids
from vae_core.exact.density import log_joint
from vae_core.exact.estimate import QUADRATURE, Estimate, rounding
from vae_core.exact.lattice import DEPTH, REACH, Lattice, LogDensity
from vae_core.exact.modes import Mode, modes

HALF_WIDTH, WIDEST = 12.0, 24.0  # of the first square, in prior units; of the last one tried
COARSE_STEP = 0.25
LARGEST_SIDE = 2001  # points; 32 MB


@dataclass(frozen=True)
class Evidence:
    """log p(x) of one image and the lattice that gave it; rows are z2 and columns z1, both ascending."""

    log_p: Estimate  # log p(x) in nats
    normaliser: Estimate  # log p(x) again, from the centres of the cells: independent of log_p
    z1: Tensor  # (n,) float64, prior units
    z2: Tensor  # (n,)
    step: float
    log_joint: Tensor  # (n, n) float64, log p(x, z) in nats
    known: Tensor  # (n, n) bool: computed; elsewhere interpolated, more than 30 nats below the peak
    evaluations: int  # codes decoded in all
    converged: bool  # whether the error, the net's rounding aside, came below the tolerance, and no mode is too narrow

    @property
    def posterior(self) -> Tensor:
        """(n, n) density p(z given x) per unit of area; its sum times step² is 1."""
        return (self.log_joint - self.log_p.value).exp()

    @property
    def mode(self) -> Tensor:
        """(2,) the lattice point with the highest posterior, z1 first."""
        row, column = divmod(int(self.log_joint.argmax()), len(self.z1))
        return torch.stack([self.z1[column], self.z2[row]])

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean (2,) and covariance (2, 2) of the posterior, prior units."""
        z2, z1 = torch.meshgrid(self.z2, self.z1, indexing="ij")
        z = torch.stack([z1, z2], dim=-1).flatten(0, 1)  # (n*n, 2)
        weight = self.log_joint.flatten().softmax(0)
        mean = weight @ z
        return mean, ((z - mean) * weight[:, None]).T @ (z - mean)


@torch.no_grad()
def evidence(
    model: Any,
    x: Tensor,
    tolerance: float = 1e-3,
    resolution: int = 64,
    max_points: int = 100_000,
    starts: Tensor | None = None,
) -> Evidence:
    """log p(x) by the trapezoid rule on a lattice that is refined until steps h and 2h agree.

    A coarse lattice over the prior shows where log p(x, z) may come within 30 nats of its maximum. That part
    is halved again and again. The error is the largest distance of the four sums of step 2h from the sum of
    step h, or the distance of the lattice of the cells' centres if larger, plus the mass cut off or
    interpolated and the rounding of the net. Outside the first square the prior is taken to fall off faster
    than the likelihood can rise; the square grows until its border lies 30 nats below the peak (else the
    error is infinite).

    A mode may be so narrow that no point of the coarse lattice feels it. So from `starts` and from the highest point
    it is climbed to the mode that is uphill, and the lattice there becomes as fine as the mode is narrow.

    Args:
        model: an evaluate.LatentModel with two latents, in evaluation mode.
        x: (1, ...) one image, already prepared; the net computes in its dtype.
        tolerance: nats.
        resolution: least number of lattice points along a side.
        max_points: codes decoded at most (the coarse lattice and the centres come on top).
        starts: (N, 2) codes from which to look for modes, such as the encoder's mu.
    Raises:
        ValueError: the model has not two latents, is in training mode or gives NaN, or x is not one image.
    """
    if model.latent_dim != 2:
        raise ValueError(f"the lattice needs 2 latents, the model has {model.latent_dim}.")
    f = _Counted(partial(log_joint, model, x))
    found = _over_the_prior(f, x.device)
    peaks = _peaks(f, found, starts)
    found = grids.crop(replace(found, spikes=torch.stack([mode.z for mode in peaks])))
    finest = min((mode.width for mode in peaks), default=math.inf)
    limit = f.calls + max_points
    error = grids.coset_error(found)
    while error > tolerance or len(found.values) < resolution or found.step > finest:
        finer, wanted = grids.halve(found)
        cost = int((wanted & ~finer.known).sum())
        if f.calls + cost > limit or len(finer.values) > LARGEST_SIDE:
            break
        found = grids.fill(finer, f, wanted)
        found = grids.crop(found)
        error = grids.coset_error(found)
    seen = _report(found, grids.staggered(found, f), f.calls, tolerance, x.dtype)
    return _without(seen, [mode for mode in peaks if mode.width < found.step])


class _Counted:
    """A log density that counts the points it is asked for."""

    def __init__(self, f: LogDensity) -> None:
        self.f, self.calls = f, 0

    def __call__(self, z: Tensor) -> Tensor:
        self.calls += len(z)
        return self.f(z)


def _over_the_prior(f: LogDensity, device: torch.device) -> Lattice:
    """The coarse lattice, wide enough that its border counts for nothing."""
    half_width = HALF_WIDTH
    while True:
        first = grids.blank(half_width, COARSE_STEP, device)
        first = grids.fill(first, f, ~first.known)
        border = torch.cat([first.values[[0, -1]].flatten(), first.values[:, [0, -1]].flatten()])
        inside = border.max().item() < first.peak - REACH
        if inside or half_width >= WIDEST:
            break
        half_width *= 2
    # Beyond the border the prior falls by half_width nats per unit or faster, so its strip is 1 / half_width wide.
    beyond = border.logsumexp(0).item() + math.log(COARSE_STEP / half_width)
    return replace(first, log_cut=beyond if inside else math.inf)


def _peaks(f: LogDensity, coarse: Lattice, starts: Tensor | None) -> list[Mode]:
    """The modes uphill from the starts and from the highest point, those that weigh next to nothing left out."""
    highest = coarse.points()[coarse.values == coarse.peak][:1]
    found = modes(f, highest if starts is None else torch.cat([highest, starts.to(highest)]))
    total = max(grids.log_integral(coarse).item(), *(mode.log_mass for mode in found))
    return [mode for mode in found if mode.log_mass > total - DEPTH]


def _without(seen: Evidence, missed: list[Mode]) -> Evidence:
    """The report when modes are narrower than the step at the end: it says that it may be off by what they weigh."""
    if not missed:
        return seen
    share = sum(math.exp(min(mode.log_mass - seen.log_p.value, 100.0)) for mode in missed)
    off = Estimate(0.0, math.log1p(share), QUADRATURE)
    return replace(seen, log_p=seen.log_p + off, normaliser=seen.normaliser + off, converged=False)


def _report(found: Lattice, centres: Lattice, calls: int, tolerance: float, dtype: torch.dtype) -> Evidence:
    log_p, again = grids.log_integral(found).item(), grids.log_integral(centres).item()
    lost = found.log_cut - log_p
    cut = math.exp(lost) if lost < 100 else math.inf  # a share of p(x), so nats
    floor = cut + grids.interpolated_share(found) + rounding(dtype, log_p)
    discretisation = max(grids.coset_error(found), abs(log_p - again))
    return Evidence(
        log_p=Estimate(log_p, discretisation + floor, QUADRATURE),
        normaliser=Estimate(again, max(grids.coset_error(centres), abs(log_p - again)) + floor, QUADRATURE),
        z1=found.axis(0),
        z2=found.axis(1),
        step=found.step,
        log_joint=found.values,
        known=found.known,
        evaluations=calls,
        converged=discretisation + cut <= tolerance,
    )
