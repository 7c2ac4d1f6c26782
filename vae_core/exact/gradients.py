"""Three ways to the gradient of E_q[f(z)] with respect to mu and log_var of q = N(mu, diag exp(log_var)).

    score      E_q[(f(z) − b) ∂ log q(z)]          REINFORCE (Williams 1992); b is a baseline
    pathwise   E_eps[f'(z) ∂z],  z = mu + std eps  reparameterisation (Kingma and Welling 2014, section 2.4)
    exact      the first one, integrated on a lattice instead of drawn

Both estimators are right on average; they differ in their variance (Mohamed et al. 2020, sections 4 and 5).
Here f does not depend on mu and log_var. Of the ELBO, take f = log p(x, z): what is missing is the entropy
of q, whose gradient is 0 for mu and ½ for log_var, without any noise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from vae_core.exact.density import CHUNK, log_likelihood
from vae_core.exact.expectation import expectation

Objective = Callable[[Tensor], Tensor]  # (N, D) to (N,), differentiable for the pathwise way
Baseline = float | str | None
OTHERS = "others"  # the baseline of a draw is the mean of f over the other draws of its estimate


@dataclass(frozen=True)
class Gradient:
    """R estimates of one gradient (or R = 1 for the exact one), in nats per unit of mu and of log_var."""

    mu: Tensor  # (R, D)
    log_var: Tensor  # (R, D)


@dataclass(frozen=True)
class Comparison:
    """The estimators on the same noise, R estimates of S draws each, and the truth."""

    score: Gradient
    score_baseline: Gradient
    pathwise: Gradient
    exact: Gradient  # R = 1
    error: Gradient  # R = 1, error estimate of `exact`


def likelihood_of(model: Any, x: Tensor) -> Objective:
    """f(z) = log p(x given z) of one image (1, ...), nats."""
    return partial(log_likelihood, model, x)


def compare(
    f: Objective,
    mu: Tensor,
    log_var: Tensor,
    repeats: int,
    samples: int,
    generator: torch.Generator,
    baseline: Baseline = None,
) -> Comparison:
    """All estimators on common draws, and the exact gradient.

    Args:
        f: (N, D) float64 points to (N,) nats.
        mu, log_var: (1, D) of q; the exact gradient needs D = 1 or 2.
        repeats: R estimates, each from draws of its own.
        samples: S draws an estimate.
        generator: on the device of mu.
        baseline: of score_baseline; by default E_q[f], exactly, the same for every draw.
    """
    eps = draw_eps(mu, repeats, samples, generator)
    values, slopes = evaluate(f, mu, log_var, eps)
    if baseline is None:
        baseline = expectation(f, mu, log_var).value.item()
    truth, error = exact(f, mu, log_var, shift=baseline if isinstance(baseline, float) else 0.0)
    return Comparison(
        score=score(values, eps, log_var),
        score_baseline=score(values, eps, log_var, baseline),
        pathwise=pathwise(slopes, eps, log_var),
        exact=truth,
        error=error,
    )


def draw_eps(mu: Tensor, repeats: int, samples: int, generator: torch.Generator) -> Tensor:
    """(R, S, D) draws from N(0, I), float64."""
    return torch.randn(repeats, samples, mu.shape[-1], generator=generator, dtype=torch.float64, device=mu.device)


def evaluate(f: Objective, mu: Tensor, log_var: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
    """f and its slope at z = mu + std eps: (R, S, D) to values (R, S) and slopes (R, S, D), in parts of CHUNK."""
    z = (mu + (0.5 * log_var).exp() * eps).detach().flatten(0, 1)  # (R*S, D)
    values, slopes = [], []
    for part in z.split(CHUNK):
        with torch.enable_grad():
            part = part.clone().requires_grad_()
            value = f(part)
            (slope,) = torch.autograd.grad(value.sum(), part)
        values.append(value.detach())
        slopes.append(slope)
    return torch.cat(values).view(eps.shape[:2]).double(), torch.cat(slopes).view_as(eps)


def score(values: Tensor, eps: Tensor, log_var: Tensor, baseline: Baseline = None) -> Gradient:
    """The score function estimator.

        ∂ log q / ∂mu = eps / std,      ∂ log q / ∂log_var = ½ (eps² − 1)

    Args:
        values: (R, S) f at the draws; its slope is not needed, f may be a black box.
        eps: (R, S, D).
        log_var: (1, D).
        baseline: taken off f, without bias: a number, OTHERS (Kool et al. 2019; S >= 2), or None.
    Raises:
        ValueError: OTHERS with one draw an estimate, or an unknown word.
    """
    centred = (values - _baseline(values, baseline))[..., None]  # (R, S, 1)
    std = (0.5 * log_var).exp()
    return Gradient((centred * eps / std).mean(1), (centred * 0.5 * (eps.square() - 1)).mean(1))


def pathwise(slopes: Tensor, eps: Tensor, log_var: Tensor) -> Gradient:
    """The reparameterised estimator: ∂z/∂mu = 1, ∂z/∂log_var = ½ std eps.

    Args:
        slopes: (R, S, D) f'(z) at the draws.
        eps: (R, S, D).
        log_var: (1, D).
    """
    std = (0.5 * log_var).exp()
    return Gradient(slopes.mean(1), (slopes * 0.5 * std * eps).mean(1))


def exact(
    f: Objective, mu: Tensor, log_var: Tensor, shift: float = 0.0, tolerance: float = 1e-3
) -> tuple[Gradient, Gradient]:
    """The gradient itself and its error estimate, by the trapezoid rule on q's own lattice.

    It integrates f times the score, so f need not be differentiable and the pathwise estimator has no part in it.

    Args:
        f: (N, D) to (N,).
        mu, log_var: (1, D), D = 1 or 2.
        shift: taken off f; changes nothing but the rounding. E_q[f] is best.
        tolerance: of every component, in nats per std of q for mu (so it means the same for narrow q).
    """
    std = (0.5 * log_var.double()).exp()

    def weighted(z: Tensor) -> Tensor:  # (N, 2D)
        eps = (z - mu) / std
        return (f(z) - shift)[:, None] * torch.cat([eps, 0.5 * (eps.square() - 1)], dim=-1)

    def unpacked(both: Tensor) -> Gradient:
        of_mu, of_log_var = both[None].chunk(2, dim=-1)  # (1, D) each
        return Gradient(of_mu / std, of_log_var)

    integral = expectation(weighted, mu, log_var, tolerance)
    return unpacked(integral.value), unpacked(integral.error)


def _baseline(values: Tensor, baseline: Baseline) -> Tensor | float:
    if baseline is None:
        return 0.0
    if isinstance(baseline, str):
        if baseline != OTHERS or values.shape[1] < 2:
            raise ValueError(f"the baseline {baseline!r} is none, or needs at least 2 draws an estimate.")
        return (values.sum(1, keepdim=True) - values) / (values.shape[1] - 1)  # (R, S)
    return baseline
