"""The live route: nothing falls between two messages, for one viewer and for several."""

import asyncio
from typing import Any
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages.ui.live import socket
from pages.ui.live.socket import LAGGING, live_route, pack
from tests.live_message import next_message, steps, unpack, url
from vae_core.runs.messages import PAUSED
from vae_core.runs.news import Cursor, News
from vae_core.runs.registry import Registry

# ---- the stream


def test_first_everything_then_only_what_is_new(
    live_client: TestClient, live_run: str, tell: Any, snapshot_at: Any
) -> None:
    tell(1, 10, snapshot=snapshot_at(10))
    with live_client.websocket_connect(url(live_run)) as viewer:
        first = next_message(viewer)
        assert first[0]["fresh"] and steps(first) == list(range(1, 11)) and "xy" in first[1]
        tell(11, 13)
        second = next_message(viewer)
        assert not second[0]["fresh"] and steps(second) == [11, 12, 13] and "xy" not in second[1]
        tell(14, 14, snapshot=snapshot_at(14))
        third = next_message(viewer)
        assert steps(third) == [14] and third[0]["snapshot"]["step"] == 14


def test_many_changes_arrive_without_gap_and_without_overlap(live_client: TestClient, live_run: str, tell: Any) -> None:
    tell(1, 5)
    seen: list[int] = []
    with live_client.websocket_connect(url(live_run)) as viewer:
        for step in range(6, 60):
            tell(step, step)
        while not seen or seen[-1] < 59:
            seen += steps(next_message(viewer))
    assert seen == list(range(1, 60))


def test_a_status_alone_is_news(live_client: TestClient, live_run: str, tell: Any) -> None:
    tell(1, 3)
    with live_client.websocket_connect(url(live_run)) as viewer:
        next_message(viewer)
        tell(4, 3, status=PAUSED, step=3)
        message = next_message(viewer)
        assert message[0]["status"] == PAUSED and steps(message) == []


def test_after_a_reset_the_viewer_is_told_to_forget(live_client: TestClient, live_run: str, tell: Any) -> None:
    tell(1, 10)
    with live_client.websocket_connect(url(live_run)) as viewer:
        next_message(viewer)
        tell(1, 0, generation=1, status=PAUSED, step=0)
        message = next_message(viewer)
        assert message[0]["fresh"] and steps(message) == []
        tell(1, 2, generation=1)
        assert steps(next_message(viewer)) == [1, 2]


def test_a_viewer_who_comes_back_gets_only_new_rows(
    live_client: TestClient, live_run: str, tell: Any, snapshot_at: Any
) -> None:
    tell(1, 10, snapshot=snapshot_at(10))
    with live_client.websocket_connect(url(live_run)) as viewer:
        cursor = next_message(viewer)[0]["cursor"]
    tell(11, 12)
    with live_client.websocket_connect(url(live_run, cursor)) as viewer:
        message = next_message(viewer)
        assert not message[0]["fresh"] and steps(message) == [11, 12] and "xy" not in message[1]
        tell(13, 13)
        message = next_message(viewer)  # a stream that was still open may repeat rows: history.js leaves them out
        if steps(message) == [11, 12]:
            message = next_message(viewer)
        assert not message[0]["fresh"] and steps(message)[-1] == 13 and steps(message)[0] > 10


def test_a_cursor_from_before_a_reset_gets_everything(live_client: TestClient, live_run: str, tell: Any) -> None:
    tell(1, 10)
    with live_client.websocket_connect(url(live_run)) as viewer:
        cursor = next_message(viewer)[0]["cursor"]
    tell(1, 2, generation=1)
    with live_client.websocket_connect(url(live_run, cursor)) as viewer:
        message = next_message(viewer)
        assert message[0]["fresh"] and steps(message) == [1, 2]


GARBAGE = {
    "nothing": "",
    "no JSON": "{",
    "a list": "[1, 2]",
    "null": "null",
    "a number": "7",
    "a text": '"generation"',
    "keys missing": '{"generation": 0}',
    "infinite": '{"generation": 1e999, "thinned": 0, "train_step": 0, "test_step": 0, "marks": 0, "snapshot": 0}',
    "lists": '{"generation": [], "thinned": {}, "train_step": [], "test_step": 0, "marks": 0, "snapshot": 0}',
    "5,000 digits": "9" * 5000,
    "nested too deep": "[" * 5000,
}


@pytest.mark.parametrize("since", GARBAGE.values(), ids=GARBAGE.keys())
def test_a_cursor_that_is_none_gets_everything(since: str, live_client: TestClient, live_run: str, tell: Any) -> None:
    tell(1, 3)
    with live_client.websocket_connect(f"/live/{live_run}?since={quote(since)}") as viewer:
        assert steps(next_message(viewer)) == [1, 2, 3]


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "-5", "1e30"])
def test_a_strange_cursor_of_the_right_form_is_harmless(
    value: str, live_client: TestClient, live_run: str, tell: Any
) -> None:
    tell(1, 3)
    steps_read = f'"train_step": {value}, "test_step": {value}'
    cursor = f'{{"generation": 0, "thinned": 0, {steps_read}, "marks": -5, "snapshot": 0}}'
    with live_client.websocket_connect(f"/live/{live_run}?since={quote(cursor)}") as viewer:
        assert set(steps(next_message(viewer))) <= {1, 2, 3}
        tell(4, 4)
        assert steps(next_message(viewer)) == [4]


# ---- several viewers


def test_a_change_is_packed_once_for_all_viewers(
    live_client: TestClient, live_run: str, tell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed: list[int] = []

    def counting(news: News) -> bytes:
        packed.append(news.step)
        return pack(news)

    monkeypatch.setattr(socket, "pack", counting)
    tell(1, 3)
    with live_client.websocket_connect(url(live_run)) as one, live_client.websocket_connect(url(live_run)) as two:
        assert steps(next_message(one)) == steps(next_message(two)) == [1, 2, 3]
        for step in (4, 5):
            tell(step, step)
            first, second = one.receive_bytes(), two.receive_bytes()
            assert first is second and steps(unpack(first)) == [step]
    assert packed == [3, 3, 4, 5]  # each viewer's beginning, then once for both


def test_who_joins_a_running_stream_misses_nothing(live_client: TestClient, live_run: str, tell: Any) -> None:
    tell(1, 3)
    with live_client.websocket_connect(url(live_run)) as one:
        next_message(one)
        tell(4, 6)
        with live_client.websocket_connect(url(live_run)) as two:
            tell(7, 9)
            seen: list[int] = []
            while not seen or seen[-1] < 9:
                seen += steps(next_message(two))
    assert sorted(set(seen)) == list(range(1, 10))


def test_who_stays_when_another_leaves_goes_on(live_client: TestClient, live_run: str, tell: Any) -> None:
    tell(1, 3)
    with live_client.websocket_connect(url(live_run)) as stays:
        next_message(stays)
        with live_client.websocket_connect(url(live_run)) as leaves:
            next_message(leaves)
        tell(4, 4)
        assert steps(next_message(stays)) == [4]


def test_an_update_in_the_middle_of_connecting_is_not_lost(
    live_client: TestClient, live_run: str, tell: Any, fake_registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Updates come in on the engine's thread, at any moment: here right after the registry was first read."""
    tell(1, 10)
    original, pending = fake_registry.read, [(11, 11)]

    def reading(run: str, since: Cursor) -> News | None:
        news = original(run, since)
        while pending:
            tell(*pending.pop())
        return news

    monkeypatch.setattr(fake_registry, "read", reading)
    seen: list[int] = []
    with live_client.websocket_connect(url(live_run)) as viewer:
        seen += steps(next_message(viewer))
        tell(12, 12)
        while seen[-1] < 12:
            seen += steps(next_message(viewer))
    assert sorted(set(seen)) == list(range(1, 13))


def test_a_viewer_who_cannot_follow_is_sent_away_to_come_again(
    fake_registry: Registry, live_run: str, tell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection takes the first message and then nothing until far more than a queue of changes has passed."""
    monkeypatch.setattr(socket, "QUEUE", 2)
    tell(1, 1)
    sent: list[Any] = []

    async def watch() -> None:
        caught_up, leaving = asyncio.Event(), asyncio.Event()
        inbox: list[dict[str, Any]] = [{"type": "websocket.connect"}]

        async def receive() -> dict[str, Any]:
            if not inbox:
                await leaving.wait()
                return {"type": "websocket.disconnect", "code": 1001}
            return inbox.pop()

        async def send(message: Any) -> None:
            sent.append(message)
            if message["type"] == "websocket.send":
                await caught_up.wait()

        scope = {
            "type": "websocket",
            "path": f"/live/{live_run}",
            "query_string": b"",
            "headers": [(b"host", b"here")],
            "subprotocols": [],
            "root_path": "",
            "scheme": "ws",
        }
        served = asyncio.create_task(Starlette(routes=[live_route()])(scope, receive, send))
        for step in range(2, 8):
            tell(step, step)
            await asyncio.sleep(0.1)
        caught_up.set()
        await asyncio.wait_for(served, 30)

    asyncio.run(watch())
    assert sent[-1]["type"] == "websocket.close" and sent[-1]["code"] == LAGGING
    assert len([m for m in sent if m["type"] == "websocket.send"]) < 3


def test_nothing_goes_on_when_the_last_viewer_has_left(live_client: TestClient, live_run: str, tell: Any) -> None:
    tell(1, 3)
    with live_client.websocket_connect(url(live_run)) as viewer:
        next_message(viewer)
        assert live_run in socket.Channel._open
    for _ in range(500):
        if live_run not in socket.Channel._open:
            break
        live_client.portal.call(asyncio.sleep, 0.01)  # type: ignore[union-attr]
    assert live_run not in socket.Channel._open
