"""Geometry of the latent space: the plane of a map, differences of mean codes, and ways from one code to another."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

_PARALLEL = 1e-6  # sine of an angle below which two directions span no plane

Way = Callable[[Tensor, Tensor, int], Tensor]


@dataclass(frozen=True)
class Plane:
    """A plane through the origin of latent space. Its axes are orthonormal, so the prior is N(0, I) in it too."""

    basis: Tensor  # (D, 2), or (1, 1) where there is but one latent dimension
    explained: float  # share of the variance of mu that lies in the plane, 0 to 1

    def project(self, mu: Tensor) -> Tensor:
        """(N, D) codes to (N, 2) coordinates in prior units; the prior's mean stays at (0, 0)."""
        xy = mu @ self.basis.to(mu)
        return xy if xy.shape[-1] == 2 else torch.cat([xy, torch.zeros_like(xy)], dim=-1)


def map_plane(mu: Tensor, previous: Plane | None = None) -> Plane:
    """The plane of a latent map: the two coordinates themselves, or the first two principal axes when D > 2.

    Args:
        mu: (N, D) posterior means.
        previous: the plane of the frame before. The axes are turned within the new plane to lie as close to
            it as they can (orthogonal Procrustes), so that a map in training does not spin or flip.
    """
    dims = mu.shape[-1]
    if dims <= 2:
        return Plane(torch.eye(dims), 1.0)
    variances, axes = principal_axes(mu)
    basis = axes[:, -2:].flip(-1)  # (D, 2)
    if previous is not None:
        u, _, vh = torch.linalg.svd(basis.T @ previous.basis.double())
        basis = basis @ (u @ vh)
    total = variances.sum().clamp(min=1e-30)
    return Plane(basis.float(), float(variances[-2:].sum() / total))


def principal_axes(values: Tensor) -> tuple[Tensor, Tensor]:
    """Principal component analysis of (N, D) values, in float64 on the CPU; what varies least comes first.

    Returns:
        N times the variance along each axis, (D,); the axes, columns of (D, D). Their signs are arbitrary.
    """
    centred = (values - values.mean(0)).double().cpu()
    return torch.linalg.eigh(centred.T @ centred)


def prior_quantiles(n: int) -> Tensor:
    """(n,) values of z at which the standard normal distribution function is (i + ½) / n: equal shares of the prior."""
    shares = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    return torch.special.ndtri(shares).float()


def quantile_grid(n: int) -> Tensor:
    """(n * n, 2) points of the plane at prior quantiles; row by row as a picture: z₂ falls, z₁ rises."""
    q = prior_quantiles(n)
    z2, z1 = torch.meshgrid(q.flip(0), q, indexing="ij")
    return torch.stack([z1.flatten(), z2.flatten()], dim=-1)


def outer_thirds(values: Tensor) -> tuple[Tensor, Tensor]:
    """Indices of the lowest and of the highest third of (N,) values, at least one each; equal values keep their order.

    Raises:
        ValueError: there are no values.
    """
    if not len(values):
        raise ValueError("no values, no thirds")
    order, third = values.argsort(stable=True), max(1, len(values) // 3)
    return order[:third], order[-third:]


def attribute_vectors(mu: Tensor, values: Tensor) -> Tensor:
    """For each attribute the way from little to much of it: the mean code of the top third minus the bottom third's.

    The "glasses vector" of the course text, with many samples on either side in place of one
    (Larsen et al. 2016, "Autoencoding beyond pixels using a learned similarity metric", section 3.3).

    Args:
        mu: (N, D) codes. values: (N, K) attributes of the same images.
    Returns:
        (K, D), in the dtype of mu.
    """
    thirds = [outer_thirds(column) for column in values.T]
    return torch.stack([mu[top].mean(0) - mu[bottom].mean(0) for bottom, top in thirds])


def class_means(mu: Tensor, labels: Tensor, classes: int = 10) -> Tensor:
    """(classes, D) mean codes of (N, D) codes by their (N,) labels; a class without an image gets zeros."""
    member = torch.nn.functional.one_hot(labels.long(), classes).to(mu)  # (N, classes)
    return member.T @ mu / member.sum(0).clamp(min=1)[:, None]


def half_way(a: Tensor, b: Tensor) -> Tensor:
    """(D,) a plus half the difference, as the course text has it."""
    return a + (b - a) / 2


def straight(a: Tensor, b: Tensor, n: int) -> Tensor:
    """(n, D) codes at equal distances on the line from a to b, both included; n = 1 gives a.

    Args:
        a, b: (D,).
    Raises:
        ValueError: n < 1.
    """
    if n < 1:
        raise ValueError(f"a way of {n} points")
    t = torch.linspace(0, 1, n, dtype=torch.float64, device=a.device)[:, None]
    return ((1 - t) * a.double() + t * b.double()).to(a.dtype)


def spherical(a: Tensor, b: Tensor, n: int) -> Tensor:
    """(n, D) codes whose direction turns evenly from a's to b's while their length goes straight from |a| to |b|.

    The codes keep the lengths that N(0, I) gives them in many dimensions, where a straight line cuts through the
    empty middle (slerp: Shoemake 1985, SIGGRAPH '85, 245-254; in latent spaces: White 2016, arXiv:1609.04468).
    Two (anti)parallel codes, or a code at the origin, span no plane to turn in: the way is straight.

    Args:
        a, b: (D,).
    Raises:
        ValueError: n < 1.
    """
    ends = torch.stack([a, b]).double()
    lengths = ends.norm(dim=-1)
    u, v = ends / lengths.clamp(min=1e-300)[:, None]
    angle = 2 * torch.atan2((u - v).norm(), (u + v).norm())  # Kahan: exact for small and for large angles
    if n < 2 or lengths.min() == 0 or angle.sin() < _PARALLEL:
        return straight(a, b, n)
    t = torch.linspace(0, 1, n, dtype=torch.float64, device=a.device)[:, None]
    turned = (((1 - t) * angle).sin() * u + (t * angle).sin() * v) / angle.sin()
    return (turned * ((1 - t) * lengths[0] + t * lengths[1])).to(a.dtype)


def through(points: Tensor, n: int, way: Way = straight) -> Tensor:
    """Codes along several stops: `way` with n points from each stop to the next, a shared stop only once.

    Args:
        points: (m, D) stops, m >= 1. n: points of a leg, both its ends included, n >= 2. way: straight or spherical.
    Returns:
        ((m - 1) * (n - 1) + 1, D); stop i is row i * (n - 1).
    Raises:
        ValueError: n < 2.
    """
    if n < 2:
        raise ValueError(f"legs of {n} points do not reach the next stop")
    legs = [way(a, b, n)[1:] for a, b in itertools.pairwise(points)]
    return torch.cat([points[:1], *legs])
