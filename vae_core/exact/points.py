"""Everything that is intractable in general, of every point of the plane at once, under a decoder with 1 or 2 latents.

    p(x) = ∫ N(x; x_hat(z), sigma² I) N(z; 0, I) dz        log p(x) = ELBO + KL(q(z given x) ‖ p(z given x))

One lattice of z serves all points: it is decoded once, and is so fine that from one z to the next x_hat moves by a part
of sigma alone, for so narrow are the posteriors. That is what quadrature.py cannot assume of images.
ELBO and gap are integrals over q from different z. Both use log p(x), so their sum says how well q was integrated and
nothing of log p(x); what the lattice misses is seen by its border, by twice its step, and by a gap below 0.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from vae_core import losses
from vae_core.data.points import plane
from vae_core.pieces import Pieces, in_pieces

HALF_WIDTHS = (5.0, 7.0, 10.0, 20.0)  # of the lattice, in prior units: the first at whose border no point is at home
BORDER = 1e-6  # the share of p(x) that may lie in the cells there
SIDES = {1: (256, 16_384), 2: (64, 256)}  # fewest and most z along a side, by the number of latents
STRIDE = {1: 0.4, 2: 0.8}  # of sigma, by how much x_hat may move from one z to the next
BULK = 4.0  # prior units within which that is held: there lies all but 1e-4 of the prior
FLOOR = -60.0  # nats: no map goes further down
_WIDTH, _NODES = 12.0, {1: (49, 193), 2: (17, 33)}  # of the nodes of q: so many std wide, and so many along a side:
TOLERANCE = 1e-3  # nats: the first with which ELBO and gap add up to log p(x), else the last
_AT_ONCE = 8_192  # z decoded in a piece
_PAIRS = 500_000  # of x and z at once: what is worked on stays in the processor's cache


@dataclass(frozen=True)
class Sheet:
    """The lattice of z, and where the decoder puts it in the plane.

    Attributes:
        z: (n^D, D) float64, coset by coset: even and odd rows and columns. x_hat: (n^D, 2). side: n, even. step: prior
            units.
        sigma: of the likelihood. stride: the longest way of x_hat from one z to the next, in sigma, within BULK.
        missed: share of p(x) of some point in the outermost cells, where that is too much: part of what lies beyond.
    """

    z: Tensor
    x_hat: Tensor
    side: int
    step: float
    sigma: float
    stride: float
    missed: float = 0.0

    @property
    def dims(self) -> int:
        return self.z.shape[1]

    @property
    def log_weight(self) -> Tensor:
        """(n^D,) log of the prior's share of each cell."""
        return losses.standard_normal_log_prob(self.z) + self.dims * math.log(self.step)

    def log_joint(self, x: Tensor) -> Tensor:
        """(N, n^D) log of N(x; x_hat(z), sigma² I) times the prior's share of the cell of z, nats, of x (N, 2)."""
        precision = 1 / self.sigma**2
        of_z = self.log_weight - 0.5 * precision * self.x_hat.square().sum(1) - 2 * math.log(self.sigma)
        products = torch.addmm(of_z - losses.LOG_2PI, x, self.x_hat.T, alpha=precision)
        return products.sub_(0.5 * precision * x.square().sum(1)[:, None])

    @property
    def border(self) -> Tensor:
        """(n^D,) bool: the outermost cells."""
        return (self.z.abs() > self.z.max() - self.step / 2).any(1)


@dataclass(frozen=True)
class Exact:
    """Of N points, nats each; errors are the largest over the points."""

    log_p: Tensor  # (N,) log p(x)
    elbo: Tensor  # (N,)
    gap: Tensor  # (N,) KL(q ‖ p(z given x))
    mu: Tensor  # (N, D) of q
    std: Tensor  # (N, D)
    error: float  # of log p(x): the distance of the sums of twice the step, and at least what the border tells
    residual: float  # |ELBO + gap − log p(x)|, the error of the integrals over q; or how far a gap lies below 0

    @property
    def means(self) -> dict[str, float]:
        """Over the points."""
        return {"exact_elbo": self.elbo.mean().item(), "exact_log_p": self.log_p.mean().item()}


@in_pieces
def decode_sheet(model: Any, x: Tensor) -> Pieces[Sheet]:
    """The prior's lattice under a decoder, wide and fine enough for these points.

    Args:
        model: a family of points of the plane with a Gaussian likelihood of one sigma, in float64 and evaluation mode.
        x: (N, 2) float64.
    """
    side, most = SIDES[model.latent_dim]
    for half_width in HALF_WIDTHS:
        sheet = yield from _sheet(model, half_width, side)
        if (share := (yield from _border_share(sheet, x))) < BORDER:
            break
    while sheet.stride > STRIDE[sheet.dims] and sheet.side < most:
        side = min(most, 2 * math.ceil(0.52 * sheet.side * sheet.stride / STRIDE[sheet.dims]))
        sheet = yield from _sheet(model, half_width, side)
    return replace(sheet, missed=share if share >= BORDER else 0.0)


def _sheet(model: Any, half_width: float, side: int) -> Pieces[Sheet]:
    dims, sigma, step = model.latent_dim, float(model.sigma), 2 * half_width / side
    axis = -half_width + step * (torch.arange(side, dtype=torch.float64) + 0.5)
    z = torch.cartesian_prod(*[axis] * dims).reshape(-1, dims)
    x_hat = yield from _decode(model, z)
    inner = x_hat[(z.abs() < BULK).all(1)].view(*[int((axis.abs() < BULK).sum())] * dims, 2)
    stride = max(inner.diff(dim=k).norm(dim=-1).max().item() for k in range(dims)) / sigma
    return Sheet(_by_coset(z, side), _by_coset(x_hat, side), side, step, sigma, stride)


def _border_share(sheet: Sheet, x: Tensor) -> Pieces[float]:
    """The largest share of p(x) of any of the points that lies in the outermost cells."""
    shares, border = [], sheet.border
    for part in x.split(max(1, _PAIRS // len(sheet.z))):
        log_joint = sheet.log_joint(part)
        shares.append((log_joint[:, border].logsumexp(1) - log_joint.logsumexp(1)).exp().max().item())
        yield
    return max(shares)


def _by_coset(values: Tensor, side: int) -> Tensor:
    """Rows of a lattice (n^D, ...), its even and odd rows and columns one after the other."""
    dims = round(math.log(len(values), side))
    halves = values.view(*[side // 2, 2] * dims, -1)
    return halves.permute(*range(1, 2 * dims, 2), *range(0, 2 * dims, 2), 2 * dims).reshape(len(values), -1)


@in_pieces
def log_evidence(sheet: Sheet, x: Tensor) -> Pieces[tuple[Tensor, float]]:
    """log p(x) of points (N, 2) by the trapezoid rule: (N,) nats, and the largest error: see Exact."""
    found, worst = [], -math.log1p(-min(sheet.missed, 1 - BORDER))
    for part in x.split(max(1, _PAIRS // len(sheet.z))):
        sums = sheet.log_joint(part).view(len(part), 2**sheet.dims, -1).logsumexp(2)  # (n, 2^D)
        total = sums.logsumexp(1)
        worst = max(worst, (sums + sheet.dims * math.log(2) - total[:, None]).abs().max().item())
        found.append(total)
        yield
    return torch.cat(found), worst


@in_pieces
def log_evidence_map(sheet: Sheet, side: int) -> Pieces[Tensor]:
    """log p(x) at the middles of side × side cells of the plane: (side, side) nats, never below FLOOR.

    Row by row, x2 falls and x1 rises, as in a picture. A Gaussian of one sigma is a product of two, so that all sums
    over z are one matrix product.
    """
    axis = plane(sheet.z.device, side)
    total = torch.zeros(side, side, dtype=torch.float64, device=axis.device)
    for x_hat, weight in zip(sheet.x_hat.split(_AT_ONCE), sheet.log_weight.split(_AT_ONCE), strict=True):
        across, up = (_normal(axis, x_hat[:, k], sheet.sigma) for k in (0, 1))  # (n, side) each
        total += up.T @ (across * weight.exp()[:, None])
        yield
    return total.log().clamp(min=FLOOR).flip(0)


@in_pieces
def bound(model: Any, x: Tensor, log_p: Tensor, error: float) -> Pieces[Exact]:
    """The ELBO of every point and its gap, by integrals over q.

    Args:
        model: see decode_sheet. x: (N, 2) float64. log_p, error: of log_evidence.
    """
    mu, log_var = model.encode(x)  # (N, D)
    std, kl = (0.5 * log_var).exp(), losses.gaussian_kl(mu, log_var)

    def log_ratio(z: Tensor, part: slice, found: Tensor) -> Tensor:  # log q(z) − log p(z given x)
        log_q = losses.gaussian_log_prob(z, mu[part, None], log_var[part, None])
        return log_q - found - losses.standard_normal_log_prob(z) + log_p[part, None]

    for count in _NODES[mu.shape[1]]:
        elbo = (yield from _mean_under_q(model, x, mu, std, (count, 0.0), lambda z, part, found: found)) - kl
        gap = yield from _mean_under_q(model, x, mu, std, (count, 0.5), log_ratio)
        residual = max((elbo + gap - log_p).abs().max().item(), -gap.min().item())
        if residual < TOLERANCE:
            break
    return Exact(log_p, elbo, gap, mu, std, error, residual)


def _mean_under_q(
    model: Any,
    x: Tensor,
    mu: Tensor,
    std: Tensor,
    nodes_are: tuple[int, float],
    f: Callable[[Tensor, slice, Tensor], Tensor],
) -> Pieces[Tensor]:
    """E_q[f] of every point, (N,), by the trapezoid rule.

    Args:
        nodes_are: how many along a side, and by how much of a step they are moved.
        f: of z (n, K, D), which points these are, and log p(x given z) (n, K).
    """
    (count, offset), dims = nodes_are, mu.shape[1]
    step = _WIDTH / count
    line = step * (torch.arange(count, dtype=x.dtype) - count // 2 + offset)
    nodes = torch.cartesian_prod(*[line] * dims).reshape(-1, dims)  # (K, D)
    share = losses.standard_normal_log_prob(nodes).exp() * step**dims
    means, at_once = [], max(1, _AT_ONCE // len(nodes))
    for start in range(0, len(x), at_once):
        part = slice(start, start + at_once)
        z = mu[part, None] + std[part, None] * nodes  # (n, K, D)
        repeated = x[part].repeat_interleave(len(nodes), 0)
        found = -model.nll(model.decode(z.flatten(0, 1)), repeated).view(len(z), -1)  # (n, K)
        means.append(f(z, part, found) @ share)
        yield
    return torch.cat(means)


def _decode(model: Any, z: Tensor) -> Pieces[Tensor]:
    """Means (N, 2) of the likelihood at codes (N, D)."""
    found = []
    for part in z.split(_AT_ONCE):
        found.append(model.mean_image(model.decode(part)))
        yield
    return torch.cat(found)


def _normal(x: Tensor, mean: Tensor, sigma: float) -> Tensor:
    """(n, side) densities of N(mean, sigma²) at x (side,)."""
    return (-0.5 * ((x - mean[:, None]) / sigma).square()).exp() / (sigma * math.sqrt(2 * math.pi))
