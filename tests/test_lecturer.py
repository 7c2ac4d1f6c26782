"""Who becomes the lecturer, by which key, and how the key leaves the address before anybody sees it."""

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from pages.ui import lecturer as page_side
from pages.ui.lecturer import LecturerKey, class_link, is_only_here, key_link
from pages.ui.visitor import COOKIE, VisitorCookie
from vae_core.runs import environment
from vae_core.runs.lecturer import Lecturers
from vae_core.runs.log import last_sentences
from vae_core.runs.registry import Registry

KEY = "lecture-of-today"

# ---- who is one


def test_only_the_key_makes_a_lecturer_and_only_of_who_has_it() -> None:
    lecturers = Lecturers(KEY)
    for wrong in ("", KEY[:-1], KEY + "x", KEY.upper(), "é" * 16, "\udcff"):
        assert not lecturers.admit(wrong, "eve")
    assert lecturers.admit(KEY, "ann")
    assert [lecturers.is_lecturer(visitor) for visitor in ("ann", "eve", "")] == [True, False, False]


def test_what_was_shown_last_is_followed() -> None:
    lecturers = Lecturers(KEY)
    assert lecturers.followed == ""
    for run_id in ("one", "two"):
        lecturers.show(run_id)
        assert lecturers.followed == run_id


def test_a_pin_holds_until_it_is_taken_out() -> None:
    lecturers = Lecturers(KEY)
    lecturers.pin("one")
    lecturers.pin("one")
    assert lecturers.is_pinned("one") and not lecturers.is_pinned("two")
    for _ in range(2):
        lecturers.unpin("one")
    assert not lecturers.is_pinned("one")


def test_visitors_keep_their_numbers_however_many_ask_at_once() -> None:
    lecturers, found = Lecturers(KEY), []

    def ask() -> None:
        found.append([lecturers.number_of(f"visitor {n}") for n in range(200)])

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 8 and all(numbers == found[0] for numbers in found)
    assert sorted(found[0]) == list(range(1, 201))


def test_lecturers_come_and_show_while_others_ask() -> None:
    lecturers = Lecturers(KEY)

    def come(name: int) -> None:
        for n in range(200):
            assert lecturers.admit(KEY, f"{name} {n}")
            lecturers.show(f"{name} {n}")
            lecturers.is_lecturer("nobody")

    threads = [threading.Thread(target=come, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert all(lecturers.is_lecturer(f"{name} {n}") for name in range(4) for n in range(200))
    assert lecturers.followed.endswith(" 199")


# ---- the key


def test_the_key_is_another_one_at_every_start_unless_the_environment_sets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ELBO_ROOM_KEY", raising=False)
    keys = {environment.default_key() for _ in range(20)}
    assert len(keys) == 20 and min(map(len, keys)) >= 20
    monkeypatch.setenv("ELBO_ROOM_KEY", KEY)
    assert environment.default_key() == KEY


@pytest.mark.parametrize(
    "asked", ["short", "1234567", "x" * 101, "with space", "ümlaut-und-mehr", "a/b?c=d&e", "a" * 8 + "\n"]
)
def test_a_bad_key_is_one_sentence_that_does_not_tell_it_and_a_random_one_holds(
    asked: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ELBO_ROOM_KEY", asked)
    key = environment.default_key()
    said = capsys.readouterr().err
    assert key != asked and len(key) >= 20
    assert said.startswith("ELBO_ROOM_KEY is no key") and said.count("\n") == 1 and asked.strip() not in said
    assert last_sentences()[-1].text == said.strip()


def test_every_registry_has_its_own(fake_registry: Registry) -> None:
    assert len(fake_registry.lecturers.key) >= 20


@pytest.mark.parametrize(
    ("options", "link"),
    [
        ({}, "http://127.0.0.1:8501/?key=k"),
        ({"server.baseUrlPath": "/lab/room/"}, "http://127.0.0.1:8501/lab/room/?key=k"),
        ({"server.address": "0.0.0.0", "browser.serverPort": 80}, "http://10.1.2.3:80/?key=k"),
        ({"server.address": None}, "http://10.1.2.3:8501/?key=k"),
        ({"server.address": "::1"}, "http://[::1]:8501/?key=k"),
        ({"server.sslCertFile": "cert.pem"}, "https://127.0.0.1:8501/?key=k"),
        ({"browser.serverAddress": "vae.example.org", "browser.serverPort": 443}, "http://vae.example.org:443/?key=k"),
    ],
)
def test_the_link_leads_to_where_the_server_is(
    options: dict[str, Any], link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = {
        "server.address": "127.0.0.1",
        "server.baseUrlPath": "",
        "server.sslCertFile": None,
        "browser.serverAddress": "localhost",
        "browser.serverPort": 8501,
    }
    monkeypatch.setattr(page_side.st, "get_option", (usual | options).__getitem__)
    monkeypatch.setattr(page_side, "_own_address", lambda: "10.1.2.3")
    assert key_link("k") == link


def test_the_own_address_is_one_or_this_computer() -> None:
    assert page_side._own_address() == "localhost" or page_side._own_address().count(".") == 3


@pytest.mark.parametrize(
    ("page", "link", "here"),
    [
        ("http://127.0.0.1:8501/room", "http://127.0.0.1:8501/training?follow=1", True),
        ("http://localhost:8501/training", "http://localhost:8501/training?follow=1", True),
        ("https://lab.example.org/vae/room", "https://lab.example.org/vae/training?follow=1", False),
        (None, "training?follow=1", False),
    ],
)
def test_the_link_of_the_class_is_that_of_the_page_it_stands_on(page: str | None, link: str, here: bool) -> None:
    assert class_link(page) == link and is_only_here(link) is here


# ---- the address


@pytest.fixture
def served(fake_registry: Registry) -> Iterator[TestClient]:
    """A page behind both, which says what it was asked for."""

    async def page(request: Request) -> Response:
        return HTMLResponse(str(request.url.query))

    middleware = [Middleware(VisitorCookie), Middleware(LecturerKey)]
    routes = [Route("/", page), Route("/training", page), Route("/lab/room/", page)]
    with TestClient(Starlette(routes=routes, middleware=middleware), headers={"accept": "text/html"}) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/training", "/lab/room/"])
def test_who_opens_the_link_is_the_lecturer_and_the_key_is_gone(
    path: str, served: TestClient, fake_registry: Registry
) -> None:
    lecturers = fake_registry.lecturers
    response = served.get(path, params={"seed": "3", "key": lecturers.key, "text": "é&="})
    assert response.url.path == path and lecturers.key not in str(response.url)
    assert parse_qs(urlsplit(str(response.url)).query) == {"seed": ["3"], "text": ["é&="], "lecturer": ["1"]}
    assert lecturers.is_lecturer(served.cookies[COOKIE])
    for step in response.history:  # nothing of it stays in a browser, nor goes to the next site
        assert step.status_code == 303 and step.content == b""
        assert step.headers["cache-control"] == "no-store" and step.headers["referrer-policy"] == "no-referrer"


def test_who_has_a_cookie_keeps_it(served: TestClient, fake_registry: Registry) -> None:
    served.get("/")
    token = served.cookies[COOKIE]
    response = served.get("/", params={"key": fake_registry.lecturers.key})
    assert fake_registry.lecturers.is_lecturer(token) and served.cookies[COOKIE] == token
    assert len(response.history) == 1 and "set-cookie" not in response.history[0].headers


def test_a_wrong_key_makes_nobody_a_lecturer_and_goes_too(served: TestClient, fake_registry: Registry) -> None:
    response = served.get("/", params={"key": "wrong-key-of-before", "lecturer": "1"})
    assert response.url.query == b"lecturer=0"
    assert not fake_registry.lecturers.is_lecturer(served.cookies[COOKIE])


def test_a_browser_that_keeps_no_cookie_is_told_so_and_not_sent_round_for_ever(
    served: TestClient, fake_registry: Registry
) -> None:
    address, visited = f"/?key={fake_registry.lecturers.key}", []
    while "key=" in address and len(visited) < 5:
        response = served.get(address, follow_redirects=False)
        served.cookies.clear()
        address = f"/{response.headers['location']}"
        visited.append(address)
    assert visited[-1] == "/?lecturer=no-cookie" and len(visited) == 2


@pytest.mark.parametrize("asked", [{"method": "POST"}, {"headers": {"accept": "application/json"}}])
def test_only_pages_are_sent_on(asked: dict[str, Any], served: TestClient, fake_registry: Registry) -> None:
    url = f"/?key={fake_registry.lecturers.key}"
    response = served.request(**({"method": "GET", "url": url, "follow_redirects": False} | asked))
    assert response.status_code in (200, 405) and "location" not in response.headers
