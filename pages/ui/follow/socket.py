"""Which run the lecturer shows, told to all who follow: one look for the whole class, and a word only when it changes.

The run itself comes over its own route, as to anybody who watches (live/socket.py).
"""

import asyncio
import json
from typing import ClassVar

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from pages.ui.live.socket import TICK_S, until_left
from vae_core.runs import registry
from vae_core.runs.run_record import RunRecord


def followed_run() -> RunRecord | None:
    """The run that the lecturer shows; None before the first, and when it is gone."""
    runs = registry.shared()
    return runs.get(runs.lecturers.followed)


def follow_route() -> WebSocketRoute:
    """`/follow?run=<id of the run on the page>`: `{"moved": <id>}` whenever the lecturer shows another; "" is none."""
    return WebSocketRoute("/follow", follow)


def count_followers() -> int:
    """How many pages follow now."""
    return Audience.size


async def follow(socket: WebSocket) -> None:
    """Tell one follower where the lecturer is, until it leaves."""
    await socket.accept()
    told, audience = socket.query_params.get("run", ""), Audience.join()
    leaving = asyncio.create_task(until_left(socket))
    try:
        while not leaving.done():
            if audience.shown != told:
                told = audience.shown
                await socket.send_text(json.dumps({"moved": told}))
            else:
                await asyncio.wait({audience.change, leaving}, return_when=asyncio.FIRST_COMPLETED)
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        Audience.size -= 1
        leaving.cancel()


class Audience:
    """All who follow: one task looks for them where the lecturer is, and wakes them when that has changed."""

    size: ClassVar[int] = 0
    _now: ClassVar["Audience | None"] = None

    def __init__(self) -> None:
        self.shown = ""
        self.change = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._watch())

    @classmethod
    def join(cls) -> "Audience":
        """The audience with one more in it. It looks at once: the page that comes may know more than it does."""
        cls.size += 1
        cls._now = cls._now or cls()
        cls._now.look()
        return cls._now

    def look(self) -> None:
        run = followed_run()
        if (shown := run.run_id if run else "") != self.shown:
            self.shown = shown
            self.change.set_result(None)
            self.change = asyncio.get_running_loop().create_future()

    async def _watch(self) -> None:
        try:
            while Audience.size:
                await asyncio.sleep(TICK_S)
                self.look()
        finally:
            Audience._now = None
