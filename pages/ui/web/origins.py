"""Whose pages may talk to this server: its own, at the address under which they were opened.

A browser says with every socket and every upload which page asks (Origin). A proxy that passes requests on under
another name (Host) makes the server's own pages look like another site's: the settings name their address then.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config

from pages.ui.web.prefix import base_path
from vae_core.runs.log import logger

REFUSED = 4403  # close code of the live data: the page comes from another site, and will as long as it is open
_PORTS = {"http": 80, "https": 443}
_SAFE = ("GET", "HEAD", "OPTIONS")
_PROBES = ("/_stcore/host-config", "/_stcore/health")  # what a page of Streamlit's asks first; it shows a refusal


def origin_of(address: str) -> str | None:
    """Scheme, host and port of an address, as one compares them: "https://lab.example.org"; None where it has none."""
    try:
        parts = urlsplit(address.strip().lower())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != _PORTS[parts.scheme] else "")


def is_own(origin: str, host: str, listed: Collection[str]) -> bool:
    """Whether a page of this origin is the server's own: opened under its Host, or under a listed address."""
    named = origin_of(origin)
    return named is not None and (named == origin_of(f"{named.partition(':')[0]}://{host}") or named in listed)


class OwnOrigins:
    """Refuses sockets and writes of other sites' pages, and tells a page that only looks so what would help."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.health = base_path() + "/_stcore/health"
        self.told: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), self._asking(scope, headers)
        if origin is None or is_own(origin, host, _listed()):
            return await self.app(scope, receive, send)
        self._tell(origin, host)
        if scope["type"] == "http":
            # Of an answer in JSON, and of no other one, Streamlit's page shows what it says.
            kind, status = (JSONResponse, 421) if scope["method"] in _SAFE else (PlainTextResponse, 403)
            return await kind(_advice(origin, host), status)(scope, receive, send)
        await receive()
        if "/_stcore/" not in scope["path"]:  # only our own browser code knows what this code means
            await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": REFUSED})

    def _asking(self, scope: Scope, headers: Headers) -> str | None:
        """The origin to be checked: of a socket, a write, or a page that asks whether the server is there."""
        if scope["type"] == "websocket" or scope["method"] not in _SAFE:
            return headers.get("origin")
        if scope["path"].endswith(_PROBES) and scope["path"] != self.health:  # health: whoever watches over the server
            return headers.get("referer")
        return None

    def _tell(self, origin: str, host: str) -> None:
        """Say it to whoever runs the server, once for each address."""
        named = origin_of(origin) or repr(origin[:100])
        if named not in self.told and len(self.told) < 100:
            self.told.add(named)
            logger.warning(f"Refused: {' '.join(_advice(origin, host).split())}")


def _advice(origin: str, host: str) -> str:
    named = origin_of(origin)
    if named is None:
        return f"This page has no address of its own ({origin[:100]!r}), as in a frame without allow-same-origin.\n"
    return (
        f"This page was opened at {named},\nbut its requests reach the server as {host[:100]!r}.\n"
        f"If a proxy of yours does that, start the server with\nELBO_ROOM_ORIGINS={named}\n"
        "or let the proxy pass on the Host header unchanged.\n"
    )


def _listed() -> set[str]:
    """Streamlit's own setting, to which ours adds its addresses: so that both always let in the same pages."""
    return {origin for address in config.get_option("server.corsAllowedOrigins") if (origin := origin_of(address))}
