"""Which saved runs have to leave when the disk budget is exceeded: the oldest first, and the last of nobody."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vae_core.runs import storage

AT_ONCE, REST_S = 20, 0.02  # folders are counted so many at a time, as it is done beside a class that trains


@dataclass(frozen=True)
class Entry:
    """A saved run. Arms of a group are one unit: they go together or not at all."""

    folder: Path
    unit: str
    changed: float  # seconds since 1970
    size: int  # bytes

    @property
    def owner(self) -> Path:
        return self.folder.parent

    @property
    def day(self) -> str:
        return time.strftime("%d %B %Y", time.localtime(self.changed))


def count(root: Path) -> Iterator[Entry]:
    """All saved runs, slowly. What cannot be read counts as a run of its own."""
    owners = (owner for owner in storage.entries(root) if owner.is_dir())
    for number, folder in enumerate(folder for owner in owners for folder in storage.runs_in(owner)):
        if number % AT_ONCE == 0:
            time.sleep(REST_S)
        try:
            changed, text = (folder / storage.RECORD).stat().st_mtime, (folder / storage.RECORD).read_bytes()
        except OSError:
            continue
        yield Entry(folder, _unit(text) or folder.name, changed, size_of(folder))


def _unit(record: bytes) -> str:
    try:
        return str(json.loads(record)["arm"]["group"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def size_of(folder: Path) -> int:
    """Bytes of all files of a run."""
    return sum(storage.size(path) for path in folder.rglob("*"))


def surplus(entries: Sequence[Entry], too_much: float) -> list[Entry]:
    """The runs to remove.

    Args:
        too_much: bytes to be freed; nothing is removed when it is not above 0.
    """
    units: dict[tuple[Path, str], list[Entry]] = {}
    for entry in entries:
        units.setdefault((entry.owner, entry.unit), []).append(entry)
    by_age = sorted(units.values(), key=lambda unit: max(entry.changed for entry in unit))
    last = {unit[0].owner: unit for unit in by_age}  # the newest of each visitor
    found: list[Entry] = []
    for unit in by_age:
        if sum(entry.size for entry in found) >= too_much:
            break
        if last[unit[0].owner] is not unit:
            found += unit
    return found
