"""What ships and is loaded once per server: the test images and the trained models."""

from __future__ import annotations

import functools
from pathlib import Path

import torch

from vae_core import checkpoints, runs
from vae_core.checkpoints import Checkpoint
from vae_core.data import Images, load

CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"
PLANE = "mnist-vae-mlp-2"  # two latents: everything about it can be drawn


@functools.cache
def checkpoint(name: str) -> Checkpoint:
    """A shipped model, on the CPU, in evaluation mode. Shared by all visitors: never change it."""
    return checkpoints.load(CHECKPOINTS / name)


def shipped_run() -> str:
    """The id of the finished run that everybody may watch before they have one of their own."""
    if runs.registry().get(PLANE) is None:
        runs.registry().add_shipped(CHECKPOINTS / PLANE)
    return PLANE


def images() -> Images:
    """MNIST on the CPU."""
    return load("mnist", torch.device("cpu"))


@functools.cache
def planes() -> list[str]:
    """Names of the shipped models with two latents, the main one first."""
    found = [path.parent.name for path in CHECKPOINTS.glob("*/card.json")]
    flat = [name for name in found if checkpoint(name).card["config"]["latent_dim"] == 2]
    return sorted(flat, key=lambda name: (name != PLANE, name))
