"""KL(q ‖ prior) as the integral that it is, which its formula has to match."""

from torch import Tensor

from vae_core import losses
from vae_core.exact.estimate import QUADRATURE, Estimate, rounding
from vae_core.exact.expectation import expectation

KL_TOLERANCE = 1e-6  # nats


def integrate_kl(mu: Tensor, log_var: Tensor, which: int) -> Estimate:
    """KL(q ‖ prior) as the integral that it is, of one q in a batch: mu and log_var (B, D).

    A quadratic in z is integrated to many more digits: a lattice that finds them uncertain found no quadratic.
    """
    one = mu[which : which + 1].double(), log_var[which : which + 1].double()

    def log_ratio(z: Tensor) -> Tensor:
        log_q = losses.gaussian_log_prob(z.unsqueeze(1), mu.double(), log_var.double())  # (N, B)
        own = log_q.expand(-1, len(mu))[:, which]
        return density_over(own, z, *one) * (own - losses.standard_normal_log_prob(z))

    value = expectation(log_ratio, *one, KL_TOLERANCE, offset=0.3).value.item()
    return Estimate(value, KL_TOLERANCE + rounding(mu.dtype, value), QUADRATURE)


def density_over(log_q: Tensor, z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    """(N,) q(z) by the formula over the q whose weights a lattice has, so that it integrates the formula's: 1."""
    eps = (z - mu) / (0.5 * log_var).exp()
    return (log_q - losses.standard_normal_log_prob(eps) + 0.5 * log_var.sum(-1)).exp()
