"""The grid of a sweep: its trainings, called cells, each with a folder of its own that is there once it is finished."""

import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vae_core import checkpoints
from vae_core.cards import read_whole_card
from vae_core.checkpoints import CARD, CheckpointError, unwritable, write_files
from vae_core.config import RunConfig
from vae_core.runs import machine

VARIED = ("beta", "latent_dim", "seed")
_UNFINISHED, _LOCK = ".unfinished-", ".lock"


@dataclass(frozen=True)
class Grid:
    """What is trained: the base config with every beta, latent size and seed."""

    base: RunConfig
    betas: tuple[float, ...]
    latent_dims: tuple[int, ...]
    seeds: tuple[int, ...]

    def cells(self) -> dict[str, RunConfig]:
        """The config of each cell by the name of its folder; seed after seed, so that a row is soon seen whole.

        Raises:
            ConfigError: a value is out of range.
        """
        every = itertools.product(self.seeds, self.latent_dims, self.betas)
        return {
            f"beta-{spell(beta)}-dim-{dim}-seed-{seed}": self.base.with_(beta=beta, latent_dim=dim, seed=seed)
            for seed, dim, beta in every
        }


def spell(number: float) -> str:
    """A number as short as it can be written without becoming another one: "0.1", "4"."""
    return f"{number:g}" if float(f"{number:g}") == number else repr(number)


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Have the folder of a sweep for this process alone; what a killed one left half-written there goes.

    Raises:
        CheckpointError: it cannot be written, or another sweep has it.
    """
    checkpoints.check_writable(folder)
    with (folder / _LOCK).open("w", encoding="utf-8") as file:
        try:
            machine.lock(file)
        except OSError:
            raise CheckpointError(f"Another sweep writes to {folder}: wait for it, or name another --out.") from None
        for left in folder.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def read_finished(folder: Path, cells: Mapping[str, RunConfig]) -> dict[str, dict[str, Any]]:
    """The cards of the cells that are finished, by name.

    Raises:
        CheckpointError: a cell is damaged, or was trained with other settings.
    """
    return {name: _read(folder / name, config) for name, config in cells.items() if os.path.lexists(folder / name)}


def _read(folder: Path, config: RunConfig) -> dict[str, Any]:
    try:
        checkpoints.load(folder)
        card = read_whole_card(folder / CARD)
    except CheckpointError as error:
        raise CheckpointError(f"{error} Or remove {folder}: the sweep then trains it anew.") from None
    wanted, found = config.to_dict(), card["config"]
    others = [f"{name} {found[name]}, not {wanted[name]}" for name in wanted if found[name] != wanted[name]]
    others = [other for other in others if not other.startswith("device ")]  # any will do
    if others or not card.get("finished"):
        what = ", ".join(others) or "it never came to its end"
        raise CheckpointError(f"{folder} holds another training ({what}): name another --out, or remove it.")
    return card


def write_cell(folder: Path, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Put the folder of a finished cell in place, whole or not at all. Returns its card.

    Raises:
        CheckpointError: it cannot be written.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=folder.parent) as hidden:
            made = Path(hidden) / folder.name
            made.mkdir()
            write_files(made, files)
            made.rename(folder)
    except OSError as error:
        raise unwritable(folder, error) from None
    return read_whole_card(folder / CARD)
