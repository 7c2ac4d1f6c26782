"""Who may listen to the live route, and the film beside it."""

from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from pages.ui.live.socket import GONE
from pages.ui.web.origins import REFUSED
from tests.live_message import next_message, steps, url
from vae_core.runs import registry as registry_module
from vae_core.runs.registry import Registry
from vae_core.runs.snapshot_file import frame_bytes
from vae_core.runs.storage import frame_file

# ---- who may listen


def refused(live_client: TestClient, run: str, **headers: str) -> int:
    """The code with which a connection is closed."""
    with (
        pytest.raises(WebSocketDisconnect) as caught,
        live_client.websocket_connect(f"/live/{run}", headers=headers) as viewer,
    ):
        viewer.receive_bytes()
    return caught.value.code


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://testserver.evil.example", "http://testserver:9999", "file://", "http://["],
)
def test_a_page_of_another_site_may_not_listen(origin: str, live_client: TestClient, live_run: str, tell: Any) -> None:
    tell(1, 3)
    assert refused(live_client, live_run, origin=origin) == REFUSED


@pytest.mark.parametrize("headers", [{}, {"origin": "http://testserver"}, {"origin": "https://testserver"}])
def test_this_servers_pages_and_scripts_may_listen(
    headers: dict[str, str], live_client: TestClient, live_run: str, tell: Any
) -> None:
    tell(1, 3)
    with live_client.websocket_connect(url(live_run), headers=headers) as viewer:
        assert steps(next_message(viewer)) == [1, 2, 3]


def test_an_unknown_run_is_gone(live_client: TestClient, fake_registry: Registry) -> None:
    assert refused(live_client, "nobody") == GONE


def test_a_run_that_is_forgotten_closes_its_streams(
    live_client: TestClient, fake_registry: Registry, live_run: str, tell: Any
) -> None:
    tell(1, 3)
    with live_client.websocket_connect(url(live_run)) as viewer:
        next_message(viewer)
        fake_registry.close_run(live_run)
        with pytest.raises(WebSocketDisconnect) as caught:
            viewer.receive_bytes()
    assert caught.value.code == GONE


# ---- the film


@pytest.fixture
def frame(fake_registry: Registry, live_run: str, tell: Any, snapshot_at: Any) -> bytes:
    """What the film of the run holds of step 7, uncompressed."""
    tell(1, 7, snapshot=snapshot_at(7))
    run = fake_registry.get(live_run)
    assert run is not None
    return frame_bytes(snapshot_at(7), run.diagnosis)


def raw_body(live_client: TestClient, path: str, accept: str) -> tuple[dict[str, str], bytes]:
    """Headers and the bytes as they travel, which httpx would unpack."""
    with live_client.stream("GET", path, headers={"accept-encoding": accept}) as response:
        assert response.status_code == 200
        return dict(response.headers), b"".join(response.iter_raw())


@pytest.mark.parametrize("accept", ["gzip, deflate, br", "GZIP", "br;q=1.0, gzip;q=0.8", "*", "identity;q=0.5, *;q=1"])
def test_a_frame_travels_as_its_file_is(accept: str, live_client: TestClient, live_run: str, frame: bytes) -> None:
    headers, body = raw_body(live_client, f"/film/{live_run}/7", accept)
    run = registry_module.shared().get(live_run)
    assert run is not None and body == frame_file(run.film_folder, 7).read_bytes()
    assert headers["content-encoding"] == "gzip" and int(headers["content-length"]) == len(body) < len(frame)
    assert headers["vary"] == "Accept-Encoding"
    assert live_client.get(f"/film/{live_run}/7", headers={"accept-encoding": accept}).content == frame


@pytest.mark.parametrize("accept", ["", "identity", "br", "gzip;q=0", "gzip; q=0.000, deflate", "*;q=0", "gzip;q=0, *"])
def test_a_client_without_gzip_gets_the_frame_unpacked(
    accept: str, live_client: TestClient, live_run: str, frame: bytes
) -> None:
    headers, body = raw_body(live_client, f"/film/{live_run}/7", accept)
    assert body == frame and "content-encoding" not in headers and headers["vary"] == "Accept-Encoding"
    assert headers["content-type"] == "application/octet-stream"


def test_what_is_no_frame_is_not_found(live_client: TestClient, live_run: str, frame: bytes) -> None:
    run = registry_module.shared().get(live_run)
    assert run is not None
    for path in (f"/film/{live_run}/8", "/film/nobody/7"):
        assert live_client.get(path).status_code == 404
    path = frame_file(run.film_folder, 7)
    path.write_bytes(path.read_bytes()[:-50])
    assert live_client.get(f"/film/{live_run}/7", headers={"accept-encoding": "identity"}).status_code == 404


def test_the_route_asks_the_servers_one_registry(fake_registry: Registry) -> None:
    assert registry_module.shared() is fake_registry
