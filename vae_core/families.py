"""Where model families lie: one file each, found by its name when it is asked for, so a new one is one new file.

    vae_core/models/vae.py        the family "vae"
    vae_core/bugs/models/mean.py  the family "bug-mean": a classic mistake, for the bug lab, never for a result

The environment variable ELBO_ROOM_FAMILIES names one more folder, for families of one's own.
"""

import os
from pathlib import Path

_HERE = Path(__file__).parent
_NO_FAMILIES = ("base",)  # nor what begins with "_": helpers
_BUG = "bug-"
_FIRST = "vae"  # in lists; the others come as their folders have them


def find(name: str) -> tuple[str, Path] | None:
    """The module and the file of a family, or None where there is none of this name. Imports nothing."""
    for module, prefix, folder in _folders():
        path = folder / f"{name.removeprefix(prefix).replace('-', '_')}.py"
        if name == _name(prefix, path) and path.is_file():
            return f"{module}.{path.stem}", path
    return None


def names() -> tuple[str, ...]:
    """Of all families that are there."""
    files = [(prefix, path) for _, prefix, folder in _folders() for path in sorted(folder.glob("*.py"))]
    found = dict.fromkeys(name for prefix, path in files if (name := _name(prefix, path)))
    return tuple(sorted(found, key=lambda name: name != _FIRST))


def is_bug(name: str) -> bool:
    """Whether a family is one of the bug lab's, which no page offers as a model."""
    return name.startswith(_BUG)


def _name(prefix: str, path: Path) -> str:
    """Of the family in a file; "" where it can be none."""
    stem = path.stem
    fits = stem.isidentifier() and stem == stem.lower() and not stem.startswith("_") and stem not in _NO_FAMILIES
    return prefix + stem.replace("_", "-") if fits else ""


def _folders() -> list[tuple[str, str, Path]]:
    """Module, beginning of its families' names, and folder."""
    own = os.environ.get("ELBO_ROOM_FAMILIES")
    folders = [("vae_core.models", "", _HERE / "models"), ("vae_core.bugs.models", _BUG, _HERE / "bugs" / "models")]
    return folders + ([("own_families", "", Path(own))] if own else [])
