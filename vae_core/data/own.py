"""Images of your own: `python -m vae_core.data.own FOLDER --name NAME`, then `python -m vae_core.train --dataset NAME`.

FOLDER is a folder of PNG and JPEG pictures (sub-folders are the labels, where there are several), a zip file of such,
an npz file (x and perhaps y, or x_train, y_train, x_test, y_test), an idx file, or a folder of idx files with MNIST's
names. What is no picture is refused and listed, the others become 28 × 28 grey.
"""

import argparse
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from tqdm import tqdm

from vae_core import datasets
from vae_core.any_path import AnyPath
from vae_core.config import ConfigError
from vae_core.console import accept_all_letters, say
from vae_core.data.images import DataError, Images
from vae_core.data.own_arrays import gather_arrays, read_arrays, read_idx_file, read_idx_files
from vae_core.data.own_files import Gathered, Limits, files_in, files_in_zip, gather
from vae_core.data.own_set import LEAST_IMAGES, MOST_CLASSES, as_name, save

TEST_SHARE = 6  # one image in so many is kept for the test, of each class
LISTED = 1_000  # refused files that are kept by name
_LONGEST = 40  # letters of a class name
_ALONE = "It is the only one of its class, and training and test need one each."


@dataclass(frozen=True)
class OwnImages:
    """Images of one's own, ready to be saved: own_set.save(folder, made.arrays, made.about)."""

    arrays: dict[str, np.ndarray]  # x_train, y_train, x_test, y_test: uint8
    about: dict[str, Any]  # title, class names, split, refused
    refused: list[tuple[str, str]]  # name and reason of each

    @property
    def count(self) -> int:
        return len(self.arrays["x_train"]) + len(self.arrays["x_test"])


def read_path(path: AnyPath, limits: Limits | None = None, progress: bool = False) -> Gathered:
    """The images of a folder or a file, see above.

    Raises:
        DataError: there is nothing of the kind, it is damaged, or too much.
    """
    path, limits = Path(path), limits or Limits()
    try:
        if path.is_dir():
            found = read_idx_files(path, limits)
            files = tqdm(files_in(path), unit=" files", disable=None if progress else True)
            return gather(files, limits) if found is None else gather_arrays(found, limits)
        with path.open("rb") as file:
            return read_file(file, path.name, limits)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): name a folder or file with images.") from None


def read_file(file: BinaryIO, name: str, limits: Limits) -> Gathered:
    """The images of one npz, zip or idx file, told apart by what is in it.

    Raises:
        DataError: it is none of these, is damaged, or too much.
    """
    start = file.read(4)
    file.seek(0)
    if start == b"PK\x03\x04":
        if name.endswith(".npz"):
            return gather_arrays(read_arrays(file, limits), limits)
        return gather(files_in_zip(file), limits)
    if start[:3] == b"\x00\x00\x08" or start[:2] == b"\x1f\x8b":
        return gather_arrays({"x": read_idx_file(file, name, limits)}, limits)
    raise DataError(f"{name} is no zip, npz or idx file: give one of these, or a folder of PNG and JPEG pictures.")


def make(found: Gathered, title: str, seed: int = 0) -> OwnImages:
    """Number the classes and split the images.

    Args:
        title: what they are called on a page.
        seed: of the split, where the source brings none.
    Raises:
        DataError: there are too few images, or they cannot be trained on.
    """
    names, y, kept, notes = _classes(found)
    refused = [*found.refused, *((f"image {i}", _ALONE) for i in np.flatnonzero(~kept))]
    x, y = found.x[kept], y[kept]
    if len(x) < LEAST_IMAGES:
        more = f" ({len(refused):,} were refused, the first: {refused[0][0]}: {refused[0][1]})" if refused else ""
        raise DataError(f"There are {len(x)} images, and it takes {LEAST_IMAGES} to train: give more.{more}")
    given = found.test is not None
    test = found.test[kept] if found.test is not None else _split(y, seed)
    split = "split as they came" if given else f"one in {TEST_SHARE} is for the test, drawn with seed {seed}"
    arrays = {"x_train": x[~test], "y_train": y[~test], "x_test": x[test], "y_test": y[test]}
    _check(arrays, names)
    about = {
        "title": title,
        "class_names": names,
        "split": "; ".join([split, *notes]),
        "refused": refused[:LISTED],
        "refused_count": len(refused),
    }
    return OwnImages(arrays, about, refused)


def _classes(found: Gathered) -> tuple[list[str], np.ndarray, np.ndarray, list[str]]:
    """Names of the classes, labels (N,) uint8, which images are kept (N,) bool, and what is to be said of it."""
    without = np.zeros(len(found.x), np.uint8), np.ones(len(found.x), bool)
    if found.labels is None:
        return [], *without, []
    counts = Counter(found.labels.tolist())
    least = 1 if found.test is not None else 2
    names = sorted((name for name, n in counts.items() if n >= least), key=_by_number)
    if len(names) > MOST_CLASSES:
        return [], *without, [f"without their {len(counts):,} labels, as more than {MOST_CLASSES} have no colours"]
    if len(names) < 2:
        return [], *without, []
    places = {name: i for i, name in enumerate(names)}
    y = np.array([places.get(label, 255) for label in found.labels.tolist()], np.uint8)
    return [_printable(name) for name in names], y, y != 255, []


def _split(y: np.ndarray, seed: int) -> np.ndarray:
    """(N,) bool: which images are for the test, a share of each class and at least one."""
    test = np.zeros(len(y), bool)
    generator = np.random.Generator(np.random.PCG64(seed))
    for label in np.unique(y):
        members = np.flatnonzero(y == label)
        count = max(1, round(len(members) / TEST_SHARE))
        test[members[np.argsort(generator.random(len(members)), kind="stable")[:count]]] = True
    return test


def _check(arrays: dict[str, np.ndarray], names: list[str]) -> None:
    """Hold them to what every image set must be."""
    x = {key: torch.from_numpy(np.ascontiguousarray(arrays[key]))[:, None] for key in ("x_train", "x_test")}
    y = {key: torch.from_numpy(arrays[key]).long() for key in ("y_train", "y_test")}
    Images("own", x["x_train"], y["y_train"], x["x_test"], y["y_test"], classes=len(names))


def _by_number(name: str) -> tuple[bool, int, str]:
    """2 before 10."""
    number = name.isdecimal() and len(name) < 10
    return (not number, int(name) if number else 0, name)


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:_LONGEST] or "?"


def main(arguments: list[str] | None = None) -> int:
    """Read, check, save and say what came of it; the exit status, 2 for what cannot be used."""
    accept_all_letters()
    reader = argparse.ArgumentParser(prog="python -m vae_core.data.own", description="Train on images of your own.")
    reader.add_argument("source", metavar="FOLDER", help="folder of pictures, or a zip, npz or idx file")
    reader.add_argument("--name", required=True, help="what --dataset calls them: small letters, digits and hyphens")
    reader.add_argument("--seed", type=int, default=0, help="of the split into train and test (default 0)")
    options = reader.parse_args(arguments)
    try:
        folder = datasets.folder() / "own" / as_name(options.name)
        if folder.exists():
            raise DataError(f"There are images named {options.name!r} already, in {folder}: choose another name.")
        made = make(read_path(options.source, progress=True), options.name, options.seed)
        save(folder, made.arrays, made.about)
    except (DataError, ConfigError) as error:
        say(f"error: {error}", error=True)
        return 2
    report(made, folder)
    return 0


def report(made: OwnImages, folder: AnyPath) -> None:
    """Say what came of it."""
    for name, reason in made.refused[:20]:
        say(f"refused  {name}: {reason}")
    more = f", all of them in {folder}" if len(made.refused) > 20 else ""
    train, test, names = len(made.arrays["x_train"]), len(made.arrays["x_test"]), made.about["class_names"]
    classes = f"{len(names)} classes ({', '.join(names)})" if names else "no labels"
    say(f"{made.count:,} images: {train:,} train, {test:,} test ({made.about['split']}); {classes}")
    say(f"{len(made.refused):,} refused{more}")
    say(f"saved to {folder}; train on them with --dataset {Path(folder).name}")


if __name__ == "__main__":
    sys.exit(main())
