"""Images that visitors of a page bring: kept as sets of their own, found by a name that nobody can guess.

    DATA/uploads/own-<24 digits>/images.npz, set.json, owner-<24 digits>

The name is a hash of the checksum and of who brought them, so the same visitor's same images are one set, and nobody
else's. What has not been used for longest gives way first; what a run trains on never does.
"""

import contextlib
import hashlib
import os
from collections.abc import Collection, Iterable
from pathlib import Path

from vae_core import datasets
from vae_core.data.declaration import checksum
from vae_core.data.images import DataError
from vae_core.data.own import OwnImages
from vae_core.data.own_files import Limits
from vae_core.data.own_set import save
from vae_core.runs.messages import ENDED
from vae_core.runs.run_record import RunRecord
from vae_core.runs.storage import entries, folder_of, forget, size

OF_ONE, OF_ALL = 3, 1_000_000_000  # sets of a visitor, bytes of everybody's
LIMITS = Limits(images=20_000, bytes=100_000_000, pixels=500_000_000)  # of one


def keep(made: OwnImages, visitor: str, used: Collection[str]) -> str:
    """Save what a visitor has brought; returns its name.

    Args:
        used: names of the sets that runs train on now.
    Raises:
        DataError: all of the visitor's sets are in use, or the disk is full.
    """
    secret = f"{visitor} {checksum(made.arrays)}"
    name = f"own-{hashlib.sha256(secret.encode()).hexdigest()[:24]}"
    folder = _root() / name
    if not folder.is_dir():
        _make_room(visitor, used)
        save(folder, made.arrays, made.about)
        _mark(folder, visitor).touch()
    _use(folder)
    return name


def in_use(runs: Iterable[RunRecord]) -> set[str]:
    """The sets that runs train on, which must stay."""
    return {run.config.dataset for run in runs if run.status not in ENDED}


def names_of(visitor: str) -> list[str]:
    """The sets that a visitor has brought, the last used first."""
    return [folder.name for folder in _by_age(visitor)[::-1]]


def _make_room(visitor: str, used: Collection[str]) -> None:
    own = [folder for folder in _by_age(visitor) if folder.name not in used]
    too_many = len(_by_age(visitor)) - OF_ONE + 1
    if too_many > len(own):
        raise DataError(f"Your runs train on {OF_ONE} sets of images of yours: stop one of them, then upload again.")
    gone = own[: max(too_many, 0)]
    for folder in gone:
        forget(folder)
    rest = [folder for folder in sorted(entries(_root()), key=_age) if folder.name not in used]
    total = sum(_bytes(folder) for folder in entries(_root()))
    while rest and total > OF_ALL:
        total -= _bytes(rest[0])
        forget(rest.pop(0))


def _root() -> Path:
    return datasets.folder() / "uploads"


def _mark(folder: Path, visitor: str) -> Path:
    return folder / f"owner-{folder_of(Path(), visitor).name}"


def _by_age(visitor: str) -> list[Path]:
    found = (path.parent for path in _root().glob(f"own-*/{_mark(Path(), visitor).name}"))
    return sorted(found, key=_age)


def _age(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0


def _use(folder: Path) -> None:
    with contextlib.suppress(OSError):
        os.utime(folder)


def _bytes(folder: Path) -> int:
    return sum(size(path) for path in folder.glob("*"))
