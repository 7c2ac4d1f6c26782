"""Where the encoder's gap comes from: its family of distributions, or one net for all images."""

from dataclasses import dataclass

from vae_core.exact.bounds import Bound
from vae_core.exact.estimate import Estimate


@dataclass(frozen=True)
class Gaps:
    """Where log p(x) − ELBO of the encoder comes from (Cremer, Li and Duvenaud 2018), nats per image."""

    approximation: Estimate  # log p(x) − ELBO of the best Gaussian: the family is too small
    amortisation: Estimate  # ELBO of the best Gaussian − ELBO of the encoder's q: one net for all images

    @property
    def total(self) -> float:
        return self.approximation.value + self.amortisation.value


def gaps(encoder: Bound, best: Bound) -> Gaps:
    """Split the encoder's gap; the two bounds are of the same image and evidence.

    Raises:
        ValueError: the best q has a lower ELBO than the encoder's, beyond their errors.
    """
    amortisation = best.elbo - encoder.elbo
    if amortisation.value < -4 * amortisation.error:
        raise ValueError(f"the ELBO of the best q lies {-amortisation.value:.3g} nats below that of the encoder's.")
    return Gaps(best.gap, amortisation)
