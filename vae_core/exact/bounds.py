"""The bound of any Gaussian q on the evidence of one image: its terms and its gap.

    log p(x) = E_q[log p(x given z)] − KL(q ‖ p(z)) + KL(q ‖ p(z given x))
               `------------- ELBO --------------'   `------ gap -------'

The gap is computed as the divergence that it is, never as log p(x) − ELBO, so that the identity can fail.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from vae_core import losses
from vae_core.exact.density import log_joint, log_likelihood
from vae_core.exact.estimate import Estimate, rounding
from vae_core.exact.expectation import expectation
from vae_core.exact.quadrature import Evidence

KL = Callable[[Tensor, Tensor], Tensor]  # (mu, log_var) to KL(q ‖ prior), (B,) nats


@dataclass(frozen=True)
class Bound:
    """Everything in nats per image."""

    log_p: Estimate  # log p(x), from the lattice of the evidence
    reconstruction: Estimate  # E_q[log p(x given z)], on q's own lattice
    kl: Estimate  # KL(q ‖ prior), closed form
    gap: Estimate  # KL(q ‖ p(z given x)), on another lattice of q and with another normaliser

    @property
    def elbo(self) -> Estimate:
        return self.reconstruction - self.kl

    @property
    def residual(self) -> Estimate:
        """ELBO + gap − log p(x): 0, if the identity holds and every number is right."""
        return self.elbo + self.gap - self.log_p


def bound(
    model: Any,
    x: Tensor,
    evidence: Evidence,
    mu: Tensor,
    log_var: Tensor,
    kl: KL = losses.gaussian_kl,
    tolerance: float = 1e-3,
    max_points: int = 50_000,
) -> Bound:
    """The terms of the bound for q = N(mu, diag exp(log_var)).

    Args:
        model, x, evidence: as given to, and returned by, quadrature.evidence.
        mu, log_var: (1, 2) of any q, the encoder's or another.
        kl: (mu, log_var) to KL(q ‖ prior), (1,) nats; a wrong one breaks the identity.
        tolerance, max_points: of each of the two integrals, see expectation.
    """

    def log_ratio(z: Tensor) -> Tensor:  # log q(z) − log p(z given x)
        log_q = losses.gaussian_log_prob(z, mu.double(), log_var.double())
        return log_q - log_joint(model, x, z) + evidence.normaliser.value

    likelihood = partial(log_likelihood, model, x)
    reconstruction = expectation(likelihood, mu, log_var, tolerance, max_points, offset=0.0).estimate()
    gap = expectation(log_ratio, mu, log_var, tolerance, max_points, offset=0.3).estimate()
    gap += Estimate(0.0, evidence.normaliser.error)  # log_ratio carries the normaliser's error
    return Bound(evidence.log_p, reconstruction, kl_to_prior(mu, log_var, kl), gap)


def kl_to_prior(mu: Tensor, log_var: Tensor, kl: KL = losses.gaussian_kl) -> Estimate:
    """KL(q ‖ prior) of one q, mu and log_var (1, D), by the given formula."""
    value = kl(mu, log_var).item()
    return Estimate(value, rounding(mu.dtype, value))
