"""Long runs in the browser: history.js keeps at most 4,096 rows, run under node against averages made by NumPy."""

from pathlib import Path

import numpy as np
import pytest

from tests.node_runner import node_runner

SCRIPT = """
const rows = (first, last) => {
  const data = new Float32Array(4 * (last - first + 1));
  for (let s = first; s <= last; s++) data.set([s, s / 4, 1000 - s / 8, s % 7], 4 * (s - first));
  return { shape: [last - first + 1, 4], data };
};
const none = { shape: [0, 5], data: new Float32Array(0) };
const columns = { train: ["step", "nll", "kl", "loss"], test: ["step", "nll", "kl", "mean_std", "active"] };
const kept = new history.History();
for (const [first, last] of given) kept.add({ news: { fresh: false, marks: [], columns }, arrays: { train: rows(first, last), test: none } });
print(kept.train);
"""  # noqa: E501


def train_after(tmp_path: Path, chunks: list[tuple[int, int]]) -> dict[str, list[float]]:
    return node_runner(tmp_path, "lib/history")(SCRIPT, chunks)


@pytest.mark.parametrize(
    ("chunks", "last", "stride"),
    [
        ([(1, 4095)], 4095, 1),
        ([(1, 4096)], 4096, 2),
        ([(1, 3000), (2500, 10_000), (9_000, 20_000)], 20_000, 8),  # as after a break: some rows come twice
    ],
)
def test_a_long_history_is_averaged(tmp_path: Path, chunks: list[tuple[int, int]], last: int, stride: int) -> None:
    found = train_after(tmp_path, chunks)
    steps = np.arange(1, last - last % stride + 1).reshape(-1, stride)
    assert len(steps) < 4096
    assert found["step"] == steps[:, -1].tolist()
    assert np.allclose(found["nll"], (steps / 4).mean(1))
    assert np.allclose(found["kl"], (1000 - steps / 8).mean(1))
    assert np.allclose(found["loss"], (steps % 7).mean(1))
