"""Figures of the codes. All are in prior units (the prior's standard deviation is 1) and in float64 on the CPU."""

import math

import torch
from scipy import special
from torch import Tensor

from vae_core.pieces import Pieces, in_pieces

DIRECTIONS = 128  # of the sliced distance; at least D of them, in orthonormal sets


def three_sigma_radius(dims: int) -> float:
    """Radius of the ball that holds as much of N(0, I) in D dimensions as the 3 sigma disc does in two.

    The length of a prior draw follows the chi distribution with D degrees of freedom. In two dimensions
    P(length > 3) = exp(−4.5) = 1.1%, and this is the radius with the same 1.1% outside: 3 for D = 2, 5.63 for
    D = 16. A fixed radius of 3 would put most of a 16-dimensional prior outside.
    """
    return math.sqrt(special.chdtri(dims, math.exp(-4.5)))  # of the squared length, as scipy.stats loads slowly


def spread(mu: Tensor) -> float:
    """Standard deviation of mu over the images, root mean square over the D dimensions; mu is (N, D)."""
    return mu.var(0).mean().sqrt().item()


def share_outside(mu: Tensor) -> float:
    """Share of the codes mu (N, D) outside `three_sigma_radius`, 0 to 1. Of draws from the prior it is 1.1%."""
    return (mu.norm(dim=-1) > three_sigma_radius(mu.shape[-1])).double().mean().item()


def distance_to_prior(z: Tensor) -> float:
    """Sliced 2-Wasserstein distance between the codes z and N(0, I) (Rabin et al. 2012; Bonneel et al. 2015).

        SW² = mean over directions u of  W₂²(u·z, N(0, 1))
        W₂² = mean p² − 2 Σ p₍ᵢ₎ ∫ Φ⁻¹ over ((i−1)/N, i/N) + 1,   p = u·z sorted

    Each one-dimensional distance is exact, as N(0, 1) is not sampled. In the plane or in 16 dimensions all codes
    at 0 give 1, and a Gaussian N(m, s²I) gives √(‖m‖²/D + (s − 1)²). N draws from the prior itself give not 0
    but about 0.025 for N = 5,000.

    Args:
        z: (N, D) one sample of q(z given x) an image: together, the aggregate posterior.
    """
    n, dims = z.shape
    sets = max(1, DIRECTIONS // dims)
    directions, _ = torch.linalg.qr(
        torch.randn(sets, dims, dims, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    )
    p = (z @ directions.reshape(-1, dims).T).sort(0).values  # (N, directions)
    edges = torch.special.ndtri(torch.linspace(0, 1, n + 1, dtype=torch.float64))
    density = (-0.5 * edges.square()).exp() / math.sqrt(2 * math.pi)
    quantiles = (density[:-1] - density[1:]).unsqueeze(-1)  # (N, 1) the integrals of Φ⁻¹
    squared = p.square().mean(0) - 2 * (p * quantiles).sum(0) + 1  # (directions,)
    return squared.mean().clamp(min=0).sqrt().item()


def holes(z: Tensor, mu: Tensor, std: Tensor, chunk: int = 250) -> float:
    """Share of the prior draws that lie in no code's cloud, 0 to 1.

    A cloud is the 3 sigma ellipsoid of one q(z given x): ‖(z − mu) / std‖ at most `three_sigma_radius`. More images
    fill more holes, so it compares models on the same images only. If every posterior is the prior it is 1.1%.

    Args:
        z: (K, D) draws from the prior.
        mu, std: (N, D) of the posteriors.
    """
    reach, weight = three_sigma_radius(mu.shape[-1]) ** 2, std.reciprocal().square()  # (N, D)
    centre = (mu.square() * weight).sum(-1)  # (N,)
    outside = [
        (part.square() @ weight.T - 2 * part @ (mu * weight).T + centre).amin(-1) > reach for part in z.split(chunk)
    ]
    return torch.cat(outside).double().mean().item()


@in_pieces
def neighbour_accuracy(mu: Tensor, labels: Tensor, chunk: int = 250) -> Pieces[float]:
    """Accuracy of the nearest-neighbour classifier on mu (Cover and Hart 1967), leave-one-out, 0 to 1.

    Each image gets the label of the nearest other image. Distances have no scale here: codes that lie 0.001 apart
    count like codes that lie 1 apart, though the noise of z would drown the first.

    Args:
        mu: (N, D) codes, N >= 2. labels: (N,).
    """
    centred = mu - mu.mean(0)
    squares, right = centred.square().sum(-1), []
    for start in range(0, len(mu), chunk):
        part = centred[start : start + chunk]
        squared = squares - 2 * part @ centred.T  # (chunk, N) less a constant a row
        rows = torch.arange(len(part))
        squared[rows, start + rows] = math.inf  # not itself
        right.append(labels[squared.argmin(-1)] == labels[start : start + chunk])
        yield
    return torch.cat(right).double().mean().item()
