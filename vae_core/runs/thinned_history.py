"""A growing table of numbers in bounded memory, as values: whoever holds one sees it as it was."""

from typing import Self

import numpy as np


class _Buffer:
    """Rows that several histories share: each sees those up to its own count, the longest may append."""

    def __init__(self, rows: np.ndarray, filled: int) -> None:
        self.rows, self.filled = rows, filled


class ThinnedHistory:
    """Rows of float32 whose first column is a rising step. It never changes: `with_rows` gives another one.

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
        self._buffer, self._count = _Buffer(np.zeros((min(1024, capacity), columns), np.float32), 0), 0
        self._waiting = np.zeros((0, columns), np.float32)  # too few yet for an average
        self._seen = -1.0  # the last step, waiting or not
        self.thinned = 0  # how often the table was thinned; a reader that sees it change reads all anew

    def __len__(self) -> int:
        return self._count

    @property
    def last_step(self) -> float:
        return float(self._buffer.rows[self._count - 1, 0]) if self._count else -1.0

    def with_rows(self, rows: np.ndarray) -> Self:
        """This and further rows (n, columns); those not later than the last step are known already and left out."""
        rows = rows[rows[:, 0] > self._seen]
        if not len(rows):
            return self
        longer = type(self).__new__(type(self))
        longer.__dict__.update(self.__dict__, _seen=float(rows[-1, 0]))
        longer._take(np.concatenate([self._waiting, rows]))
        return longer

    def since(self, step: float) -> np.ndarray:
        """The rows later than `step`; nobody may write into them."""
        rows = self._buffer.rows[: self._count]
        found = rows[int(np.searchsorted(rows[:, 0], step, side="right")) :]
        found.flags.writeable = False
        return found

    @property
    def nbytes(self) -> int:
        return self._buffer.rows.nbytes

    def _take(self, rows: np.ndarray) -> None:
        while len(rows) >= (stride := 2**self.thinned):
            take = min(len(rows) // stride, self.capacity - self._count)
            self._append(_means(rows[: take * stride], stride))
            rows = rows[take * stride :]
            if self._count == self.capacity:
                self._thin()
        self._waiting = rows

    def _append(self, rows: np.ndarray) -> None:
        end, buffer = self._count + len(rows), self._buffer
        if end > len(buffer.rows) or buffer.filled != self._count:  # full, or another history has gone on from here
            grown = np.zeros((min(self.capacity, max(end, 2 * len(buffer.rows))), self.columns), np.float32)
            grown[: self._count] = buffer.rows[: self._count]
            self._buffer = buffer = _Buffer(grown, self._count)
        buffer.rows[self._count : end] = rows
        self._count = buffer.filled = end

    def _thin(self) -> None:
        halved = _means(self._buffer.rows[: self._count], 2)
        rows = np.zeros_like(self._buffer.rows)
        rows[: len(halved)] = halved
        self._buffer, self._count = _Buffer(rows, len(halved)), len(halved)
        self.thinned += 1


def _means(rows: np.ndarray, stride: int) -> np.ndarray:
    """Means of `stride` rows each; the step is the last one of theirs."""
    groups = rows.reshape(-1, stride, rows.shape[1])
    means = groups.mean(axis=1, dtype=np.float64).astype(np.float32)
    means[:, 0] = groups[:, -1, 0]
    return means
