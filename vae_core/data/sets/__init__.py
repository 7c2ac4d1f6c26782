"""Image sets, one file each: what a set says of itself (DECLARED), and how it is read (`read`).

`read()` gives its arrays by name: x_train, y_train, x_test, y_test, uint8, and where factors are declared also
factors_train and factors_test, float32. Without classes all labels are 0. It touches no network and raises a DataError.
"""

import importlib
from types import ModuleType

import torch

from vae_core import datasets
from vae_core.data import own_set, points
from vae_core.data.declaration import Declaration, checksum
from vae_core.data.idx_set import Published, not_here
from vae_core.data.images import DataError, Images


def declared(name: str) -> Declaration:
    """What a set says of itself; its images are not read.

    Raises:
        DataError: there is none of this name, or what is kept of one's own cannot be read.
    """
    if datasets.is_points(name):
        return points.declared(name)
    found: Declaration = _module(name).DECLARED if name in datasets.built_in() else own_set.declared(name)
    return found


def read(name: str, device: torch.device) -> Images:
    """An image set, on the device.

    Raises:
        DataError: it is not here, or damaged; the message says what to do.
    """
    if datasets.is_points(name):
        return points.read(name, device)
    says = declared(name)
    arrays = _module(name).read() if name in datasets.built_in() else own_set.read(name)
    tensors = {key: torch.from_numpy(array) for key, array in arrays.items()}
    for split in ("train", "test"):
        tensors[f"x_{split}"] = tensors[f"x_{split}"].reshape(-1, *says.shape)
        tensors[f"y_{split}"] = tensors[f"y_{split}"].long()
    return Images(
        name,
        **{key: tensor.to(device) for key, tensor in tensors.items()},
        shape=says.shape,
        classes=len(says.class_names),
        class_names=says.class_names,
        factor_names=says.factors,
    )


def describe(images: Images) -> dict[str, str | int]:
    """What a card says of the images of a run: name, counts, and the checksum of their arrays (declaration.py)."""
    arrays = {name: getattr(images, name).cpu().numpy() for name in ("x_train", "y_train", "x_test", "y_test")}
    if datasets.is_points(images.name):
        arrays = {name: array.view("uint8") for name, array in arrays.items()}  # the bytes of their float32
    counts = {"train": len(images.x_train), "test": len(images.x_test), "classes": images.classes}
    return {"name": images.name, **counts, "sha256": checksum(arrays)}


def why_missing(name: str) -> str:
    """What to do where a set does not ship and is not on this machine; "" where it is. Its files are not read."""
    published = published_set(name)
    return "" if published is None or published.found else not_here(published, declared(name))


def name_of(name: str) -> str:
    """What a set is called beside a figure; its own name where it is not here any more."""
    try:
        return declared(name).short or declared(name).title
    except DataError:
        return name


def credit_of(name: str) -> str:
    """Who made a set, and its licence; "" where nobody is to be named, or it is not here any more."""
    try:
        return declared(name).credit
    except DataError:
        return ""


def published_set(name: str) -> Published | None:
    """Where a set is published that does not ship, if it is such a one."""
    return getattr(_module(name), "PUBLISHED", None) if name in datasets.built_in() else None


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"vae_core.data.sets.{name}")
