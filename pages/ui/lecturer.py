"""The lecturer: whoever has opened the link with the key that the server printed when it was started."""

import socket
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pages.ui import notices, visitor
from vae_core.runs import registry

KEY = "key"  # in the address that the server prints
ANSWER = "lecturer"  # in the address that the browser is sent on to: what became of the key
TAKEN, WRONG, NO_COOKIE, FIRST_A_COOKIE = "1", "0", "no-cookie", "first-a-cookie"
CLASS = "training?follow=1"
_EVERYWHERE = ("0.0.0.0", "::", "")  # a server that listens there has no address of its own
_HERE = ("localhost", "127.0.0.1", "::1")


class LecturerKey:
    """Takes the key out of the address before any page is sent: no projector shows it, and Back does not lead to it.

    It stands within VisitorCookie, which gives a browser that has none its cookie with the first answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = _asked(scope)
        if KEY not in asked:
            return await self.app(scope, receive, send)
        key, before = asked.pop(KEY), asked.pop(ANSWER, "")
        token = visitor.token_in(Headers(scope=scope).get("cookie", ""))
        if token:
            asked[ANSWER] = TAKEN if registry.shared().lecturers.admit(key, token) else WRONG
        elif before != FIRST_A_COOKIE:
            asked |= {KEY: key, ANSWER: FIRST_A_COOKIE}
        else:
            asked[ANSWER] = NO_COOKIE
        # A question mark alone is the same path again, whatever prefix a proxy has taken off it.
        headers = {"location": f"?{urlencode(asked)}", "cache-control": "no-store", "referrer-policy": "no-referrer"}
        await Response(status_code=303, headers=headers, media_type="text/html")(scope, receive, send)


def _asked(scope: Scope) -> dict[str, str]:
    """What stands behind the question mark, where a browser asks for a page."""
    if scope["type"] != "http" or scope["method"] != "GET" or "text/html" not in Headers(scope=scope).get("accept", ""):
        return {}
    return dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))


def is_lecturer() -> bool:
    """Whether the visitor of this session is one."""
    return registry.shared().lecturers.is_lecturer(visitor.current())


def answer_key() -> None:
    """Say once what became of the key, after the link that held it."""
    answer = st.query_params.get(ANSWER)
    if answer is not None:
        del st.query_params[ANSWER]
        if answer == TAKEN and is_lecturer():
            st.toast("The key was taken: you are the lecturer here.", icon=":material/key:", duration="long")
        elif answer == NO_COOKIE:
            notices.put(ANSWER, "This browser keeps no cookie of this server: allow it, and open the link once more.")
        else:
            notices.put(ANSWER, "This is not the key of this server: open the link that it printed when it started.")
    notices.show(ANSWER)


def key_link(key: str) -> str:
    """The link that makes a lecturer of whoever opens it."""
    scheme = "https" if st.get_option("server.sslCertFile") else "http"
    path = (st.get_option("server.baseUrlPath") or "").strip("/")
    host = f"{scheme}://{_address()}:{st.get_option('browser.serverPort')}/{path}"
    return f"{host.rstrip('/')}/?{urlencode({KEY: key})}"


def class_link(page: str | None) -> str:
    """The link by which a class follows the lecturer; page: the address of any page, as this browser has it."""
    return urljoin(page or "", CLASS)


def is_only_here(link: str) -> bool:
    """Whether a link leads nowhere on any other machine."""
    return urlsplit(link).hostname in _HERE


def _address() -> str:
    """Where browsers find the server: as it was told, else where it listens, else this machine's own address."""
    named, listens = st.get_option("browser.serverAddress"), st.get_option("server.address") or ""
    if named != "localhost":
        return named
    address = _own_address() if listens in _EVERYWHERE else listens
    return f"[{address}]" if ":" in address else address


def _own_address() -> str:
    """This machine's address in its network. Nothing is sent: the system only says which way it would take."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # of a range that is kept for examples
        except OSError:
            return "localhost"
        return probe.getsockname()[0]
