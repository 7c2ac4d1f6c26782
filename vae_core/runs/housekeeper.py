"""What is done now and then, on a thread of its own: save what changed, let go of who has left, tidy the disk."""

import threading
import time
from collections.abc import Callable

from vae_core.runs.engines import Engines
from vae_core.runs.held_runs import HeldRuns
from vae_core.runs.log import logger
from vae_core.runs.machine import give_back_freed
from vae_core.runs.run_record import RunRecord
from vae_core.runs.saved_runs import SavedRuns
from vae_core.runs.visitors import Visitors

ROUND_S = 3.0  # so often somebody may be let go
SAVES_S = 0.1  # between two rounds of saving at least
TIDY_S = 600.0  # so often the disk is tidied


class Housekeeper:
    def __init__(
        self,
        runs: HeldRuns,
        visitors: Visitors,
        engines: Engines,
        saved: SavedRuns,
        gone_after_s: float,
        closed: threading.Event,
    ) -> None:
        self._runs, self._visitors, self._engines, self._saved = runs, visitors, engines, saved
        self._gone_after_s, self._closed = gone_after_s, closed
        work = {"runs-saver": self._save, "runs-housekeeper": self._let_go, "runs-tidier": self._tidy}
        self._threads = [threading.Thread(target=one, name=name, daemon=True) for name, one in work.items()]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait for the rounds that are being made to end, once the registry is closed."""
        self._saved.changed.set()
        for thread in self._threads:
            thread.join()

    def make_round(self) -> None:
        """Let go of who has left, and save what came since."""
        with self._saved.finding:  # who comes back now reads them when they are saved
            for run in self.let_go():
                self._saved.save(run)

    def let_go(self) -> list[RunRecord]:
        """Take the runs of visitors who have been gone for long out of memory and out of their engines."""
        with self._runs.lock:
            gone = self._visitors.forget_gone(self._gone_after_s)
            left = [run for visitor in gone for run in self._runs.own(visitor)]
            for run in left:
                self._engines.close_run(run)
                self._runs.drop(run)
        return left

    def _save(self) -> None:
        while not self._closed.wait(SAVES_S):
            self._saved.changed.wait()
            _survive(self._saved.save_changed)

    def _let_go(self) -> None:
        while not self._closed.wait(min(ROUND_S, self._gone_after_s / 4)):
            _survive(self.make_round)

    def _tidy(self) -> None:
        tidied = -TIDY_S
        while not self._closed.wait(ROUND_S):
            if time.monotonic() - tidied > TIDY_S:
                _survive(self._saved.tidy)
                give_back_freed()
                tidied = time.monotonic()


def _survive(work: Callable[[], None]) -> None:
    """An error is not the last word: the next round is made all the same, else nothing would be saved any more."""
    try:
        work()
    except Exception:  # noqa: BLE001
        logger.exception("A round of the housekeeper failed; the next one is made all the same.")
