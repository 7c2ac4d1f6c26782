"""What ships and is loaded once per server: the test images, the trained models and the finished runs."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import Any

import torch

from vae_core import checkpoints, runs
from vae_core.archive import RECORD, ArchiveError
from vae_core.checkpoints import CARD, WEIGHTS, Checkpoint, CheckpointError, read_card
from vae_core.config import ConfigError, RunConfig
from vae_core.data import Images, load

CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"
PLANE = "mnist-vae-mlp-2"  # two latents: everything about it can be drawn
ARMS = ("arm-full", "arm-no-kl", "arm-no-reconstruction", "arm-plain-autoencoder", "arm-beta-32")  # the page's order
ARMS_FOLDER, DOSE_FOLDER = "arms", "dose"


@functools.cache
def checkpoint(name: str) -> Checkpoint:
    """A shipped model, on the CPU, in evaluation mode. Shared by all visitors: never change it."""
    return checkpoints.load(CHECKPOINTS / name)


def shipped_run() -> str:
    """The id of the finished run that everybody may watch before they have one of their own."""
    if runs.registry().get(PLANE) is None:
        runs.registry().add_shipped(CHECKPOINTS / PLANE)
    return PLANE


def shipped_arms() -> list[str]:
    """Ids of the finished arms of the ablation, in the page's order; a damaged one is left out."""
    return _registered([CHECKPOINTS / ARMS_FOLDER / name for name in ARMS])


def shipped_dose() -> list[str]:
    """Ids of the finished runs that differ in beta alone, from the smallest to the largest; damaged ones left out."""
    found = _registered(sorted(path.parent for path in CHECKPOINTS.glob(f"{DOSE_FOLDER}/*/{RECORD}")))
    return sorted(found, key=_beta)


def register_all() -> None:
    """Every shipped run can be opened by its id from now on; damaged ones are left out with a line on stderr."""
    _registered([path.parent for path in sorted(CHECKPOINTS.rglob(RECORD))])


def images() -> Images:
    """MNIST on the CPU."""
    return load("mnist", torch.device("cpu"))


@functools.cache
def cards() -> dict[str, dict[str, Any]]:
    """Cards of the shipped models by name, the main one first, plain autoencoders last. Never change them.

    A run without its model is none; one with a damaged card is left out with a line on stderr.
    """
    found = {}
    for path in CHECKPOINTS.glob(f"*/{CARD}"):
        if (path.parent / WEIGHTS).is_file() and (card := _card(path)) is not None:
            found[path.parent.name] = card
    order = sorted(found, key=lambda name: (name != PLANE, found[name]["config"]["model"] == "ae", name))
    return {name: found[name] for name in order}


def planes() -> list[str]:
    """Names of the shipped models with a posterior over two latents, the main one first."""
    configs = {name: card["config"] for name, card in cards().items()}
    return [name for name, config in configs.items() if config["latent_dim"] == 2 and config["model"] != "ae"]


def _card(path: Path) -> dict[str, Any] | None:
    try:
        card = read_card(path)
        return card | {"config": RunConfig.from_dict(card["config"]).to_dict()}  # with what is newer than the card
    except (CheckpointError, ConfigError, KeyError, TypeError) as error:
        print(f"The model {path.parent.name} is left out: {error}", file=sys.stderr)
        return None


def _registered(folders: list[Path]) -> list[str]:
    """Ids of the runs in these folders, read where the registry does not know them yet."""
    return [folder.name for folder in folders if _register(folder)]


def _register(folder: Path) -> bool:
    if runs.registry().get(folder.name) is not None:
        return True
    try:
        runs.registry().add_shipped(folder)
    except ArchiveError as error:
        print(error, file=sys.stderr)
        return False
    return True


def _beta(run_id: str) -> float:
    run = runs.registry().get(run_id)
    return run.config.beta if run else 0.0
