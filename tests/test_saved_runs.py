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
from vae_core.runs import storage
from vae_core.runs.held_runs import RUNS_PER_VISITOR
from vae_core.runs.news import Cursor
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import SAVED, Arm, RunRecord
from vae_core.runs.storage import RECORD, frame_file, state_file, steps_in


def saved(root: Path, visitor: str) -> list[Path]:
    return [folder for folder in storage.runs_in(storage.folder_of(root, visitor)) if (folder / RECORD).is_file()]


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
    second.visitors.enter("ann")
    second.find_saved("ann")
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
    second.visitors.enter("ann")
    second.find_saved("ann")
    assert [run.run_id for run in second.of("ann")] == expected == ids[::-1]
    second.close()


def test_a_run_that_was_closed_is_gone_from_the_disk(tmp_path: Path, links: list[Any]) -> None:
    runs = Registry(root=tmp_path)
    ids = [runs.start(CONFIG, "ann") for _ in range(RUNS_PER_VISITOR)]
    for run_id in ids:
        links[0].tell(an_update(run_id))
    runs._saved.save_changed()
    assert {folder.name for folder in saved(tmp_path, "ann")} == set(ids)
    for _ in range(2):
        ids.append(runs.start(CONFIG, "ann"))
        links[0].tell(an_update(ids[-1]))
    runs._saved.save_changed()
    assert {folder.name for folder in saved(tmp_path, "ann")} == set(ids[2:])
    runs.close()


def test_a_saved_run_starts_no_engine_when_its_visitor_leaves(
    tmp_path: Path, links: list[Any], snapshot_of_new_model: Snapshot
) -> None:
    run = a_run(storage.folder_of(tmp_path, "ann"), snapshot_of_new_model)
    run.save()
    runs = Registry(root=tmp_path, gone_after_s=0.2)
    runs.visitors.enter("ann")
    runs.find_saved("ann")
    runs.visitors.leave("ann")
    wait_for(lambda: runs.get(run.run_id) is None)
    assert links == [] and run.folder.exists()
    runs.close()


def test_a_saved_run_of_a_device_that_is_not_here_does_not_stop_the_housekeeper(
    tmp_path: Path, links: list[Any]
) -> None:
    RunRecord("ann", CONFIG.with_(device="mps"), storage.folder_of(tmp_path, "ann"), run_id="from-a-mac").save()
    runs = Registry(root=tmp_path, gone_after_s=0.2)
    runs.visitors.enter("ann")
    runs.find_saved("ann")
    assert runs.get("from-a-mac") is not None
    runs.visitors.leave("ann")
    other = runs.start(CONFIG, "bob")
    wait_for(lambda: runs.get(other) is None, seconds=5)
    runs.close()


def aged(root: Path, visitor: str, run_id: str, when: int, arm: Arm | None = None) -> Path:
    """A saved run of 100 kB, last changed at some time."""
    run = RunRecord(visitor, CONFIG, storage.folder_of(root, visitor), run_id=run_id, arm=arm)
    run.save()
    run.film_folder.mkdir()
    frame_file(run.film_folder, 0).write_bytes(bytes(100_000))
    os.utime(run.folder / RECORD, (when, when))
    return run.folder


def test_where_the_disk_budget_is_exceeded_the_oldest_leave_and_the_last_of_nobody(
    tmp_path: Path, links: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ann has three runs, Bob one that is the oldest of all, Eve a group of two arms and an older run."""
    ann = [aged(tmp_path, "ann", f"ann-{i}", 1000 + 10 * i) for i in range(3)]
    bob = aged(tmp_path, "bob", "bob-0", 1)
    eve = [aged(tmp_path, "eve", f"arm-{i}", 2000, Arm("group", f"arm {i}")) for i in range(2)]
    old = aged(tmp_path, "eve", "eve-0", 1005)
    monkeypatch.setenv("ELBO_ROOM_DISK_GB", str(0.56e-3))
    runs = Registry(root=tmp_path)
    runs._saved.tidy()
    assert not ann[0].exists() and not old.exists() and all(path.is_dir() for path in (ann[1], ann[2], bob, *eve))
    assert runs._saved.used < 0.56e6
    monkeypatch.setenv("ELBO_ROOM_DISK_GB", "1e-9")
    runs._saved.tidy()
    assert not ann[1].exists() and all(path.is_dir() for path in (ann[2], bob, *eve))  # never to nothing
    (told,) = [letter for letter in runs.letters("eve")]
    assert told == "A run of 01 January 1970 was removed to make room on the server."
    assert len(runs.letters("ann")) == 2 and runs.letters("ann") == runs.letters("bob") == []
    runs.close()


def test_what_is_in_memory_is_not_removed_for_the_budget(
    tmp_path: Path, links: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELBO_ROOM_DISK_GB", "1e-9")
    folders = [aged(tmp_path, "ann", f"ann-{i}", 1000 + i) for i in range(3)]
    runs = Registry(root=tmp_path)
    runs.find_saved("ann")
    runs._saved.tidy()
    assert all(folder.is_dir() for folder in folders) and runs.letters("ann") == []
    runs.close()


def test_sixty_students_with_three_runs_each_keep_them_all_over_a_restart(tmp_path: Path, links: list[Any]) -> None:
    first = Registry(root=tmp_path)
    ids = {f"student {i}": [first.start(CONFIG, f"student {i}") for _ in range(3)] for i in range(60)}
    first.close()
    second = Registry(root=tmp_path)
    second._saved.tidy()
    for student, own in ids.items():
        second.find_saved(student)
        assert [run.run_id for run in second.of(student)] == own[::-1]
    second.close()


def test_the_seventh_run_takes_the_place_of_the_first_and_its_owner_is_told(tmp_path: Path, links: list[Any]) -> None:
    runs = Registry(root=tmp_path)
    for _ in range(RUNS_PER_VISITOR):
        runs.start(CONFIG, "ann")
    assert runs.letters("ann") == []
    runs.start(CONFIG, "ann")
    (told,) = runs.letters("ann")
    assert told.startswith("6 runs are kept for you: the oldest, of ") and told.endswith("was removed.")
    runs.close()


def test_what_was_saved_side_by_side_is_found_by_its_owner(tmp_path: Path, links: list[Any]) -> None:
    """As versions before this one kept them, with states and film that no record lists."""
    run = RunRecord("ann", CONFIG, tmp_path)
    record = {name: value for name, value in run.record(run.now).items() if name not in ("film", "states")}
    storage.write(run.folder, record | {"step": 40}, some_rows(1, 40), np.zeros((0, 5), np.float32))
    run.states_folder.mkdir()
    for step in (20, 40, 60):
        state_file(run.states_folder, step).write_bytes(b"weights")
    runs = Registry(root=tmp_path)
    runs.find_saved("ann")
    (found,) = runs.of("ann")
    assert (found.run_id, found.step, found.states) == (run.run_id, 40, (20, 40)) and not run.folder.exists()
    assert steps_in(found.states_folder) == [20, 40]
    runs.close()


@pytest.mark.parametrize("kind", ["no folder can be made", "read-only"])
def test_a_server_that_cannot_keep_runs_says_so_from_its_first_second(
    kind: str, tmp_path: Path, links: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "file" / "runs" if kind == "no folder can be made" else tmp_path
    (tmp_path / "file").touch()
    if kind == "read-only":
        (tmp_path / "in-use").mkdir()
    runs = Registry(root=root)
    assert str(root) in runs.trouble and "ELBO_ROOM_RUNS" in runs.trouble
    assert runs.trouble in capsys.readouterr().err
    assert runs.get(runs.start(CONFIG, "ann")) is not None
    runs.close()


def test_a_disk_that_is_full_is_said_until_it_is_not(
    tmp_path: Path, links: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Registry(root=tmp_path)
    write = storage.write

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "write", full)
    runs.start(CONFIG, "ann")
    wait_for(lambda: runs.trouble)
    assert runs.trouble == "Runs cannot be saved now (No space left on device): free some disk space."
    monkeypatch.setattr(storage, "write", write)
    runs.start(CONFIG, "ann")
    wait_for(lambda: not runs.trouble)
    runs.close()


def test_a_second_server_on_the_same_folder_keeps_its_runs_elsewhere(
    tmp_path: Path, links: list[Any], snapshot_of_new_model: Snapshot
) -> None:
    run = a_run(storage.folder_of(tmp_path, "ann"), snapshot_of_new_model)
    run.save()
    first, second = Registry(root=tmp_path), Registry(root=tmp_path)
    second.visitors.enter("ann")
    second.find_saved("ann")
    started = second.get(second.start(CONFIG, "ann"))
    assert started is not None
    second._saved.save_changed()
    assert second.of("ann") == [started]
    elsewhere = started.folder.parent.parent
    assert elsewhere != tmp_path and str(tmp_path) in second.trouble and str(os.getpid()) in second.trouble
    assert first.trouble == "" and elsewhere.is_dir()
    second.close()
    assert not elsewhere.exists() and run.folder.is_dir()
    first.visitors.enter("ann")
    first.find_saved("ann")
    assert [found.run_id for found in first.of("ann")] == [run.run_id]
    first.close()


def test_a_frame_that_cannot_be_written_stops_no_updates(
    tmp_path: Path, links: list[Any], snapshot_of_new_model: Snapshot
) -> None:
    """They arrive on a thread that serves all visitors; an error there would end it for all of them."""
    runs = Registry(root=tmp_path)
    run = runs.get(runs.start(CONFIG, "ann"))
    assert run is not None
    run.folder.mkdir(parents=True, exist_ok=True)
    run.film_folder.touch()  # a file where the folder should be: as good as a full disk
    links[0].tell(an_update(run.run_id, snapshot=replace(snapshot_of_new_model, step=20)))
    assert run.step == 20
    runs.close()
