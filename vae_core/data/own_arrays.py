"""Images of one's own that come as arrays: an npz file (x and y, or x_train, y_train, x_test, y_test) or idx files.

Headers are read first and held to the limits; nothing is unpickled.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from vae_core.any_path import AnyPath
from vae_core.data.declaration import DAMAGE
from vae_core.data.idx import IdxError, read_idx
from vae_core.data.idx_set import FILES
from vae_core.data.images import DataError
from vae_core.data.own_files import SIDE, Gathered, Limits, fit
from vae_core.data.picture import PictureError

_KEYS = ("x", "y", *FILES)
_PAIRS = "x and perhaps y, or x_train, y_train, x_test, y_test"


def read_arrays(file: AnyPath | BinaryIO, limits: Limits) -> dict[str, np.ndarray]:
    """Those arrays of an npz file that are known by their names.

    Raises:
        DataError: it is damaged, has no such array, or one that is too large or holds objects.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            return {name: _read_member(archive, name, members[name], limits) for name in _KEYS if name in members}
    except DAMAGE as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"The npz file is damaged ({type(error).__name__}): save it again with numpy.savez.") from None


def read_idx_files(folder: AnyPath, limits: Limits) -> dict[str, np.ndarray] | None:
    """The arrays of idx files with MNIST's names that lie in a folder, packed or not; None where there are none.

    Raises:
        DataError: one of them is damaged or too large.
    """
    found = {}
    for key, name in FILES.items():
        places = [path for path in (Path(folder) / name, Path(folder) / name.removesuffix(".gz")) if path.is_file()]
        if places:
            with places[0].open("rb") as file:
                found[key] = read_idx_file(file, places[0].name, limits)
    return found or None


def read_idx_file(file: BinaryIO, name: str, limits: Limits) -> np.ndarray:
    """The array of an idx file.

    Raises:
        DataError: it is damaged or too large.
    """
    try:
        return read_idx(file, limits.bytes)
    except IdxError as error:
        raise DataError(f"The idx file {name} is {error}: give unsigned bytes, as MNIST has them.") from None


def gather_arrays(arrays: Mapping[str, np.ndarray], limits: Limits) -> Gathered:
    """The images of arrays; one that holds a value that is no number is refused.

    Raises:
        DataError: something of these arrays cannot be an image or a label; the message says what to give.
    """
    splits = ("_train", "_test") if "x_train" in arrays else ("",)
    known = [(arrays.get(f"x{split}"), arrays.get(f"y{split}"), split) for split in splits]
    given = [(x, y, split) for x, y, split in known if x is not None]
    if not given:
        raise DataError(f"There are no arrays of images: give {_PAIRS}.")
    if sum(len(x) if x.ndim else 0 for x, _, _ in given) > limits.images:
        raise DataError(f"There are more than {limits.images:,} images: give fewer.")
    parts = [_pictures(x, f"x{split}") for x, _, split in given]
    fits = np.concatenate([fit_ for _, fit_ in parts])
    labels = [_labels(y, len(x), f"y{split}") for x, y, split in given if y is not None]
    if len(labels) not in (0, len(given)):
        raise DataError(f"One split has labels and the other has none: give {_PAIRS}.")
    test = np.concatenate([np.full(len(x), split == "_test") for x, _, split in given])
    refused = [(f"image {i}", "It holds a value that is no number.") for i in np.flatnonzero(~fits)]
    return Gathered(
        np.concatenate([x for x, _ in parts])[fits],
        np.concatenate(labels)[fits] if labels else None,
        test[fits] if len(given) == 2 else None,
        refused,
    )


def _read_member(archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo, limits: Limits) -> np.ndarray:
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        reader = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
        if reader is None:
            raise DataError(f"The array {name} has a header of another kind: save it again with numpy.savez.")
        shape, _, kind = reader(file)
    if kind.kind not in "biufUS":
        raise DataError(f"The array {name} holds objects, which are never read: save numbers or texts.")
    if (size := kind.itemsize * int(np.prod(shape, dtype=object))) > limits.bytes:
        raise DataError(f"The array {name} has {size / 1e6:,.0f} MB and may have {limits.bytes / 1e6:,.0f}: give less.")
    with archive.open(info) as file:
        array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
        return array


def _pictures(x: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """(N, 28, 28) uint8, and (N,) which of them hold numbers."""
    if x.ndim == 4 and x.shape[1] == 1:
        x = x[:, 0]
    if x.ndim == 4 and x.shape[3] in (1, 3):
        x = x[..., 0] if x.shape[3] == 1 else x
    if x.ndim not in (3, 4) or (x.ndim == 4 and x.shape[3] != 3) or 0 in x.shape:
        raise DataError(f"{name} has the shape {x.shape}: give images as (N, H, W), (N, 1, H, W) or (N, H, W, 3).")
    if x.dtype.kind not in "biuf":
        raise DataError(f"{name} holds {x.dtype}: give numbers.")
    finite = np.isfinite(x).reshape(len(x), -1).all(1)
    if not finite.any():
        raise DataError(f"{name} holds no image of which all values are numbers: give some.")
    low, high = float(x[finite].min()), float(x[finite].max())
    scale = 255 if x.dtype.kind == "b" or (x.dtype.kind == "f" and high <= 1) else 1
    if low < 0 or high * scale > 255:
        raise DataError(f"{name} has values from {low:g} to {high:g}: give 0 to 255, or fractions of 1.")
    result = np.zeros((len(x), SIDE, SIDE), np.uint8)
    for i in np.flatnonzero(finite):
        result[i] = _picture(np.rint(x[i] * float(scale)).astype(np.uint8), name)
    return result, finite


def _picture(pixels: np.ndarray, name: str) -> np.ndarray:
    if pixels.shape == (SIDE, SIDE):
        return pixels
    try:
        return fit(Image.fromarray(pixels).convert("L"))
    except PictureError as error:
        raise DataError(f"{name} cannot be made 28 × 28: {error}") from None


def _labels(y: np.ndarray, count: int, name: str) -> np.ndarray:
    """(count,) text."""
    if y.shape == (count, 1):
        y = y[:, 0]
    if y.shape != (count,) or (y.dtype.kind == "f" and not (np.isfinite(y) & (y == np.floor(y))).all()):
        wanted = f"a whole number or a text for each of the {count:,} images"
        raise DataError(f"{name} is {y.dtype} {y.shape}: give {wanted}.")
    return (y.astype(np.int64) if y.dtype.kind in "bf" else y).astype(str)
