"""The few figures by which a state is named: a snapshot and the metrics both have them, and give the same name."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol, Self

import numpy as np

from vae_core.config import NAMES, term_name


class Seen(Protocol):
    """What is looked at: the figures and pictures of a snapshot, as inspect.snapshot names them."""

    @property
    def step(self) -> int: ...
    @property
    def terms(self) -> dict[str, float]: ...
    @property
    def neg_elbo(self) -> float | None: ...
    @property
    def mean_std(self) -> float | None: ...
    @property
    def active(self) -> np.ndarray: ...
    @property
    def spread(self) -> float | None: ...
    @property
    def outside(self) -> float | None: ...
    @property
    def nll_copy(self) -> float | None: ...
    @property
    def nll_mean_image(self) -> float | None: ...
    @property
    def prior_draws(self) -> np.ndarray: ...
    @property
    def metrics(self) -> dict[str, Any] | None: ...


@dataclass(frozen=True)
class Figures:
    """Of one model after `step` updates; None where its family, or an old frame, has none.

    Attributes:
        terms: of the loss, nats per image. neg_elbo: their sum where it bounds −log p(x).
        active: (D,) whether the variance of a unit's mu exceeds 0.01; empty without codes.
        mean_std: posterior std, mean over images and dimensions.
        spread: std of mu, of the prior's. outside: share of mu where 1.1% of the prior lies (metrics.codes).
        variety: std of a pixel over prior draws, mean over the pixels, of 1.
        deviance: of the reconstruction, what is left of the mean image's: 0 for perfect copies, 1 for the mean image
            whatever z, above 1 for what is worse (McCullagh and Nelder 1989: 1 less the deviance explained).
    """

    step: int
    terms: Mapping[str, float]
    neg_elbo: float | None
    active: tuple[bool, ...]
    mean_std: float | None
    spread: float | None
    outside: float | None
    variety: float
    deviance: float | None

    @classmethod
    def of(cls, seen: Seen) -> Self:
        """By the metrics of a snapshot that was measured, which take more draws, else by its own arrays."""
        if seen.metrics is not None:
            codes, variety = seen.metrics, seen.metrics["variety"]
        else:
            codes = {name: getattr(seen, name) for name in ("mean_std", "spread", "outside")}
            codes["active_dims"] = [bool(active) for active in seen.active]
            variety = float((seen.prior_draws / 255).std(axis=0).mean()) if len(seen.prior_draws) else 0.0
        return cls(
            step=seen.step,
            terms=seen.terms,
            neg_elbo=seen.neg_elbo,
            active=tuple(codes["active_dims"]),
            mean_std=codes["mean_std"],
            spread=codes["spread"],
            outside=codes["outside"],
            variety=variety,
            deviance=_deviance(seen),
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """What `to_dict` wrote."""
        return cls(**{**values, "active": tuple(values["active"])})

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "terms": dict(self.terms), "active": list(self.active)}

    @property
    def finite(self) -> bool:
        """Whether all are numbers."""
        values = [*self.terms.values(), self.mean_std, self.spread, self.variety]
        return all(value is None or math.isfinite(value) for value in values)

    @property
    def in_use(self) -> int:
        """How many units are active."""
        return sum(self.active)

    @property
    def units(self) -> str:
        return f"{self.in_use} of {len(self.active)} units active"

    @property
    def told(self) -> str:
        """The KL, or all terms of a model that has none, and how many units are active."""
        shown = {"kl": self.terms["kl"]} if "kl" in self.terms else self.terms
        units = {name: " nats" if name in NAMES else "" for name in shown}  # of a family's own terms it is not known
        terms = [f"{term_name(name)} {value:.2f}{units[name]}" for name, value in shown.items()]
        return ", ".join([*([self.units] if self.active else []), *terms])


def _deviance(seen: Seen) -> float | None:
    nll, copy, mean_image = seen.terms.get("nll"), seen.nll_copy, seen.nll_mean_image
    if nll is None or copy is None or mean_image is None or not mean_image > copy:
        return None
    return (nll - copy) / (mean_image - copy)
