"""Who trains together: a run by itself, or the arms of a group in step."""

from collections.abc import Iterable

from vae_core.runs.messages import RUNNING
from vae_core.runs.task import Task

ROUND = 4  # steps that an arm makes at a time, where they are quick: its weights then lie in the processor's cache
ROUND_S = 0.02  # and so long at most, as no command is carried out within a round


def lanes_of(tasks: Iterable[Task]) -> dict[str, list[Task]]:
    """The runs by group, or by themselves."""
    lanes: dict[str, list[Task]] = {}
    for task in tasks:
        lanes.setdefault(task.group or task.run_id, []).append(task)
    return lanes


def abreast(lane: list[Task]) -> list[Task]:
    """The runs of a lane that train now: all that are in step. Who is behind catches up first."""
    running = [task for task in lane if task.trains]
    least = min((task.step for task in running), default=0)
    return [task for task in running if task.step == least]


def round_of(lane: list[Task], tasks: list[Task]) -> int:
    """How many steps these tasks make before they change places: not past a run of the lane that is ahead of them."""
    if len(lane) == 1:
        return 1
    gaps = [task.step - tasks[0].step for task in lane if task.status == RUNNING]
    quick = max(1, int(ROUND_S / max(max(task.step_s or 0.0 for task in tasks), 1e-6)))
    return min(ROUND, quick, *(task.steps_left for task in tasks), *(gap for gap in gaps if gap > 0))
