"""Where model families lie: one file each, found by its name when it is asked for, so a new one is one new file.

    vae_core/models/vae.py        the family "vae"
    vae_core/bugs/models/mean.py  the family "bug-mean": a classic mistake, for the bug lab, never for a result

The environment variable ELBO_ROOM_FAMILIES names one more folder, for families of one's own.
"""

from __future__ import annotations

import os
from pathlib import Path

_HERE = Path(__file__).parent
_NO_FAMILIES = ("__init__", "base")
BUG = "bug-"


def find(name: str) -> tuple[str, Path] | None:
    """The module and the file of a family, or None where there is none of this name. Imports nothing."""
    for module, prefix, folder in _folders():
        stem = name.removeprefix(prefix).replace("-", "_")
        path = folder / f"{stem}.py"
        if name.startswith(prefix) and stem.isidentifier() and stem not in _NO_FAMILIES and path.is_file():
            return f"{module}.{stem}", path
    return None


def names() -> tuple[str, ...]:
    """Of all families that are there."""
    return tuple(
        prefix + path.stem.replace("_", "-")
        for _, prefix, folder in _folders()
        for path in sorted(folder.glob("*.py"), reverse=True)  # the VAE first
        if path.stem not in _NO_FAMILIES
    )


def _folders() -> list[tuple[str, str, Path]]:
    """Module, beginning of its families' names, and folder."""
    own = os.environ.get("ELBO_ROOM_FAMILIES")
    folders = [("vae_core.models", "", _HERE / "models"), ("vae_core.bugs.models", BUG, _HERE / "bugs" / "models")]
    return folders + ([("own_families", "", Path(own))] if own else [])
