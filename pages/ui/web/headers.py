"""What every response tells the browser: run nothing that is not ours, ask nobody else, stay in our own frames."""

import base64
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import file_util

from pages.ui.web import opening

_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def safe_headers(frames: Sequence[str] = ()) -> dict[str, str]:
    """The headers. frames: the sites that may show our pages in a frame, beside ourselves."""
    return {
        "Content-Security-Policy": policy(frames),
        "Referrer-Policy": "same-origin",  # addresses of pages hold settings and runs: nobody else's business
        "X-Content-Type-Options": "nosniff",
    }


def policy(frames: Sequence[str] = ()) -> str:
    """The tightest policy that Streamlit bears.

    Streamlit loads the scripts of components from blobs and a font from its styles, writes styles into the page, and
    has one script in its HTML, beside which ours stands.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' blob: {' '.join(_hashes())}".rstrip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            " ".join(("frame-ancestors 'self'", *frames)),
        )
    )


def _hashes() -> list[str]:
    """Of the scripts that stand in the page itself: Streamlit's, and our own."""
    page = (Path(file_util.get_static_dir()) / "index.html").read_text(encoding="utf-8")
    scripts = [*_INLINE.findall(page), opening.script()]
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


class SafeHeaders:
    """Puts the headers on every response, whoever made it."""

    def __init__(self, app: ASGIApp, frames: Sequence[str] = ()) -> None:
        self.app = app
        self.headers = [(name.lower().encode(), value.encode()) for name, value in safe_headers(frames).items()]
        self.names = {name for name, _ in self.headers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                others = (header for header in message.get("headers", ()) if header[0] not in self.names)
                message["headers"] = [*others, *self.headers]
            await send(message)

        await self.app(scope, receive, send_safely)


async def failed(_: Request, __: Exception) -> Response:
    """What a fault of the server's looks like from outside: Starlette answers it beyond all middleware."""
    return PlainTextResponse("Internal Server Error", status_code=500, headers=safe_headers())
