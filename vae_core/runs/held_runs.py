"""The runs that the server has in memory, and whose they are."""

import threading
import time
from collections.abc import Sequence

from vae_core.runs.run_record import RunRecord

RUNS_PER_VISITOR = 6  # older ended ones are forgotten
GROUPS_PER_VISITOR = 3  # likewise


class HeldRuns:
    """Runs by id, in the order in which they were made.

    Who changes something holds `lock`, the registry's one lock: for changes in memory alone (and while an engine
    process is started), never across a pipe or a disk. Who reads needs none: the event loop waits for nobody.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._runs: dict[str, RunRecord] = {}

    def put(self, run: RunRecord) -> None:
        with self.lock:
            self._runs[run.run_id] = run

    def put_if_new(self, run: RunRecord) -> None:
        """Leaves the one alone that is there already."""
        with self.lock:
            self._runs.setdefault(run.run_id, run)

    def drop(self, run: RunRecord) -> None:
        with self.lock:
            del self._runs[run.run_id]

    def __getitem__(self, run_id: str) -> RunRecord:
        return self._runs[run_id]

    def get(self, run_id: str) -> RunRecord | None:
        return self._runs.get(run_id)

    def all(self) -> list[RunRecord]:
        return list(self._runs.values())

    def own(self, visitor: str) -> list[RunRecord]:
        """All runs of a visitor, newest first."""
        return [run for run in reversed(self.all()) if run.visitor == visitor]

    def of(self, visitor: str) -> list[RunRecord]:
        """The runs of a visitor that are in no group, newest first."""
        return [run for run in self.own(visitor) if not run.group]

    def members(self, group: str) -> list[RunRecord]:
        """The arms of a group, in the order in which they were made."""
        return [run for run in self.all() if group and run.group == group]

    def groups_of(self, visitor: str) -> list[str]:
        """Ids of a visitor's groups, newest first."""
        return list(dict.fromkeys(run.group for run in self.own(visitor) if run.group))

    def surplus(self, visitor: str, spare: str = "") -> list[RunRecord]:
        """The oldest of a visitor's that are more than one may have, but not the one to spare."""
        late = self.groups_of(visitor)[GROUPS_PER_VISITOR:]
        surplus = [old for group in late for old in self.members(group)]
        own = self.of(visitor)
        others = [old for old in own[1:] if old.run_id != spare]
        too_many = max(0, len(own) - RUNS_PER_VISITOR)
        return surplus + (others[-too_many:] if too_many else [])


def farewell(left: Sequence[RunRecord]) -> str:
    """What the visitor is told of the runs that had to leave."""
    day = time.strftime("%d %B, %H:%M", time.localtime(left[0].created))
    if left[0].group:
        return f"{GROUPS_PER_VISITOR} experiments are kept for you: the oldest, of {day}, was removed."
    return f"{RUNS_PER_VISITOR} runs are kept for you: the oldest, of {day}, was removed."
