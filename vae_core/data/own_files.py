"""Pictures of one's own, from a folder, a zip file or a browser: each is checked, made 28 × 28 grey, or refused.

Nothing is unpacked to the disk, so a zip file can put nothing anywhere; what is read and decoded is counted and held
to limits, whatever its headers say.
"""

import os
import posixpath
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

import numpy as np
from PIL import Image

from vae_core.any_path import AnyPath
from vae_core.data.declaration import DAMAGE
from vae_core.data.images import DataError
from vae_core.data.own_set import MOST_IMAGES
from vae_core.data.picture import MAX_BYTES, PictureError, open_checked, read_grey

SIDE, LEAST_SIDE = 28, 8  # of an image; of a picture, its longer one: with less there is nothing to be seen


@dataclass(frozen=True)
class Limits:
    """What is taken at most: images, bytes of their unpacked files, and pixels before they are made small."""

    images: int = MOST_IMAGES
    bytes: int = 8_000_000_000
    pixels: int = 100_000_000_000


@dataclass(frozen=True)
class File:
    """A file that may be a picture. name: with its folders, "/" between them. read: at most so many bytes of it."""

    name: str
    read: Callable[[int], bytes]


@dataclass
class Gathered:
    """Images as they came, before they are split.

    Attributes:
        x: (N, 28, 28) uint8. labels: (N,) text, or None. test: (N,) bool where the source says what is for the test.
        refused: name and reason of what is not among them.
    """

    x: np.ndarray
    labels: np.ndarray | None = None
    test: np.ndarray | None = None
    refused: list[tuple[str, str]] = field(default_factory=list)


def files_in(folder: AnyPath) -> Iterator[File]:
    """All files below a folder in the order of their names; hidden ones and links to other folders left out."""
    root = Path(folder)
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for path in (Path(place) / name for name in sorted(names)):
            if not path.name.startswith(".") and path.is_file():
                yield File(path.relative_to(root).as_posix(), _reader(path.open, "rb"))


def files_in_zip(file: BinaryIO) -> Iterator[File]:
    """All files of a zip file; what hides itself or lies in __MACOSX left out.

    Raises:
        DataError: it is damaged.
    """
    try:
        archive = zipfile.ZipFile(file)
        infos = sorted((info for info in archive.infolist() if not info.is_dir()), key=lambda info: info.filename)
    except DAMAGE as error:
        raise DataError(f"The zip file is damaged ({type(error).__name__}): pack it again.") from None
    for info in infos:
        parts = [part for part in info.filename.replace("\\", "/").split("/") if part not in ("", ".", "..")]
        if parts and not any(part.startswith((".", "__MACOSX")) for part in parts):
            yield File("/".join(parts), _reader(archive.open, info))


def gather(files: Iterable[File], limits: Limits | None = None) -> Gathered:
    """The pictures among files. Where they lie in folders, the innermost one is the label.

    Raises:
        DataError: there are more of them than the limits allow.
    """
    limits = limits or Limits()
    pixels, names = bytearray(), list[str]()
    refused: list[tuple[str, str]] = []
    bytes_left, pixels_left = limits.bytes, limits.pixels
    for file in files:
        try:
            data = _read(file)
            bytes_left -= len(data)
            if bytes_left < 0 or len(refused) > limits.images:
                raise _too_much(limits)
            picture = open_checked(data)
            _check_shape(*picture.size)
            pixels_left -= picture.width * picture.height
            if pixels_left < 0 or len(names) == limits.images:
                raise _too_much(limits)
            pixels += fit(read_grey(data)).tobytes()
            names.append(file.name)
        except PictureError as error:
            refused.append((file.name, str(error)))
    return _labelled(np.frombuffer(pixels, np.uint8).reshape(-1, SIDE, SIDE), names, refused)


def fit(grey: Image.Image) -> np.ndarray:
    """A grey picture made 28 × 28: the longer side scaled to it, and a rim of the colour of its own border.

    Args:
        grey: mode L.
    Returns:
        (28, 28) uint8.
    Raises:
        PictureError: it is too small, or so long that nothing would be left of its width.
    """
    _check_shape(*grey.size)
    if grey.size == (SIDE, SIDE):
        return np.asarray(grey)
    long = max(grey.size)
    size = [max(1, round(side * SIDE / long)) for side in grey.size]
    way = Image.Resampling.BOX if long >= SIDE else Image.Resampling.BICUBIC
    small = np.asarray(grey.resize((size[0], size[1]), way))
    border = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    result = np.full((SIDE, SIDE), round(float(np.median(border))), np.uint8)
    top, left = ((SIDE - side) // 2 for side in small.shape)
    result[top : top + small.shape[0], left : left + small.shape[1]] = small
    return result


def _check_shape(width: int, height: int) -> None:
    long, short = max(width, height), min(width, height)
    if long < LEAST_SIDE or short * SIDE < long:
        raise PictureError(
            f"The picture has {width} by {height} pixels: give at least {LEAST_SIDE} on the longer side, "
            f"and no more than {SIDE} times the shorter one."
        )


def _labelled(x: np.ndarray, names: list[str], refused: list[tuple[str, str]]) -> Gathered:
    """With their folders as labels where there are several; what lies beside these has none, and is refused."""
    places = [PurePosixPath(name).parent for name in names]
    top = PurePosixPath(posixpath.commonpath([str(place) for place in places])) if places else None
    beside = np.array([place == top for place in places], bool)
    labels = np.array([place.name for place in places])
    if len(set(labels[~beside])) < 2:
        return Gathered(x, refused=refused)
    lost = [(names[i], "It lies beside the sub-folders, and these are the labels.") for i in np.flatnonzero(beside)]
    return Gathered(x[~beside], labels[~beside], refused=refused + lost)


def _read(file: File) -> bytes:
    try:
        return file.read(MAX_BYTES + 1)
    except DAMAGE:
        raise PictureError("The file cannot be read: it is damaged, locked by a password, or not yours.") from None


def _reader(open_: Callable[..., IO[bytes]], what: object) -> Callable[[int], bytes]:
    def read(most: int) -> bytes:
        with open_(what) as file:
            return file.read(most)

    return read


def _too_much(limits: Limits) -> DataError:
    return DataError(
        f"That is more than can be taken ({limits.images:,} images, {limits.bytes / 1e6:,.0f} MB unpacked, "
        f"{limits.pixels / 1e6:,.0f} million pixels): give fewer or smaller pictures."
    )
