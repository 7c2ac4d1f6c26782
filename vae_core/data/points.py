"""Sets of points x of the plane, by their names (datasets.py): drawn at random, or by somebody's hand.

The plane shown is the square of REACH on either side of 0; every set lies in it.
"""

import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vae_core import datasets
from vae_core.data.declaration import Declaration
from vae_core.data.images import DataError, Images

REACH = 2.0  # of the plane that is shown
NOISE = 0.08  # standard deviation about the curves, in both directions
TRAIN, TEST = 500, 200  # points of a set whose name says no number; of every one to test with
FEWEST, MOST = 12, 2_000  # that are drawn by hand
KEPT = 10_000  # drawn sets; the one not used for longest gives way
TITLES = {"ring": "Ring", "moons": "Moons", "two-circles": "Two circles"}


@dataclass(frozen=True)
class Points(Images):
    """Points of the plane in place of images: x_train and x_test are (N, 2) float32, and there are no classes.

    Raises:
        DataError: they are something else.
    """

    shape: tuple[int, ...] = (2,)
    classes: int = 0

    def __post_init__(self) -> None:
        for x in (self.x_train, self.x_test):
            if x.dtype != torch.float32 or x.ndim != 2 or x.shape[1] != 2 or not len(x) or not x.isfinite().all():
                raise DataError("Points of the plane are rows of two finite float32 numbers: give at least one.")


def draw_ring(u: np.ndarray) -> np.ndarray:
    """A circle of radius 1.2, evenly. u: (N, 2) uniform numbers. Returns (N, 2)."""
    return 1.2 * _circle(u[:, 0])


def draw_moons(u: np.ndarray) -> np.ndarray:
    """Two half circles that reach into each other (Pedregosa et al. 2011, scikit-learn's make_moons), centred."""
    lower = u[:, 1] < 0.5
    half = _circle(u[:, 0] / 2)
    return 1.1 * (np.where(lower[:, None], [1.0, 0.5] - half, half) - [0.5, 0.25])


def draw_two_circles(u: np.ndarray) -> np.ndarray:
    """Radius 0.6 or 1.5, each for half of the points: whatever the decoder, it has to leap or to leave a bridge."""
    return np.where(u[:, 1:] < 0.5, 0.6, 1.5) * _circle(u[:, 0])


DRAWN: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "ring": draw_ring,
    "moons": draw_moons,
    "two-circles": draw_two_circles,
}


def generate(kind: str, count: int, seed: int) -> np.ndarray:
    """(count, 2) float32 independent draws of a set, a function of the seed."""
    generator = np.random.Generator(np.random.PCG64(seed))
    curve = DRAWN[kind](generator.random((count, 2)))
    return (curve + NOISE * generator.standard_normal((count, 2))).astype(np.float32)


def read(name: str, device: torch.device) -> Points:
    """A set by its name, on the device.

    Raises:
        DataError: drawn points that are not here any more, or cannot be read.
    """
    if is_drawn(name):
        train, test = split(drawn(name))
    else:
        kind, count, seed = parts_of(name)
        every = generate(kind, count + TEST, seed)
        train, test = every[:count], every[count:]
    x_train, x_test = (torch.from_numpy(np.ascontiguousarray(x)).to(device) for x in (train, test))
    y_train, y_test = (torch.zeros(len(x), dtype=torch.int64, device=device) for x in (x_train, x_test))
    return Points(name, x_train, y_train, x_test, y_test)


def declared(name: str) -> Declaration:
    """What a set of points says of itself.

    Raises:
        DataError: drawn points that are not here any more, or cannot be read.
    """
    if is_drawn(name):
        train, test = split(drawn(name))
        says = f"{len(train)} points of the plane, drawn by hand, and {len(test)} to test with."
        return Declaration("Drawn points", says, len(train), len(test), shape=(2,))
    kind, count, seed = parts_of(name)
    says = f"{count} points of the plane to train on and {TEST} to test with, seed {seed}."
    return Declaration(TITLES[kind], says, count, TEST, shape=(2,))


def parts_of(name: str) -> tuple[str, int, int]:
    """Kind, number of points to train on, and seed: "ring-400-7" is ("ring", 400, 7)."""
    kind = next(kind for kind in TITLES if name.startswith(kind))
    count, _, seed = name.removeprefix(kind).removeprefix("-").partition("-")
    return kind, int(count or TRAIN), int(seed or 0)


def named(kind: str, count: int = TRAIN, seed: int = 0) -> str:
    """The name of a set of so many points."""
    return kind if (count, seed) == (TRAIN, 0) else f"{kind}-{count}-{seed}"


def is_drawn(name: str) -> bool:
    """Whether it is the name of a set that was drawn."""
    return datasets.is_points(name) and name.startswith("drawn-")


def split(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Drawn points to train on and to test with: one in six, wherever the hand was."""
    tested = np.arange(len(points)) % 6 == 3
    return points[~tested], points[tested]


def drawn(name: str) -> np.ndarray:
    """(N, 2) float32 points that were drawn.

    Raises:
        DataError: they are not here any more, or cannot be read.
    """
    if (path := datasets.find(name)) is None:
        raise DataError("The drawn points are not here any more: draw them again, or choose another set.")
    try:
        points = check_drawn(json.loads(path.read_text(encoding="utf-8")))
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))  # used now, and the same as before: images.load
    except (OSError, ValueError, RecursionError, DataError) as error:
        raise DataError(f"The drawn points {name!r} cannot be read ({error}): draw them again.") from None
    return points


def keep(points: Sequence[Sequence[float]], used: Collection[str] = ()) -> str:
    """Save drawn points; returns the name of the set, which is the same for the same points.

    Args:
        used: names of sets that must stay, whatever gives way.
    Raises:
        DataError: they are too few or too many, no points, outside the plane, or the disk does not take them.
    """
    checked = check_drawn(points)
    thousandths = np.rint(checked.astype(np.float64) * 1000).astype(np.int64)
    name = f"drawn-{hashlib.sha256(thousandths.astype('<i8').tobytes()).hexdigest()[:24]}"
    if datasets.find(name) is not None:
        return name
    folder = datasets.folder() / "points"
    unfinished = folder / f".{name}-{secrets.token_hex(8)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _make_room(folder, used)
        unfinished.write_text(json.dumps((thousandths / 1000).tolist()), encoding="utf-8")
        os.replace(unfinished, folder / f"{name}.json")
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise DataError(f"The drawn points cannot be kept ({error.strerror}): free some disk space.") from None
    return name


def check_drawn(points: object) -> np.ndarray:
    """Points by somebody's hand, to a thousandth: (N, 2) float32.

    Raises:
        DataError: see keep.
    """
    try:
        array = np.array(points, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        array = np.zeros(0)
    if array.ndim != 2 or array.shape[1] != 2 or not FEWEST <= len(array) <= MOST:
        found = f"{len(array)} points" if array.ndim == 2 and array.shape[1] == 2 else "no points"
        raise DataError(f"These are {found}: give from {FEWEST} to {MOST:,}, each with two numbers.")
    if not (np.abs(array) <= REACH).all():  # NaN neither
        raise DataError(f"A point lies outside the plane: give numbers from −{REACH:g} to {REACH:g}.")
    return (np.rint(array * 1000) / 1000).astype(np.float32)


def parse(text: str) -> np.ndarray:
    """Points from text, two numbers a line with a comma, a semicolon or a space between: (N, 2) float32.

    Raises:
        DataError: a line holds something else, or see keep.
    """
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not (words := line.replace(",", " ").replace(";", " ").split()):
            continue
        try:
            x, y = (float(word) for word in words)
        except ValueError:
            raise DataError(f"Line {number} holds no point: write two numbers, such as 0.5, -1.2.") from None
        rows.append([x, y])
    return check_drawn(rows)


def _circle(turn: np.ndarray) -> np.ndarray:
    """(N, 2) places on the unit circle, (N,) of a whole turn each."""
    return np.stack([np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn)], axis=1)


def _make_room(folder: Path, used: Collection[str]) -> None:
    kept = list(folder.glob("drawn-*.json"))
    if len(kept) < KEPT:
        return
    for path in sorted((path for path in kept if path.stem not in used), key=_last_use)[: len(kept) - KEPT + 1]:
        path.unlink(missing_ok=True)


def _last_use(path: Path) -> int:
    try:
        return path.stat().st_atime_ns
    except OSError:  # somebody else has just made room
        return 0


def plane(device: torch.device, side: int) -> Tensor:
    """(side,) float64 middles of the cells of the plane along one axis."""
    cells = torch.arange(side, dtype=torch.float64, device=device)
    return REACH * (2 * (cells + 0.5) / side - 1)
