"""Images of one's own, once they are read and checked (own.py): saved as a set that is found by its name.

<folder>/images.npz    x_train, y_train, x_test, y_test: uint8
         set.json      name, counts, class names, checksum, how it was split, and what was refused with the reason
"""

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from vae_core import datasets
from vae_core.any_path import AnyPath
from vae_core.data.declaration import Declaration, checksum, read_npz
from vae_core.data.images import DataError

ARRAYS = "images.npz"
MOST_IMAGES, LEAST_IMAGES, MOST_CLASSES = 200_000, 20, 10  # a map has ten colours
_DEVICE = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")  # no folder on Windows can be called so
_TITLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 -]{0,59}")
_LARGEST = 20_000_000  # bytes of set.json, which may list many refused files


def declared(name: str) -> Declaration:
    """What a saved set says of itself.

    Raises:
        DataError: it is not here, or its description cannot be read.
    """
    return _declaration(about(name))


def about(name: str) -> dict[str, Any]:
    """The description of a saved set, checked.

    Raises:
        DataError: it is not here, or cannot be read.
    """
    if (path := datasets.find(name)) is None:
        again = "upload them again" if datasets.is_upload(name) else "make them with python -m vae_core.data.own"
        raise DataError(f"The images {name!r} are not here any more: {again}, or choose another dataset.")
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("it is too large")
        found = json.loads(path.read_text(encoding="utf-8"))
        names, counts = found["class_names"], [found["train"], found["test"]]
        texts = [*names, found["title"], found["split"], found["sha256"]]
        if not (isinstance(names, list) and len(names) <= MOST_CLASSES and all(isinstance(t, str) for t in texts)):
            raise ValueError("no usable names")
        if not _TITLE.fullmatch(found["title"]):  # it stands in scripts, too
            raise ValueError("no usable title")
        if not all(type(n) is int and 0 < n <= MOST_IMAGES for n in counts) or not isinstance(found["refused"], list):
            raise ValueError("no usable counts")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"The images {name!r} have no usable {path.name} ({error}): make them again.") from None
    return dict(found)


def read(name: str) -> dict[str, np.ndarray]:
    """The arrays of a saved set.

    Raises:
        DataError: it is not here, damaged, or not what its description says.
    """
    found = about(name)
    path = datasets.folder() / ("uploads" if datasets.is_upload(name) else "own") / name / ARRAYS
    arrays = read_npz(path, _declaration(found), f"make {name!r} again.")
    if checksum(arrays) != found["sha256"]:
        raise DataError(f"The images {name!r} are not those that were saved (their checksum differs): make them again.")
    return arrays


def save(folder: AnyPath, arrays: dict[str, np.ndarray], about: dict[str, Any]) -> None:
    """Write a set; it is there as a whole or not at all.

    Args:
        folder: its last part is the name of the set.
        arrays: x_train, y_train, x_test, y_test. about: for set.json, but the checksum and the counts.
    Raises:
        DataError: it is there already, or the disk does not take it.
    """
    folder = Path(folder)
    counts = {"train": len(arrays["x_train"]), "test": len(arrays["x_test"]), "sha256": checksum(arrays)}
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder.parent))
        try:
            np.savez_compressed(made / ARRAYS, allow_pickle=False, **arrays)
            text = json.dumps({"name": folder.name, **counts, **about}, indent=2, ensure_ascii=False)
            (made / datasets.SAVED).write_text(text, encoding="utf-8")
            made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        if folder.exists():
            raise DataError(f"There are images named {folder.name!r} already: choose another name.") from None
        raise DataError(
            f"{folder} cannot be written ({error.strerror}): name another folder by ELBO_ROOM_DATA."
        ) from None


def as_name(text: str) -> str:
    """A name that a set can have.

    Raises:
        DataError: it cannot be one; the message says what can.
    """
    taken = re.match("own-", text) or text in datasets.built_in() or _DEVICE.fullmatch(text)
    if not datasets.is_name(text) or taken:
        raise DataError(
            f"The name {text!r} cannot be taken: give up to 40 small letters, digits and hyphens, a letter first; "
            "no set of the program, nothing that begins with own-, and no device of Windows (con, com1)."
        )
    return text


def _declaration(found: dict[str, Any]) -> Declaration:
    train, test, names = found["train"], found["test"], tuple(found["class_names"])
    classes = f", in {len(names)} classes" if names else ", without labels"
    says = f"{train:,} images to train on and {test:,} to test with{classes}; {found['split']}."
    return Declaration(found["title"], says, train, test, class_names=names, centred=found.get("centred") is True)
