"""Nobody keeps the server from the others: messages of one connection beyond what hands can do wait for their turn.

How large a message or an upload may be are settings of Streamlit's, in `.streamlit/config.toml`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

RATE = 60.0  # messages a second: a key held down on a slider makes 30, a fast hand 10
BURST = 300  # so many more at once
PATIENCE_S = 20.0  # a connection that has sent too many for so long without a pause is no hand: it is closed
PAUSE_S = 0.5
TOO_MANY = 1008


class Allowance:
    """A bucket that holds BURST messages and fills at RATE a second."""

    def __init__(self, now: float) -> None:
        self.left, self.at = float(BURST), now
        self.behind_since: float | None = None

    def take(self, now: float, waited: float = 0.0) -> float:
        """Take one message that came after the server had waited so long; returns the seconds that it has to wait."""
        self.left = min(BURST, self.left + RATE * (now - self.at)) - 1
        self.at = now
        if waited >= PAUSE_S:  # by what is left one could not tell a pause from a server that was busy itself
            self.behind_since = None
        if self.left < 0 and self.behind_since is None:
            self.behind_since = now
        return max(0.0, -self.left / RATE)

    def is_spent(self, now: float) -> bool:
        return self.behind_since is not None and now - self.behind_since > PATIENCE_S


class Unhurried:
    """Delays the messages of a connection that sends too many; none is lost, and the sender is held back by TCP.

    uvicorn reads no more from a connection while a message of it waits to be received.
    """

    def __init__(
        self,
        app: ASGIApp,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.app, self.clock, self.sleep = app, clock, sleep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            return await self.app(scope, receive, send)
        allowance = Allowance(self.clock())
        closed = False

        async def receive_unhurried() -> Message:
            nonlocal closed
            asked = self.clock()
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            if wait := allowance.take(self.clock(), self.clock() - asked):
                await self.sleep(wait)
            if not allowance.is_spent(self.clock()):
                return message
            closed = True
            await send({"type": "websocket.close", "code": TOO_MANY, "reason": "too many messages"})
            return {"type": "websocket.disconnect", "code": TOO_MANY}

        async def send_while_open(message: Message) -> None:
            if not closed:  # what is under way when the connection is closed goes nowhere
                await send(message)

        await self.app(scope, receive_unhurried, send_while_open)
