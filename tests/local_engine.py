"""An engine in the process of the test, for a registry that has no other: turns are taken by the test."""

from collections.abc import Callable
from typing import Any

from tests.engine_driver import attend, rest, turn
from vae_core.runs.messages import Command, Update
from vae_core.runs.scheduler import Scheduler


class LocalLink:
    """EngineProcess's behaviour without its process: commands are carried out at once, turns are taken by the test."""

    def __init__(
        self, device: str, on_update: Callable[[Update], None], on_death: Callable[[Any, str, str], None]
    ) -> None:
        self.device = device
        self._on_update, self._on_death = on_update, on_death
        self.engine: Scheduler | None = Scheduler()

    def send(self, command: Command) -> None:
        if self.engine is not None:
            self._report(self.engine.handle(command) + attend(self.engine))

    def turn(self) -> None:
        assert self.engine is not None
        self._report(turn(self.engine) + rest(self.engine))

    def die(self, served: str = "") -> None:
        self.engine = None
        self._on_death(self, "signal 9", served)

    def close(self) -> None:
        self.engine = None

    def _report(self, updates: list[Update]) -> None:
        for update in updates:
            self._on_update(update)
