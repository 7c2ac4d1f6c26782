"""How well the strokes of all two hundred photos are found: python -m tests.bench.photos [FIRST LAST]"""

import sys

import numpy as np

from tests.photos import photo
from tests.test_photos import ENOUGH, digit_overlap, read, stroke_overlap


def measure(seeds: range) -> None:
    """Print the shares of photos whose strokes, and whose digits, are found, and those that are not."""
    rows = []
    for seed in seeds:
        reading = read(seed)
        rows.append((stroke_overlap(seed), digit_overlap(seed, reading) if reading else 0.0))
        if min(rows[-1]) < ENOUGH:
            print(f"{seed:4} {photo(seed).kind:40} strokes {rows[-1][0]:.2f}, digit {rows[-1][1]:.2f}", flush=True)
    of = np.array(rows)
    good, mean = (of >= ENOUGH).mean(0), of.mean(0)
    print(f"IoU of at least {ENOUGH}: strokes {good[0]:.0%} (mean {mean[0]:.3f}), digits {good[1]:.0%} ({mean[1]:.3f})")


if __name__ == "__main__":
    first, last = (int(v) for v in sys.argv[1:3]) if len(sys.argv) > 2 else (0, 199)
    measure(range(first, last + 1))
