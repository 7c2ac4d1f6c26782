"""Drawings that a class gives for a set of its own, as long as a lecturer has the collection open.

    DATA/drawings/open                          there while it is open: "labels" where visitors say what they draw
                  000017-3-<12 digits>.grey     one drawing, 28 × 28 bytes; "-" in the place of a label that it lacks

Of who gave it nothing is kept. All of it is on the disk, so it survives the server.
"""

import contextlib
import functools
import hashlib
import os
import re
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vae_core import datasets
from vae_core.checkpoints import replacing
from vae_core.data.images import DataError
from vae_core.data.own import OwnImages, make
from vae_core.data.own_files import Gathered

SIDE = 28
LABELS = tuple("0123456789")
MOST, OF_ONE = 2_000, 100  # drawings in all, and of one visitor while this server runs
_NAME = re.compile(r"[0-9]{6}-[0-9-]-[0-9a-f]{12}\.grey")
_given: Counter[str] = Counter()
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Drawing:
    """One of them. name: of its file. pixels: (28, 28) uint8. label: "" where nobody has said what it is."""

    name: str
    pixels: np.ndarray
    label: str


def is_open() -> bool:
    """Whether visitors may give drawings now."""
    return _sign().is_file()


def asks_labels() -> bool:
    """Whether they say what they have drawn."""
    try:
        return _sign().read_text(encoding="ascii") == "labels"
    except OSError:
        return False


def open_for_all(labels: bool) -> None:
    """Let visitors give drawings; those that are there stay.

    Raises:
        DataError: the disk does not take it.
    """
    _write(_sign(), b"labels" if labels else b"")


def close() -> None:
    """Take no more drawings."""
    _sign().unlink(missing_ok=True)


def give(picture: bytes, label: str, visitor: str) -> None:
    """Take a drawing in.

    Args:
        picture: 784 grey levels. label: one of LABELS where these are asked for; else it is not kept.
    Raises:
        DataError: the collection is closed or full, this visitor has given many, or it is no drawing.
    """
    label = label if asks_labels() else "-"
    digest = hashlib.sha256(picture).hexdigest()[:12]
    with _one_at_a_time:
        held = _names()
        _require(is_open(), "The collection is closed: your drawing stays with you.")
        _require(len(picture) == SIDE * SIDE and any(picture), "There is no drawing yet: draw on the black square.")
        _require(label == "-" or label in LABELS, "Say first which digit you have drawn.")
        _require(not any(name.endswith(f"{digest}.grey") for name in held), "This drawing is in the set already.")
        _require(len(held) < MOST, f"The set is full, with {MOST:,} drawings: tell the lecturer.")
        _require(_given[visitor] < OF_ONE, f"You have given {OF_ONE} drawings, and that is as many as one may.")
        number = int(held[-1][:6]) + 1 if held else 0
        _write(_root() / f"{number:06d}-{label}-{digest}.grey", picture)
        _given[visitor] += 1


def count() -> int:
    """How many there are."""
    return len(_names())


def drawings() -> list[Drawing]:
    """All of them, the oldest first."""
    found = []
    for name in _names():
        try:
            found.append(Drawing(name, _pixels(_root() / name), name[7].replace("-", "")))
        except (OSError, ValueError):  # just removed, or cut short by a full disk
            continue
    return found


@functools.lru_cache(maxsize=MOST)
def _pixels(path: Path) -> np.ndarray:
    """A drawing's name holds its digest: the file never changes."""
    return np.frombuffer(path.read_bytes(), np.uint8).reshape(SIDE, SIDE)


def remove(name: str) -> None:
    """Take one out, by the name of its file."""
    if _NAME.fullmatch(name):
        (_root() / name).unlink(missing_ok=True)


def remove_all() -> None:
    """Begin anew; an open collection stays open."""
    for name in _names():
        remove(name)


def as_set() -> OwnImages:
    """A set to train on, with the labels where every drawing has one.

    Raises:
        DataError: there are too few.
    """
    found = drawings()
    labels = np.array([drawing.label for drawing in found])
    pixels = np.array([drawing.pixels for drawing in found], np.uint8).reshape(-1, SIDE, SIDE)
    made = make(Gathered(pixels, labels if len(found) and (labels != "").all() else None), "Drawn by the class")
    return OwnImages(made.arrays, made.about | {"centred": True}, made.refused)


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise DataError(sentence)


def _root() -> Path:
    return datasets.folder() / "drawings"


def _sign() -> Path:
    return _root() / "open"


def _names() -> list[str]:
    """Of the files, in the order in which they came."""
    with contextlib.suppress(OSError):
        return sorted(filter(_NAME.fullmatch, os.listdir(_root())))
    return []


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(data)
    except OSError as error:
        raise DataError(f"It cannot be kept ({error.strerror}): tell the lecturer that the disk is full.") from None
