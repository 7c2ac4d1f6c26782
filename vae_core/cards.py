"""The card of a trained model: what it must hold so that whoever shows the model may rely on it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vae_core.checkpoints import CheckpointError, config_of, read_card
from vae_core.models import FAMILIES
from vae_core.paths import AnyPath
from vae_core.train import NEED_POSTERIOR


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(_is_number(item) for item in value)


_CARD: dict[str, Callable[[Any], bool]] = {"steps": _is_whole, "seed": _is_whole}
_FIGURES: dict[str, Callable[[Any], bool]] = {  # of train.final_metrics
    **dict.fromkeys(("split", "protocol"), _is_text),
    **dict.fromkeys(("images", "samples", "active_units", "iw_samples", "iw_images"), _is_whole),
    **dict.fromkeys(("nll", "kl", "neg_elbo", "mean_std", "neg_iw_bound", "iw_neg_elbo"), _is_number),
    "kl_dims": _are_numbers,
}


def read_whole_card(path: AnyPath) -> dict[str, Any]:
    """A card that holds all that is shown of a model; settings that are newer than the card stand at their defaults.

    Raises:
        CheckpointError: it cannot be read, or something in it is missing or of a wrong type.
    """
    path = Path(path)
    card = read_card(path)
    config = config_of(card, path)
    for name, fits in _CARD.items():
        if not fits(card.get(name)):
            raise CheckpointError(f"{path} has no usable {name}: restore or retrain it.")
    check_figures(card.get("test"), config.model, path)
    return card | {"config": config.to_dict()}


def check_figures(figures: Any, model: str, path: Path) -> None:
    """Hold figures of a test split to what train.final_metrics gives.

    Args:
        model: family; one without a posterior may have None where a posterior is needed.
        path: of the file in which they stand, for the message.
    Raises:
        CheckpointError: a figure is missing or of a wrong type.
    """
    if not isinstance(figures, dict):
        raise CheckpointError(f"{path} has no test figures: restore or retrain it.")
    without = () if FAMILIES[model].stochastic else NEED_POSTERIOR
    for name, fits in _FIGURES.items():
        value = figures.get(name)
        if not (fits(value) or (value is None and name in without)):
            raise CheckpointError(f"{path} has no usable {name} among its test figures: restore or retrain it.")
