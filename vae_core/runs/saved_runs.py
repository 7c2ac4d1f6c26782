"""The runs that the server keeps on disk: whose they are, saved as they change, found again, removed when too many."""

import contextlib
import shutil
import sys
import tempfile
import threading
from pathlib import Path

from vae_core.runs import storage
from vae_core.runs.held_runs import HeldRuns
from vae_core.runs.run_record import RunRecord

RUNS_ON_DISK = 120  # of all visitors; the oldest are removed first


class SavedRuns:
    """A folder of runs. It is written and read without the registry's lock; who notes or strikes a run holds it."""

    def __init__(self, runs: HeldRuns, root: Path | None) -> None:
        """
        Args:
            root: where runs are kept and found again; a folder that vanishes with the registry when left out,
                or when another server uses it already.
        """
        self._runs = runs
        self._claim = storage.claim(root)
        self.lasting = root is not None and self._claim is not None
        self.folder = root if root is not None and self.lasting else Path(tempfile.mkdtemp(prefix="elbo-room-"))
        self._owners = storage.owners(self.folder) if self.lasting else {}  # visitors by run id: who is on disk
        self.finding = threading.Lock()  # one arrival at a time reads what was saved

    def note(self, run: RunRecord) -> None:
        """From now on this run is looked for when its visitor arrives."""
        self._owners[run.run_id] = run.visitor

    def strike(self, run: RunRecord) -> None:
        """From now on it is not."""
        self._owners.pop(run.run_id, None)

    def save_changed(self) -> None:
        if not self.lasting:
            return
        with self._runs.lock:
            changed = [run for run in self._runs.all() if run.version != run.saved_version]
        for run in changed:
            self.save(run)

    def save(self, run: RunRecord) -> None:
        if not self.lasting:
            return
        with self._runs.lock:
            version, contents = run.version, run.contents()
        try:
            storage.write(run.folder, *contents)
            run.saved_version = version
        except OSError as error:
            if not run.removed:
                print(f"A run cannot be saved ({error.strerror}): free some disk space.", file=sys.stderr)
        if run.removed:  # meanwhile
            storage.forget(run.folder)

    def find(self, visitor: str) -> None:
        """Read the saved runs of a visitor into memory, and no others.

        What is in memory is left alone: its film and states may be ahead of its record, which reading would undo.
        """
        with self.finding:
            with self._runs.lock:
                wanted = [i for i, owner in self._owners.items() if owner == visitor and self._runs.get(i) is None]
            found = []
            for run_id in wanted:
                with contextlib.suppress(storage.StorageError):
                    found.append(RunRecord.load(self.folder / run_id))
            with self._runs.lock:
                for run in sorted(found, key=lambda run: run.created):
                    self._runs.put_if_new(run)

    def tidy(self) -> None:
        """Remove the oldest of too many, but none that is in memory."""
        if not self.lasting:
            return
        for folder in storage.folders(self.folder)[:-RUNS_ON_DISK]:
            with self._runs.lock:
                kept = self._runs.get(folder.name) is not None
                if not kept:
                    self._owners.pop(folder.name, None)
            if not kept:
                storage.forget(folder)

    def close(self) -> None:
        """Save all that changed, or remove what was not to last."""
        if self.lasting:
            self.save_changed()
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        if self._claim is not None:
            self._claim.close()
