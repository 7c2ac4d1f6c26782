"""When training runs away: how that is noticed, and which settings it is put down to."""

from math import isnan

import numpy as np
from torch import Tensor, stack

from vae_core.config import LETTERS, RunConfig, term_name

RUNAWAY = 1e8  # nats per image; beyond it a loss counts as infinite


class RunError(RuntimeError):
    """A run that cannot go on; the message says why and what to do."""


class Diverged(RunError):
    """A loss or a weight stopped being a number."""


def count_sane(rows: np.ndarray) -> int:
    """How many rows there are before the first whose terms are beyond all bounds, or whose loss is no number.

    Args:
        rows: (n, columns) of a train history: the step, the terms, the loss.
    """
    sane = (np.abs(rows[:, 1:-1]) < RUNAWAY).all(axis=1) & np.isfinite(rows[:, -1])  # False for NaN too
    return len(rows) if sane.all() else int(sane.argmin())


def all_finite(parameters: dict[str, Tensor]) -> bool:
    """Whether all weights are numbers."""
    sums = [values.sum() for values in parameters.values() if values.is_floating_point()]  # one NaN makes its sum NaN
    return bool(stack(sums).isfinite().all())


def explain(row: dict[str, float] | None, step: int, kept: int, weights: dict[str, float], config: RunConfig) -> str:
    """What ran away, at which settings, and what to do.

    Args:
        row: the first row of the history that is not sane, by column; None where a weight was the first.
        step: where it was noticed, if it was a weight. kept: the step whose weights are put back.
        weights: of the terms. config: with the learning rate in force.
    """
    at = step if row is None else int(row["step"])
    return (
        f"{_what(row)} ran away to infinity at step {at}, with {', '.join(_suspects(weights, config))}. "
        f"Training stopped; the last good weights (step {kept}) are kept. Change what is named here and start again."
    )


def _what(row: dict[str, float] | None) -> str:
    if row is None:
        return "A weight"
    sizes = {name: abs(value) for name, value in row.items() if name not in ("step", "loss")}
    if all(size < RUNAWAY for size in sizes.values()):
        return "The weighted loss"
    first = next((name for name, size in sizes.items() if isnan(size)), max(sizes, key=sizes.__getitem__))
    return f"The {term_name(first)} term"


def _suspects(weights: dict[str, float], config: RunConfig) -> list[str]:
    """The settings most likely behind it: those beyond the usual range, else all that matter."""
    named = {LETTERS.get(term, term): weight for term, weight in reversed(weights.items())}
    usual = [
        (f"learning rate {config.learning_rate:g}", config.learning_rate > 0.01),
        *((f"{name} {weight:g}", weight > 100) for name, weight in named.items()),
    ]
    low_sigma = config.likelihood != "bernoulli" and config.sigma < 0.05
    odd = [text for text, is_odd in usual if is_odd] + [f"sigma {config.sigma:g}"] * low_sigma
    return odd or [text for text, _ in usual]
