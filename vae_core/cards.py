"""The card of a trained model: how it is made, and what it must hold so that whoever shows it may rely on it."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import vae_core
from vae_core import devices
from vae_core.camera import Keeping
from vae_core.checkpoints import CheckpointError, config_of, read_card
from vae_core.config import RunConfig
from vae_core.models import FAMILIES
from vae_core.paths import AnyPath
from vae_core.train import NEED_POSTERIOR, Trainer, final_metrics


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


def check_figures(figures: Any, model: str, path: AnyPath) -> None:
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


def make_card(trainer: Trainer, seconds: float, keeping: Keeping) -> dict[str, Any]:
    """What is to be known of the model: settings, test figures with protocol and K, and how to build it again."""
    config = trainer.config
    return {
        "name": f"{config.dataset} {config.model} {config.net}, {config.latent_dim} latents",
        "config": config.to_dict(),
        "command": command(config, keeping),
        **({"kept": keeping.sentence} if keeping.only_run else {}),
        **({"weights": "float16, rounded before the test figures were taken"} if keeping.half else {}),
        "steps": trainer.step_count,
        "finished": trainer.done,
        "test": final_metrics(trainer),
        "seed": config.seed,
        "device": devices.describe(trainer.device),
        "seconds": round(seconds, 1),
        "versions": {
            "vae_core": vae_core.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def command(config: RunConfig, keeping: Keeping | None = None) -> str:
    """The command that trains this config again, and keeps the same of it."""
    defaults, values = RunConfig().to_dict(), config.to_dict()
    named = {"net", "latent_dim", "epochs", "seed"}
    chosen = [f"--{k.replace('_', '-')} {v}" for k, v in values.items() if k in named or v != defaults[k]]
    kept = keeping.options.split() if keeping else []
    return " ".join(["python -m vae_core.train", *chosen, *kept, "--out DIR"])


def table(test: dict[str, Any]) -> str:
    """The test figures as text, in nats per image."""
    where = f"{test['protocol']} data, test, {test['images']:,} images"
    of = f" of {len(test['kl_dims'])}" if test["kl_dims"] else ""
    rows = [
        (f"−ELBO (K=1, {where})", _nats(test["neg_elbo"])),
        ("  reconstruction, nll", _nats(test["nll"])),
        ("  KL", _nats(test["kl"])),
        (
            f"−importance-weighted bound (K={test['iw_samples']}, {test['iw_images']:,} images)",
            _nats(test["neg_iw_bound"]),
        ),
        ("  −ELBO of the same images", _nats(test["iw_neg_elbo"])),
        ("active units", f"{test['active_units']}{of}"),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value:>8}" for name, value in rows) + "   nats per image"


def _nats(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.2f}"
