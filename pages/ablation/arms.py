"""The arms of an ablation: configs that differ in nothing but the loss."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from vae_core.config import RunConfig


@dataclass(frozen=True)
class Arm:
    """One way to change the loss. `key` names it in links, `name` above its panel."""

    key: str
    name: str
    says: str
    overlay: dict[str, Any] = field(default_factory=dict)  # of RunConfig


FULL, BETA = "full", "beta"  # keys of the arm with both terms, and of that with the slider
ARMS = (
    Arm(FULL, "full", "Both terms: alpha 1, beta 1. The ELBO."),
    Arm("no-kl", "no KL", "beta 0: only the copy counts, and z is still drawn from q.", {"beta": 0.0}),
    Arm("no-reconstruction", "no reconstruction", "alpha 0: only the KL counts.", {"alpha": 0.0}),
    Arm(
        "autoencoder",
        "plain autoencoder",
        "beta 0 and z = mu: nothing is drawn. Not the same as no KL.",
        {"model": "ae", "beta": 0.0},
    ),
    Arm(BETA, "beta", "Another weight of the KL, on the slider."),
)
BY_KEY = {arm.key: arm for arm in ARMS}
DEFAULT = ("full", "no-kl", "no-reconstruction")
LATENT_DIMS = (2, 16)
CORRECT = "as it should be"  # the right arm of the bug lab


def chosen(keys: Sequence[str], beta: float, settings: dict[str, Any]) -> list[tuple[str, RunConfig]]:
    """Names and configs for a group, in the order of ARMS.

    Args:
        keys: of arms. beta: of the arm with the slider. settings: latent_dim, epochs, seed and the like.
    Raises:
        ConfigError: settings out of range.
    """
    base = RunConfig(**settings)
    return [named(arm, base, beta) for arm in ARMS if arm.key in keys]


def named(arm: Arm, base: RunConfig, beta: float) -> tuple[str, RunConfig]:
    if arm.key == BETA:
        return f"beta {beta:g}", base.with_(beta=beta)
    return arm.name, base.with_(**arm.overlay)


def key_of(name: str) -> str:
    """The key of the arm that has this name above its panel, "" for a branch or a bug."""
    if name.startswith("beta ") and "," not in name:
        return BETA
    return next((arm.key for arm in ARMS if arm.name == name), "")


def weight_when_on(config: RunConfig, term: str) -> float:
    """What a switch sets when a term is switched on: its weight at the start of the run, or 1 where it began at 0."""
    return float(getattr(config, term)) or 1.0
