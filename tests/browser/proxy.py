"""A small reverse proxy, HTTP and WebSockets: it passes requests on under another Host, or without their prefix."""

import asyncio
import contextlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def proxying(url: str, host: str = "", strip: str = "") -> Iterator[int]:
    """The port, on this machine, of a proxy to `url`.

    Args:
        host: what the server behind it sees as Host; what the browser named where it is empty.
        strip: a prefix that the server behind it never sees.
    """
    upstream = int(url.rsplit(":", 1)[1])
    loop = asyncio.new_event_loop()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            if not re.match(rf"\w+ {strip}(?=[/ ?])", head):
                return writer.close()  # nothing but the prefix is ours
            head = rewrite(head, host, strip)
            behind, before = await asyncio.open_connection("127.0.0.1", upstream)
            before.write(head.encode("latin-1"))
            await asyncio.gather(pour(reader, before), pour(behind, writer))

    thread = threading.Thread(target=loop.run_forever, daemon=True)  # Playwright has a loop in this one
    thread.start()
    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(serve, "127.0.0.1", 0), loop).result(10)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(end(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def end(server: asyncio.Server) -> None:
    """Close what is open, also what waits for somebody to speak."""
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on until the end, and end the other side."""
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


def rewrite(head: str, host: str, strip: str) -> str:
    """The head of a request; one request a connection, so that nothing after it needs to be read."""
    if host:
        head = re.sub(r"(?im)^host:.*$", f"Host: {host}\r", head)
    if strip:
        head = re.sub(rf"^(\w+) {strip}(?=[/ ?])/?", r"\1 /", head)
    return head if "\nUpgrade:" in head else re.sub(r"(?im)^connection:.*$", "Connection: close\r", head)
