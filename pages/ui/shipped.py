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
