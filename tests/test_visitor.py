"""The visitor's cookie: given once, with a page, and kept."""

import re
from http.cookies import SimpleCookie

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from pages.ui.visitor import COOKIE, VisitorCookie

GOOD = "AbCdEfGhIjKlMnOpQr-_12"  # 22 letters: 16 bytes in base64


async def page(_: Request) -> Response:
    return HTMLResponse("<p>hello</p>")


async def data(_: Request) -> Response:
    return JSONResponse({})


async def with_own_cookie(_: Request) -> Response:
    response = HTMLResponse("<p>hello</p>")
    response.set_cookie("other", "1")
    return response


@pytest.fixture
def client() -> TestClient:
    routes = [Route("/", page), Route("/data", data), Route("/own", with_own_cookie)]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(VisitorCookie)]))


def given(client: TestClient, path: str = "/", cookie: str | None = None) -> list[str]:
    """The visitor cookies that a response sets."""
    response = client.get(path, headers={} if cookie is None else {"cookie": cookie})
    client.cookies.clear()
    return [line for line in response.headers.get_list("set-cookie") if line.startswith(f"{COOKIE}=")]


def test_a_page_gives_a_new_visitor_one_cookie(client: TestClient) -> None:
    (line,) = given(client)
    morsel = SimpleCookie(line)[COOKIE]
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", morsel.value)
    assert morsel["httponly"] and morsel["samesite"] == "Lax" and morsel["path"] == "/"
    assert int(morsel["max-age"]) == 30 * 24 * 3600


def test_no_two_visitors_get_the_same(client: TestClient) -> None:
    assert len({given(client)[0] for _ in range(50)}) == 50


def test_the_cookie_comes_back_and_is_not_given_again(client: TestClient) -> None:
    first = client.get("/")
    second = client.get("/")
    assert COOKIE in first.cookies and "set-cookie" not in second.headers


@pytest.mark.parametrize("path", ["/data", "/nowhere"])
def test_only_pages_give_cookies(path: str, client: TestClient) -> None:
    assert given(client, path) == []


def test_other_cookies_of_a_page_stay(client: TestClient) -> None:
    names = {line.split("=")[0] for line in client.get("/own").headers.get_list("set-cookie")}
    assert names == {"other", COOKIE}


@pytest.mark.parametrize(
    "value", ["", "short", GOOD + "x", GOOD[:-1] + "!", "../../../../etc/passwd", '"' + GOOD[:20] + '"', "é" * 11]
)
def test_a_malformed_cookie_is_replaced(value: str, client: TestClient) -> None:
    response = client.get("/", headers=[(b"cookie", f"{COOKIE}={value}".encode())])
    assert response.headers["set-cookie"].startswith(f"{COOKIE}=")


OTHERS = {
    "alone": f"{COOKIE}={GOOD}",
    "after others": f"_xsrf=2|8a|b7|17; theme=dark; {COOKIE}={GOOD}",
    "before others": f"{COOKIE}={GOOD}; _xsrf=2|8a|b7|17",
    "after one with spaces": f"greeting=hello you; {COOKIE}={GOOD}",
    "after one with JSON": f'settings={{"dark": true}}; {COOKIE}={GOOD}',
    "after one without a name": f"flag; {COOKIE}={GOOD}",
}


@pytest.mark.parametrize("cookies", OTHERS.values(), ids=OTHERS.keys())
def test_a_valid_cookie_is_kept_whatever_others_the_browser_sends(cookies: str, client: TestClient) -> None:
    """Cookies know no ports: those of every other program on this host come along."""
    assert given(client, cookie=cookies) == []
