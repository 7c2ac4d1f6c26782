"""What is done now and then, on a thread of its own: save what changed, let go of who has left, tidy the disk."""

import threading
import traceback

from vae_core.runs.engines import Engines
from vae_core.runs.held_runs import HeldRuns
from vae_core.runs.run_record import RunRecord
from vae_core.runs.saved_runs import SavedRuns
from vae_core.runs.visitors import Visitors

SAVE_S = 3.0  # what changed is written to disk this often


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
        self._thread = threading.Thread(target=self._keep_house, name="runs-housekeeper", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for the round that is being made to end, once the registry is closed."""
        self._thread.join()

    def make_round(self) -> None:
        self._saved.save_changed()
        with self._saved.finding:  # who comes back now reads them when they are saved
            for run in self.let_go():
                self._saved.save(run)  # what came since
        self._saved.tidy()

    def let_go(self) -> list[RunRecord]:
        """Take the runs of visitors who have been gone for long out of memory and out of their engines."""
        with self._runs.lock:
            gone = self._visitors.forget_gone(self._gone_after_s)
            left = [run for visitor in gone for run in self._runs.own(visitor)]
            for run in left:
                self._engines.close_run(run)
                self._runs.drop(run)
        return left

    def _keep_house(self) -> None:
        while not self._closed.wait(min(SAVE_S, self._gone_after_s / 4)):
            try:
                self.make_round()
            except Exception:  # noqa: BLE001  # the next round is made all the same, else nothing would be saved any more
                traceback.print_exc()
