"""Who is visiting: a random cookie, so that a visitor's runs are their own and survive a reload."""

import re
import secrets

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.ui.web.prefix import base_path
from vae_core.runs import registry

COOKIE = "elbo_room_visitor"
STREAM = "/_stcore/stream"  # where the socket of a window opens, below the prefix if there is one
_VISITOR, _SOCKET = "visitor", "socket of the visitor"
_AT_HOME, _IN_FRAME = "SameSite=Lax", "SameSite=None; Secure; Partitioned"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")


class VisitorCookie:
    """Gives a browser its cookie with the first HTML page. It names nobody and lasts thirty days.

    framed: whether pages of other sites may show ours. There a browser keeps only a cookie that says so, by TLS, and
    one for each of those sites; everywhere else the cookie stays as it is.
    """

    def __init__(self, app: ASGIApp, framed: bool = False) -> None:
        self.app = app
        self.framed = framed
        self.path = base_path() or "/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = Headers(scope=scope) if scope["type"] == "http" else None
        if asked is None or token_in(asked.get("cookie", "")):
            return await self.app(scope, receive, send)
        in_frame = self.framed and asked.get("sec-fetch-dest") in ("iframe", "frame")
        where = f"Path={self.path}; Max-Age=2592000; HttpOnly; {_IN_FRAME if in_frame else _AT_HOME}"

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    token = secrets.token_urlsafe(16)
                    headers.append("set-cookie", f"{COOKIE}={token}; {where}")
            await send(message)

        await self.app(scope, receive, send_with_cookie)


class CountWindows:
    """Counts the open windows of every visitor by their sockets, which no visitor can count wrongly.

    A browser that keeps no cookie gets a token for as long as its socket lasts.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket" or not scope["path"].endswith(STREAM):
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        token = token_in(headers.get("cookie", ""))
        if not token:
            token = secrets.token_urlsafe(16)
            cookies = "; ".join(filter(None, [headers.get("cookie", ""), f"{COOKIE}={token}"])).encode("latin-1")
            others = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
            scope = {**scope, "headers": [*others, (b"cookie", cookies)]}
        registry.shared().visitors.enter(token)
        try:
            await self.app(scope, receive, send)
        finally:
            registry.shared().visitors.leave(token)


def current() -> str:
    """The visitor of this session: the cookie's token when it began, also when it goes on with another."""
    return str(st.session_state.setdefault(_VISITOR, token_of_socket() or secrets.token_urlsafe(16)))


def arrive() -> None:
    """Once for every socket: what was saved of this visitor is there again, and the window counts as theirs."""
    if st.session_state.get(_SOCKET) != (token := token_of_socket()):
        st.session_state[_SOCKET] = token
        if token:
            registry.shared().visitors.count_as(token, current())
        registry.shared().find_saved(current())


def token_of_socket() -> str:
    """What CountWindows counts this window by."""
    return _checked(st.context.cookies.get(COOKIE, ""))


def token_in(cookies: str) -> str:
    """The visitor's token in a header "cookie"; "" where it holds none."""
    return _checked(cookie_parser(cookies).get(COOKIE, ""))


def _checked(token: str) -> str:
    return token if _TOKEN.fullmatch(token) else ""
