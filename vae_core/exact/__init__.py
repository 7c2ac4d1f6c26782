"""What is intractable in general, computed where it is not: one or two latents, or a linear Gaussian model."""

from vae_core.exact.ascent import Ascent, best_gaussian, best_of_starts
from vae_core.exact.bounds import Bound, Gaps, bound, gaps
from vae_core.exact.derivation import WAYS, derive
from vae_core.exact.estimate import Estimate
from vae_core.exact.linear_gaussian import LinearGaussian, closed_form, curves, line_model
from vae_core.exact.lines import Check, Derivation, Line, check, coloured
from vae_core.exact.quadrature import Evidence, evidence

__all__ = [
    "WAYS",
    "Ascent",
    "Bound",
    "Check",
    "Derivation",
    "Estimate",
    "Evidence",
    "Gaps",
    "Line",
    "LinearGaussian",
    "best_gaussian",
    "best_of_starts",
    "bound",
    "check",
    "closed_form",
    "coloured",
    "curves",
    "derive",
    "evidence",
    "gaps",
    "line_model",
]
