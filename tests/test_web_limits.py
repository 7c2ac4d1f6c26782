"""What one connection may send: a hand is never held up, a flood waits and ends."""

import asyncio
from collections.abc import Iterable
from typing import Any

from pages.ui.web.limits import BURST, PATIENCE_S, RATE, TOO_MANY, Unhurried


class Clock:
    """Time that passes only when somebody waits for it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def served(gaps: Iterable[float]) -> tuple[list[float], list[dict[str, Any]]]:
    """Messages come, each so long after the one before, or at once where the server is late.

    Returns:
        By how many seconds each came late to the app; and what the app's side sent.
    """
    clock, lags, sent = Clock(), [], []
    due = clock.now
    pending = iter(gaps)

    async def receive() -> dict[str, Any]:
        nonlocal due
        gap = next(pending, None)
        if gap is None:
            return {"type": "websocket.disconnect", "code": 1000}
        due += gap
        clock.now = max(clock.now, due)
        return {"type": "websocket.receive", "bytes": b"x"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def app(_: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] == "websocket.receive":
            lags.append(clock.now - due)
        await send({"type": "websocket.send", "text": "late"})

    asyncio.run(Unhurried(app, clock, clock.sleep)({"type": "websocket"}, receive, send))  # type: ignore[arg-type]
    return lags, sent


def test_hands_are_never_held_up() -> None:
    """A key held down for ten minutes, the fastest that systems repeat, and clicks of everybody's at once."""
    for gaps in ([1 / 33] * 20_000, [1 / 50] * 30_000, [0.0] * BURST, ([0.0] * 100 + [2.0]) * 50):
        lags, sent = served(gaps)
        assert len(lags) == len(gaps) and max(lags) == 0 and sent[-1]["type"] == "websocket.send"


def test_what_is_too_much_comes_later_and_none_is_lost() -> None:
    lags, sent = served([0.0] * (BURST + 300))
    assert len(lags) == BURST + 300 and max(lags[:BURST]) == 0
    assert abs(lags[-1] - 300 / RATE) < 1e-6  # the messages beyond the burst, one after another
    assert sent[-1]["type"] == "websocket.send"


def test_a_flood_ends_after_a_while_and_a_pause_forgives() -> None:
    lags, sent = served([0.0] * 100_000)
    assert BURST + PATIENCE_S * RATE <= len(lags) <= BURST + PATIENCE_S * RATE + 2
    assert sent == [{"type": "websocket.close", "code": TOO_MANY, "reason": "too many messages"}]
    quick = [0.0] * (BURST + 600)  # ten seconds of waiting, then it is quiet
    lags, sent = served([*quick, 30.0, *quick, 30.0, *quick])
    assert len(lags) == 3 * len(quick) + 2 and sent[-1]["type"] == "websocket.send"
