"""What the engine room bears, in short: counted here, measured at length by `python -m tests.bench.endurance`."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.bench import crashes, leaks, readers
from tests.bench.classroom import interrupted
from tests.bench.records import EACH, calls, write_records
from vae_core.runs import disk_budget
from vae_core.runs.registry import Registry

SEEDS = (3, 4, 10, 16, 20, 109, 136)  # each of which once brought somebody down


@pytest.fixture(autouse=True)
def one_thread_in_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_what_a_killed_server_leaves_is_whole_and_the_next_one_goes_on() -> None:
    found = crashes.servers(times=1, seed=3, longest_s=3)
    assert (found.faults, found.kills, len(found.steps)) == ([], 1, len(crashes.VISITORS))
    assert found.folders >= len(crashes.VISITORS)


def test_a_killed_engine_costs_no_curve_a_step_and_what_has_ended_leaves_nothing_behind() -> None:
    """The same engine after the other; its death sets aside the run that it served, and no other."""
    with crashes.living() as runs:
        found = crashes.engines(times=1, seed=0, longest_s=0.5, among=runs)
        assert found.faults == [] and found.kills == 1 and found.aside <= 1
        assert leaks.starts(times=1, warm=1, among=runs).grown == []


def test_visitors_who_have_gone_leave_nothing_behind() -> None:
    assert leaks.arrivals(times=10, warm=5).grown == []


def test_damaged_runs_bring_nobody_down() -> None:
    found = readers.mutated(SEEDS)
    assert found.faults == [] and found.runs == len(SEEDS) and 0 < found.found <= len(SEEDS)


def test_saved_runs_of_others_cost_nobody_anything(tmp_path: Path, links: list[Any]) -> None:
    """The disk is asked as often among two hundred visitors as among twenty."""
    few, many = (_asked(tmp_path / str(visitors), visitors) for visitors in (20, 200))
    assert few == many and all(sum(found.values()) < 20 for found in few)


def _asked(root: Path, visitors: int) -> tuple[Counter[str], Counter[str]]:
    """How often at the start of a server, and when somebody comes."""
    write_records(root, visitors)
    runs: list[Registry] = []
    start = calls(lambda: runs.append(Registry(root=root)))
    arrival = calls(lambda: runs[0].find_saved("visitor 7"))
    assert len(runs[0].of("visitor 7")) == EACH
    runs[0].close()
    return start, arrival


def test_who_counts_what_lies_on_the_disk_rests_in_between(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_records(tmp_path, 40)
    rests: list[float] = []
    monkeypatch.setattr(disk_budget.time, "sleep", rests.append)
    assert len(list(disk_budget.count(tmp_path))) == 40 * EACH
    assert len(rests) == 40 * EACH / disk_budget.AT_ONCE and min(rests) > 0


def test_ctrl_c_in_the_midst_of_many_presses_ends_server_and_engine() -> None:
    assert interrupted(visitors=3, after_s=0.5)[1] == []
