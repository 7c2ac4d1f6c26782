"""What Streamlit sends as it lies on the disk, gzip-compressed once for everybody: its scripts shrink to a quarter."""

import gzip
from functools import cache
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import file_util

from pages.ui.once import computed_once
from pages.ui.web.encodings import takes_gzip
from pages.ui.web.prefix import base_path

_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
# Their names hold what is in them: a browser that has one never asks for it again.
_HEADERS = {"Cache-Control": "public, immutable, max-age=31536000", "Vary": "Accept-Encoding"}


class CompressedStatic:
    """Answers for Streamlit's scripts and styles; other files, and who takes no gzip, go on to Streamlit."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.below: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return await self.app(scope, receive, send)
        if self.below is None:  # when the app is built, the settings may not have been read yet
            self.below = f"{base_path()}/static/"
        headers = Headers(scope=scope)
        name = scope["path"].partition(self.below)[2] if scope["path"].startswith(self.below) else ""
        if name not in _names() or not takes_gzip(headers.get("accept-encoding", "")):
            return await self.app(scope, receive, send)
        answer = await run_in_threadpool(_answer, name, headers.get("if-none-match", ""))
        await answer(scope, receive, send)


def _answer(name: str, known: str) -> Response:
    tag = f'"{Path(name).name}"'
    if tag in known.removeprefix("W/").split(", "):
        return Response(status_code=304, headers=_HEADERS | {"ETag": tag})
    headers = _HEADERS | {"ETag": tag, "Content-Encoding": "gzip"}
    return Response(packed_file(name), media_type=_TYPES[Path(name).suffix], headers=headers)


@cache
def _names() -> frozenset[str]:
    """The files that are worth it, by their paths below `static`."""
    folder = _folder()
    return frozenset(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.suffix in _TYPES)


def _folder() -> Path:
    return Path(file_util.get_static_dir()) / "static"


@computed_once(None)  # of 23 MB there are 6 left, if somebody should ask for every one
def packed_file(name: str) -> bytes:
    """A file of Streamlit's by its path below `static`."""
    return gzip.compress((_folder() / name).read_bytes(), compresslevel=9, mtime=0)


def size_on_line(name: str) -> int:
    """Bytes of such a file as it is sent."""
    return len(packed_file(name))


def packed_text(text: str) -> bytes:
    return gzip.compress(text.encode(), compresslevel=9, mtime=0)


def zipped_text(request: Request, packed: bytes, kind: str, headers: dict[str, str]) -> Response:
    """A text that is kept compressed: so to who takes it, unpacked to others."""
    headers = headers | {"Vary": "Accept-Encoding"}
    if takes_gzip(request.headers.get("accept-encoding", "")):
        return Response(packed, media_type=kind, headers=headers | {"Content-Encoding": "gzip"})
    return Response(gzip.decompress(packed), media_type=kind, headers=headers)
