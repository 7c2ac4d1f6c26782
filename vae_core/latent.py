"""Geometry of the latent space: the plane in which a map of the codes is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


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
    centred = (mu - mu.mean(0)).double().cpu()
    variances, axes = torch.linalg.eigh(centred.T @ centred)  # ascending: (D,), (D, D)
    basis = axes[:, -2:].flip(-1)  # (D, 2)
    if previous is not None:
        u, _, vh = torch.linalg.svd(basis.T @ previous.basis.double())
        basis = basis @ (u @ vh)
    total = variances.sum().clamp(min=1e-30)
    return Plane(basis.float(), float(variances[-2:].sum() / total))


def prior_quantiles(n: int) -> Tensor:
    """(n,) values of z at which the standard normal distribution function is (i + ½) / n: equal shares of the prior."""
    shares = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    return torch.special.ndtri(shares).float()


def quantile_grid(n: int) -> Tensor:
    """(n * n, 2) points of the plane at prior quantiles; row by row as a picture: z₂ falls, z₁ rises."""
    q = prior_quantiles(n)
    z2, z1 = torch.meshgrid(q.flip(0), q, indexing="ij")
    return torch.stack([z1.flatten(), z2.flatten()], dim=-1)
