"""`python -m tests.bench.audience URL COUNT SECONDS`: so many viewers of a live route, in a process of their own.

Prints "ready" when all are connected and have read the run so far, and at the end what they have received since.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def audience(address: str, count: int, seconds: float) -> Iterator[dict[str, float]]:
    """Viewers in a process of their own while the block runs; afterwards what one of them received a second."""
    received: dict[str, float] = {}
    if not count:
        yield received
        return
    command = [sys.executable, "-m", "tests.bench.audience", address, str(count), str(seconds)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield received
        received |= json.loads(process.stdout.readline())


async def follow(url: str, count: int, seconds: float) -> dict[str, float]:
    """Messages and kilobytes a second that one viewer received, on average."""
    received: list[int] = []
    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(connect(url, max_size=None, compression=None)) for _ in range(count)]
        for socket in sockets:
            await socket.recv()
        print("ready", flush=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(_listen(socket, received) for socket in sockets))
    share = count * seconds
    return {"messages": len(received) / share, "kilobytes": sum(received) / share / 1000}


async def _listen(socket: ClientConnection, received: list[int]) -> None:
    async for message in socket:
        received.append(len(message))
    raise ConnectionError("the server has sent a viewer away")


if __name__ == "__main__":
    url, count, seconds = sys.argv[1:]
    print(json.dumps(asyncio.run(follow(url, int(count), float(seconds)))))
