"""Kuzushiji-MNIST: ten signs of old Japanese script, each written in several ways (Clanuwat et al. 2018)."""

import numpy as np

from vae_core.data.declaration import Declaration
from vae_core.data.idx_set import Published, read_published

DECLARED = Declaration(
    title="Kuzushiji-MNIST",
    short="KMNIST",
    says="60,000 signs of old Japanese script to train on and 10,000 to test with; not shipped: found on this machine.",
    class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    credit="KMNIST: ROIS-DS Center for Open Data in the Humanities (Clanuwat et al. 2018); licence CC BY-SA 4.0.",
)
PUBLISHED = Published(
    "kmnist",
    "KMNIST",
    md5={
        "x_train": "bdb82020997e1d708af4cf47b453dcf7",
        "y_train": "e144d726b3acfaa3e44228e80efcd344",
        "x_test": "5c965bf0a639b31b8f53240b1b52f4d7",
        "y_test": "7320c461ea6c1c855c0b718fb2a4b134",
    },
    sha256={},
)


def read() -> dict[str, np.ndarray]:
    """Its four arrays.

    Raises:
        DataError: they are not on this machine; the message says what to put where.
    """
    return read_published(PUBLISHED, DECLARED)
