"""The engine room's picture of the server: whose runs, where they stand, what they use, and the name of nobody."""

import os
import threading
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

from pages.ui.shipped import CHECKPOINTS, PLANE
from vae_core.config import RunConfig
from vae_core.runs.log import logger
from vae_core.runs.machine import resident_bytes
from vae_core.runs.messages import FINISHED, PAUSED, RUNNING, STOPPED, Command, Line, Update, Waiting
from vae_core.runs.registry import Registry
from vae_core.runs.room import STOPPED_BY_LECTURER, EngineStatus, pin, room_status, stop

CONFIG = RunConfig(device="cpu", epochs=2, latent_dim=3)


def say(links: list[Any], run_id: str, status: str, **more: Any) -> None:
    """As its engine would."""
    links[0].tell(Update(run_id, 0, status, **{"step": 12, "total_steps": 470, "images_per_s": 5000.0} | more))


def test_whose_runs_they_are_is_said_by_number_and_never_by_name(fake_registry: Registry, links: list[Any]) -> None:
    visitors = ["token-of-ann-1234567890", "token-of-bob-1234567890", "token-of-eve-1234567890"]
    for visitor in visitors:
        fake_registry.visitors.enter(visitor)
        fake_registry.start(CONFIG, visitor)
    fake_registry.lecturers.admit(fake_registry.lecturers.key, visitors[1])
    assert [run.whose for run in room_status(fake_registry).runs] == ["lecturer", "visitor 1", "visitor 3"]
    fake_registry.close_run(fake_registry.of(visitors[0])[0].run_id)
    status = room_status(fake_registry)
    assert [run.whose for run in status.runs] == ["lecturer", "visitor 3"]  # the numbers stay
    assert not any(visitor in repr(status) for visitor in visitors)
    assert fake_registry.lecturers.key not in repr(status)


def test_a_row_keeps_its_place_whatever_its_run_and_those_of_others_do(
    fake_registry: Registry, links: list[Any]
) -> None:
    """Else a second click on Stop would end the run of somebody who has come to stand there."""
    ids = [fake_registry.start(CONFIG, f"visitor {n}") for n in range(3)]
    for status in (RUNNING, PAUSED, STOPPED, FINISHED):
        say(links, ids[1], status)
        found = room_status(fake_registry).runs
        assert [run.run_id for run in found] == ids and found[1].status == status
        assert found[1].active is (status in (RUNNING, PAUSED)) and found[0].active
    newer = fake_registry.start(CONFIG, "visitor 1")
    assert [run.run_id for run in room_status(fake_registry).runs] == [ids[0], newer, ids[2]]


def test_of_a_visitor_stands_there_what_may_train_and_else_the_last_run(
    fake_registry: Registry, links: list[Any]
) -> None:
    early, late = (fake_registry.start(CONFIG, "ann") for _ in range(2))
    say(links, early, STOPPED)
    fake_registry.add_shipped(CHECKPOINTS / PLANE)
    arms = [("full", CONFIG), ("no KL", CONFIG.with_(beta=0.0))]
    fake_registry.start_group(arms, "bob")
    status = room_status(fake_registry)
    assert [run.what for run in status.runs[1:]] == ["vae mlp, 3 latents, full", "vae mlp, 3 latents, no KL"]
    assert status.runs[0].run_id == late and status.others == 1
    say(links, late, STOPPED)
    assert room_status(fake_registry).runs[0].run_id == late


def test_a_run_says_where_it_stands(fake_registry: Registry, links: list[Any]) -> None:
    run_id = fake_registry.start(CONFIG, "ann")
    say(links, run_id, RUNNING)
    (run,) = room_status(fake_registry).runs
    assert (run.step, run.total_steps, run.images_per_s, run.place, run.pinned) == (12, 470, 5000.0, None, False)
    assert run.what == "vae mlp, 3 latents"
    alone = fake_registry.start(CONFIG.with_(latent_dim=1), "bob")
    assert {seen.run_id: seen.what for seen in room_status(fake_registry).runs}[alone] == "vae mlp, 1 latent"
    say(links, run_id, PAUSED)
    assert room_status(fake_registry).runs[0].images_per_s == 0  # its last speed is none any more


def test_windows_and_visitors_are_counted(fake_registry: Registry) -> None:
    for visitor in ("ann", "ann", "bob", "eve"):
        fake_registry.visitors.enter(visitor)
    fake_registry.visitors.leave("eve")
    status = room_status(fake_registry)
    assert (status.visitors, status.windows) == (2, 3)


def test_engines_are_those_that_were_started_with_their_deaths(fake_registry: Registry, links: list[Any]) -> None:
    assert room_status(fake_registry).engines == ()
    fake_registry.warm_up("cpu")
    run_id = fake_registry.start(CONFIG, "ann")
    assert room_status(fake_registry).engines == (EngineStatus("cpu", 0, 1, None, None),)
    links[-1].die()
    assert room_status(fake_registry).engines == (EngineStatus("cpu", 1, 1, None, None),)
    fake_registry.close_run(run_id)
    assert room_status(fake_registry).engines[0].runs == 0


def test_who_waits_in_line_has_a_place(fake_registry: Registry, links: list[Any]) -> None:
    ids = [fake_registry.start(CONFIG, f"visitor {n}") for n in range(4)]
    line = Line(2, 2, (Waiting(ids[3], 1, 2, 3.0), Waiting(ids[2], 2, 2, 6.0)), 10**8, 200.0, 0.1, "cpu")
    links[-1].tell(line)
    status = room_status(fake_registry)
    places = {run.run_id: run.place for run in status.runs}
    assert places == {ids[0]: None, ids[1]: None, ids[2]: 2, ids[3]: 1} and status.engines[0].line == line
    links[-1].tell(Line(2, 2, (Waiting(ids[2], 1, 1, 3.0),)))
    assert [run.place for run in room_status(fake_registry).runs if run.place] == [1]
    links[-1].die()  # nobody knows of any line then
    assert not any(run.place for run in room_status(fake_registry).runs)


def test_memory_is_that_of_the_process() -> None:
    own = resident_bytes(os.getpid())
    assert own is not None and 50e6 < own < 50e9  # torch alone takes more than the one
    assert resident_bytes(2**22 + 1) is None  # no system gives that number to a process


def test_memory_is_known_without_proc_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As on a Mac: `ps` says it in kB."""
    own = resident_bytes(os.getpid())
    ps = tmp_path / "ps"
    ps.write_text("#!/bin/sh\necho '  1234'\n")
    ps.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(Path, "read_text", lambda *_: (_ for _ in ()).throw(FileNotFoundError()))
    assert own is not None and resident_bytes(os.getpid()) == 1234 * 1024
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert resident_bytes(os.getpid()) is None


def test_the_disk_is_counted(fake_registry: Registry) -> None:
    folder = fake_registry.disk()[0] / "owner" / "run"
    (folder / "film").mkdir(parents=True)
    (folder / "film" / "1").write_bytes(bytes(1000))
    (folder / "run.json").write_text("{}")
    (folder / "gone").symlink_to("nowhere")
    fake_registry._saved.tidy()
    status = room_status(fake_registry)
    assert 1000 <= status.disk_bytes < 6000  # folders have a size, too
    assert status.disk_free_bytes is not None and status.disk_free_bytes > 0 and status.disk_budget_bytes == 20e9


def test_what_the_server_said_last_is_there(fake_registry: Registry) -> None:
    logger.warning("The roof leaks: fetch a bucket.")
    assert room_status(fake_registry).sentences[-1].text == "The roof leaks: fetch a bucket."


def test_the_picture_does_not_change_any_more(fake_registry: Registry) -> None:
    status = room_status(fake_registry)
    with pytest.raises(FrozenInstanceError):
        status.windows = 7  # type: ignore[misc]
    assert all(isinstance(part, tuple) for part in (status.engines, status.runs, status.sentences))


# ---- what the lecturer may do


def test_a_run_is_stopped_and_its_visitor_reads_by_whom(fake_registry: Registry, links: list[Any]) -> None:
    run_id = fake_registry.start(CONFIG, "ann")
    run = fake_registry.get(run_id)
    assert run is not None
    say(links, run_id, RUNNING)
    stop(fake_registry, run_id)
    assert links[0].sent[-1] == Command(run_id, "stop")
    say(links, run_id, STOPPED)
    assert (run.status, run.message) == (STOPPED, STOPPED_BY_LECTURER)


def test_what_has_ended_or_ships_or_is_gone_is_left_alone(fake_registry: Registry, links: list[Any]) -> None:
    run_id = fake_registry.start(CONFIG, "ann")
    say(links, run_id, FINISHED)
    sent = list(links[0].sent)
    for other in (run_id, fake_registry.add_shipped(CHECKPOINTS / PLANE), "nobody"):
        stop(fake_registry, other)
    pin(fake_registry, "nobody", True)
    run = fake_registry.get(run_id)
    assert run is not None and run.now.notice == "" and links[0].sent == sent
    assert not fake_registry.lecturers.is_pinned("nobody")


def test_a_run_is_pinned_and_let_go_again(fake_registry: Registry, links: list[Any]) -> None:
    run_id = fake_registry.start(CONFIG, "ann")
    for pinned, name in ((True, "pin"), (False, "unpin")):
        pin(fake_registry, run_id, pinned)
        assert links[0].sent[-1] == Command(run_id, name)
        assert room_status(fake_registry).runs[0].pinned is pinned


def test_the_room_may_be_looked_at_while_a_class_comes_and_goes(fake_registry: Registry, links: list[Any]) -> None:
    failures: list[BaseException] = []

    def watch(work: Any) -> None:
        try:
            for n in range(40):
                work(n)
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    def study(n: int) -> None:
        visitor = f"visitor {n}"
        fake_registry.visitors.enter(visitor)
        run_id = fake_registry.start(CONFIG, visitor)
        for status in (RUNNING, PAUSED, STOPPED):
            say(links, run_id, status)
        fake_registry.visitors.leave(visitor)
        fake_registry.close_run(run_id)

    works = [study, study, lambda _: room_status(fake_registry), lambda _: room_status(fake_registry)]
    threads = [threading.Thread(target=watch, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == [] and room_status(fake_registry).runs == ()
