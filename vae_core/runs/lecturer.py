"""Who lectures: the key that makes a visitor one, what they show to the class, and which runs they hold on to."""

import secrets
import threading

from vae_core.runs.run_record import RunRecord


class Lecturers:
    """Thread-safe, by a lock of its own: it is held for a moment and never while another one is waited for."""

    def __init__(self, key: str) -> None:
        """
        Args:
            key: whoever has it may become a lecturer, until the server ends.
        """
        self.key = key
        self._lock = threading.Lock()
        self._visitors: set[str] = set()
        self._followed = ""
        self._pinned: set[str] = set()
        self._numbers: dict[str, int] = {}

    def admit(self, key: str, visitor: str) -> bool:
        """Make a visitor a lecturer if the key is right. Tells nothing of a wrong one by the time that it takes."""
        if not secrets.compare_digest(key.encode(errors="replace"), self.key.encode()):
            return False
        with self._lock:
            self._visitors.add(visitor)
        return True

    def is_lecturer(self, visitor: str) -> bool:
        with self._lock:
            return visitor in self._visitors

    def show(self, run_id: str) -> None:
        """From now on whoever follows sees this run."""
        with self._lock:
            self._followed = run_id

    @property
    def followed(self) -> str:
        """Id of the run that was shown last, which may be gone by now; "" before the first."""
        with self._lock:
            return self._followed

    def pin(self, run_id: str) -> None:
        """Remember that a run never leaves its place at the device for one that waits."""
        with self._lock:
            self._pinned.add(run_id)

    def unpin(self, run_id: str) -> None:
        with self._lock:
            self._pinned.discard(run_id)

    def is_pinned(self, run_id: str) -> bool:
        with self._lock:
            return run_id in self._pinned

    def goes_first(self, run: RunRecord) -> bool:
        """Whether it waits in no line."""
        return self.is_lecturer(run.visitor) or self.is_pinned(run.run_id)

    def number_of(self, visitor: str) -> int:
        """A visitor's number, by which a lecturer can tell one from the other, and nobody learns who it is."""
        with self._lock:
            return self._numbers.setdefault(visitor, len(self._numbers) + 1)
