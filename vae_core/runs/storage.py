"""Runs on disk, saved as they go: what a stopped server or a crash does not lose.

    <root>/<run id>/run.json            what the run is and where it stands
                    curves.safetensors  its train and test rows
                    film/               its frames (snapshot_file.py)
                    states/             what training goes on from (task.py)
                    decoder.safetensors the decoder of a run that ships without states (command_line.py)

run_record.py writes the first three and task.py the states; a run that the command line made has its card beside them
(checkpoints.py). Every file replaces its predecessor only when it is complete.
"""

import contextlib
import fcntl
import json
import shutil
from pathlib import Path
from typing import IO, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from vae_core.any_path import AnyPath
from vae_core.checkpoints import replacing

RECORD, CURVES, FILM, STATES = "run.json", "curves.safetensors", "film", "states"
DECODER = "decoder.safetensors"  # float16, layers named as in the decoder's nn.Sequential


class StorageError(RuntimeError):
    """A saved run that cannot be read; the message is one sentence."""


def write(folder: Path, record: dict[str, Any], train: np.ndarray, test: np.ndarray) -> None:
    """Save a run's record and curves.

    Args:
        record: JSON-ready.
        train, test: rows as in RunRecord.
    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / CURVES) as file:
        file.write(save({"train": np.ascontiguousarray(train), "test": np.ascontiguousarray(test)}))
    with replacing(folder / RECORD) as file:
        file.write(json.dumps(record, ensure_ascii=False).encode())


def read(folder: Path) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """The record, the train rows and the test rows of a saved run.

    Raises:
        StorageError: a file is missing or damaged.
    """
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        curves = load_file(folder / CURVES)
        return record, curves["train"], curves["test"]
    except (OSError, ValueError, KeyError, RecursionError, SafetensorError) as error:
        raise StorageError(f"The saved run {folder.name} cannot be read ({error}): it is left out.") from None


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


def owners(root: Path) -> dict[str, str]:
    """Whose the saved runs are: visitors by run id. Reads records alone, and leaves out what cannot be read."""
    found = {}
    for path in root.glob(f"*/{RECORD}"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            found[path.parent.name] = str(json.loads(path.read_text(encoding="utf-8"))["visitor"])
    return found


def folders(root: Path) -> list[Path]:
    """Saved runs, oldest first."""
    found = []
    for path in root.glob(f"*/{RECORD}"):
        with contextlib.suppress(OSError):  # it has just been removed
            found.append((path.stat().st_mtime, path.parent))
    return [folder for _, folder in sorted(found)]


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


def claim(root: Path | None) -> IO[str] | None:
    """Take a folder for this server alone, until the file is closed; None if it is taken or cannot be written."""
    if root is None:
        return None
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (root / "in-use").open("w")
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def _steps(folder: AnyPath, ending: str) -> list[int]:
    names = [path.name.removesuffix(ending) for path in Path(folder).glob(f"*{ending}")]
    return sorted(int(name) for name in names if name.isdigit())
