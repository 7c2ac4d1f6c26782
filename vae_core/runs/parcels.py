"""What an engine on another machine gets and gives beside messages: the files that a local one reads and writes itself.

The server alone keeps files. To a run that is opened go its last state and the images that do not ship; what it saves
comes back with the update that tells of it, and is written before anybody hears of it.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from vae_core import datasets
from vae_core.checkpoints import replacing
from vae_core.data.idx_set import FILES
from vae_core.data.sets import published_set
from vae_core.runs.messages import FAILED, Command, Update
from vae_core.runs.storage import state_file, states_folder


@dataclass(frozen=True)
class Parcel:
    """A command and its files: by their path within the folder of data sets, and of the run's state."""

    command: Command
    images: dict[str, bytes] = field(default_factory=dict)
    state: bytes = b""


class Packer:
    """The server's end. Remembers which images the engine has, and where each run lies."""

    def __init__(self) -> None:
        self._sent: set[tuple[str, int]] = set()  # files of images, and when they were written
        self._folders: dict[str, Path] = {}

    def pack(self, command: Command) -> Parcel:
        """A command with what it needs. A file that cannot be read is left out: the engine says what is missing."""
        config: dict[str, Any] = command.args.get("config", {})
        images = self._images(config["dataset"]) if "dataset" in config else {}
        if command.name != "open":
            return Parcel(command, images)
        folder = self._folders[command.run_id] = Path(command.args["folder"])
        step, state = _last_state(states_folder(folder, command.args["generation"]), command.args["resume"])
        resume = command.args["resume"] if step is None else [step]
        return Parcel(replace(command, args={**command.args, "resume": resume}), images, state)

    def unpack(self, update: Update, state: bytes) -> Update:
        """Write the state that an update tells of; returns what is to be told. Where it cannot be, the run has failed.

        Args:
            state: empty where it tells of none.
        """
        folder = self._folders.get(update.run_id)
        if update.saved is None or folder is None:
            return update
        try:
            states = states_folder(folder, update.generation)
            states.mkdir(parents=True, exist_ok=True)
            with replacing(state_file(states, update.saved)) as file:
                file.write(state)
        except OSError as error:
            why = f"The run cannot be saved ({error.strerror}): free some disk space, then start again."
            return replace(update, saved=None, status=FAILED, message=why)
        return update

    def _images(self, name: str) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for path, file in image_files(name).items():
            try:
                known = path, file.stat().st_mtime_ns
                if known not in self._sent:
                    found[path] = file.read_bytes()
                    self._sent.add(known)
            except OSError:
                continue
        return found


def image_files(name: str) -> dict[str, Path]:
    """The files of a data set that does not come with the program, by their path within the folder of data sets."""
    if (published := published_set(name)) is not None:
        folder = published.found
        return {f"{name}/{file}": folder / file for file in FILES.values()} if folder else {}
    declared, root = datasets.find(name), datasets.folder()
    if declared is None or not declared.is_relative_to(root):
        return {}
    files = [declared] if datasets.is_points(name) else sorted(f for f in declared.parent.iterdir() if f.is_file())
    return {file.relative_to(root).as_posix(): file for file in files}


def _last_state(folder: Path, steps: list[int]) -> tuple[int | None, bytes]:
    """The first of these states that is whole, and its step; None and nothing where none is."""
    for step in steps:
        file = state_file(folder, step)
        try:
            with safe_open(file, framework="numpy"):  # a file that was cut off cannot be opened
                return step, file.read_bytes()
        except (OSError, SafetensorError):
            continue
    return None, b""
