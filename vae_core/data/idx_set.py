"""Image sets that are published as four idx files: where they may lie, how it is seen that they are the right ones.

MNIST and its kin have the very same file names, so each file is held to its published checksum.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vae_core import datasets
from vae_core.data.declaration import Declaration
from vae_core.data.idx import IdxError, read_idx
from vae_core.data.images import DataError

FILES = {
    "x_train": "train-images-idx3-ubyte.gz",
    "y_train": "train-labels-idx1-ubyte.gz",
    "x_test": "t10k-images-idx3-ubyte.gz",
    "y_test": "t10k-labels-idx1-ubyte.gz",
}


@dataclass(frozen=True)
class Published:
    """Where a set comes from.

    Attributes:
        name: of the set. loader: torchvision's class, which knows the mirrors and puts files to <loader>/raw.
        md5: of the published files, by array. sha256: of what they hold, unpacked, where that is known.
        package: of Debian, and its folder.
    """

    name: str
    loader: str
    md5: dict[str, str]
    sha256: dict[str, str]
    package: str = ""
    folder: str = ""

    @property
    def folders(self) -> list[Path]:
        """Where the files may lie, the first that has all of them counts."""
        data = datasets.folder()
        return [data / self.name, data / self.loader / "raw", *([Path(self.folder)] if self.folder else [])]

    @property
    def found(self) -> Path | None:
        """The folder that has all four."""
        return next((f for f in self.folders if all((f / name).is_file() for name in FILES.values())), None)


def read_published(published: Published, says: Declaration) -> dict[str, np.ndarray]:
    """The four arrays of a set.

    Raises:
        DataError: the files are not here, or are not the published ones; the message says what to put where.
    """
    if (folder := published.found) is None:
        raise DataError(not_here(published, says))
    arrays = {}
    for key, name in FILES.items():
        arrays[key] = _read_one(folder / name, published, key, says)
    return arrays


def not_here(published: Published, says: Declaration) -> str:
    """One sentence where a set is not on this machine."""
    return f"{says.title} is not on this machine: {how_to_get(published)}"


def how_to_get(published: Published) -> str:
    """What brings the files, for the end of a sentence."""
    package = f", install Debian's package {published.package}" if published.package else ""
    files = f"put its four files ({FILES['x_train']}, ...) into {published.folders[0]}"
    return f"run `python -m vae_core.data.fetch {published.name}`{package}, or {files}."


def _read_one(path: Path, published: Published, key: str, says: Declaration) -> np.ndarray:
    shape = says.arrays[key]
    try:
        with path.open("rb") as file:
            right = hashlib.file_digest(file, "md5").hexdigest() == published.md5[key]
            file.seek(0)
            array = read_idx(file, int(np.prod(shape)))
        whole = array.tobytes()
    except (OSError, IdxError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{path} cannot be used ({why}): remove it, then {how_to_get(published)}") from None
    right = right or hashlib.sha256(whole).hexdigest() == published.sha256.get(key)
    if not right or array.shape != shape:
        other = "not the file that was published; those of MNIST and its kin have the same names"
        raise DataError(f"{path} is not {says.title} ({other}): remove it, then {how_to_get(published)}")
    return array
