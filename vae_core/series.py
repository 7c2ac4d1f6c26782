"""A growing table of numbers in bounded memory."""

from __future__ import annotations

import numpy as np


class Series:
    """Rows of float32 whose first column is a rising step.

    Every row is kept until `capacity` is reached; then neighbours are averaged in pairs (each pair keeps its
    later step) and the table goes on growing at half its density. Memory never exceeds capacity * columns * 4 bytes.
    """

    def __init__(self, columns: int, capacity: int) -> None:
        self.columns, self.capacity = columns, capacity
        self._rows = np.zeros((min(1024, capacity), columns), np.float32)
        self._count = 0
        self.thinned = 0  # how often the table was thinned; a reader that sees it change reads all anew

    def __len__(self) -> int:
        return self._count

    @property
    def last_step(self) -> float:
        return float(self._rows[self._count - 1, 0]) if self._count else -1.0

    def extend(self, rows: np.ndarray) -> None:
        """Append rows (n, columns); those not later than the last step are known already and left out."""
        rows = rows[rows[:, 0] > self.last_step]
        while len(rows):
            room = self.capacity - self._count
            self._append(rows[:room])
            rows = rows[room:]
            if self._count == self.capacity:
                self._thin()

    def since(self, step: float) -> np.ndarray:
        """A copy of the rows later than `step`."""
        start = int(np.searchsorted(self._rows[: self._count, 0], step, side="right"))
        return self._rows[start : self._count].copy()

    @property
    def nbytes(self) -> int:
        return self._rows.nbytes

    def _append(self, rows: np.ndarray) -> None:
        end = self._count + len(rows)
        if end > len(self._rows):
            grown = np.zeros((min(self.capacity, max(end, 2 * len(self._rows))), self.columns), np.float32)
            grown[: self._count] = self._rows[: self._count]
            self._rows = grown
        self._rows[self._count : end] = rows
        self._count = end

    def _thin(self) -> None:
        pairs = self._rows[: self._count // 2 * 2].reshape(-1, 2, self.columns)
        halved = pairs.mean(axis=1)
        halved[:, 0] = pairs[:, 1, 0]
        self._rows[: len(halved)] = halved
        self._count = len(halved)
        self.thinned += 1
