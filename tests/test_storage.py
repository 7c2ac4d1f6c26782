"""Runs on disk: what is saved comes back, what is damaged is left out, and what a killed server loses."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.inspect.snapshot import Snapshot
from vae_core.runs import engines as engines_module
from vae_core.runs import saved_runs, storage
from vae_core.runs import task as task_module
from vae_core.runs.held_runs import RUNS_PER_VISITOR
from vae_core.runs.messages import FAILED, FINISHED, PAUSED, RUNNING, STARTING, STOPPED, Command, Update
from vae_core.runs.news import Cursor
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import SAVED, RunRecord
from vae_core.runs.scheduler import Scheduler
from vae_core.runs.storage import CURVES, RECORD, StorageError, frame_file, frames_in, state_file, steps_in
from vae_core.runs.task import STATES, Task
from vae_core.thinning import FRAMES
from vae_core.trainer import Mark

CONFIG = RunConfig(device="cpu", epochs=1000)
MARK = Mark(7, "beta 1 → 0 at step 7", {"alpha": 1.0, "beta": 0.0, "learning_rate": 2e-3})
ROOT = Path(__file__).resolve().parent.parent


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> None:
    """Poll until something is true; the time is only an upper bound."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def some_rows(first: int, last: int) -> np.ndarray:
    steps = np.arange(first, last + 1)
    return np.column_stack([steps, 200 - steps, steps / 7, 200 - steps * 6 / 7]).astype(np.float32)


def an_update(run_id: str, last: int = 20, status: str = RUNNING, **values: Any) -> Update:
    rows = some_rows(1, last)
    weights = {"alpha": 1.0, "beta": 0.0, "learning_rate": 2e-3, "frozen": "none"}
    return Update(run_id, 0, status, "", last, 8, 8000, 9.0, weights, rows, device="CPU", **values)


def a_run(root: Path, snapshot: Snapshot, status: str = RUNNING) -> RunRecord:
    run = RunRecord("ann", CONFIG, root)
    for step in (0, 10, 20):
        run.take(an_update(run.run_id, step, status, snapshot=replace(snapshot, step=step)))
    run.take(
        an_update(run.run_id, 20, status, marks=(MARK,), final={"neg_elbo": 150.5} if status == FINISHED else None)
    )
    return run


# ---- one run


def test_a_saved_run_comes_back_as_it_was(tmp_path: Path, snapshot_of_new_model: Snapshot) -> None:
    run = a_run(tmp_path, snapshot_of_new_model, FINISHED)
    run.save()
    back = RunRecord.load(run.folder)
    assert np.array_equal(back.train.since(-1), some_rows(1, 20))
    assert np.array_equal(back.test.since(-1), run.test.since(-1)) and len(back.test.since(-1)) == 3
    assert back.marks == [MARK] and back.final == {"neg_elbo": 150.5} and back.film == [0, 10, 20]
    for name in ("run_id", "visitor", "config", "parent", "generation", "step", "weights", "device", "folder"):
        assert getattr(back, name) == getattr(run, name), name
    assert (back.steps_per_epoch, back.total_steps) == (8, 8000)


def test_frames_of_the_time_before_they_were_compressed_are_no_film(
    tmp_path: Path, snapshot_of_new_model: Snapshot
) -> None:
    run = a_run(tmp_path, snapshot_of_new_model, FINISHED)
    run.save()
    for step in run.film[:-1]:
        path = frame_file(run.film_folder, step)
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert RunRecord.load(run.folder).film == [20]


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
    bad, good = (a_run(tmp_path, snapshot_of_new_model) for _ in range(2))
    for run in (bad, good):
        run.save()
    damage(bad.folder)
    with pytest.raises(StorageError) as caught:
        RunRecord.load(bad.folder)
    assert bad.run_id in str(caught.value) and str(caught.value).endswith(".") and "\n" not in str(caught.value)
    runs = Registry(root=tmp_path)
    runs.arrive("ann")
    assert [run.run_id for run in runs.of("ann")] == [good.run_id]
    runs.close()


def test_curves_and_pictures_of_a_run_have_an_end(tmp_path: Path, snapshot_of_new_model: Snapshot) -> None:
    run = RunRecord("ann", CONFIG, tmp_path)
    for step in range(0, 600, 3):
        run.take(an_update(run.run_id, step, snapshot=replace(snapshot_of_new_model, step=step)))
        assert len(run.film) <= FRAMES and run.film[-1] == step
    assert run.film == frames_in(run.film_folder) and len(run.film) == FRAMES


def test_states_of_a_run_have_an_end(tmp_path: Path, small_data: Images) -> None:
    task = Task("a", CONFIG.with_(latent_dim=1), tmp_path, 0)
    for _ in range(4 * STATES):
        task.trainer.step()
        kept = task.save()
        assert len(kept) <= STATES and kept[-1] == task.trainer.step_count
    assert list(kept) == steps_in(task.folder) and len(kept) == STATES
    assert sum(path.stat().st_size for path in task.folder.iterdir()) < STATES * 10e6


def test_a_run_that_was_paused_is_saved_again_as_it_goes(
    tmp_path: Path, small_data: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against a crash: not only the next pause keeps a state."""
    monkeypatch.setattr(task_module, "SAVE_S", 0)
    monkeypatch.setattr(task_module, "REPORT_S", 0)
    engine = Scheduler(tmp_path)
    opening = {"config": CONFIG.to_dict(), "generation": 0, "resume": False, "status": PAUSED}
    engine.handle(Command("a", "open", opening))
    engine.handle(Command("a", "step", {"steps": 200}))
    while engine.tasks["a"].status == RUNNING:
        engine.turn()
    engine.handle(Command("a", "resume"))
    deadline = time.monotonic() + 60
    while steps_in(engine.tasks["a"].folder)[-1] < 250:  # while it trains: states have their share of the time
        assert time.monotonic() < deadline and engine.tasks["a"].status == RUNNING
        engine.turn()


# ---- a registry


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


# ---- after a crash of the whole server


class LocalLink:
    """EngineProcess's behaviour without its process; see test_registry.py."""

    def __init__(self, device: str, folder: Path, on_update: Callable[[Update], None], on_death: Any) -> None:
        self.device, self._on_update, self.engine = device, on_update, Scheduler(folder)

    def send(self, command: Command) -> None:
        for update in self.engine.handle(command):
            self._on_update(update)

    def turn(self) -> None:
        for update in self.engine.turn():
            self._on_update(update)

    def close(self) -> None:
        self.engine.tasks.clear()


@pytest.fixture
def local_links(small_data: Images, monkeypatch: pytest.MonkeyPatch) -> list[LocalLink]:
    links: list[LocalLink] = []

    def connect(*args: Any) -> LocalLink:
        links.append(LocalLink(*args))
        return links[-1]

    monkeypatch.setattr(engines_module, "EngineProcess", connect)
    return links


@pytest.fixture
def crashed(
    local_links: list[LocalLink], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Registry, str]]:
    """A new server on a copy of the disk, taken when the curves were saved at step 30 and states went on to 60."""
    runs = Registry(root=tmp_path / "before")
    monkeypatch.setattr(runs._housekeeper, "make_round", lambda: None)  # nothing is saved but here
    run_id = runs.start(CONFIG, "ann", paused=True)
    run = runs.get(run_id)
    assert run is not None
    for until in (30, 60):
        runs.command(run_id, "step", steps=30)
        while run.step < until:
            local_links[0].turn()
        if until == 30:
            runs._saved.save_changed()
    shutil.copytree(tmp_path / "before", tmp_path / "after", ignore=shutil.ignore_patterns("in-use"))
    runs.close()
    after = Registry(root=tmp_path / "after")
    after.arrive("ann")
    yield after, run_id
    after.close()


def test_a_state_ahead_of_the_saved_curve_leaves_no_gap(
    crashed: tuple[Registry, str], local_links: list[LocalLink]
) -> None:
    """Two processes save in their own time: states may be up to three seconds ahead of the curve."""
    runs, run_id = crashed
    runs.command(run_id, "step", steps=40)
    run = runs.get(run_id)
    assert run is not None
    while run.status != PAUSED:
        local_links[-1].turn()
    steps = run.train.since(-1)[:, 0].tolist()
    assert steps == list(range(1, run.step + 1))


def test_a_run_found_after_a_crash_says_where_it_stands(crashed: tuple[Registry, str]) -> None:
    runs, run_id = crashed
    run = runs.get(run_id)
    assert run is not None and (run.status, run.step) == (SAVED, 30) and "30" in run.message
    assert run.film[-1] <= run.step and run.states[-1] <= run.step  # of a future that it does not know
    assert frame_file(run.film_folder, 30).is_file() and state_file(run.states_folder, 30).is_file()


SERVER = """
import sys, time
from pathlib import Path
from vae_core.config import RunConfig
from vae_core.runs.registry import Registry
runs = Registry(root=Path(sys.argv[1]))
run_id = runs.start(RunConfig(device="cpu", epochs=1000), "ann")
print(run_id, runs._engines.of_device("cpu").link.process.pid, flush=True)
while True:
    print(time.monotonic(), runs.get(run_id).step, flush=True)
    time.sleep(0.02)
"""


def ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_killed_server_loses_no_more_than_five_seconds_of_a_run(tmp_path: Path) -> None:
    root, log = tmp_path / "runs", tmp_path / "log"
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    with log.open("wb") as out:
        server = subprocess.Popen([sys.executable, "-c", SERVER, str(root)], stdout=out, env=env, cwd=ROOT)
    try:
        wait_for(lambda: log.read_text().count("\n") > 1)
        run_id, engine = log.read_text().split()[:2]
        folder = root / run_id

        def saved_step() -> int:
            path = folder / RECORD
            return json.loads(path.read_text(encoding="utf-8"))["step"] if path.is_file() else 0

        # In mid-run, at the worst moment: the engine has kept a state that is ahead of the server's curves.
        wait_for(lambda: 150 < saved_step() < steps_in(folder / storage.STATES)[-1], seconds=120)
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
    wait_for(lambda: ended(int(engine)))  # it notices that nobody listens any more
    lines = [line.split() for line in log.read_text().splitlines()[1:] if line.count(" ") == 1]
    printed = [(float(at), int(step)) for at, step in lines]

    runs = Registry(root=root)
    try:
        runs.arrive("ann")
        (run,) = runs.of("ann")
        assert (run.run_id, run.status) == (run_id, SAVED) and run.step > 0
        reached = next((at for at, step in printed if step >= run.step), printed[-1][0])
        assert printed[-1][0] - reached <= 5
        before = run.train.since(-1)
        assert before[:, 0].tolist() == list(range(1, run.step + 1))
        runs.command(run_id, "resume")
        wait_for(lambda: run.step > printed[-1][1] + 50)
        news = runs.read(run_id, Cursor())
        assert news is not None and news.status == RUNNING and news.train[:, 0].tolist() == [*range(1, news.step + 1)]
        assert np.array_equal(news.train[: len(before)], before)
    finally:
        runs.close()
