"""How an engine is doing, for those who wait in the line and for a status page."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from vae_core.runs.machine import own_bytes
from vae_core.runs.messages import Line, Waiting

EVERY_S = 1.0


class Vitals:
    """Counts what an engine does, and tells it at most once a second."""

    def __init__(self, device: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._device, self._clock = device, clock
        self._since, self._steps, self._upkeep = clock(), 0, 0.0
        self._told: Line | None = None

    def add_steps(self, steps: int) -> None:
        self._steps += steps

    @property
    def due(self) -> bool:
        return self._clock() - self._since >= EVERY_S

    def report(
        self, seats: int, training: int, waiting: Sequence[tuple[Sequence[str], float]], upkeep: float
    ) -> list[Line]:
        """What is to be sent, if it is not what was sent before.

        Args:
            seats: of the device. training: lanes that have one.
            waiting: of each lane in the line its runs, and the seconds until it is its turn.
            upkeep: seconds spent on other things than training, ever.
        """
        passed = max(self._clock() - self._since, 1e-9)
        line = Line(
            seats=seats,
            training=training,
            waiting=tuple(
                Waiting(run_id, place, len(waiting), round(seconds, 1))
                for place, (run_ids, seconds) in enumerate(waiting, start=1)
                for run_id in run_ids
            ),
            memory_bytes=own_bytes(),
            steps_per_s=round(self._steps / passed, 1),
            upkeep_share=round((upkeep - self._upkeep) / passed, 3),
            device=self._device,
        )
        self._since, self._steps, self._upkeep = self._clock(), 0, upkeep
        if self._told is not None and line == replace(self._told, memory_bytes=line.memory_bytes):
            return []
        self._told = line
        return [line]
