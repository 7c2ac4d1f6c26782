"""Where image sets lie, found by name: each of the program's is one file, each of one's own a folder.

    vae_core/data/sets/circles.py       the set "circles"
    DATA/own/faces/                     the set "faces" (python -m vae_core.data.own)
    DATA/uploads/own-<24 hex digits>/   what a visitor of a page has brought; nobody can guess its name
    vae_core/data/points.py             points of the plane: "ring", "ring-400" (how many), "ring-400-7" (seed 7)
    DATA/points/drawn-<24 hex>.json     points that somebody has drawn

DATA is the folder that the environment variable ELBO_ROOM_DATA names, else elbo-room in the user's data folder.
"""

import os
import re
from pathlib import Path

_SETS = Path(__file__).parent / "data" / "sets"
POINTS = ("ring", "moons", "two-circles")  # sets of points of the plane
_POINTS = re.compile(rf"(?:{'|'.join(POINTS)})(?:-[1-9][0-9]{{1,3}}(?:-[0-9]{{1,10}})?)?|drawn-[0-9a-f]{{24}}")
_NAME, _UPLOAD = re.compile(r"[a-z][a-z0-9-]{0,39}"), re.compile(r"own-[0-9a-f]{24}")
SAVED = "set.json"  # in the folder of one's own


def folder() -> Path:
    """DATA; it need not be there."""
    home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return Path(os.environ.get("ELBO_ROOM_DATA") or home / "elbo-room")


def find(name: str) -> Path | None:
    """The file that declares a set, or None where there is none of this name. Imports nothing."""
    if not is_name(name):
        return None
    if is_points(name):
        file = folder() / "points" / f"{name}.json" if name.startswith("drawn-") else _SETS.parent / "points.py"
        return file if file.is_file() else None
    own = folder() / ("uploads" if is_upload(name) else "own") / name / SAVED
    return next((path for path in (_SETS / f"{name}.py", own) if path.is_file()), None)


def names() -> tuple[str, ...]:
    """Of all sets that can be chosen, MNIST first; uploads are known to their visitors alone."""
    own = sorted(path.parent.name for path in folder().glob(f"own/*/{SAVED}") if is_name(path.parent.name))
    return tuple(dict.fromkeys(("mnist", *built_in(), *own)))


def built_in() -> tuple[str, ...]:
    """Of the sets of the program."""
    return tuple(path.stem for path in sorted(_SETS.glob("[a-z]*.py")))


def is_name(name: object) -> bool:
    """Whether a set can be called so."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def is_upload(name: object) -> bool:
    """Whether it is the name of a visitor's own images, which may be gone while a run still names them."""
    return isinstance(name, str) and _UPLOAD.fullmatch(name) is not None


def is_points(name: object) -> bool:
    """Whether it is a set of points of the plane, and not of images; drawn ones may be gone while a run names them."""
    return isinstance(name, str) and _POINTS.fullmatch(name) is not None
