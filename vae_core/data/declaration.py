"""What an image set says of itself, and files of its arrays."""

import hashlib
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vae_core.any_path import AnyPath
from vae_core.data.images import DataError

# Whatever a broken byte can make of a zip file of arrays, and a file that is something else altogether.
DAMAGE = (
    *(OSError, EOFError, zipfile.BadZipFile, zlib.error),
    *(ValueError, KeyError, TypeError, OverflowError),
    *(RuntimeError, MemoryError),  # NotImplementedError is a RuntimeError
)


@dataclass(frozen=True)
class Declaration:
    """What an image set says of itself.

    Attributes:
        title: what it is called on a page. short: beside a figure, where that is shorter.
        says: what it holds, in one sentence.
        train, test: how many images. shape: of one.
        class_names: of its classes, in the order of the labels; none where the images have none.
        factors: names of what the images were drawn from, where that is known exactly.
        credit: who made it, and its licence.
        centred: whether each is scaled to a box of 20 pixels and centred by its mass, as MNIST's are.
    """

    title: str
    says: str
    train: int = 60_000
    test: int = 10_000
    shape: tuple[int, ...] = (1, 28, 28)
    class_names: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    credit: str = ""
    short: str = ""
    centred: bool = False

    @property
    def arrays(self) -> dict[str, tuple[int, ...]]:
        """Its arrays and their shapes; grey images have no channel there."""
        shape = self.shape[1:] if self.shape[0] == 1 else self.shape
        x = {"x_train": (self.train, *shape), "x_test": (self.test, *shape)}
        return x | {"y_train": (self.train,), "y_test": (self.test,)}


def read_npz(path: AnyPath, says: Declaration, advice: str) -> dict[str, np.ndarray]:
    """The four arrays of a set's file, checked for name, shape and type. Never unpickles.

    Args:
        advice: what to do where the file cannot be used.
    Raises:
        DataError: the file is missing or damaged.
    """
    name = Path(path).name
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in says.arrays}
    except FileNotFoundError:
        raise DataError(f"The data file {name} is missing: {advice}") from None
    except DAMAGE as error:
        raise DataError(f"The data file {name} is damaged ({type(error).__name__}): {advice}") from None
    for key, shape in says.arrays.items():
        if arrays[key].shape != shape or arrays[key].dtype != np.uint8:
            found = f"{key} is {arrays[key].dtype} {arrays[key].shape}"
            raise DataError(f"The data file {name} is damaged ({found}): {advice}")
    return arrays


def checksum(arrays: Mapping[str, np.ndarray]) -> str:
    """sha256 in hexadecimal digits of the bytes of x_train, y_train, x_test and y_test, all uint8, in this order."""
    found = hashlib.sha256()
    for name in ("x_train", "y_train", "x_test", "y_test"):
        found.update(np.ascontiguousarray(arrays[name], dtype=np.uint8).data)
    return found.hexdigest()
