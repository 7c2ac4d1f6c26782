"""Who lectures: the key that makes a visitor one, what they show to the class, and which runs they hold on to."""

import secrets
import threading

from vae_core.runs.run_record import RunRecord


class Lecturers:
    """Thread-safe: each change is one step of the interpreter, so the server's event loop waits for nobody."""

    def __init__(self, key: str) -> None:
        """
        Args:
            key: whoever has it may become a lecturer, until the server ends.
        """
        self.key = key
        self._counting = threading.Lock()  # nobody gets another one's number; only who looks at the room takes it
        self._visitors: set[str] = set()
        self.followed = ""  # id of the run that was shown last, which may be gone by now
        self._pinned: set[str] = set()
        self._numbers: dict[str, int] = {}

    def admit(self, key: str, visitor: str) -> bool:
        """Make a visitor a lecturer if the key is right. Tells nothing of a wrong one by the time that it takes."""
        if not secrets.compare_digest(key.encode(errors="replace"), self.key.encode()):
            return False
        self._visitors.add(visitor)
        return True

    def is_lecturer(self, visitor: str) -> bool:
        return visitor in self._visitors

    def show(self, run_id: str) -> None:
        """From now on whoever follows sees this run."""
        self.followed = run_id

    def pin(self, run_id: str) -> None:
        """Remember that a run never leaves its place at the device for one that waits."""
        self._pinned.add(run_id)

    def unpin(self, run_id: str) -> None:
        self._pinned.discard(run_id)

    def is_pinned(self, run_id: str) -> bool:
        return run_id in self._pinned

    def goes_first(self, run: RunRecord) -> bool:
        """Whether it waits in no line."""
        return self.is_lecturer(run.visitor) or self.is_pinned(run.run_id)

    def number_of(self, visitor: str) -> int:
        """A visitor's number, by which a lecturer can tell one from the other, and nobody learns who it is."""
        with self._counting:
            return self._numbers.setdefault(visitor, len(self._numbers) + 1)
