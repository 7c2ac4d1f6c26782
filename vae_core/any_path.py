"""What a path may be where one is taken."""

import os

AnyPath = str | os.PathLike[str]  # text as it stands in a notebook, or a Path; made a Path where it comes in
