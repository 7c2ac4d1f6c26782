"""The best Gaussian q for one image, found by gradient ascent on the ELBO itself, without an encoder."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vae_core import losses
from vae_core.exact.density import log_likelihood
from vae_core.exact.lattice import DEPTH
from vae_core.exact.quadrature import Evidence

NODES = 12  # of the Gauss-Hermite rule in each dimension: exact for polynomials of degree 23
LARGEST_STEP = 1.0  # in log_var, for one step of the ascent


@dataclass(frozen=True)
class Ascent:
    """The way of q up the ELBO; row 0 is where it began, the last row the best Gaussian found."""

    mu: Tensor  # (T, 2)
    log_var: Tensor  # (T, 2)
    elbo: Tensor  # (T,) nats, by a fixed Gauss-Hermite rule
    converged: bool  # whether it ended because no step gains more than the tolerance

    @property
    def best(self) -> tuple[Tensor, Tensor]:
        """mu and log_var of the last row, (1, 2) each."""
        return self.mu[-1:], self.log_var[-1:]


def best_gaussian(
    model: Any, x: Tensor, mu: Tensor, log_var: Tensor, steps: int = 100, rate: float = 0.3, tolerance: float = 1e-3
) -> Ascent:
    """Gradient ascent of the ELBO of one image over mu and log_var, from the given q.

    It follows the natural gradient (Amari 1998; Hoffman et al. 2013, section 2.2), the ordinary one divided
    by the Fisher information of the Gaussian: mu moves by std² ∂/∂mu and log_var by 2 ∂/∂log_var, so one step
    size serves narrow and wide q. A step that lowers the ELBO is halved. The optimum is the best in reach of
    the start: with several modes another start may find a better one.

    Args:
        model: an evaluate.LatentModel, in evaluation mode.
        x: (1, ...) one image.
        mu, log_var: (1, D) where to begin, D = 1 or 2.
        steps: at most.
        rate: largest share of the natural gradient taken in one step; 1 is Newton's step for a Gaussian posterior.
        tolerance: nats; the ascent ends when a whole natural step promises less, to first order.
    """
    eps, weight = gauss_hermite(NODES, mu.shape[-1], x.device)
    q = torch.stack([mu, log_var]).detach().double()  # (2, 1, D)
    elbo, direction, promise = _slope(model, x, q, eps, weight)
    way, values, share = [q], [elbo], rate
    # The second condition: where the rule has a kink (ReLU), no smaller step is worth taking.
    while promise > tolerance and share * promise > 0.1 * tolerance and len(way) <= steps:
        step = share * direction
        q = way[-1] + torch.stack([step[0], step[1].clamp(-LARGEST_STEP, LARGEST_STEP)])
        elbo, new_direction, new_promise = _slope(model, x, q, eps, weight)
        if elbo < values[-1]:
            share /= 2
            continue
        way.append(q)
        values.append(elbo)
        direction, promise, share = new_direction, new_promise, min(rate, 1.5 * share)
    rows = torch.cat(way, dim=1).to(mu.dtype)  # (2, T, D)
    return Ascent(rows[0], rows[1], torch.tensor(values, dtype=torch.float64), len(way) <= steps)


def _slope(model: Any, x: Tensor, q: Tensor, eps: Tensor, weight: Tensor) -> tuple[float, Tensor, float]:
    """ELBO, natural gradient (2, 1, D), and the rise per unit step that it promises, all in nats."""
    with torch.enable_grad():
        q = q.clone().requires_grad_()
        z = q[0] + (0.5 * q[1]).exp() * eps  # (N, D)
        elbo = weight @ log_likelihood(model, x, z) - losses.gaussian_kl(q[0], q[1]).sum()
        (gradient,) = torch.autograd.grad(elbo, q)
    direction = torch.stack([q[1].detach().exp() * gradient[0], 2 * gradient[1]])
    return elbo.item(), direction, (direction * gradient).sum().item()


def best_of_starts(
    model: Any, x: Tensor, evidence: Evidence, mu: Tensor, log_var: Tensor, starts: int = 4, **options: Any
) -> Ascent:
    """The best of several ascents: from the given q, and with its log_var from the highest peaks of the posterior.

    Args:
        evidence: of this model and image.
        starts: peaks tried at most.
        options: of best_gaussian.
    """
    begins = [mu, *peaks(evidence, starts)[:, None].to(mu)]
    ascents = [best_gaussian(model, x, begin, log_var, **options) for begin in begins]
    return max(ascents, key=lambda ascent: ascent.elbo[-1].item())


def peaks(evidence: Evidence, most: int = 4) -> Tensor:
    """(K, 2) peaks of the posterior, highest first, each the highest point within a twentieth of the square's side.

    Only peaks within lattice.DEPTH nats of the highest count: a lower one holds next to nothing of the mass.
    """
    values = evidence.log_joint
    reach = max(1, len(values) // 20)
    along_rows = F.max_pool2d(values[None, None], (1, 2 * reach + 1), stride=1, padding=(0, reach))
    highest = F.max_pool2d(along_rows, (2 * reach + 1, 1), stride=1, padding=(reach, 0))[0, 0]
    rows, columns = ((values == highest) & (values > values.max() - DEPTH)).nonzero().unbind(1)
    order = values[rows, columns].argsort(descending=True)[:most]
    return torch.stack([evidence.z1[columns[order]], evidence.z2[rows[order]]], dim=-1)


def gauss_hermite(nodes: int, dims: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Points (nodes^dims, dims) and weights for E[f(eps)], eps ~ N(0, I) (Golub and Welsch 1969), float64."""
    off = torch.arange(1, nodes, dtype=torch.float64).sqrt()
    points, vectors = torch.linalg.eigh(torch.diag(off, 1) + torch.diag(off, -1))
    weights = vectors[0].square()  # (nodes,)
    grid = torch.cartesian_prod(*[points] * dims).view(-1, dims)
    product = torch.cartesian_prod(*[weights] * dims).view(-1, dims).prod(-1)
    return grid.to(device), product.to(device)
