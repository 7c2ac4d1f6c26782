"""Which steps of a run are kept: dense early, where everything changes, and sparse late."""

import numpy as np

FRAMES = 48  # snapshots that are kept of a run
_EARLY = 60  # steps: before it they count as evenly spaced, beyond it by their ratio


def superfluous(steps: list[int]) -> int:
    """The index of the step that a full film misses least: never the first or the last two.

    Frames are judged by the gap that their loss leaves, as a share of the steps made until then, so what stays is
    dense early and sparse late.
    """
    gaps = [(steps[i + 1] - steps[i - 1]) / (steps[i] + _EARLY) for i in range(1, len(steps) - 2)]
    return 1 + int(np.argmin(gaps))


def add_step(steps: list[int], step: int, capacity: int = FRAMES) -> int | None:
    """Add a step to a sorted list that holds at most `capacity`; returns the one that had to leave, if any."""
    if step not in steps:
        steps.append(step)
        steps.sort()
    return steps.pop(superfluous(steps)) if len(steps) > capacity else None


def schedule(total_steps: int, frames: int = FRAMES) -> list[int]:
    """Steps at which a run that nobody watches is filmed: 0, the end, and between them dense early, sparse late."""
    growth = np.geomspace(_EARLY, total_steps + _EARLY, frames) - _EARLY
    return sorted({round(step) for step in growth})
