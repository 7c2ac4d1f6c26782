"""Runs that a server keeps on disk: found again, closed, and removed when there are too many."""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.saved_run import CONFIG, a_run, an_update, some_rows
from tests.waiting import wait_for
from vae_core.inspect.snapshot import Snapshot
from vae_core.runs import saved_runs, storage
from vae_core.runs.held_runs import RUNS_PER_VISITOR
from vae_core.runs.news import Cursor
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import SAVED, RunRecord
from vae_core.runs.storage import RECORD


def test_a_second_server_finds_the_runs_of_a_visitor_and_only_theirs(
    tmp_path: Path, links: list[Any], snapshot_of_new_model: Snapshot
) -> None:
    first = Registry(root=tmp_path)
    mine, other = first.start(CONFIG, "ann"), first.start(CONFIG, "bob")
    for run_id in (mine, other):
        links[0].tell(an_update(run_id, snapshot=replace(snapshot_of_new_model, step=20)))
    first.close()
    second = Registry(root=tmp_path)
    assert second.of("ann") == []
    second.arrive("ann")
    (found,) = second.of("ann")
    assert (found.run_id, found.status, found.step) == (mine, SAVED, 20) and second.get(other) is None
    news = second.read(mine, Cursor())
    assert news is not None and np.array_equal(news.train, some_rows(1, 20)) and news.film == (20,)
    second.close()


def test_the_order_of_runs_is_that_of_their_start_after_a_restart_too(tmp_path: Path, links: list[Any]) -> None:
    """Names count them: "run 2" must not become "run 1" because the older one reported last."""
    first = Registry(root=tmp_path)
    ids = [first.start(CONFIG, "ann") for _ in range(2)]
    for run_id in reversed(ids):  # the older one's final figures come after the newer one has begun
        links[0].tell(an_update(run_id))
        first._saved.save_changed()
        time.sleep(0.02)  # coarse clocks of file systems
    expected = [run.run_id for run in first.of("ann")]
    first.close()
    second = Registry(root=tmp_path)
    second.arrive("ann")
    assert [run.run_id for run in second.of("ann")] == expected == ids[::-1]
    second.close()


def test_a_run_that_was_closed_is_gone_from_the_disk(tmp_path: Path, links: list[Any]) -> None:
    runs = Registry(root=tmp_path)
    ids = [runs.start(CONFIG, "ann") for _ in range(RUNS_PER_VISITOR)]
    for run_id in ids:
        links[0].tell(an_update(run_id))
    runs._saved.save_changed()
    assert {folder.name for folder in storage.folders(tmp_path)} == set(ids)
    for _ in range(2):
        ids.append(runs.start(CONFIG, "ann"))
        links[0].tell(an_update(ids[-1]))
    runs._saved.save_changed()
    assert {folder.name for folder in storage.folders(tmp_path)} == set(ids[2:])
    runs.close()


def test_a_saved_run_starts_no_engine_when_its_visitor_leaves(
    tmp_path: Path, links: list[Any], snapshot_of_new_model: Snapshot
) -> None:
    run = a_run(tmp_path, snapshot_of_new_model)
    run.save()
    runs = Registry(root=tmp_path, gone_after_s=0.2)
    runs.arrive("ann")
    runs.leave("ann")
    wait_for(lambda: runs.get(run.run_id) is None)
    assert links == [] and run.folder.exists()
    runs.close()


def test_a_saved_run_of_a_device_that_is_not_here_does_not_stop_the_housekeeper(
    tmp_path: Path, links: list[Any]
) -> None:
    RunRecord("ann", CONFIG.with_(device="mps"), tmp_path, run_id="from-a-mac").save()
    runs = Registry(root=tmp_path, gone_after_s=0.2)
    runs.arrive("ann")
    assert runs.get("from-a-mac") is not None
    runs.leave("ann")
    other = runs.start(CONFIG, "bob")
    wait_for(lambda: runs.get(other) is None, seconds=5)
    runs.close()


@pytest.mark.parametrize("most", [1, 3])
def test_the_oldest_runs_leave_the_disk_first(
    most: int, tmp_path: Path, links: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_runs, "RUNS_ON_DISK", most)
    for i in range(5):
        RunRecord(f"visitor {i}", CONFIG, tmp_path, run_id=f"run-{i}").save()
        os.utime(tmp_path / f"run-{i}" / RECORD, (1000 + i, 1000 + i))
    Registry(root=tmp_path).close()
    assert [folder.name for folder in storage.folders(tmp_path)] == [f"run-{i}" for i in range(5)][-most:]


def test_the_disk_does_not_fill_up_while_a_server_runs(
    tmp_path: Path, links: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Visitors come and go for months; what is gone from memory counts too."""
    monkeypatch.setattr(saved_runs, "RUNS_ON_DISK", 3)
    runs = Registry(root=tmp_path, gone_after_s=0.2)
    ids = [runs.start(CONFIG, f"visitor {i}") for i in range(6)]
    wait_for(lambda: not any(runs.get(i) for i in ids))
    last = runs.start(CONFIG, "ann")
    wait_for(lambda: runs.get(last) is None)
    wait_for(lambda: len(storage.folders(tmp_path)) <= 3, seconds=3)
    assert (tmp_path / last).is_dir()
    runs.close()


def test_a_second_server_on_the_same_folder_keeps_its_runs_elsewhere(
    tmp_path: Path, links: list[Any], snapshot_of_new_model: Snapshot
) -> None:
    run = a_run(tmp_path, snapshot_of_new_model)
    run.save()
    first, second = Registry(root=tmp_path), Registry(root=tmp_path)
    second.arrive("ann")
    started = second.get(second.start(CONFIG, "ann"))
    assert started is not None and second.of("ann") == [started]
    elsewhere = started.folder.parent
    assert elsewhere != tmp_path and elsewhere.is_dir()
    second.close()
    assert not elsewhere.exists() and run.folder.is_dir()
    first.arrive("ann")
    assert [found.run_id for found in first.of("ann")] == [run.run_id]
    first.close()


def test_a_frame_that_cannot_be_written_stops_no_updates(
    tmp_path: Path, links: list[Any], snapshot_of_new_model: Snapshot
) -> None:
    """They arrive on a thread that serves all visitors; an error there would end it for all of them."""
    runs = Registry(root=tmp_path)
    run = runs.get(runs.start(CONFIG, "ann"))
    assert run is not None
    run.folder.mkdir(exist_ok=True)
    run.film_folder.touch()  # a file where the folder should be: as good as a full disk
    links[0].tell(an_update(run.run_id, snapshot=replace(snapshot_of_new_model, step=20)))
    assert run.step == 20
    runs.close()
