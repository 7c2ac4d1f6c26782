"""A small reverse proxy, HTTP and WebSockets: it passes requests on under another Host, or without their prefix."""

import asyncio
import contextlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Front:
    """The proxy's own side: where it listens, and a line that can be cut and mended."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.port = 0
        self.is_down = False

    def cut(self) -> None:
        """Whatever is open ends, and whoever comes is sent away."""
        self.is_down = True
        asyncio.run_coroutine_threadsafe(hang_up(), self.loop).result(10)

    def mend(self) -> None:
        self.is_down = False


@contextmanager
def proxying(url: str, host: str = "", strip: str = "") -> Iterator[int]:
    """The port, on this machine, of a proxy to `url`.

    Args:
        host: what the server behind it sees as Host; what the browser named where it is empty.
        strip: a prefix that the server behind it never sees.
    """
    with fronting(url, host, strip) as front:
        yield front.port


@contextmanager
def fronting(url: str, host: str = "", strip: str = "") -> Iterator[Front]:
    """The same, with its line in hand."""
    upstream = int(url.rsplit(":", 1)[1])
    loop = asyncio.new_event_loop()
    front = Front(loop)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if front.is_down:
            return writer.close()
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            if not re.match(rf"\w+ {strip}(?=[/ ?])", head):
                return writer.close()  # nothing but the prefix is ours
            head = rewrite(head, host, strip)
            behind, before = await asyncio.open_connection("127.0.0.1", upstream)
            try:
                before.write(head.encode("latin-1"))
                await asyncio.gather(pour(reader, before), pour(behind, writer))
            finally:  # also where the line is cut
                before.close()
                writer.close()

    thread = threading.Thread(target=loop.run_forever, daemon=True)  # Playwright has a loop in this one
    thread.start()
    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(serve, "127.0.0.1", 0), loop).result(10)
    front.port = server.sockets[0].getsockname()[1]
    try:
        yield front
    finally:
        asyncio.run_coroutine_threadsafe(end(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def end(server: asyncio.Server) -> None:
    """Close what is open, also what waits for somebody to speak."""
    server.close()
    await hang_up()


async def hang_up() -> None:
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
