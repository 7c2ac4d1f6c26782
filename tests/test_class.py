"""What a class does to the registry of runs: nobody waits for an engine, and no arrival costs anybody anything."""

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.local_engine import LocalLink
from tests.waiting import wait_for
from vae_core.config import RunConfig
from vae_core.inspect.snapshot import Snapshot
from vae_core.runs import run_record as run_module
from vae_core.runs import storage
from vae_core.runs.messages import PAUSED, RUNNING, STOPPED, Update
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import SAVED, RunRecord
from vae_core.runs.storage import frame_file, frames_in, state_file, steps_in

CONFIG = RunConfig(device="cpu", epochs=1000, widths="32")


def all_end(work: list[Callable[[], Any]], seconds: float = 60) -> bool:
    """Whether all pieces of work come to an end, each on a thread of its own; the time is only an upper bound."""
    threads = [threading.Thread(target=one, daemon=True) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)
    return not any(thread.is_alive() for thread in threads)


# ---- a real engine


@pytest.fixture
def real() -> Iterator[Registry]:
    runs = Registry()
    runs.warm_up("cpu")
    yield runs
    runs.close()


def test_nobody_waits_for_an_engine_that_does_not_listen(real: Registry) -> None:
    """It is stopped, as a busy one is for a while; far more commands are given than its pipe holds."""
    run_id = real.start(CONFIG, "ann", paused=True)
    run = real.get(run_id)
    assert run is not None
    wait_for(lambda: run.status == PAUSED)
    process = real._engines.of_device("cpu").link.process
    os.kill(process.pid, signal.SIGSTOP)
    try:
        flood = [lambda i=i: [real.command(run_id, "set", beta=1 + i + n / 1000) for n in range(60)] for i in range(8)]
        flood += [lambda: [real.command(run_id, name) for _ in range(150) for name in ("pause", "resume")]]
        assert all_end([*flood, lambda: [real.start(CONFIG, "bob") for _ in range(10)]])
        assert all_end(
            [lambda: real.get(run_id), lambda: real.visitors.leave("eve"), lambda: real.of("ann")], seconds=10
        )
    finally:
        os.kill(process.pid, signal.SIGCONT)
    real.command(run_id, "set", beta=3.25)
    real.command(run_id, "stop")
    wait_for(lambda: run.status == STOPPED)
    assert run.settings.beta == 3.25  # the last word counts, and everything before it has been heard


def test_an_engine_that_does_not_listen_is_ended_all_the_same() -> None:
    runs = Registry()
    run_id = runs.start(CONFIG, "ann")
    process = runs._engines.of_device("cpu").link.process
    os.kill(process.pid, signal.SIGSTOP)
    for _ in range(3000):
        runs.command(run_id, "pause")
        runs.command(run_id, "resume")
    assert all_end([runs.close])
    assert process.returncode is not None


def test_starts_and_stops_in_turn_are_all_carried_out(real: Registry) -> None:
    """Sixty, as fast as they can be given; the last run trains."""
    for _ in range(60):
        run_id = real.start(CONFIG, "ann")
        real.command(run_id, "stop")
    last = real.get(real.start(CONFIG, "ann"))
    assert last is not None
    wait_for(lambda: last.status == RUNNING and last.step > 0)
    earlier = [run for run in real.of("ann") if run is not last]
    assert len(earlier) == 5
    wait_for(lambda: all(run.status == STOPPED for run in earlier))


def test_the_weights_on_the_page_count_for_a_reset_of_a_run_that_has_ended(
    local_registry: tuple[Registry, list[LocalLink]],
) -> None:
    runs, links = local_registry
    run = runs.get(runs.start(CONFIG, "ann"))
    assert run is not None
    runs.command(run.run_id, "stop")
    for _ in range(3):
        links[-1].turn()
    assert run.status == STOPPED
    runs.command(run.run_id, "reset", beta=4.0)
    links[-1].turn()
    assert (run.status, run.step, run.settings.beta, run.config.beta, run.marks) == (PAUSED, 0, 4.0, 4.0, ())
    with pytest.raises(ValueError, match="beta"):
        runs.command(run.run_id, "reset", beta=-1.0)


# ---- the housekeeper


def test_one_bad_round_of_saving_is_not_the_last(
    tmp_path: Path, links: list[Any], snapshot_of_new_model: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[int] = []
    write = storage.write

    def failing(*contents: Any) -> None:
        rounds.append(1)
        if len(rounds) == 1:
            raise RuntimeError("never seen before")
        write(*contents)

    monkeypatch.setattr(storage, "write", failing)
    runs = Registry(root=tmp_path)
    run_id = runs.start(CONFIG, "ann")
    wait_for(lambda: rounds)
    links[0].tell(update(run_id, snapshot_of_new_model, 20))
    run = runs.get(run_id)
    assert run is not None
    wait_for(lambda: run.saved is run.last_whole)
    assert storage.read(run.folder)[0]["step"] == 20
    runs.close()


def test_who_comes_back_while_their_run_is_put_away_finds_all_of_it(
    tmp_path: Path, links: list[Any], snapshot_of_new_model: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Registry(root=tmp_path, gone_after_s=1e9)
    run = train_beyond_the_record(runs, links, snapshot_of_new_model, "ann")  # frames of 20 and 40, a record of 20
    make_gone(runs, "ann")
    write, back = storage.write, threading.Thread(target=lambda: runs.find_saved("ann"))

    def slowly(*contents: Any) -> None:
        back.start()
        back.join(0.5)  # as long as it may take to read what is not yet written
        write(*contents)

    monkeypatch.setattr(storage, "write", slowly)
    runs._housekeeper.make_round()
    back.join(30)
    (found,) = runs.of("ann")
    assert found is not run and (found.run_id, found.step, found.film) == (run.run_id, 40, (20, 40))
    assert steps_in(found.states_folder) == [20, 40]
    monkeypatch.setattr(storage, "write", write)
    runs.close()


def make_gone(runs: Registry, visitor: str) -> None:
    """As if the last window had closed long ago."""
    runs.visitors.windows()
    runs.visitors._presences[visitor].gone_since = -1e12


def test_who_comes_back_at_the_last_moment_keeps_their_runs(lasting: Registry) -> None:
    run_id = lasting.start(CONFIG, "ann")
    make_gone(lasting, "ann")
    lasting.visitors.enter("ann")
    assert lasting._housekeeper.let_go() == [] and lasting.get(run_id) is not None


# ---- arrivals


@pytest.fixture
def lasting(tmp_path: Path, links: list[Any]) -> Iterator[Registry]:
    """A registry that keeps runs on disk; its engines are the test's own words."""
    runs = Registry(root=tmp_path)
    yield runs
    runs.close()


def update(run_id: str, snapshot: Snapshot, step: int) -> Update:
    picture = replace(snapshot, step=step)
    return Update(run_id, 0, RUNNING, step=step, total_steps=8000, snapshot=picture, device="CPU", saved=step)


def train_beyond_the_record(runs: Registry, links: list[Any], snapshot: Snapshot, visitor: str) -> RunRecord:
    """A run whose film and states are newer than its record, as those of any run in training are."""
    run = runs.get(runs.start(CONFIG, visitor))
    assert run is not None
    run.states_folder.mkdir(parents=True)
    state_file(run.states_folder, 20).write_bytes(b"weights")
    links[0].tell(update(run.run_id, snapshot, 20))
    wait_for(lambda: run.saved is run.last_whole)
    runs._saved.save_changed = lambda: None  # type: ignore[method-assign]
    state_file(run.states_folder, 40).write_bytes(b"weights")
    links[0].tell(update(run.run_id, snapshot, 40))
    return run


@pytest.mark.parametrize("arriving", ["ann", "bob"])
def test_an_arrival_leaves_what_others_are_training_alone(
    arriving: str, lasting: Registry, links: list[Any], snapshot_of_new_model: Snapshot
) -> None:
    run = train_beyond_the_record(lasting, links, snapshot_of_new_model, "ann")
    lasting.visitors.enter(arriving)
    lasting.find_saved(arriving)
    assert frames_in(run.film_folder) == list(run.film) == [20, 40] and steps_in(run.states_folder) == [20, 40]
    assert lasting.get(run.run_id) is run


def test_an_arrival_reads_its_own_runs_and_no_others(
    tmp_path: Path, links: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for visitor in ("ann", "ann", "bob", "eve"):
        RunRecord(visitor, CONFIG, storage.folder_of(tmp_path, visitor)).save()
    read: list[Path] = []
    monkeypatch.setattr(storage, "read", lambda folder, real=storage.read: read.append(folder) or real(folder))
    runs = Registry(root=tmp_path)
    assert read == []
    runs.visitors.enter("ann")
    runs.find_saved("ann")
    assert len(runs.of("ann")) == 2 and {folder.name for folder in read} == {run.run_id for run in runs.of("ann")}
    runs.visitors.enter("nobody yet")
    runs.find_saved("nobody yet")
    assert len(read) == 2
    runs.close()


def test_who_left_for_long_finds_the_last_moment_again(
    tmp_path: Path, links: list[Any], snapshot_of_new_model: Snapshot
) -> None:
    runs = Registry(root=tmp_path, gone_after_s=0.2)
    runs.visitors.enter("ann")
    runs.find_saved("ann")
    run_id = runs.start(CONFIG, "ann")
    links[0].tell(update(run_id, snapshot_of_new_model, 20))
    runs.visitors.leave("ann")
    wait_for(lambda: runs.get(run_id) is None)
    wait_for(lambda: (storage.folder_of(tmp_path, "ann") / run_id / storage.RECORD).is_file())
    runs.visitors.enter("ann")
    runs.find_saved("ann")
    (run,) = runs.of("ann")
    assert (run.run_id, run.step, run.film) == (run_id, 20, (20,))
    runs.close()


def test_a_run_closed_while_its_frame_is_written_leaves_nothing_behind(
    lasting: Registry, links: list[Any], snapshot_of_new_model: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = lasting.start(CONFIG, "ann")
    run = lasting.get(run_id)
    assert run is not None

    def packed(frame: bytes) -> bytes:
        lasting.close_run(run_id)  # by its visitor, at this very moment
        return frame

    monkeypatch.setattr(run_module, "packed", packed)
    links[0].tell(update(run_id, snapshot_of_new_model, 20))
    assert lasting.get(run_id) is None and not run.folder.exists()


def test_what_an_engine_said_of_a_run_before_it_was_put_away_is_not_taken_for_its_next_life(
    lasting: Registry, links: list[Any], snapshot_of_new_model: Snapshot
) -> None:
    run_id = lasting.start(CONFIG, "ann")
    links[0].tell(update(run_id, snapshot_of_new_model, 20))
    make_gone(lasting, "ann")
    lasting._housekeeper.make_round()
    lasting.find_saved("ann")
    again = lasting.get(run_id)
    assert again is not None and again.status == SAVED
    links[0].tell(update(run_id, snapshot_of_new_model, 30))  # it has not yet heard that the run was closed
    assert (again.status, again.step) == (SAVED, 20)
    lasting.command(run_id, "resume")
    links[0].tell(update(run_id, snapshot_of_new_model, 40))
    assert (again.status, again.step) == (RUNNING, 40)


# ---- branches


def test_a_branch_bears_that_its_parent_thins_its_film_at_that_moment(
    local_registry: tuple[Registry, list[LocalLink]], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, links = local_registry
    parent_id = runs.start(CONFIG, "ann", paused=True)
    parent = runs.get(parent_id)
    assert parent is not None
    for until in (10, 20, 30):
        runs.command(parent_id, "step", steps=10)
        while not (parent.step == until and parent.status == PAUSED and until in parent.film):
            links[-1].turn()
    gone, copy = frame_file(parent.film_folder, 10), shutil.copyfile

    def copyfile(source: Path, target: Path) -> Path:
        gone.unlink(missing_ok=True)  # the engine's newest frame has just made this one superfluous
        return copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", copyfile)
    branch = runs.get(runs.branch(parent_id, 20, {}, paused=True))
    assert branch is not None and branch.step == 20
    assert list(branch.film) == frames_in(branch.film_folder) and {0, 20} <= set(branch.film) and 10 not in branch.film


def test_a_branch_that_cannot_be_saved_is_a_sentence_and_leaves_no_folder(
    local_registry: tuple[Registry, list[LocalLink]], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = local_registry[0]
    parent_id = runs.start(CONFIG, "ann", paused=True)
    owner = runs._saved.folder_of("ann")
    folders = set(owner.iterdir())

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(ValueError, match="free some disk space"):
        runs.branch(parent_id, 0, {})
    assert set(owner.iterdir()) == folders and len(runs.of("ann")) == 1


def test_five_steps_asked_for_at_once_are_five_steps(local_registry: tuple[Registry, list[LocalLink]]) -> None:
    runs, links = local_registry
    run = runs.get(runs.start(CONFIG, "ann", paused=True))
    assert run is not None
    for _ in range(5):
        runs.command(run.run_id, "step", steps=1)
    for _ in range(20):
        links[-1].turn()
    assert (run.step, run.status) == (5, PAUSED)
    runs.command(run.run_id, "step", steps=100)
    runs.command(run.run_id, "pause")  # what was still to be made is not made
    at = run.step
    runs.command(run.run_id, "step", steps=1)
    for _ in range(20):
        links[-1].turn()
    assert run.step == at + 1
