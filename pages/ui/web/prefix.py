"""The path below which the server stands: `server.baseUrlPath`, as in `https://lab.example.org/lab/room/`."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Match, NoMatchFound, Route
from starlette.types import Receive, Scope, Send
from streamlit import config


def base_path() -> str:
    """`server.baseUrlPath` as "/lab/room"; "" where there is none."""
    path = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""


async def _add_slash(request: Request) -> RedirectResponse:
    """To the first page, by its path alone: Starlette would name a host, and behind a proxy a wrong one."""
    return RedirectResponse(f"{request.url.path}/" + (f"?{query}" if (query := request.url.query) else ""))


class BelowPrefix(BaseRoute):
    """Our own routes below the prefix, as Streamlit puts its own there.

    The prefix is asked for with the first request: when the app is built, the settings may not have been read yet.
    """

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self.routes = routes

    @cached_property
    def prefix(self) -> str:
        return base_path()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if not self.prefix:
            return self._first(scope)
        root = scope.get("root_path", "") + self.prefix
        if scope.get("path") == root:
            return Match.FULL, {"own_route": Route("/", _add_slash)}
        if not scope.get("path", "").startswith(f"{root}/"):
            return Match.NONE, {}
        match, child = self._first({**scope, "root_path": root})
        return match, {"root_path": root, **child}

    def _first(self, scope: Scope) -> tuple[Match, Scope]:
        for route in self.routes:
            match, child = route.matches(scope)
            if match is not Match.NONE:
                return match, {**child, "own_route": route}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await scope["own_route"].handle(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        raise NoMatchFound(name, path_params)
