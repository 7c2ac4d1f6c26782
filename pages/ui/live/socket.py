"""Live data of a run, past the script runner: one packing of each change, shared by all viewers.

A message is a safetensors file: arrays, and under `__metadata__` one JSON text, "news". wire.js reads it.
"""

import asyncio
import contextlib
import json
from dataclasses import asdict, fields
from typing import ClassVar

import numpy as np
from safetensors.numpy import save
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from pages.ui.web.encodings import takes_gzip
from vae_core.checkpoints import json_ready
from vae_core.runs import registry
from vae_core.runs.news import Cursor, News
from vae_core.runs.snapshot_file import FrameError, arrays_of, numbers_of, unpacked
from vae_core.runs.storage import frame_file

TICK_S = 0.25  # changes are gathered so long
QUEUE = 16  # messages a slow viewer may lag behind before it has to reconnect
GONE = 4404  # close code: no such run
FRAME_TYPE = "application/octet-stream"
LAGGING = 1013  # close code: too slow, come again


def live_routes() -> list[BaseRoute]:
    """All that is live, and the film of what was."""
    return [live_route(), film_route()]


def live_route() -> WebSocketRoute:
    """`/live/<run id>?since=<cursor>`: the run so far, then whatever is new."""
    return WebSocketRoute("/live/{run_id}", live)


async def live(socket: WebSocket) -> None:
    """Serve one viewer until it leaves, lags behind or the run is gone. Other sites' pages never come so far."""
    await socket.accept()
    run_id = socket.path_params["run_id"]
    news = registry.shared().read(run_id, _cursor(socket.query_params.get("since")))
    if news is None:
        return await socket.close(GONE)
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE)
    queue.put_nowait(pack(news))
    channel = Channel.of(run_id, news)
    channel.viewers.add(queue)  # no await since the read: nothing falls between the two
    leaving = asyncio.create_task(until_left(socket))
    try:
        await _forward(queue, socket, leaving)
    finally:
        channel.viewers.discard(queue)
        leaving.cancel()


def film_route() -> Route:
    """`/film/<run id>/<step>`: one frame, as its file is: gzip, which browsers unpack.

    The browser keeps frames in the page alone: after a reset there is another one of the same step.
    """
    return Route("/film/{run_id}/{step}", film)


def step_of(request: Request) -> int | None:
    """The step in a path; None where it is none that a run could have."""
    text = request.path_params["step"]
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= 9 else None


async def film(request: Request) -> Response:
    """A frame of a run's film; 404 when it has been thinned out, is damaged or the run is gone."""
    run, step = registry.shared().get(request.path_params["run_id"]), step_of(request)
    path = frame_file(run.film_folder, step) if run and step is not None else None
    if path is None or not path.is_file():
        return Response(status_code=404)
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}
    if takes_gzip(request.headers.get("accept-encoding", "")):
        return FileResponse(path, media_type=FRAME_TYPE, headers=headers | {"Content-Encoding": "gzip"})
    try:
        return Response(await run_in_threadpool(unpacked, path), media_type=FRAME_TYPE, headers=headers)
    except (FrameError, FileNotFoundError):
        return Response(status_code=404)


class Channel:
    """One run's stream: a task that packs each change once for all its viewers."""

    _open: ClassVar[dict[str, "Channel"]] = {}

    def __init__(self, run_id: str, news: News) -> None:
        self.run_id = run_id
        self.viewers: set[asyncio.Queue[bytes | None]] = set()
        self.cursor, self.version = news.cursor, news.version
        self._task = asyncio.create_task(self._pump())

    @classmethod
    def of(cls, run_id: str, news: News) -> "Channel":
        """The channel of a run; a new one goes on from the news that its first viewer has just read."""
        if run_id not in cls._open:
            cls._open[run_id] = cls(run_id, news)
        return cls._open[run_id]

    async def _pump(self) -> None:
        try:
            while True:
                await asyncio.sleep(TICK_S)
                if not self.viewers or not self._broadcast():
                    return
        finally:
            del Channel._open[self.run_id]

    def _broadcast(self) -> bool:
        """Send what is new; False when the run is gone."""
        run = registry.shared().get(self.run_id)
        if run is not None and run.version == self.version:
            return True
        news = registry.shared().read(self.run_id, self.cursor)
        message = None if news is None else pack(news)
        for queue in list(self.viewers):
            with contextlib.suppress(asyncio.QueueFull):
                queue.put_nowait(message)
        if news is not None:
            self.cursor, self.version = news.cursor, news.version
        return news is not None


async def _forward(queue: asyncio.Queue[bytes | None], socket: WebSocket, leaving: asyncio.Task[None]) -> None:
    while not leaving.done():
        lagging = queue.full()
        getting = asyncio.create_task(queue.get())
        await asyncio.wait({getting, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not getting.done():
            getting.cancel()
            return
        message = getting.result()
        if message is None or lagging:  # a full queue has dropped something: the viewer comes again and reads all
            return await socket.close(GONE if message is None else LAGGING)
        try:
            await socket.send_bytes(message)
        except (WebSocketDisconnect, RuntimeError):
            return


async def until_left(socket: WebSocket) -> None:
    """Until the browser closes the connection; what it says meanwhile is left unread."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.receive()


def pack(news: News) -> bytes:
    """News as one message."""
    tensors = {"train": news.train, "test": news.test}
    head = {
        "run": news.run_id,
        "fresh": news.fresh,
        "status": news.status,
        "message": news.message,
        "step": news.step,
        "stepsPerEpoch": news.steps_per_epoch,
        "totalSteps": news.total_steps,
        "imagesPerSecond": news.images_per_s,
        "waits": asdict(news.waits) if news.waits else None,
        "weights": news.settings.to_dict(),
        "columns": news.columns,
        "device": news.device,
        "config": news.config.to_dict(),
        "marks": [mark.to_dict() for mark in news.marks],
        "final": news.final is not None,
        "cursor": asdict(news.cursor),
        "film": news.film,
        "states": news.states,
    }
    if news.snapshot is not None:
        tensors |= arrays_of(news.snapshot)
        head["snapshot"] = numbers_of(news.snapshot, news.diagnosis)
    if news.slow is not None:
        tensors |= {f"slow.{name}": array for name, array in news.slow.arrays.items()}
        head["slow"] = {"step": news.slow.step, **news.slow.numbers}
    return save(
        {k: np.ascontiguousarray(v) for k, v in tensors.items()},
        {"news": json.dumps(json_ready(head), allow_nan=False)},
    )


def _cursor(text: str | None) -> Cursor:
    """A viewer's own cursor when it reconnects; anything that is none means the beginning."""
    try:
        values = json.loads(text or "{}")
        return Cursor(**{f.name: type(f.default)(values[f.name]) for f in fields(Cursor)})  # type: ignore[misc]
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return Cursor()
