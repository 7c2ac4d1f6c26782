"""The ways in: below a prefix, behind a proxy, in a frame; and what every response tells the browser."""

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit import config, file_util

from pages.ui.visitor import COOKIE, VisitorCookie
from pages.ui.web.headers import SafeHeaders, failed
from pages.ui.web.origins import REFUSED, OwnOrigins, origin_of
from pages.ui.web.prefix import BelowPrefix
from pages.ui.web.settings import WebSettings

LAB = "https://lab.example.org"
Set = Callable[[str, Any], None]


@pytest.fixture
def option() -> Iterator[Set]:
    """Sets an option of Streamlit's for one test."""
    before: dict[str, Any] = {}

    def set_option(name: str, value: Any) -> None:
        before.setdefault(name, config.get_option(name))
        config.set_option(name, value)

    yield set_option
    for name, value in before.items():
        config.set_option(name, value)


async def said(request: Request) -> Response:
    return PlainTextResponse(f"{request.method} {request.path_params}")


async def hello(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(socket.path_params["run"])
    await socket.close()


async def fault(_: Request) -> Response:
    raise ZeroDivisionError


ROUTES = [
    Route("/film/{run}/{step}", said, methods=["GET", "PUT"]),
    WebSocketRoute("/live/{run}", hello),
    Mount("/assets", Starlette(routes=[Route("/x.js", said)])),
]


# ---- below a prefix


@pytest.mark.parametrize("prefix", ["", "lab/room", "/lab/room/"])
def test_our_routes_stand_below_the_prefix_and_nowhere_else(prefix: str, option: Set) -> None:
    option("server.baseUrlPath", prefix)
    root = "/lab/room" if prefix else ""
    client = TestClient(Starlette(routes=[BelowPrefix(ROUTES), Mount("/lab/room", PlainTextResponse("streamlit"))]))
    assert client.get(f"{root}/film/r/7").text == "GET {'run': 'r', 'step': '7'}"
    assert client.get(f"{root}/assets/x.js").status_code == 200
    with client.websocket_connect(f"{root}/live/abc") as socket:
        assert socket.receive_text() == "abc"
    if prefix:
        assert client.get("/film/r/7").status_code == client.get("/lab/roomfilm/r/7").status_code == 404
        assert client.get(f"{root}/elbo").text == "streamlit"


def test_the_way_to_the_first_page_names_no_host(option: Set) -> None:
    """Behind a proxy Starlette's own redirect would lead to a host that only the proxy can reach."""
    option("server.baseUrlPath", "lab/room")
    client = TestClient(Starlette(routes=[BelowPrefix(ROUTES)]))
    answer = client.get("/lab/room?digit=7", follow_redirects=False)
    assert answer.status_code == 307 and answer.headers["location"] == "/lab/room/?digit=7"


# ---- whose pages may talk to the server


@pytest.fixture
def guarded(option: Set) -> Callable[..., TestClient]:
    """A client of a server whose Host is another than that of the browser's address; listed: the setting."""

    def client(*listed: str) -> TestClient:
        option("server.corsAllowedOrigins", list(listed))
        probes = [Route(f"{at}/_stcore/{name}", said) for at in ("", "/elbo") for name in ("health", "host-config")]
        routes = [*ROUTES, *probes, WebSocketRoute("/_stcore/stream/{run}", hello)]
        return TestClient(Starlette(routes=routes, middleware=[Middleware(OwnOrigins)]), headers={"host": "inner:8501"})

    return client


Guarded = Callable[..., TestClient]


def closed(client: TestClient, path: str, origin: str) -> int:
    with pytest.raises(WebSocketDisconnect) as caught, client.websocket_connect(path, headers={"origin": origin}) as s:
        s.receive_text()
    return caught.value.code


def test_behind_a_proxy_a_listed_address_may_listen_and_write_and_no_other_one(guarded: Guarded) -> None:
    assert closed(guarded(), "/live/r", LAB) == REFUSED
    assert guarded().put("/film/r/7", headers={"origin": LAB}).status_code == 403
    client = guarded(LAB)
    with client.websocket_connect("/live/r", headers={"origin": LAB}) as socket:
        assert socket.receive_text() == "r"
    assert client.put("/film/r/7", headers={"origin": LAB}).status_code == 200
    for foreign in ("https://evil.example", "http://lab.example.org", f"{LAB}.evil.example", f"{LAB}:8443", "null"):
        assert closed(client, "/live/r", foreign) == closed(client, "/_stcore/stream/r", foreign) == REFUSED
        assert client.put("/film/r/7", headers={"origin": foreign}).status_code == 403
        assert client.get("/film/r/7", headers={"origin": foreign}).status_code == 200  # browsers keep it from them


def test_a_page_behind_a_proxy_is_told_the_cause_and_the_cure(
    guarded: Guarded, capsys: pytest.CaptureFixture[str]
) -> None:
    """What Streamlit's page asks first; it shows a text that comes as JSON. A watchman's plain question is answered."""
    opened = {"referer": f"{LAB}/elbo?section=kl"}
    client = guarded()
    asked = ("/_stcore/host-config", "/elbo/_stcore/host-config", "/elbo/_stcore/health")
    for path in asked:
        answer = client.get(path, headers=opened)
        assert answer.status_code == 421
        assert f"ELBO_ROOM_ORIGINS={LAB}\n" in answer.json() and "'inner:8501'" in answer.json()
        assert client.get(path).status_code == 200
    assert client.get("/_stcore/health", headers=opened).status_code == 200
    assert capsys.readouterr().err.count(f"ELBO_ROOM_ORIGINS={LAB}") == 1  # told to the operator, too, and once
    assert {guarded(LAB).get(path, headers=opened).status_code for path in asked} == {200}


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://LAB.example.org:443/room?x#y", LAB),
        ("http://lab:80", "http://lab"),
        ("http://[::1]:8501/", "http://[::1]:8501"),
        *((bad, None) for bad in ("null", "", "lab.example.org", "file:///x", "http://", "http://[", "http://a:99999")),
    ],
)
def test_an_origin_is_scheme_host_and_port(address: str, origin: str | None) -> None:
    assert origin_of(address) == origin


# ---- what the environment says


def test_settings_name_origins_and_frames(capsys: pytest.CaptureFixture[str]) -> None:
    asked = {
        "ELBO_ROOM_ORIGINS": " https://Lab.example.org:443/, http://10.0.0.7:8080 https://lab.example.org",
        "ELBO_ROOM_FRAMES": "https://*.example.org,https://moodle.example.com",
    }
    settings = WebSettings.of(asked)
    assert settings.origins == (LAB, "http://10.0.0.7:8080")
    assert settings.frames == ("https://*.example.org", "https://moodle.example.com")
    assert WebSettings.of({}) == WebSettings.of({"ELBO_ROOM_ORIGINS": " ,"}) == WebSettings()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "bad", ["lab.example.org", "*", "https://*.example.org", f"{LAB}/room", "https://a;script-src"]
)
def test_a_bad_address_is_named_and_the_others_hold(bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert WebSettings.of({"ELBO_ROOM_ORIGINS": f"{bad} {LAB}"}).origins == (LAB,)
    said = capsys.readouterr().err
    assert repr(bad) in said and "such as https://lab.example.org" in said and said.count("\n") == 1


def test_streamlits_own_checks_follow_also_when_it_reads_its_settings_again(
    option: Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    again: list[Callable[[], None]] = []
    monkeypatch.setattr(config, "on_config_parsed", lambda tell, force_connect: again.append(tell))
    option("server.corsAllowedOrigins", ["https://other.example"])
    option("server.enableXsrfProtection", True)
    WebSettings().hand_to_streamlit()
    assert config.get_option("server.enableXsrfProtection") is True
    WebSettings((LAB,), ("https://moodle.example.org",)).hand_to_streamlit()
    assert config.get_option("server.corsAllowedOrigins") == ["https://other.example", LAB]
    assert config.get_option("server.enableXsrfProtection") is False  # its token needs a cookie
    config.set_option("server.enableXsrfProtection", True)
    again[-1]()
    assert config.get_option("server.enableXsrfProtection") is False


# ---- headers and the cookie


def test_every_response_carries_the_headers_also_a_fault() -> None:
    routes = [Route("/", said), Route("/fault", fault)]
    middleware = [Middleware(SafeHeaders, frames=("https://moodle.example.org",)), Middleware(OwnOrigins)]
    app = Starlette(routes=routes, middleware=middleware, exception_handlers={Exception: failed})
    client = TestClient(app, raise_server_exceptions=False)
    answers = [client.get("/"), client.get("/none"), client.post("/", headers={"origin": LAB}), client.get("/fault")]
    assert [answer.status_code for answer in answers] == [200, 404, 403, 500]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    policy = answers[0].headers["content-security-policy"]
    assert policy.endswith("frame-ancestors 'self' https://moodle.example.org")


def test_without_the_setting_nobody_elses_frame_shows_a_page() -> None:
    client = TestClient(Starlette(routes=[Route("/", said)], middleware=[Middleware(SafeHeaders)]))
    policy = client.get("/").headers["content-security-policy"]
    assert policy.endswith("frame-ancestors 'self'")
    with open(f"{file_util.get_static_dir()}/index.html", encoding="utf-8") as file:
        (script,) = re.findall(r"<script>([^<]*)</script>", file.read())
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy and "unsafe-eval" not in policy and "http" not in policy


@pytest.mark.parametrize(
    ("framed", "dest", "attributes"),
    [
        (False, "iframe", "SameSite=Lax"),
        (True, "document", "SameSite=Lax"),
        (True, "", "SameSite=Lax"),  # plain http: a browser would throw a Secure cookie away
        (True, "iframe", "SameSite=None; Secure; Partitioned"),
    ],
)
def test_the_cookie_suits_the_place_and_stays_below_the_prefix(
    framed: bool, dest: str, attributes: str, option: Set
) -> None:
    option("server.baseUrlPath", "lab/room")
    page = Route("/lab/room/", lambda _: Response("<p>", media_type="text/html"))
    client = TestClient(Starlette(routes=[page], middleware=[Middleware(VisitorCookie, framed=framed)]))
    line = client.get("/lab/room/", headers={"sec-fetch-dest": dest}).headers["set-cookie"]
    assert re.fullmatch(rf"{COOKIE}=[\w-]{{22}}; Path=/lab/room; Max-Age=2592000; HttpOnly; {attributes}", line)


def test_the_app_takes_our_routes_as_one_and_refuses_one_of_its_own() -> None:
    """Streamlit looks at the paths of the routes that it is given; it sees ours as one that it has not."""
    ours = BelowPrefix(ROUTES)
    assert st.App(__file__, routes=[ours])._user_routes == [ours]
    with pytest.raises(ValueError, match="reserved"):
        st.App(__file__, routes=[Route("/_stcore/mine", lambda _: Response(""))])
