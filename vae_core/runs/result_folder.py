"""The folder of a training: a result that lies there stays whole until a new one is complete, and wished for."""

import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from vae_core.checkpoints import CARD, HISTORY, WEIGHTS, CheckpointError, check_writable, unwritable
from vae_core.runs.storage import CURVES, DECODER, FILM, RECORD, STATES
from vae_core.runs.training_checkpoint import TRAINING

PARTS = (WEIGHTS, CARD, HISTORY, RECORD, CURVES, DECODER, FILM, STATES, TRAINING)  # any is a result, or some of one


def parts_in(folder: Path) -> list[str]:
    """The files and folders of a result that lie in a folder."""
    return [name for name in PARTS if os.path.lexists(folder / name)]


def check_free(folder: Path, overwrite: bool) -> None:
    """Before an hour of training: whether its result may be put there. Makes the folder.

    Raises:
        CheckpointError: it holds a result that is not to be overwritten, or cannot be written.
    """
    if not overwrite and (parts := parts_in(folder)):
        raise CheckpointError(
            f"{folder} holds a result already ({', '.join(parts)}): name another folder or add --overwrite."
        )
    check_writable(folder)


class NotInPlace(CheckpointError):
    """A result is complete and cannot be moved to where it belongs; the message says where it lies."""


@contextlib.contextmanager
def workplace(folder: Path) -> Iterator[Path]:
    """A folder for a result in the making, of the same name, within `folder`.

    What is left there goes with the block, but for a result that is complete and cannot be put in place.

    Raises:
        CheckpointError: `folder` cannot be written.
    """
    try:
        hidden = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder))
        made = hidden / folder.resolve().name  # a run is named after its folder
        made.mkdir(exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from None
    try:
        yield made
    except NotInPlace:
        raise
    except BaseException:
        shutil.rmtree(hidden, ignore_errors=True)
        raise
    shutil.rmtree(hidden, ignore_errors=True)


def put_in_place(made: Path, folder: Path, replace: bool) -> Path:
    """Move a result out of its workplace.

    Args:
        replace: an earlier result in `folder` gives way; else the new one goes beside it, into FOLDER-unfinished.
    Returns:
        Where it lies now.
    Raises:
        NotInPlace: that cannot be written; an earlier result is back in its place.
    """
    target = folder if replace or not parts_in(folder) else _beside(folder)
    try:
        target.mkdir(exist_ok=True)
        _exchange(made, target)
    except OSError as error:
        raise NotInPlace(f"{unwritable(target, error)} What was learned is in {made}: move it from there.") from None
    return target


def _beside(folder: Path) -> Path:
    """FOLDER-unfinished or, where a result lies there too, FOLDER-unfinished-2 and so on."""
    named = folder if folder.name not in ("", "..") else folder.resolve()
    base = named.parent / f"{named.name}-unfinished"
    numbered = (base.with_name(f"{base.name}-{i}") for i in itertools.count(2))
    return next(path for path in itertools.chain([base], numbered) if not parts_in(path))


def _exchange(made: Path, target: Path) -> None:
    """Move the earlier result out and the new one in; on any error everything is moved back."""
    earlier = Path(tempfile.mkdtemp(dir=made.parent))
    moves = [(target / name, earlier / name) for name in parts_in(target)]
    moves += [(path, target / path.name) for path in sorted(made.iterdir())]
    with contextlib.ExitStack() as back:
        for source, aim in moves:
            shutil.move(source, aim)
            back.callback(shutil.move, aim, source)
        back.pop_all()
