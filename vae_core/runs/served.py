"""Whom an engine serves at this moment, written where it can still be read after its end, however sudden."""

import os

SIZE = 64  # bytes; an id has 22


class Served:
    """One id in a file that the server and its engine share. The engine writes; the server reads after its end."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def write(self, run_id: str) -> None:
        """Two microseconds; one call writes: it is there whole or not at all."""
        os.lseek(self._fd, 0, os.SEEK_SET)
        os.write(self._fd, run_id.encode()[:SIZE].ljust(SIZE, b"\0"))

    def read(self) -> str:
        """The id, or "" where nobody was served."""
        os.lseek(self._fd, 0, os.SEEK_SET)
        return os.read(self._fd, SIZE).rstrip(b"\0").decode(errors="replace")
