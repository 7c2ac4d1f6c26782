"""MNIST, which ships with the program."""

from pathlib import Path

import numpy as np

from vae_core.any_path import AnyPath
from vae_core.data.declaration import Declaration, read_npz

FILE = Path(__file__).parents[1] / "mnist.npz"
DECLARED = Declaration(
    title="MNIST digits",
    short="MNIST",
    says="60,000 digits to train on and 10,000 to test with; they ship with the program.",
    class_names=tuple("0123456789"),
    credit="MNIST: Yann LeCun, Corinna Cortes, Christopher J. C. Burges; licence CC BY-SA 3.0.",
    centred=True,
)


def read(path: AnyPath = FILE) -> dict[str, np.ndarray]:
    """Its four arrays.

    Raises:
        DataError: the file is missing or damaged.
    """
    return read_npz(path, DECLARED, "restore it from the repository or run `python -m vae_core.data.build`.")
