"""The socket of those who follow: each is told where the lecturer is, once, and the whole class costs one look."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient, WebSocketTestSession

from pages.ui.follow import socket as follow_socket
from pages.ui.follow.socket import Audience, count_followers, follow_route, followed_run
from tests.waiting import wait_for
from vae_core.config import RunConfig
from vae_core.runs.registry import Registry

TICK_S = 0.02


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(follow_socket, "TICK_S", TICK_S)
    with TestClient(Starlette(routes=[follow_route()])) as made:
        yield made
        wait_for(lambda: Audience._now is None)  # nothing goes on when the last one has left
    assert count_followers() == 0


@pytest.fixture
def show(fake_registry: Registry) -> Callable[[str], str]:
    """The lecturer starts a run and shows it."""

    def start(visitor: str = "ann") -> str:
        run_id = fake_registry.start(RunConfig(device="cpu"), visitor)
        fake_registry.lecturers.show(run_id)
        return run_id

    return start


def moved(viewer: WebSocketTestSession) -> str:
    return json.loads(viewer.receive_text())["moved"]


def is_told_nothing(client: TestClient, viewer: WebSocketTestSession) -> bool:
    """For many times as long as the server takes to look."""
    client.portal.call(asyncio.sleep, 10 * TICK_S)  # type: ignore[union-attr]
    return viewer._send_rx.statistics().current_buffer_used == 0


def test_a_page_that_waits_is_told_when_there_is_a_run(client: TestClient, show: Any) -> None:
    with client.websocket_connect("/follow?run=") as viewer:
        assert is_told_nothing(client, viewer)
        first = show()
        assert moved(viewer) == first
        assert is_told_nothing(client, viewer)
        moved_to(viewer, show())


def moved_to(viewer: WebSocketTestSession, run_id: str) -> None:
    assert moved(viewer) == run_id


def test_a_page_that_shows_what_the_lecturer_shows_is_told_nothing(client: TestClient, show: Any) -> None:
    run_id = show()
    with client.websocket_connect(f"/follow?run={run_id}") as viewer:
        assert is_told_nothing(client, viewer)


@pytest.mark.parametrize("shown", ["", "an-earlier-run", "é&="])
def test_a_page_that_comes_too_late_is_told_at_once(shown: str, client: TestClient, show: Any) -> None:
    run_id = show()
    with client.websocket_connect(f"/follow?run={shown}") as viewer:
        assert moved(viewer) == run_id


def test_a_page_that_knows_more_than_the_last_look_is_told_nothing(
    client: TestClient, show: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_socket, "TICK_S", 1000)
    first = show()
    with client.websocket_connect(f"/follow?run={first}") as early:
        newest = show()
        with client.websocket_connect(f"/follow?run={newest}") as late:
            assert moved(early) == newest and is_told_nothing(client, late)
        assert Audience._now is not None
        client.portal.call(Audience._now._task.cancel)  # type: ignore[union-attr]


def test_when_the_run_is_forgotten_the_page_waits_again(client: TestClient, show: Any, fake_registry: Registry) -> None:
    run_id = show()
    with client.websocket_connect(f"/follow?run={run_id}") as viewer:
        fake_registry.close_run(run_id)
        assert moved(viewer) == ""
        moved_to(viewer, show())


def test_a_run_of_a_student_or_a_run_that_goes_on_moves_nobody(
    client: TestClient, show: Any, fake_registry: Registry
) -> None:
    with client.websocket_connect(f"/follow?run={show()}") as viewer:
        fake_registry.start(RunConfig(device="cpu"), "bob")
        fake_registry.command(fake_registry.lecturers.followed, "pause")
        assert is_told_nothing(client, viewer)


def test_a_whole_class_costs_one_look_and_is_told_the_same(
    client: TestClient, show: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, looks = show(), []
    monkeypatch.setattr(follow_socket, "followed_run", lambda: looks.append(1) or followed_run())
    with ExitStack() as stack:
        address = f"/follow?run={first}"
        viewers = [stack.enter_context(client.websocket_connect(address)) for _ in range(60)]
        assert count_followers() == 60
        looks.clear()
        client.portal.call(asyncio.sleep, 20 * TICK_S)  # type: ignore[union-attr]
        assert 1 <= len(looks) <= 25  # one a tick, not one for each of them
        second = show()
        assert [moved(viewer) for viewer in viewers] == [second] * 60


def test_who_leaves_is_not_counted_and_the_others_stay(client: TestClient, show: Any) -> None:
    address = f"/follow?run={show()}"
    with client.websocket_connect(address) as stays:
        with client.websocket_connect(address):
            wait_for(lambda: count_followers() == 2)
        wait_for(lambda: count_followers() == 1)
        second = show()
        assert moved(stays) == second
        assert count_followers() == 1
    wait_for(lambda: count_followers() == 0)
    assert count_followers() == 0
