"""Saved runs that are damaged, each in one way that follows from a seed: what a bad disk, or a hand, may leave."""

import gzip
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from vae_core.runs.storage import RECORD

WRONG: tuple[Any, ...] = (
    *(None, True, False, "", "abc", "../../x", "\ud800", "0" * 400),
    *(-1, 0, 3.5, 10**9, 10**30, 10**400, -(10**30), 1e300, float("nan"), float("inf"), float("-inf")),
    *([], [1], ["a"], [[1]], [None], {}, {"a": 1}, {"step": {}}),
)


def damaged(source: Path, target: Path, seed: int) -> str:
    """A copy of a run's folder with one kind of damage; says what was done.

    Large files are shared with the source until they are damaged: none is written in place.
    """
    rng = random.Random(seed)
    shutil.copytree(source, target, copy_function=os.link)
    kind = rng.choices(list(KINDS), weights=list(KINDS.values()))[0]
    return f"{kind.__name__.strip('_')}: {kind(target, rng)}"


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _replace(path: Path, content: bytes) -> None:
    """Beside the file that lies there, which others share."""
    path.unlink()
    path.write_bytes(content)


def _flip(path: Path, rng: random.Random) -> str:
    content = bytearray(path.read_bytes())
    end = min(len(content), rng.choice([64, 2048, len(content)]))  # headers lie at the front
    places = [rng.randrange(end) for _ in range(rng.choice([1, 1, 8]))] if end else []
    for place in places:
        content[place] ^= 1 << rng.randrange(8)
    _replace(path, bytes(content))
    return f"{path.name} at {places}"


def _flips(folder: Path, rng: random.Random) -> str:
    return _flip(rng.choice(files_of(folder)), rng)


def _inner_flips(folder: Path, rng: random.Random) -> str:
    """Of a frame's content: its gzip, whose checksum would tell, is whole."""
    path = rng.choice([path for path in files_of(folder) if path.suffix == ".gz"])
    _replace(path, gzip.decompress(path.read_bytes()))
    said = _flip(path, rng)
    _replace(path, gzip.compress(path.read_bytes(), 1))
    return said


def _truncated(folder: Path, rng: random.Random) -> str:
    path = rng.choice(files_of(folder))
    content = path.read_bytes()
    length = rng.choice([0, 1, 7, 8, 9, rng.randrange(len(content)), len(content) - 1])
    _replace(path, content[:length])
    return f"{path.name} to {length} bytes"


def _deleted(folder: Path, rng: random.Random) -> str:
    paths = sorted(folder.rglob("*"))
    path = rng.choice(paths)
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    return str(path.relative_to(folder))


def _swapped(folder: Path, rng: random.Random) -> str:
    first, second = rng.sample(files_of(folder), 2)
    contents = first.read_bytes(), second.read_bytes()
    _replace(first, contents[1])
    _replace(second, contents[0])
    return f"{first.name} and {second.name}"


def _other_kind(folder: Path, rng: random.Random) -> str:
    """A folder where a file should be, or a file where a folder should be."""
    path = rng.choice(sorted(folder.rglob("*")))
    if path.is_dir():
        shutil.rmtree(path)
        path.write_bytes(b"x")
    else:
        path.unlink()
        path.mkdir()
    return str(path.relative_to(folder))


def _record(folder: Path, rng: random.Random) -> str:
    """One to three values of the record are of a wrong type or beyond all bounds, or missing."""
    path = folder / RECORD
    record = json.loads(path.read_text(encoding="utf-8"))
    said = []
    for _ in range(rng.choice([1, 1, 1, 3])):
        holder, key = rng.choice(list(_places(record)))
        if rng.random() < 0.15:
            del holder[key]
            said.append(f"no {key}")
            break  # the places are others now
        holder[key] = value = rng.choice([*WRONG, _nested(rng.choice([5, 500]))])
        said.append(f"{key} = {str(value)[:40]!r}")
    _replace(path, json.dumps(record).encode())
    return ", ".join(said)


def _whole_record(folder: Path, rng: random.Random) -> str:
    text = rng.choice(["[]", "null", "3", '"run"', "{}", "[" * 100_000, '{"a":' * 50_000, "\x00" * 100, "NaN", ""])
    _replace(folder / RECORD, text.encode())
    return text[:10]


def _frame_numbers(folder: Path, rng: random.Random) -> str:
    """The same in the numbers of a frame."""
    path = rng.choice([path for path in files_of(folder) if path.suffix == ".gz"])
    data = gzip.decompress(path.read_bytes())
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    numbers = json.loads(header["__metadata__"]["snapshot"])
    holder, key = rng.choice(list(_places(numbers)))
    holder[key] = value = rng.choice(WRONG)
    header["__metadata__"]["snapshot"] = json.dumps(numbers)
    if rng.random() < 0.2:
        key, value = rng.choice([name for name in header if name != "__metadata__"]), "renamed"
        header["renamed"] = header.pop(key)
    text = json.dumps(header).encode()
    _replace(path, gzip.compress(len(text).to_bytes(8, "little") + text + data[8 + length :], 1))
    return f"{path.name}: {key} = {str(value)[:40]!r}"


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """All that can be replaced within JSON: each holder with the key, outermost first."""
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from _places(value[key])


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


KINDS: dict[Callable[[Path, random.Random], str], int] = {
    _record: 8,
    _flips: 4,
    _inner_flips: 2,
    _frame_numbers: 3,
    _truncated: 3,
    _deleted: 2,
    _swapped: 2,
    _other_kind: 1,
    _whole_record: 1,
}
