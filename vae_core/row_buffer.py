"""Rows of the train history wait on the device: to read each at once would make every step wait for the GPU."""

import numpy as np
import torch
from torch import Tensor

CAPACITY = 256  # rows


class RowBuffer:
    """Rows on a device until they are read."""

    def __init__(self, columns: int, device: torch.device) -> None:
        self._rows = torch.zeros(CAPACITY, columns, device=device)
        self._count = 0

    @property
    def full(self) -> bool:
        return self._count == CAPACITY

    def add(self, step: int, means: Tensor) -> None:
        """One more row.

        Args:
            means: (columns - 1,) the terms and the loss, means over the batch, nats per image.
        """
        row = self._rows[self._count]
        row[0] = step
        row[1:] = means
        self._count += 1

    def read(self) -> np.ndarray:
        """(n, columns) float32; the buffer is empty then."""
        rows = self._rows[: self._count].cpu().numpy().copy()
        self._count = 0
        return rows
