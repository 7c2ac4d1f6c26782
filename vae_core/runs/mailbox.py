"""Both ends of the way of commands to an engine: whoever puts one in never waits, and openings hold nothing up."""

import collections
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from vae_core.runs.messages import Command


class Outbox:
    """Sends commands in order, on a thread of its own. Ends with the first that cannot be sent."""

    def __init__(self, send: Callable[[Command | None], None]) -> None:
        """
        Args:
            send: sends one command and may take its time; OSError says that nobody listens any more.
        """
        self._send = send
        self._waiting: collections.deque[Command | None] = collections.deque()
        self._changed = threading.Condition()
        self._open = True
        self._thread = threading.Thread(target=self._work, name="outbox", daemon=True)
        self._thread.start()

    def put(self, command: Command) -> None:
        """Send this as soon as what was put in before is sent; after the end it is dropped."""
        with self._changed:
            if self._open and not self._merge(command):
                self._waiting.append(command)
                self._changed.notify()

    def close(self) -> None:
        """Drop what waits, and send the other end its leave (None) as the last."""
        with self._changed:
            self._waiting.clear()
            if self._open:
                self._waiting.append(None)
            self._open = False
            self._changed.notify()

    def join(self, seconds: float) -> None:
        """Wait until the last one is sent, or for so long."""
        self._thread.join(seconds)

    def _merge(self, command: Command) -> bool:
        """Changes of one run's weights become one, where nothing but changes of weights stands between them."""
        for i in reversed(range(len(self._waiting))):
            earlier = self._waiting[i]
            if command.name != "set" or earlier is None or earlier.name != "set":
                return False
            if earlier.run_id == command.run_id:
                self._waiting[i] = replace(earlier, args=earlier.args | command.args)
                return True
        return False

    def _work(self) -> None:
        command: Command | None = Command("", "")
        while command is not None:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting))
                command = self._waiting.popleft()
            try:
                self._send(command)
            except OSError:
                with self._changed:
                    self._open = False
                    self._waiting.clear()
                return


class Inbox:
    """Commands that have come in. Opening a run takes long, so when a class comes in the others do not wait for it."""

    def __init__(self) -> None:
        self._waiting: list[Command] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, command: Command) -> None:
        self._waiting.append(command)

    def take(self, seconds: float) -> Iterator[Command]:
        """What is to be carried out now, in order; after so long no more openings, nor what is said of those runs."""
        held: set[str] = set()
        left, started = [], time.monotonic()
        for command in self._waiting:
            names = {command.run_id, command.args.get("group") or command.run_id}
            late = command.name == "open" and time.monotonic() - started > seconds
            if late or names & held:
                held |= names
                left.append(command)
            else:
                yield command
        self._waiting = left
