"""The live route: what travels over it, who may listen, and that nothing falls between two messages."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
import safetensors.numpy
from starlette.applications import Starlette
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from pages.ui.live import socket
from pages.ui.live.socket import FOREIGN, GONE, LAGGING, film_route, live_route, pack
from vae_core.config import LiveSettings, RunConfig
from vae_core.inspect.snapshot import Snapshot
from vae_core.runs import registry as registry_module
from vae_core.runs.messages import PAUSED, RUNNING, Update
from vae_core.runs.news import Cursor, News
from vae_core.runs.registry import Registry
from vae_core.runs.snapshot_file import frame_bytes
from vae_core.runs.storage import frame_file
from vae_core.trainer import Mark

Message = tuple[dict[str, Any], dict[str, np.ndarray]]


@pytest.fixture(autouse=True)
def short_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "TICK_S", 0.01)


@pytest.fixture
def run_id(fake_registry: Registry) -> str:
    """A run of which the registry knows nothing yet but its config."""
    return fake_registry.start(RunConfig(device="cpu", latent_dim=3), "ann")


@pytest.fixture
def tell(run_id: str, links: list[Any]) -> Callable[..., None]:
    """Let the engine report the steps `first` to `last`, and whatever else is named."""

    def report(first: int, last: int, **more: Any) -> None:
        steps = np.arange(first, last + 1, dtype=np.float32)
        rows = np.column_stack([steps, steps + 0.5, steps + 0.25, 2 * steps + 0.75]).astype(np.float32)
        values = {"generation": 0, "status": RUNNING, "step": last, "total_steps": 1000, "rows": rows} | more
        links[-1].tell(Update(run_id, **values))

    return report


@pytest.fixture
def snapshot(snapshot_of_new_model: Snapshot) -> Callable[..., Snapshot]:
    """A snapshot of a step, with whatever else is named in place of what was computed."""

    def at(step: int = 0, **changes: Any) -> Snapshot:
        values = {"step": step, "nll": 150.5, "kl": 6.25, "mean_std": 0.5, "active": np.array([True, False, True])}
        return replace(snapshot_of_new_model, **(values | changes))

    return at


@pytest.fixture
def client() -> Iterator[TestClient]:
    """One event loop for all viewers, as on the server."""
    with TestClient(Starlette(routes=[live_route(), film_route()])) as made:
        yield made


def unpack(message: bytes) -> Message:
    """By hand: u64 length, JSON header, data. Strict about JSON, as a browser is."""

    def never(constant: str) -> Any:
        raise AssertionError(f"{constant} is no JSON")

    (length,) = struct.unpack("<Q", message[:8])
    header = json.loads(message[8 : 8 + length], parse_constant=never)
    news = json.loads(header.pop("__metadata__")["news"], parse_constant=never)
    types = {"F32": "<f4", "I16": "<i2", "U8": "u1"}
    arrays = {}
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        arrays[name] = np.frombuffer(message[start:end], types[entry["dtype"]]).reshape(entry["shape"])
    return news, arrays


def next_message(viewer: WebSocketTestSession) -> Message:
    return unpack(viewer.receive_bytes())


def steps(message: Message) -> list[int]:
    return [int(step) for step in message[1]["train"][:, 0]]


def url(run: str, since: Any = None) -> str:
    return f"/live/{run}" if since is None else f"/live/{run}?since={quote(json.dumps(since))}"


def all_news(registry: Registry, run: str) -> News:
    news = registry.read(run, Cursor())
    assert news is not None
    return news


# ---- the message


def test_a_message_is_read_by_safetensors_and_by_hand(
    fake_registry: Registry, run_id: str, tell: Any, snapshot: Any
) -> None:
    tell(1, 7, snapshot=snapshot(7), marks=(Mark(3, "beta 1 → 0 at step 3", LiveSettings(beta=0.0)),))
    message = pack(all_news(fake_registry, run_id))
    news, arrays = unpack(message)
    library = safetensors.numpy.load(message)
    assert arrays.keys() == library.keys()
    assert all(np.array_equal(arrays[k], library[k]) and arrays[k].dtype == library[k].dtype for k in arrays)
    assert (news["run"], news["fresh"], news["status"], news["step"]) == (run_id, True, RUNNING, 7)
    assert news["config"] == RunConfig(device="cpu", latent_dim=3).to_dict()
    assert [(mark["step"], mark["text"]) for mark in news["marks"]] == [(3, "beta 1 → 0 at step 3")]


def test_the_arrays_are_those_of_the_snapshot(fake_registry: Registry, run_id: str, tell: Any, snapshot: Any) -> None:
    taken = snapshot(7)
    tell(1, 7, snapshot=taken)
    news, arrays = unpack(pack(all_news(fake_registry, run_id)))
    for name in ("originals", "reconstructions", "prior_draws", "labels", "kl_dims"):
        assert np.array_equal(arrays[name], getattr(taken, name)), name
    assert arrays["active"].tolist() == [1, 0, 1]
    assert arrays["train"][:, 0].tolist() == list(range(1, 8)) and arrays["test"].tolist() == [[7, 150.5, 6.25, 0.5, 2]]
    assert news["snapshot"]["nll"] == 150.5 and news["snapshot"]["sigma"] is None


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_codes_travel_to_a_precision_finer_than_a_pixel(
    scale: float, fake_registry: Registry, run_id: str, tell: Any, snapshot: Any
) -> None:
    taken = snapshot(1, xy=snapshot().xy * np.float32(scale))
    tell(1, 1, snapshot=taken)
    news, arrays = unpack(pack(all_news(fake_registry, run_id)))
    found = arrays["xy"] * news["snapshot"]["xyUnit"]
    assert np.abs(found - taken.xy).max() <= np.abs(taken.xy).max() / 30_000


def test_codes_at_one_point_are_packed_too(fake_registry: Registry, run_id: str, tell: Any, snapshot: Any) -> None:
    tell(1, 1, snapshot=snapshot(1, xy=np.zeros_like(snapshot().xy)))
    assert not unpack(pack(all_news(fake_registry, run_id)))[1]["xy"].any()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_figures_that_are_no_numbers_do_not_break_the_message(
    fake_registry: Registry, run_id: str, tell: Any, snapshot: Any
) -> None:
    """JSON knows no NaN: a browser that gets one drops the whole message, rows and all."""
    nowhere = np.full_like(snapshot().xy, np.nan)
    tell(1, 1, snapshot=snapshot(1, nll=float("nan"), kl=float("inf"), mean_std=float("nan"), xy=nowhere))
    news, _ = unpack(pack(all_news(fake_registry, run_id)))
    assert news["snapshot"]["nll"] is None and news["snapshot"]["kl"] is None


# ---- the stream


def test_first_everything_then_only_what_is_new(client: TestClient, run_id: str, tell: Any, snapshot: Any) -> None:
    tell(1, 10, snapshot=snapshot(10))
    with client.websocket_connect(url(run_id)) as viewer:
        first = next_message(viewer)
        assert first[0]["fresh"] and steps(first) == list(range(1, 11)) and "xy" in first[1]
        tell(11, 13)
        second = next_message(viewer)
        assert not second[0]["fresh"] and steps(second) == [11, 12, 13] and "xy" not in second[1]
        tell(14, 14, snapshot=snapshot(14))
        third = next_message(viewer)
        assert steps(third) == [14] and third[0]["snapshot"]["step"] == 14


def test_many_changes_arrive_without_gap_and_without_overlap(client: TestClient, run_id: str, tell: Any) -> None:
    tell(1, 5)
    seen: list[int] = []
    with client.websocket_connect(url(run_id)) as viewer:
        for step in range(6, 60):
            tell(step, step)
        while not seen or seen[-1] < 59:
            seen += steps(next_message(viewer))
    assert seen == list(range(1, 60))


def test_a_status_alone_is_news(client: TestClient, run_id: str, tell: Any) -> None:
    tell(1, 3)
    with client.websocket_connect(url(run_id)) as viewer:
        next_message(viewer)
        tell(4, 3, status=PAUSED, step=3)
        message = next_message(viewer)
        assert message[0]["status"] == PAUSED and steps(message) == []


def test_after_a_reset_the_viewer_is_told_to_forget(client: TestClient, run_id: str, tell: Any) -> None:
    tell(1, 10)
    with client.websocket_connect(url(run_id)) as viewer:
        next_message(viewer)
        tell(1, 0, generation=1, status=PAUSED, step=0)
        message = next_message(viewer)
        assert message[0]["fresh"] and steps(message) == []
        tell(1, 2, generation=1)
        assert steps(next_message(viewer)) == [1, 2]


def test_a_viewer_who_comes_back_gets_only_new_rows(client: TestClient, run_id: str, tell: Any, snapshot: Any) -> None:
    tell(1, 10, snapshot=snapshot(10))
    with client.websocket_connect(url(run_id)) as viewer:
        cursor = next_message(viewer)[0]["cursor"]
    tell(11, 12)
    with client.websocket_connect(url(run_id, cursor)) as viewer:
        message = next_message(viewer)
        assert not message[0]["fresh"] and steps(message) == [11, 12] and "xy" not in message[1]
        tell(13, 13)
        message = next_message(viewer)  # a stream that was still open may repeat rows: history.js leaves them out
        if steps(message) == [11, 12]:
            message = next_message(viewer)
        assert not message[0]["fresh"] and steps(message)[-1] == 13 and steps(message)[0] > 10


def test_a_cursor_from_before_a_reset_gets_everything(client: TestClient, run_id: str, tell: Any) -> None:
    tell(1, 10)
    with client.websocket_connect(url(run_id)) as viewer:
        cursor = next_message(viewer)[0]["cursor"]
    tell(1, 2, generation=1)
    with client.websocket_connect(url(run_id, cursor)) as viewer:
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
def test_a_cursor_that_is_none_gets_everything(since: str, client: TestClient, run_id: str, tell: Any) -> None:
    tell(1, 3)
    with client.websocket_connect(f"/live/{run_id}?since={quote(since)}") as viewer:
        assert steps(next_message(viewer)) == [1, 2, 3]


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "-5", "1e30"])
def test_a_strange_cursor_of_the_right_form_is_harmless(value: str, client: TestClient, run_id: str, tell: Any) -> None:
    tell(1, 3)
    steps_read = f'"train_step": {value}, "test_step": {value}'
    cursor = f'{{"generation": 0, "thinned": 0, {steps_read}, "marks": -5, "snapshot": 0}}'
    with client.websocket_connect(f"/live/{run_id}?since={quote(cursor)}") as viewer:
        assert set(steps(next_message(viewer))) <= {1, 2, 3}
        tell(4, 4)
        assert steps(next_message(viewer)) == [4]


# ---- several viewers


def test_a_change_is_packed_once_for_all_viewers(
    client: TestClient, run_id: str, tell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed: list[int] = []

    def counting(news: News) -> bytes:
        packed.append(news.step)
        return pack(news)

    monkeypatch.setattr(socket, "pack", counting)
    tell(1, 3)
    with client.websocket_connect(url(run_id)) as one, client.websocket_connect(url(run_id)) as two:
        assert steps(next_message(one)) == steps(next_message(two)) == [1, 2, 3]
        for step in (4, 5):
            tell(step, step)
            first, second = one.receive_bytes(), two.receive_bytes()
            assert first is second and steps(unpack(first)) == [step]
    assert packed == [3, 3, 4, 5]  # each viewer's beginning, then once for both


def test_who_joins_a_running_stream_misses_nothing(client: TestClient, run_id: str, tell: Any) -> None:
    tell(1, 3)
    with client.websocket_connect(url(run_id)) as one:
        next_message(one)
        tell(4, 6)
        with client.websocket_connect(url(run_id)) as two:
            tell(7, 9)
            seen: list[int] = []
            while not seen or seen[-1] < 9:
                seen += steps(next_message(two))
    assert sorted(set(seen)) == list(range(1, 10))


def test_who_stays_when_another_leaves_goes_on(client: TestClient, run_id: str, tell: Any) -> None:
    tell(1, 3)
    with client.websocket_connect(url(run_id)) as stays:
        next_message(stays)
        with client.websocket_connect(url(run_id)) as leaves:
            next_message(leaves)
        tell(4, 4)
        assert steps(next_message(stays)) == [4]


def test_an_update_in_the_middle_of_connecting_is_not_lost(
    client: TestClient, run_id: str, tell: Any, fake_registry: Registry, monkeypatch: pytest.MonkeyPatch
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
    with client.websocket_connect(url(run_id)) as viewer:
        seen += steps(next_message(viewer))
        tell(12, 12)
        while seen[-1] < 12:
            seen += steps(next_message(viewer))
    assert sorted(set(seen)) == list(range(1, 13))


def test_a_viewer_who_cannot_follow_is_sent_away_to_come_again(
    fake_registry: Registry, run_id: str, tell: Any, monkeypatch: pytest.MonkeyPatch
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
            "path": f"/live/{run_id}",
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


def test_nothing_goes_on_when_the_last_viewer_has_left(client: TestClient, run_id: str, tell: Any) -> None:
    tell(1, 3)
    with client.websocket_connect(url(run_id)) as viewer:
        next_message(viewer)
        assert run_id in socket.Channel._open
    for _ in range(500):
        if run_id not in socket.Channel._open:
            break
        client.portal.call(asyncio.sleep, 0.01)  # type: ignore[union-attr]
    assert run_id not in socket.Channel._open


# ---- who may listen


def refused(client: TestClient, run: str, **headers: str) -> int:
    """The code with which a connection is closed."""
    with (
        pytest.raises(WebSocketDisconnect) as caught,
        client.websocket_connect(f"/live/{run}", headers=headers) as viewer,
    ):
        viewer.receive_bytes()
    return caught.value.code


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://testserver.evil.example", "http://testserver:9999", "file://", "http://["],
)
def test_a_page_of_another_site_may_not_listen(origin: str, client: TestClient, run_id: str, tell: Any) -> None:
    tell(1, 3)
    assert refused(client, run_id, origin=origin) == FOREIGN


@pytest.mark.parametrize("headers", [{}, {"origin": "http://testserver"}, {"origin": "https://testserver"}])
def test_this_servers_pages_and_scripts_may_listen(
    headers: dict[str, str], client: TestClient, run_id: str, tell: Any
) -> None:
    tell(1, 3)
    with client.websocket_connect(url(run_id), headers=headers) as viewer:
        assert steps(next_message(viewer)) == [1, 2, 3]


def test_an_unknown_run_is_gone(client: TestClient, fake_registry: Registry) -> None:
    assert refused(client, "nobody") == GONE


def test_a_run_that_is_forgotten_closes_its_streams(
    client: TestClient, fake_registry: Registry, run_id: str, tell: Any
) -> None:
    tell(1, 3)
    with client.websocket_connect(url(run_id)) as viewer:
        next_message(viewer)
        fake_registry.close_run(run_id)
        with pytest.raises(WebSocketDisconnect) as caught:
            viewer.receive_bytes()
    assert caught.value.code == GONE


# ---- the film


@pytest.fixture
def frame(fake_registry: Registry, run_id: str, tell: Any, snapshot: Any) -> bytes:
    """What the film of the run holds of step 7, uncompressed."""
    tell(1, 7, snapshot=snapshot(7))
    run = fake_registry.get(run_id)
    assert run is not None
    return frame_bytes(snapshot(7), run.diagnosis)


def raw_body(client: TestClient, path: str, accept: str) -> tuple[dict[str, str], bytes]:
    """Headers and the bytes as they travel, which httpx would unpack."""
    with client.stream("GET", path, headers={"accept-encoding": accept}) as response:
        assert response.status_code == 200
        return dict(response.headers), b"".join(response.iter_raw())


@pytest.mark.parametrize("accept", ["gzip, deflate, br", "GZIP", "br;q=1.0, gzip;q=0.8", "*", "identity;q=0.5, *;q=1"])
def test_a_frame_travels_as_its_file_is(accept: str, client: TestClient, run_id: str, frame: bytes) -> None:
    headers, body = raw_body(client, f"/film/{run_id}/7", accept)
    run = registry_module.shared().get(run_id)
    assert run is not None and body == frame_file(run.film_folder, 7).read_bytes()
    assert headers["content-encoding"] == "gzip" and int(headers["content-length"]) == len(body) < len(frame)
    assert headers["vary"] == "Accept-Encoding"
    assert client.get(f"/film/{run_id}/7", headers={"accept-encoding": accept}).content == frame


@pytest.mark.parametrize("accept", ["", "identity", "br", "gzip;q=0", "gzip; q=0.000, deflate", "*;q=0", "gzip;q=0, *"])
def test_a_client_without_gzip_gets_the_frame_unpacked(
    accept: str, client: TestClient, run_id: str, frame: bytes
) -> None:
    headers, body = raw_body(client, f"/film/{run_id}/7", accept)
    assert body == frame and "content-encoding" not in headers and headers["vary"] == "Accept-Encoding"
    assert headers["content-type"] == "application/octet-stream"


def test_what_is_no_frame_is_not_found(client: TestClient, run_id: str, frame: bytes) -> None:
    run = registry_module.shared().get(run_id)
    assert run is not None
    for path in (f"/film/{run_id}/8", "/film/nobody/7"):
        assert client.get(path).status_code == 404
    path = frame_file(run.film_folder, 7)
    path.write_bytes(path.read_bytes()[:-50])
    assert client.get(f"/film/{run_id}/7", headers={"accept-encoding": "identity"}).status_code == 404


def test_the_route_asks_the_servers_one_registry(fake_registry: Registry) -> None:
    assert registry_module.shared() is fake_registry
