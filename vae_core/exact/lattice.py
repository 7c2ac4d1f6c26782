"""A square lattice of the latent plane that is refined only where the function matters.

Every level halves the step. Points of the level before are kept, new ones are computed where the function
may come within `DEPTH` nats of its maximum, and all others are interpolated: they hardly count.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

REACH = 30.0  # nats below the maximum that the square shows: beyond it e^-30 of the peak counts for nothing
DEPTH = 12.0  # nats below the maximum that are computed again on every level: of a Gaussian all but e^-12
LogDensity = Callable[[Tensor], Tensor]  # (N, 2) points to (N,) nats


@dataclass(frozen=True)
class Lattice:
    """Values of a log density; rows are z2 and columns z1, both ascending."""

    low: Tensor  # (2,) float64, z1 and z2 of the first point
    step: float
    values: Tensor  # (n, n) float64 nats
    known: Tensor  # (n, n) bool: computed, not interpolated
    spikes: Tensor  # (M, 2) places where it is known to peak, perhaps between points
    log_cut: float = -math.inf  # log of the mass that was cut off with the outer parts

    @property
    def peak(self) -> float:
        return self.values.max().item()

    def axis(self, dim: int) -> Tensor:
        """(n,) coordinates along z1 (dim 0) or z2 (dim 1)."""
        return self.low[dim] + self.step * torch.arange(len(self.values), device=self.low.device).double()

    def points(self) -> Tensor:
        """(n, n, 2) coordinates, z1 first."""
        z2, z1 = torch.meshgrid(self.axis(1), self.axis(0), indexing="ij")
        return torch.stack([z1, z2], dim=-1)


def blank(half_width: float, step: float, device: torch.device) -> Lattice:
    """A lattice over [-half_width, half_width]² on which nothing is known yet."""
    n = 2 * round(half_width / step) + 1
    values = torch.full((n, n), -math.inf, dtype=torch.float64, device=device)
    low = torch.full((2,), -step * (n // 2), dtype=torch.float64, device=device)
    return Lattice(low, step, values, torch.zeros_like(values, dtype=torch.bool), low.new_empty(0, 2))


def fill(lattice: Lattice, f: LogDensity, wanted: Tensor) -> Lattice:
    """The lattice with the wanted points (n, n) computed; what is known already is not computed again.

    Raises:
        ValueError: f gives NaN or infinity.
    """
    new = wanted & ~lattice.known
    computed = f(lattice.points()[new])
    if not torch.isfinite(computed).all():
        raise ValueError("log p(x, z) is not finite: the weights or the image hold NaN, or the net overflows.")
    values = lattice.values.clone()
    values[new] = computed
    return replace(lattice, values=values, known=lattice.known | new)


def relevant(lattice: Lattice, depth: float) -> Tensor:
    """(n, n) bool: points that come, or between which the function may come, within `depth` of the maximum.

    A peak narrower than the step hides between points. A parabola with second differences Dxx, Dyy rises
    at most (|Dxx| + |Dyy|) / 4 above its nearest point; twice that, of the worst neighbour, is the slack. One that
    is so narrow that no point feels it is relevant where it is known to be.
    """
    values = lattice.values
    padded = F.pad(values[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    bend1 = padded[1:-1, 2:] + padded[1:-1, :-2] - 2 * values
    bend2 = padded[2:, 1:-1] + padded[:-2, 1:-1] - 2 * values
    slack = F.max_pool2d(0.5 * (bend1.abs() + bend2.abs())[None, None], 3, stride=1, padding=1)[0, 0]
    return (values + slack >= lattice.peak - depth) | _near(lattice)


def _near(lattice: Lattice) -> Tensor:
    """(n, n) bool: within three steps of a spike."""
    away = (lattice.points() - lattice.spikes[:, None, None]).abs().amax(-1)  # (M, n, n)
    return (away <= 3 * lattice.step).any(0)


def crop(lattice: Lattice, margin: int = 2) -> Lattice:
    """The smallest square part with all that is within REACH, and a margin; the mass cut off is added to log_cut."""
    keep = relevant(lattice, REACH)
    rows, columns = keep.any(1).nonzero().flatten(), keep.any(0).nonzero().flatten()
    n = len(lattice.values)
    side = min(n, max(_extent(rows), _extent(columns)) + 2 * margin)
    top, left = (_first(index, side, n) for index in (rows, columns))
    part = (slice(top, top + side), slice(left, left + side))
    outer = lattice.values.clone()
    outer[part] = -math.inf
    log_cut = outer.flatten().logsumexp(0) + 2 * math.log(lattice.step)
    low = lattice.low + lattice.step * torch.tensor([left, top], device=lattice.low.device).double()
    total = torch.logaddexp(log_cut, torch.tensor(lattice.log_cut).to(log_cut)).item()
    return replace(lattice, low=low, values=lattice.values[part], known=lattice.known[part], log_cut=total)


def halve(lattice: Lattice) -> tuple[Lattice, Tensor]:
    """The lattice with half the step, interpolated, and (2n-1, 2n-1) bool: which points are worth computing."""
    size = (2 * len(lattice.values) - 1,) * 2
    finer = F.interpolate(lattice.values[None, None], size, mode="bilinear", align_corners=True)[0, 0]
    known = torch.zeros_like(finer, dtype=torch.bool)
    known[::2, ::2] = lattice.known
    near = relevant(lattice, DEPTH).double()[None, None]
    wanted = F.interpolate(near, size, mode="bilinear", align_corners=True)[0, 0] > 0
    return replace(lattice, step=lattice.step / 2, values=finer, known=known), wanted


def log_integral(lattice: Lattice) -> Tensor:
    """log of the trapezoid sum, () nats; exponentially accurate for smooth functions that vanish at the border."""
    return lattice.values.flatten().logsumexp(0) + 2 * math.log(lattice.step)


def coset_error(lattice: Lattice) -> float:
    """How far the four sums of twice the step (even and odd rows and columns) lie from the whole, at most, in nats.

    Their mean is the whole, so this is the error of step 2h; that of h is far smaller once it is small.
    """
    parts = torch.stack([lattice.values[i::2, j::2].flatten().logsumexp(0) for i in (0, 1) for j in (0, 1)])
    return (parts + 2 * math.log(2 * lattice.step) - log_integral(lattice)).abs().max().item()


def interpolated_share(lattice: Lattice) -> float:
    """What part of the integral was not computed: the interpolated points, and e^-DEPTH for their interpolation."""
    unknown = lattice.values[~lattice.known].logsumexp(0) if not lattice.known.all() else torch.tensor(-math.inf)
    return (unknown - lattice.values.flatten().logsumexp(0)).exp().item() + math.exp(-DEPTH)


def staggered(lattice: Lattice, f: LogDensity) -> Lattice:
    """The lattice of the cells' centres, computed anew: the same integral from (almost) no common point."""
    n = len(lattice.values) - 1
    centres = F.avg_pool2d(lattice.values[None, None], 2, stride=1)[0, 0]  # (n, n), for where it is flat anyway
    wanted = F.max_pool2d(relevant(lattice, DEPTH).double()[None, None], 2, stride=1)[0, 0] > 0
    unknown = torch.zeros(n, n, dtype=torch.bool, device=centres.device)
    shifted = replace(lattice, low=lattice.low + lattice.step / 2, values=centres, known=unknown)
    return fill(shifted, f, wanted)


def _extent(index: Tensor) -> int:
    return int(index[-1] - index[0]) + 1


def _first(index: Tensor, side: int, n: int) -> int:
    """Where a window of that side begins so that it lies round the indices and inside 0..n."""
    centred = int(index[0] + index[-1] + 1 - side) // 2
    return max(0, min(centred, n - side))
