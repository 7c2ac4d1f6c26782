"""The runs that the server keeps on disk: whose they are, saved as they change, found again when their owner comes."""

import shutil
import tempfile
import threading
from pathlib import Path

from vae_core.runs import disk_budget, storage
from vae_core.runs.environment import disk_budget_bytes
from vae_core.runs.held_runs import HeldRuns
from vae_core.runs.log import logger
from vae_core.runs.run_record import RunRecord


class SavedRuns:
    """A folder with a folder for every visitor. It is written and read without any lock that others wait for."""

    def __init__(self, runs: HeldRuns, root: Path | None) -> None:
        """
        Args:
            root: where runs are kept and found again; a folder that vanishes with the registry when left out,
                or when it cannot be had: then `trouble` says why.
        """
        self._runs = runs
        self._claim, self.trouble = (None, "") if root is None else storage.claim(root)
        self.lasting = self._claim is not None
        self.folder = root if root is not None and self.lasting else Path(tempfile.mkdtemp(prefix="elbo-room-"))
        self.changed = threading.Event()  # something is there to be saved
        self.used = 0  # bytes on disk when last counted
        self.finding = threading.Lock()  # one arrival at a time reads what was saved
        self._letters: dict[str, list[str]] = {}  # what visitors are to be told, by visitor
        if self.trouble:
            logger.error(self.trouble)
        if self.lasting:
            storage.sort_by_owner(self.folder)

    def folder_of(self, visitor: str) -> Path:
        """Where the runs of a visitor lie."""
        return storage.folder_of(self.folder, visitor)

    def save_changed(self) -> None:
        """Save the last whole moment of every run that has a new one."""
        self.changed.clear()
        for run in self._runs.all():
            if run.saved is not run.last_whole and run.folder.is_relative_to(self.folder):
                self.save(run)

    def save(self, run: RunRecord) -> None:
        """Where runs do not last, what has been thinned out is removed all the same."""
        try:
            run.save() if self.lasting else run.tidy(run.last_whole)
            if self.lasting:
                self.trouble = ""
        except OSError as error:
            if not run.removed and not self.trouble:
                self.trouble = f"Runs cannot be saved now ({error.strerror}): free some disk space."
                logger.error(self.trouble)
        if run.removed:  # meanwhile
            storage.forget(run.folder)

    def find(self, visitor: str) -> None:
        """Read the saved runs of a visitor into memory, and remove what a crash has left half made of them.

        What is in memory is left alone: its film and states may be ahead of its record.
        """
        with self.finding:
            found = []
            for folder in storage.runs_in(self.folder_of(visitor)):
                if self._runs.get(folder.name) is not None:
                    continue
                try:
                    run = RunRecord.load(folder)
                except storage.StorageError:
                    if not (folder / storage.RECORD).exists():  # killed before it was saved for the first time
                        storage.forget(folder)
                    continue
                if run.visitor == visitor:
                    run.tidy(run.now, quiet=True)
                    found.append(run)
            for run in sorted(found, key=lambda run: run.created):
                self._runs.put_if_new(run)

    def tell(self, visitor: str, sentence: str) -> None:
        """Something that the visitor is to read, now or when they come back; kept on disk until then."""
        if self._runs.own(visitor) or not self.lasting:
            self._letters.setdefault(visitor, []).append(sentence)
        else:
            storage.add_letter(self.folder_of(visitor), sentence)

    def letters(self, visitor: str) -> list[str]:
        """What the visitor is to be told; once."""
        return [*storage.take_letters(self.folder_of(visitor)), *self._letters.pop(visitor, [])]

    def tidy(self) -> None:
        """Count, and remove the oldest runs where the disk budget is exceeded, but the last of nobody."""
        entries = [entry for entry in disk_budget.count(self.folder) if self._runs.get(entry.folder.name) is None]
        held = sum(disk_budget.size_of(run.folder) for run in self._runs.all() if self.folder in run.folder.parents)
        self.used = held + sum(entry.size for entry in entries)
        for entry in disk_budget.surplus(entries, self.used - disk_budget_bytes()):
            with self.finding:
                if self._runs.get(entry.folder.name) is not None:  # its owner has just come
                    continue
                storage.forget(entry.folder)
            self.used -= entry.size
            storage.add_letter(entry.folder.parent, f"A run of {entry.day} was removed to make room on the server.")

    def close(self) -> None:
        """Save all that changed, or remove what was not to last."""
        self.save_changed()
        if self._claim is not None:
            self._claim.close()
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
