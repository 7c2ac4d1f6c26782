"""A growing table of numbers in bounded memory."""

import numpy as np


class ThinnedHistory:
    """Rows of float32 whose first column is a rising step.

    Every row is kept until `capacity` is reached; then neighbours are averaged in pairs, and from there on each new
    row is the mean of twice as many. So a row stands for the steps after the row before it up to its own, all rows
    for equally many, and memory never exceeds capacity * columns * 4 bytes.
    """

    def __init__(self, columns: int, capacity: int) -> None:
        """
        Args:
            capacity: an even number of rows.
        """
        self.columns, self.capacity = columns, capacity
        self._rows = np.zeros((min(1024, capacity), columns), np.float32)
        self._count = 0
        self._waiting = np.zeros((0, columns), np.float32)  # too few yet for an average
        self._seen = -1.0  # the last step, waiting or not
        self.thinned = 0  # how often the table was thinned; a reader that sees it change reads all anew

    def __len__(self) -> int:
        return self._count

    @property
    def last_step(self) -> float:
        return float(self._rows[self._count - 1, 0]) if self._count else -1.0

    def extend(self, rows: np.ndarray) -> None:
        """Append rows (n, columns); those not later than the last step are known already and left out."""
        rows = rows[rows[:, 0] > self._seen]
        if not len(rows):
            return
        self._seen = float(rows[-1, 0])
        rows = np.concatenate([self._waiting, rows])
        while len(rows) >= (stride := 2**self.thinned):
            take = min(len(rows) // stride, self.capacity - self._count)
            self._append(_means(rows[: take * stride], stride))
            rows = rows[take * stride :]
            if self._count == self.capacity:
                self._thin()
        self._waiting = rows

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
        halved = _means(self._rows[: self._count], 2)
        self._rows[: len(halved)] = halved
        self._count = len(halved)
        self.thinned += 1


def _means(rows: np.ndarray, stride: int) -> np.ndarray:
    """Means of `stride` rows each; the step is the last one of theirs."""
    groups = rows.reshape(-1, stride, rows.shape[1])
    means = groups.mean(axis=1, dtype=np.float64).astype(np.float32)
    means[:, 0] = groups[:, -1, 0]
    return means
