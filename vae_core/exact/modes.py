"""Where log p(x, z) has a mode that a lattice may step over: climbed to from what the encoder says, and measured."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vae_core.exact.lattice import LogDensity

NARROWEST, WIDEST, LEVELS = -12, 2, 57  # powers of two between which a width is looked for, prior units; how many
HALF = 0.5  # nats below its top that a Gaussian is one standard deviation away


@dataclass(frozen=True)
class Mode:
    """A local maximum.

    Attributes:
        z: (2,) float64. height: log p(x, z) there, nats. width: its standard deviation in the narrowest of eight
            directions, prior units; infinity where nothing falls.
    """

    z: Tensor
    height: float
    width: float

    @property
    def log_mass(self) -> float:
        """Of a round Gaussian of this height and width, nats: the least that the mode weighs, about."""
        return self.height + torch.tensor(2 * torch.pi * self.width**2).log().item()


def modes(f: LogDensity, starts: Tensor) -> list[Mode]:
    """The maxima that are uphill from these points, (N, 2)."""
    return [_measured(f, _climbed(f, start)) for start in starts.double()]


def _climbed(f: LogDensity, start: Tensor) -> Tensor:
    """(2,): by L-BFGS (Nocedal 1980); a start that nothing is above stays as it is."""
    z = start.clone().requires_grad_()
    optimiser = torch.optim.LBFGS([z], max_iter=60, line_search_fn="strong_wolfe")

    def downhill() -> Tensor:
        loss = -f(z[None]).sum()
        (z.grad,) = torch.autograd.grad(loss, z)  # of z alone: the net is everybody's
        return loss

    with torch.enable_grad():
        optimiser.step(downhill)
    found = z.detach()
    return found if bool(torch.isfinite(found).all()) and f(found[None]) >= f(start[None]) else start


@torch.no_grad()
def _measured(f: LogDensity, z: Tensor) -> Mode:
    distances = torch.logspace(NARROWEST, WIDEST, LEVELS, base=2.0, dtype=torch.float64)
    angles = torch.arange(8, dtype=torch.float64) * torch.pi / 4
    directions = torch.stack([angles.cos(), angles.sin()], dim=-1).to(z)  # (8, 2)
    points = z + distances.to(z)[:, None, None] * directions  # (LEVELS, 8, 2)
    height = f(z[None]).item()
    fallen = (f(points.flatten(0, 1)).view(LEVELS, 8) <= height - HALF).any(1)  # (LEVELS,)
    width = distances[int(fallen.nonzero()[0, 0])].item() if fallen.any() else torch.inf
    return Mode(z, height, width)
