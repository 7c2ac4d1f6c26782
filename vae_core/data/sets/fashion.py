"""Fashion-MNIST: articles of clothing in the place of digits, which ask more of a model (Xiao et al. 2017)."""

import numpy as np

from vae_core.data.declaration import Declaration
from vae_core.data.idx_set import Published, read_published

DECLARED = Declaration(
    title="Fashion-MNIST",
    says="60,000 articles of clothing to train on and 10,000 to test with; not shipped: found on this machine.",
    class_names=(
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    credit="Fashion-MNIST: Zalando SE (Xiao, Rasul, Vollgraf 2017); licence MIT.",
)
PUBLISHED = Published(
    "fashion",
    "FashionMNIST",
    md5={
        "x_train": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "y_train": "25c81989df183df01b3e8a0aad5dffbe",
        "x_test": "bef4ecab320f06d8554ea6380940ec79",
        "y_test": "bb300cfdad3c16e7a12a480ee83cd310",
    },
    sha256={  # Debian packs them anew
        "x_train": "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
        "y_train": "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
        "x_test": "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
        "y_test": "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
    },
    package="dataset-fashion-mnist",
    folder="/usr/share/datasets/fashion-mnist",
)


def read() -> dict[str, np.ndarray]:
    """Its four arrays.

    Raises:
        DataError: they are not on this machine; the message says what to put where.
    """
    return read_published(PUBLISHED, DECLARED)
