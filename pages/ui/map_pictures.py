"""The test images that are seen beside a model: those of the map, of the data set that it was trained on.

The browser fetches them once for a data set, `/map-images` those of MNIST and `/map-images/NAME` others, as a
safetensors file: images (N, 28, 28), labels (N,), NO_CLASS where there are none, and numbers (N,) among all.
"""

import functools
import gzip
from dataclasses import asdict, dataclass
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from pages.ui.once import computed_once
from vae_core import datasets
from vae_core.data import Images, load
from vae_core.data.images import DataError
from vae_core.data.sets import declared, why_missing
from vae_core.inspect.image_attributes import ATTRIBUTES, measure
from vae_core.inspect.snapshot import map_images, map_numbers
from vae_core.latent import outer_thirds

KEPT = 6  # sets in memory, 4 MB each
LEAST = 2  # test images of a map: an interpolation has two ends


@dataclass(frozen=True, eq=False)
class MapPictures:
    """The images of a map.

    Attributes:
        pixels: (N, 1, 28, 28) uint8. labels: (N,) uint8, NO_CLASS where there are none.
        numbers: (N,) int64 among all `tests` test images. class_names: none where there are no classes.
        centred: whether they are centred and scaled as MNIST's are.
    """

    dataset: str
    pixels: Tensor
    labels: Tensor
    numbers: Tensor
    tests: int
    class_names: tuple[str, ...]
    centred: bool

    @property
    def counts(self) -> dict[str, Any]:
        """Which set, how many images, out of how many test images, and of how many classes."""
        count, classes = len(self.pixels), len(self.class_names)
        return {"dataset": self.dataset, "count": count, "tests": self.tests, "classes": classes}

    @functools.cached_property
    def places(self) -> dict[int, int]:
        """Places on the map by numbers."""
        return {number: place for place, number in enumerate(self.numbers.tolist())}

    @functools.cached_property
    def attributes(self) -> Tensor:
        """(N, 4) slant, thickness, size and width of the grey images, whatever the protocol of a model."""
        return measure(self.pixels.squeeze(1).float() / 255)

    @functools.cached_property
    def yardstick(self) -> float:
        """Half of the images have another one within this distance (over 1,000 of them): what "new" is measured by.

        Root mean square over the pixels, of full scale: black to white is 1.
        """
        pixels = self.pixels.flatten(1).float() / 255  # (N, 784)
        some = torch.arange(0, len(pixels), max(1, len(pixels) // 1_000))
        apart = torch.cdist(pixels[some], pixels)  # (N / 5, N)
        apart[torch.arange(len(some)), some] = torch.inf
        return (apart.min(1).values.median() / 28).item()

    def attribute_notes(self) -> list[dict[str, Any]]:
        """What each attribute is, its mean, and its means over the lowest and the highest third of the images."""
        notes = []
        for attribute, column in zip(ATTRIBUTES, self.attributes.T, strict=True):
            low, high = (column[third].mean().item() for third in outer_thirds(column))
            notes.append(asdict(attribute) | {"low": low, "high": high, "mean": column.mean().item()})
        return notes

    def about(self) -> dict[str, Any]:
        """What a package says of them."""
        names = {"dataset": self.dataset, "classNames": self.class_names, "centred": self.centred}
        return {**names, "tests": self.tests, "yardstick": self.yardstick, "attributes": self.attribute_notes()}


def images_of(dataset: str) -> Images:
    """All of a data set, on the CPU.

    Raises:
        DataError: it is not here, or damaged.
    """
    return load(dataset, torch.device("cpu"))


def are_here(dataset: str) -> bool:
    """Whether the images of a data set are on this machine; none is read."""
    return not datasets.is_points(dataset) and datasets.find(dataset) is not None and not why_missing(dataset)


def pictures_of(dataset: str) -> MapPictures:
    """The images of a map, read once.

    Raises:
        DataError: they are not here, or too few for a map.
    """
    return _pictures(dataset, stamp_of(dataset))


def packed_pictures(dataset: str) -> bytes:
    """The safetensors file, gzip-compressed.

    Raises:
        DataError: see pictures_of.
    """
    return _packed(dataset, stamp_of(dataset))


def stamp_of(dataset: str) -> int:
    """Of the file that declares a set: one of the same name may be another one by now."""
    file = datasets.find(dataset)
    return file.stat().st_mtime_ns if file else 0


@computed_once(KEPT)
def _pictures(dataset: str, stamp: int) -> MapPictures:
    if datasets.is_points(dataset):
        raise DataError(f"{dataset} has points of the plane and no images: choose another model.")
    images, says = images_of(dataset), declared(dataset)
    if len(images.x_test) < LEAST:
        raise DataError(f"{says.title} has one test image, and a map takes {LEAST}: give more images.")
    pixels, labels = map_images(images)
    numbers, names = map_numbers(images), says.class_names
    return MapPictures(
        dataset, pixels, torch.from_numpy(labels), numbers, len(images.x_test), names, centred=says.centred
    )


@computed_once(KEPT)
def _packed(dataset: str, stamp: int) -> bytes:
    found = pictures_of(dataset)
    arrays = {"images": found.pixels.squeeze(1), "labels": found.labels, "numbers": found.numbers.int()}
    return gzip.compress(save({k: v.contiguous() for k, v in arrays.items()}), compresslevel=6, mtime=0)
