"""What a server that crashes or is killed leaves on disk, and what the next one makes of it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.local_engine import LocalLink
from tests.saved_run import CONFIG
from tests.waiting import wait_for
from vae_core.runs import storage
from vae_core.runs.messages import PAUSED, RUNNING
from vae_core.runs.news import Cursor
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import SAVED
from vae_core.runs.storage import RECORD, frame_file, state_file

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def crashed(
    local_links: list[LocalLink], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Registry, str]]:
    """A new server on a copy of the disk, taken when the curves were saved at step 30 and states went on to 60."""
    runs = Registry(root=tmp_path / "before")
    run_id = runs.start(CONFIG, "ann", paused=True)
    run = runs.get(run_id)
    assert run is not None
    for until in (30, 60):
        runs.command(run_id, "step", steps=30)
        while run.step < until:
            local_links[0].turn()
        if until == 30:
            wait_for(lambda: run.saved is not None and run.saved.step == 30)
            runs._saved.changed.wait = lambda *_: time.sleep(0.01)  # type: ignore[method-assign,assignment]
            monkeypatch.setattr(runs._saved, "save_changed", lambda: None)  # from here on nothing is saved
    assert run.states[-1] == 60 and run.film[-1] == 60
    shutil.copytree(tmp_path / "before", tmp_path / "after", ignore=shutil.ignore_patterns("in-use"))
    runs.close()
    after = Registry(root=tmp_path / "after")
    after.visitors.enter("ann")
    after.find_saved("ann")
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
    names = sorted(path.name for path in run.folder.rglob("*") if path.is_file())
    frames, states = [f"{s:09d}.safetensors.gz" for s in run.film], [f"{s:09d}.safetensors" for s in run.states]
    assert names == sorted([*frames, *states, run._curves, RECORD])  # nothing is left over


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
        folder = storage.folder_of(root, "ann") / run_id

        def saved_step() -> int:
            path = folder / RECORD
            return json.loads(path.read_text(encoding="utf-8"))["step"] if path.is_file() else 0

        wait_for(lambda: saved_step() > 150, seconds=120)
        time.sleep(2)  # in mid-run, between two saves
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
    wait_for(lambda: ended(int(engine)))  # it notices that nobody listens any more
    lines = [line.split() for line in log.read_text().splitlines()[1:] if line.count(" ") == 1]
    printed = [(float(at), int(step)) for at, step in lines]

    runs = Registry(root=root)
    try:
        runs.visitors.enter("ann")
        runs.find_saved("ann")
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
