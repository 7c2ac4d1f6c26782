"""Runs on disk: what is saved comes back, what is damaged is left out, and it all has an end."""

import csv
import gzip
import io
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.saved_run import CONFIG, FINAL, MARK, a_run, an_update, some_rows
from vae_core.data import Images
from vae_core.export.history import history_csv
from vae_core.export.run_report import RunReport
from vae_core.inspect.snapshot import Snapshot
from vae_core.pieces import finish
from vae_core.runs import due, storage
from vae_core.runs.messages import FAILED, FINISHED, PAUSED, RUNNING, STARTING, STOPPED, Command
from vae_core.runs.progress import STATES
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import SAVED, RunRecord
from vae_core.runs.scheduler import Scheduler
from vae_core.runs.storage import CURVES, RECORD, StorageError, frame_file, frames_in, steps_in
from vae_core.runs.task import Task
from vae_core.thinning import FRAMES


def test_a_saved_run_comes_back_as_it_was(tmp_path: Path, snapshot_of_new_model: Snapshot) -> None:
    run = a_run(tmp_path, snapshot_of_new_model, FINISHED)
    run.save()
    back = RunRecord.load(run.folder)
    assert np.array_equal(back.train.since(-1), some_rows(1, 20))
    assert np.array_equal(back.test.since(-1), run.test.since(-1)) and len(back.test.since(-1)) == 3
    assert back.marks == (MARK,) and back.final == FINAL and back.film == (0, 10, 20)
    for name in ("run_id", "visitor", "config", "parent", "generation", "step", "settings", "device", "folder"):
        assert getattr(back, name) == getattr(run, name), name
    assert (back.steps_per_epoch, back.total_steps) == (8, 8000)


def test_a_run_from_before_sigma_was_recorded_opens(tmp_path: Path, snapshot_of_new_model: Snapshot) -> None:
    """Its columns are named in its record; what they lack is no number, and an empty cell of the CSV."""
    run = RunRecord("ann", CONFIG.with_(likelihood="gaussian", latent_dim=3), tmp_path)
    seen = replace(snapshot_of_new_model, scales={"sigma": 0.125, "rmse": 0.25})
    for step in (0, 20):
        run.take(an_update(run.run_id, step, snapshot=replace(seen, step=step)))
    assert run.columns["test"][-2:] == ("sigma", "rmse")
    record, train, test = run.record(run.now), run.train.since(-1), run.test.since(-1)
    assert test[:, -2:].tolist() == [[0.125, 0.25]] * 2
    columns = {name: names[:5] if name == "test" else names for name, names in run.columns.items()}
    storage.write(run.folder, record | {"columns": columns}, train, test[:, :5])
    back = RunRecord.load(run.folder)
    assert np.array_equal(back.test.since(-1)[:, :5], test[:, :5]) and np.isnan(back.test.since(-1)[:, 5:]).all()
    told = (back.config, back.train.since(-1), back.test.since(-1), (), None, None, "CPU", RUNNING)
    *_, last = csv.DictReader(io.StringIO(history_csv(RunReport(*told))))
    assert (last["split"], last["sigma"], last["rmse"]) == ("test", "", "") and float(last["mean_std"]) > 0
    storage.write(run.folder, record, train, test)
    back = RunRecord.load(run.folder)
    assert np.array_equal(back.test.since(-1), test)


def test_frames_of_the_time_before_they_were_compressed_are_no_film(
    tmp_path: Path, snapshot_of_new_model: Snapshot
) -> None:
    run = a_run(tmp_path, snapshot_of_new_model, FINISHED)
    run.save()
    for step in run.film[:-1]:
        path = frame_file(run.film_folder, step)
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert RunRecord.load(run.folder).film == (20,)


@pytest.mark.parametrize("status", [STARTING, RUNNING, PAUSED])
def test_a_run_that_was_training_comes_back_saved(status: str, tmp_path: Path, snapshot_of_new_model: Snapshot) -> None:
    run = a_run(tmp_path, snapshot_of_new_model, status)
    run.save()
    back = RunRecord.load(run.folder)
    assert back.status == SAVED and "20" in back.message and not back.training and not back.ended


@pytest.mark.parametrize("status", [FINISHED, STOPPED, FAILED])
def test_a_run_that_had_ended_stays_as_it_is(status: str, tmp_path: Path, snapshot_of_new_model: Snapshot) -> None:
    run = a_run(tmp_path, snapshot_of_new_model, status)
    run.save()
    assert RunRecord.load(run.folder).status == status and RunRecord.load(run.folder).ended


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def without(key: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        del record[key]
        (folder / RECORD).write_text(json.dumps(record), encoding="utf-8")

    return damage


def curves(**arrays: np.ndarray) -> Callable[[Path], None]:
    return lambda folder: save_file(arrays, folder / CURVES)


FOUR, FIVE = np.ones((2, 4), np.float32), np.ones((2, 5), np.float32)
DAMAGE: dict[str, Callable[[Path], Any]] = {
    "record cut off": lambda folder: truncate(folder / RECORD),
    "record empty": lambda folder: (folder / RECORD).write_bytes(b""),
    "record of bytes": lambda folder: (folder / RECORD).write_bytes(b"\xff\xfe\x00"),
    "record a list": lambda folder: (folder / RECORD).write_text("[]"),
    "record a number": lambda folder: (folder / RECORD).write_text("5"),
    "record another object": lambda folder: (folder / RECORD).write_text('{"net": "mlp"}'),
    "record nested": lambda folder: (folder / RECORD).write_text("[" * 100_000),
    **{f"record without {key}": without(key) for key in ("visitor", "config", "status", "weights", "marks", "parent")},
    "curves cut off": lambda folder: truncate(folder / CURVES),
    "curves empty": lambda folder: (folder / CURVES).write_bytes(b""),
    "curves gone": lambda folder: (folder / CURVES).unlink(),
    "curves without test": curves(train=FOUR),
    "curves with too few columns": curves(train=FOUR[:, :2], test=FIVE),
    "curves of one dimension": curves(train=FOUR[0], test=FIVE),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_run_is_left_out_and_the_others_are_found(
    damage: Callable[[Path], Any], tmp_path: Path, snapshot_of_new_model: Snapshot, links: list[Any]
) -> None:
    root = tmp_path / "runs"
    bad, good = (a_run(storage.folder_of(root, "ann"), snapshot_of_new_model) for _ in range(2))
    for run in (bad, good):
        run.save()
    damage(bad.folder)
    with pytest.raises(StorageError) as caught:
        RunRecord.load(bad.folder)
    assert bad.run_id in str(caught.value) and str(caught.value).endswith(".") and "\n" not in str(caught.value)
    runs = Registry(root=root)
    runs.visitors.enter("ann")
    runs.find_saved("ann")
    assert [run.run_id for run in runs.of("ann")] == [good.run_id]
    runs.close()


def test_curves_and_pictures_of_a_run_have_an_end(tmp_path: Path, snapshot_of_new_model: Snapshot) -> None:
    run = RunRecord("ann", CONFIG, tmp_path)
    for step in range(0, 600, 3):
        run.take(an_update(run.run_id, step, snapshot=replace(snapshot_of_new_model, step=step)))
        assert len(run.film) <= FRAMES and run.film[-1] == step
        if step % 50 == 0:
            run.save()  # who leaves the film leaves the disk with the next record
    run.save()
    assert list(run.film) == frames_in(run.film_folder) and len(run.film) == FRAMES


def test_states_of_a_run_have_an_end(tmp_path: Path, small_data: Images) -> None:
    run = RunRecord("ann", CONFIG.with_(latent_dim=1), tmp_path)
    task = Task(run.run_id, run.config, run.folder, 0)
    for _ in range(4 * STATES):
        task.trainer.step()
        run.take(finish(task.save())())
        run.save()
        assert len(run.states) <= STATES and run.states[-1] == task.trainer.step_count
        assert list(run.states) == steps_in(run.states_folder)
    assert len(run.states) == STATES
    assert sum(path.stat().st_size for path in run.states_folder.iterdir()) < STATES * 10e6


def test_a_run_that_was_paused_is_saved_again_as_it_goes(
    tmp_path: Path, small_data: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against a crash: not only the next pause keeps a state."""
    monkeypatch.setattr(due, "SAVE_S", 0)
    monkeypatch.setattr(due, "REPORT_S", 0)
    engine = Scheduler()
    opening = {"config": CONFIG.to_dict(), "folder": str(tmp_path), "generation": 0, "resume": (), "status": PAUSED}
    engine.handle(Command("a", "open", opening))
    engine.handle(Command("a", "step", {"steps": 60}))
    while engine.tasks["a"].status == RUNNING:
        engine.work()
    engine.handle(Command("a", "resume"))
    deadline = time.monotonic() + 60
    while steps_in(engine.tasks["a"].states_folder)[-1] < 75:  # while it trains: states have their share of the time
        assert time.monotonic() < deadline and engine.tasks["a"].status == RUNNING
        engine.work()
