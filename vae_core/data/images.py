"""Image sets, held as uint8 on the device that computes."""

import functools
import importlib
from dataclasses import dataclass

import torch
from torch import Tensor

from vae_core import datasets

_ARRAYS = ("x_train", "y_train", "x_test", "y_test")


class DataError(RuntimeError):
    """Images or a data file that cannot be used; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class Images:
    """A train and a test split, on one device. The test split has an image of every class: snapshots show one of each.

    Attributes:
        x_train, x_test: (N, *shape) uint8, from 0 to 255.
        y_train, y_test: (N,) int64 labels, from 0 to classes - 1.
        shape: of an image. classes: how many there are; 0 where the images have none, and all labels are 0.
        class_names: of the classes, if they have names. factor_names: of what the images were drawn from, if that is
            known; factors_train, factors_test: (N, F) float32, its exact values.
    Raises:
        DataError: they are something else. Floats, above all, would be divided by 255 once more without a word.
    """

    name: str
    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor
    shape: tuple[int, ...] = (1, 28, 28)
    classes: int = 10
    class_names: tuple[str, ...] = ()
    factor_names: tuple[str, ...] = ()
    factors_train: Tensor | None = None
    factors_test: Tensor | None = None

    def __post_init__(self) -> None:
        for split in ("train", "test"):
            x, y = f"x_{split}", f"y_{split}"
            _check_pixels(x, getattr(self, x), self.shape)
            _check_labels(y, getattr(self, y), len(getattr(self, x)))
            _check_factors(f"factors_{split}", self, len(getattr(self, x)))
        _check_devices(self)
        _check_values(self)

    def one_per_class(self) -> Tensor:
        """(classes,) indices of the first test image of each class; without classes, of the first ten images."""
        if not self.classes:
            return torch.arange(min(10, len(self.x_test)), device=self.x_test.device)
        return torch.stack([(self.y_test == label).nonzero()[0, 0] for label in range(self.classes)])

    def of_class(self, label: int) -> Tensor:
        """Indices of the test images of a class, in their order."""
        return (self.y_test == label).nonzero()[:, 0]


def load(name: str, device: torch.device) -> Images:
    """The image set, on the device; a second call returns the same tensors. No network is touched.

    Raises:
        DataError: it is not here, or damaged; the message says what to do.
    """
    file = datasets.find(name)
    kept = _points if datasets.is_points(name) else _images  # many small ones put no large one out
    return kept(name, device, file.stat().st_mtime_ns if file else 0)


def _read(name: str, device: torch.device, stamp: int) -> Images:
    """`stamp`: of its file, which may be another one by now."""
    found: Images = importlib.import_module("vae_core.data.sets").read(
        name, device
    )  # by its name: it imports from here
    return found


_images, _points = functools.lru_cache(maxsize=8)(_read), functools.lru_cache(maxsize=64)(_read)


def _check_pixels(name: str, x: Tensor, shape: tuple[int, ...]) -> None:
    _require_tensor(name, x)
    if x.is_floating_point():
        raise DataError(
            f"{name} is {_type(x)}, and pixels are uint8 from 0 to 255: of values in [0, 1] make them with "
            "(x * 255).round().to(torch.uint8)."
        )
    if x.dtype != torch.uint8:
        raise DataError(f"{name} is {_type(x)}: give pixels from 0 to 255 as uint8, with x.to(torch.uint8).")
    if x.ndim != 4 or x.shape[1:] != shape:
        wanted = ", ".join(map(str, shape))
        raise DataError(f"{name} has the shape {tuple(x.shape)}: give images as (N, {wanted}).")
    if not len(x):
        raise DataError(f"{name} holds no images: give at least one.")


def _check_labels(name: str, y: Tensor, images: int) -> None:
    _require_tensor(name, y)
    if y.dtype != torch.int64:
        raise DataError(f"{name} is {_type(y)}: give labels as int64, with y.long().")
    if y.shape != (images,):
        raise DataError(f"{name} has the shape {tuple(y.shape)}: give a label for each of the {images:,} images.")


def _check_factors(name: str, images: Images, count: int) -> None:
    factors, wanted = getattr(images, name), (count, len(images.factor_names))
    if (factors is not None or images.factor_names) and (factors is None or factors.shape != wanted):
        raise DataError(f"{name} does not fit to factor_names: give {wanted[1]} numbers for each of {count:,} images.")


def _require_tensor(name: str, value: object) -> None:
    if not isinstance(value, Tensor):
        raise DataError(f"{name} is a {type(value).__name__}: give a torch.Tensor.")


def _check_devices(images: Images) -> None:
    devices = {name: str(getattr(images, name).device) for name in _ARRAYS}
    if len(set(devices.values())) > 1:
        places = ", ".join(f"{name} on {device}" for name, device in devices.items())
        raise DataError(f"The images lie on different devices ({places}): move all to one with .to(device).")


def _check_values(images: Images) -> None:
    """What only the values say: read from the device in one go, without a copy of the images."""
    count = max(images.classes, 1)
    classes = torch.arange(images.classes, device=images.y_test.device)
    here = (images.y_test == classes[:, None]).any(1)  # (classes,)
    ends = [end for y in (images.y_train, images.y_test) for end in (y.min(), y.max())]
    most = [x.max().long() for x in (images.x_train, images.x_test)]
    values = torch.cat([torch.stack(most + ends), here.long()]).tolist()  # 2, 4 and `classes` numbers
    for name, value in zip(("x_train", "x_test"), values[:2], strict=True):
        if value <= 1:
            raise DataError(f"{name} holds nothing above 1, and full ink is 255: multiply it by 255.")
    for name, low, high in zip(("y_train", "y_test"), values[2:6:2], values[3:6:2], strict=True):
        if low < 0 or high >= count:
            raise DataError(f"{name} has labels from {low} to {high}: give the classes 0 to {count - 1}.")
    missing = ", ".join(str(label) for label, there in enumerate(values[6:]) if not there)
    if missing:
        raise DataError(
            f"x_test has no image of class {missing}: give at least one of each class from 0 to {count - 1}."
        )


def _type(tensor: Tensor) -> str:
    """ "float32"."""
    return str(tensor.dtype).removeprefix("torch.")
