"""What a path may be where one is taken."""

from __future__ import annotations

import os

AnyPath = str | os.PathLike[str]  # text as it stands in a notebook, or a Path; made a Path where it comes in
