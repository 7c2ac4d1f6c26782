"""What the KL is made of: what z tells about the image, and how far the codes as a whole are from the prior.

    mean KL(q(z|x_n) ‖ p(z)) = I(n; z) + KL(q(z) ‖ p(z)),    q(z) = 1/N Σ q(z|x_n)

(Hoffman and Johnson 2016, "ELBO surgery: yet another way to carve up the variational evidence lower bound"). I is
the mutual information of z and the index n of one of the N images measured: at most ln N, and at most the KL.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vae_core import losses
from vae_core.metrics.draws import thinned
from vae_core.pieces import Pieces, in_pieces

DRAWS = 4_000  # of z, of all images together
OF_A_DIMENSION = 500  # the same dimension by dimension, which is D times as dear
LEAST = 2  # draws of an image: of two, the error can be told
_AT_ONCE = 400_000  # densities of a piece: some 10 ms


@dataclass(frozen=True)
class Information:
    """Nats. `error` is the Monte Carlo standard error of `information` and of `marginal_kl`: their sum is exact."""

    information: float  # I(n; z)
    marginal_kl: float  # KL(q(z) ‖ p(z)), the mean KL less I
    error: float
    dims: tuple[float, ...]  # (D,) I(n; z_j); the rest of the KL of dimension j is KL(q(z_j) ‖ p(z_j))
    dims_error: tuple[float, ...]  # (D,)


@in_pieces
def information(mu: Tensor, log_var: Tensor, generator: torch.Generator) -> Pieces[Information]:
    """Split the mean KL of N posteriors.

        I = mean over n of E over q(z|x_n) of [log q(z|x_n) − log q(z)],    KL(q(z) ‖ p(z)) = mean KL − I

    The expectation is estimated from DRAWS of z, at least LEAST of an image, so for many images of some of them; q(z)
    is the exact mean over all N posteriors.

    A dimension may tell what another one tells, or tell something only together with it: the figures per dimension
    don't add up to those of z. What they differ by is the total correlation of q(z).

    Args:
        mu, log_var: (N, D) float64, on the CPU, of q(z|x_n). generator: of the noise.
    """
    kl = losses.gaussian_kl(mu, log_var).mean().item()
    mu = mu - mu.mean(0)  # far from 0 the differences of squares would lose digits
    together = yield from _pointwise(mu, log_var, DRAWS, generator)  # (K, M)
    value = min(max(together.mean().item(), 0.0), kl)  # neither part is below 0
    apart, columns = [], zip(mu.split(1, -1), log_var.split(1, -1), strict=True)
    for column in columns:
        apart.append((yield from _pointwise(*column, OF_A_DIMENSION, generator)))
    return Information(
        value,
        kl - value,
        _standard_error(together, len(mu)),
        tuple(terms.mean().item() for terms in apart),
        tuple(_standard_error(terms, len(mu)) for terms in apart),
    )


def _pointwise(mu: Tensor, log_var: Tensor, draws: int, generator: torch.Generator) -> Pieces[Tensor]:
    """log q(z|x_n) − log q(z) at K draws of z for each of M evenly spaced images: (K, M) nats, at most ln N."""
    chosen, weight = thinned(torch.arange(len(mu)), draws // LEAST), (-log_var).exp()  # (M,), (N, D)
    each = draws // len(chosen)
    eps = torch.randn(each, len(chosen), mu.shape[1], dtype=torch.float64, generator=generator)
    index, z = chosen.repeat(each), (mu[chosen] + (0.5 * log_var[chosen]).exp() * eps).flatten(0, 1)  # (K·M, D)
    own = -0.5 * (eps.square() + log_var[chosen]).sum(-1).reshape(-1, 1)  # log q(z|x_n), but for a constant of all
    other = torch.cat([-0.5 * weight, mu * weight, -0.5 * (mu.square() * weight + log_var).sum(-1, keepdim=True)], -1).T
    found, chunk = [], max(1, _AT_ONCE // len(mu))
    for part, its, at in zip(z.split(chunk), own.split(chunk), index.split(chunk), strict=True):
        ratio = (
            torch.cat([part.square(), part, torch.ones_like(its)], -1) @ other - its
        )  # (chunk, N) log q(z|x_m)/q(z|x_n)
        ratio[torch.arange(len(at)), at] = 0.0  # to the last digit, so that nothing passes ln N
        found.append(math.log(len(mu)) - ratio.float().logsumexp(-1).double())  # half the digits take half the time
        yield
    return torch.cat(found).reshape(each, -1)


def _standard_error(terms: Tensor, of: int) -> float:
    """Of the mean over `of` images, from K draws of M of them, (K, M) (two-stage sampling, Cochran 1977, 10.3).

        (1 − M/N) · variance of the images' means / M + M/N · mean variance within an image / (M · K)

    Where all images are drawn from, what they differ in is no error: only the draws are random.
    """
    draws, images = terms.shape
    share = images / of
    between = terms.mean(0).var() if images > 1 else torch.zeros(())
    within = terms.var(0).mean() / draws
    return (((1 - share) * between + share * within) / images).sqrt().item()
