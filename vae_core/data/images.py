"""Image sets, held as uint8 on the device that computes."""

from __future__ import annotations

import functools
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vae_core.paths import AnyPath

FILES = {"mnist": Path(__file__).with_name("mnist.npz")}
_SHAPES = {"x_train": (60_000, 28, 28), "y_train": (60_000,), "x_test": (10_000, 28, 28), "y_test": (10_000,)}

# Whatever a broken byte can make of a zip file of arrays, and a file that is something else altogether.
_DAMAGE = (
    *(OSError, EOFError, zipfile.BadZipFile, zlib.error),
    *(ValueError, KeyError, TypeError, OverflowError),
    *(RuntimeError, MemoryError),  # NotImplementedError is a RuntimeError
)


class DataError(RuntimeError):
    """A data file that is missing or damaged; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class Images:
    """A train and a test split. x: (N, 1, 28, 28) uint8; y: (N,) int64."""

    name: str
    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor

    def one_per_class(self) -> Tensor:
        """(10,) indices of the first test image of each class 0 to 9."""
        return torch.stack([(self.y_test == label).nonzero()[0, 0] for label in range(10)])


@functools.lru_cache(maxsize=4)
def load(name: str, device: torch.device) -> Images:
    """The image set, on the device; a second call returns the same tensors.

    Raises:
        DataError: the file is missing or damaged.
    """
    arrays = read(FILES[name])
    x_train, x_test = (torch.from_numpy(arrays[k]).unsqueeze(1).to(device) for k in ("x_train", "x_test"))
    y_train, y_test = (torch.from_numpy(arrays[k]).long().to(device) for k in ("y_train", "y_test"))
    return Images(name, x_train, y_train, x_test, y_test)


def read(path: AnyPath) -> dict[str, np.ndarray]:
    """The four arrays of a data file, checked for name, shape and type. Never unpickles.

    Raises:
        DataError: the file is missing or damaged.
    """
    path = Path(path)
    rebuild = "restore it from the repository or run `python -m vae_core.data.build`."
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in _SHAPES}
    except FileNotFoundError:
        raise DataError(f"The data file {path.name} is missing: {rebuild}") from None
    except _DAMAGE as error:
        raise DataError(f"The data file {path.name} is damaged ({type(error).__name__}): {rebuild}") from None
    for key, shape in _SHAPES.items():
        if arrays[key].shape != shape or arrays[key].dtype != np.uint8:
            found = f"{key} is {arrays[key].dtype} {arrays[key].shape}"
            raise DataError(f"The data file {path.name} is damaged ({found}): {rebuild}")
    return arrays
