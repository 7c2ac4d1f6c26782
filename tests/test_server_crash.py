"""What a server that crashes leaves on disk, and what the next one makes of it. A real one is killed in endurance."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local_engine import LocalLink
from tests.saved_run import CONFIG
from tests.waiting import wait_for
from vae_core.runs.messages import PAUSED
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import SAVED
from vae_core.runs.storage import RECORD, frame_file, state_file


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
