"""Rebuild the bundled data file from the original idx files: `python -m vae_core.data.build [FOLDER]`.

torchvision downloads the files into FOLDER (default: a temporary folder) unless they lie there already.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from vae_core.any_path import AnyPath
from vae_core.data.sets.mnist import FILE


def build(folder: AnyPath, target: AnyPath) -> None:
    """Write the four uint8 arrays of MNIST to `target`."""
    from vae_core.vision import datasets

    splits = {"train": True, "test": False}
    sets = {name: datasets.MNIST(str(folder), train=train, download=True) for name, train in splits.items()}
    arrays = {f"x_{name}": s.data.numpy() for name, s in sets.items()}
    arrays |= {f"y_{name}": s.targets.numpy().astype(np.uint8) for name, s in sets.items()}
    np.savez_compressed(target, **arrays)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        build(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch), FILE)
