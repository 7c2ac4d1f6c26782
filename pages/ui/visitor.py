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
        if asked is None or _known(asked.get("cookie", "")):
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


def current() -> str:
    """The visitor of this session: the cookie's token, or one for this session where there is no cookie."""
    token = st.context.cookies.get(COOKIE, "")
    if _TOKEN.fullmatch(token):
        return token
    return st.session_state.setdefault("visitor", secrets.token_urlsafe(16))


def arrive() -> None:
    """Note that a window of this visitor is open; its closing is noted by itself."""
    _window(current())


@st.cache_resource(scope="session", show_spinner=False, on_release=lambda visitor: registry.shared().leave(visitor))
def _window(visitor: str) -> str:
    registry.shared().arrive(visitor)
    return visitor


def _known(cookies: str) -> bool:
    return _TOKEN.fullmatch(cookie_parser(cookies).get(COOKIE, "")) is not None
