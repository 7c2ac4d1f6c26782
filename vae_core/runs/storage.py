"""Runs on disk, saved as they go: what a stopped server or a crash does not lose.

    <root>/<owner>/<run id>/run.json             what the run is, where it stands, and which files belong to it
                            curves.safetensors   its train and test rows, or curves-2: the record names it
                            film/                its frames (snapshot_file.py)
                            states/              what training goes on from (task.py)
                            decoder.safetensors  the decoder of a run that ships without states (command_line.py)

After a reset film and states lie in folders of their own (film-1, states-1, ...), so the record decides at one stroke
which are the run's. Engines write states (task.py), the server all else (run_record.py), and it alone removes. A file
replaces its predecessor only when it is complete; what no record names is left over from a crash, and is removed. A
run that the command line made has its card beside them (checkpoints.py) and no such list: all that lies there is its.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from vae_core.any_path import AnyPath
from vae_core.checkpoints import replacing
from vae_core.runs.machine import lock

RECORD, CURVES, FILM, STATES = "run.json", "curves.safetensors", "film", "states"
LETTERS = "letters.txt"  # in the folder of a visitor: what they are to be told
_OURS = (RECORD, "curves", FILM, STATES)  # names of all that a server writes into the folder of a run begin so
_OWNER = re.compile(r"[0-9a-f]{24}")
OTHER_CURVES = "curves-2.safetensors"  # each save takes the one that the record in force does not name
DECODER = "decoder.safetensors"  # float16, layers named as in the decoder's nn.Sequential


class StorageError(RuntimeError):
    """A saved run that cannot be read; the message is one sentence."""


def write(folder: Path, record: dict[str, Any], train: np.ndarray, test: np.ndarray, curves: str = CURVES) -> None:
    """Save a run's record and curves, both at once: the record names its curves.

    Args:
        record: JSON-ready.
        train, test: rows as in RunRecord.
        curves: CURVES or OTHER_CURVES, whichever the record that lies there does not name.
    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / curves) as file:
        file.write(save({"train": np.ascontiguousarray(train), "test": np.ascontiguousarray(test)}))
    with replacing(folder / RECORD) as file:
        file.write(json.dumps(record | {"curves": curves}, ensure_ascii=False).encode())


def read(folder: Path) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """The record, the train rows and the test rows of a saved run.

    Raises:
        StorageError: a file is missing or damaged.
    """
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        name = record.get("curves", CURVES)
        curves = load_file(folder / (OTHER_CURVES if name == OTHER_CURVES else CURVES))
        return record, curves["train"], curves["test"]
    except (OSError, ValueError, KeyError, AttributeError, RecursionError, SafetensorError) as error:
        raise StorageError(f"The saved run {folder.name} cannot be read ({error}): it is left out.") from None


def film_folder(folder: Path, generation: int) -> Path:
    """Where the frames of a generation lie."""
    return folder / _of_generation(FILM, generation)


def states_folder(folder: Path, generation: int) -> Path:
    """Where the states of a generation lie."""
    return folder / _of_generation(STATES, generation)


def _of_generation(name: str, generation: int) -> str:
    return f"{name}-{generation}" if generation else name


@dataclass(frozen=True)
class Listing:
    """Which files belong to a saved run, and how far it has come."""

    curves: str
    generation: int
    step: int
    film: tuple[int, ...]
    states: tuple[int, ...]


def sweep(folder: Path, listed: Listing, quiet: bool) -> None:
    """Remove what a saved run does not list: thinned out, or left over from a crash.

    Args:
        quiet: nobody writes there. Else what is not older than the saved moment is spared: it is about to be listed.
    """
    film, states = film_folder(folder, listed.generation), states_folder(folder, listed.generation)
    _clear(folder, {RECORD, DECODER, listed.curves, film.name, states.name}, quiet, listed.generation)
    _clear(film, {frame_file(film, step).name for step in listed.film}, quiet, listed.step)
    _clear(states, {state_file(states, step).name for step in listed.states}, quiet, listed.step)


def sweep_states(folder: Path, listed: Iterable[int]) -> None:
    """Remove the states that are not listed, and what was half written. Nobody writes there."""
    _clear(folder, {state_file(folder, step).name for step in listed}, quiet=True, present=0)


def _clear(folder: Path, kept: set[str], quiet: bool, present: int) -> None:
    for path in entries(folder):
        name = path.name.lstrip(".")  # a file that is being written is hidden
        ours = name.startswith(_OURS) or name[:1].isdigit()
        if ours and path.name not in kept and (quiet or not _to_come(path.name, present)):
            with contextlib.suppress(PermissionError):  # Windows keeps what somebody reads: the next time, then
                forget(path) if path.is_dir() else path.unlink(missing_ok=True)


def _to_come(name: str, present: int) -> bool:
    """Whether a file is being written (its name is hidden then), or its step or generation is not yet past."""
    number = name.partition(".")[0].rpartition("-")[2]
    return name.startswith(".") or (number.isdigit() and int(number) >= present and name != OTHER_CURVES)


def entries(folder: Path) -> list[Path]:
    """What lies in a folder; nothing where there is none."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def size(path: Path) -> int:
    """Bytes of a file; 0 where it has just been removed."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def frame_file(folder: AnyPath, step: int) -> Path:
    """Where the frame of a step lies."""
    return Path(folder) / f"{step:09d}.safetensors.gz"


def state_file(folder: AnyPath, step: int) -> Path:
    """Where the state of a step lies, from which training goes on."""
    return Path(folder) / f"{step:09d}.safetensors"


def frames_in(folder: AnyPath) -> list[int]:
    """Steps of the frames in a folder, in order."""
    return _steps(folder, ".safetensors.gz")


def steps_in(folder: AnyPath) -> list[int]:
    """Steps of the states in a folder, in order."""
    return _steps(folder, ".safetensors")


def folder_of(root: Path, visitor: str) -> Path:
    """Where the runs of a visitor lie. The name is a hash: who reads the folder cannot take their place."""
    return root / hashlib.sha256(visitor.encode()).hexdigest()[:24]


def runs_in(owner: Path) -> list[Path]:
    """The saved runs in a visitor's folder."""
    return [path for path in entries(owner) if path.is_dir()]


def sort_by_owner(root: Path) -> None:
    """Move runs that were saved when all lay side by side to the folders of their visitors."""
    for path in entries(root):
        if not _OWNER.fullmatch(path.name) and (path / RECORD).is_file():
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
                owner = folder_of(root, json.loads((path / RECORD).read_text(encoding="utf-8"))["visitor"])
                owner.mkdir(exist_ok=True)
                path.rename(owner / path.name)


def add_letter(owner: Path, sentence: str) -> None:
    """Leave a sentence for a visitor, to be read when they come."""
    with contextlib.suppress(OSError), (owner / LETTERS).open("a", encoding="utf-8") as file:
        file.write(f"{sentence}\n")


def take_letters(owner: Path) -> list[str]:
    """The sentences left for a visitor; once."""
    try:
        sentences = (owner / LETTERS).read_text(encoding="utf-8", errors="replace").splitlines()
        (owner / LETTERS).unlink()
        return sentences
    except OSError:
        return []


def copy_if_there(source: Path, target: Path) -> bool:
    """Copy a file if it is there; tells whether it was."""
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError:
        target.unlink(missing_ok=True)
        return False
    return True


def forget(folder: Path) -> None:
    """Remove a run from the disk."""
    shutil.rmtree(folder, ignore_errors=True)


def claim(root: Path) -> tuple[IO[str] | None, str]:
    """Take a folder for this server alone, until the file is closed.

    Returns:
        The file; or None, and a sentence that says why not.
    """
    lost = "so runs are forgotten when this server ends. Name another folder by ELBO_ROOM_RUNS."
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (root / "in-use").open("a+", encoding="ascii", errors="replace")
    except OSError as error:
        return None, f"Runs cannot be kept in {root} ({error.strerror}), {lost}"
    try:
        lock(file)
    except OSError:
        file.seek(0)
        number = file.read().strip()
        file.close()
        other = f" (process {number})" if number.isdigit() else ""
        return None, f"Another server{other} keeps its runs in {root}, {lost}"
    try:
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
    except OSError as error:
        file.close()
        return None, f"Runs cannot be kept in {root} ({error.strerror}), {lost}"
    return file, ""


def _steps(folder: AnyPath, ending: str) -> list[int]:
    names = [path.name.removesuffix(ending) for path in Path(folder).glob(f"*{ending}")]
    return sorted(int(name) for name in names if name.isdigit())
