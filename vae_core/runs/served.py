"""Whom an engine serves at this moment, written where it can still be read after its end, however sudden."""

import os

SIZE = 64  # bytes; an id has 22


class Served:
    """One id in a file that the server and its engine share. POSIX only: the file is inherited."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def write(self, run_id: str) -> None:
        """A microsecond, and one call: it is there whole or not at all."""
        os.pwrite(self._fd, run_id.encode()[:SIZE].ljust(SIZE, b"\0"), 0)

    def read(self) -> str:
        """The id, or "" where nobody was served."""
        return os.pread(self._fd, SIZE, 0).rstrip(b"\0").decode(errors="replace")
