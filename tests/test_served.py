"""Whom an engine served is known after its end, however sudden; and an engine leaves as soon as it is asked to."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.waiting import wait_for
from vae_core.config import RunConfig
from vae_core.runs.environment import seats_asked
from vae_core.runs.messages import RUNNING, Command, Line, Update
from vae_core.runs.process import EngineProcess
from vae_core.runs.served import SIZE, Served


def test_what_is_written_last_is_read(tmp_path: Path) -> None:
    with (tmp_path / "served").open("w+b") as file:
        served = Served(file.fileno())
        assert served.read() == ""
        for run_id in ("a longer id", "short", "", "é" * SIZE, "x"):
            served.write(run_id)
        assert served.read() == "x" and os.fstat(file.fileno()).st_size == SIZE


class Engine:
    """An engine process, and what it said."""

    def __init__(self) -> None:
        self.updates: list[Update] = []
        self.lines: list[Line] = []
        self.deaths: list[tuple[str, str]] = []
        self.link = EngineProcess("cpu", self._hear, lambda link, cause, served: self.deaths.append((cause, served)))

    def _hear(self, said: Update | Line) -> None:
        (self.updates if isinstance(said, Update) else self.lines).append(said)  # type: ignore[arg-type]

    def open(self, run: str, folder: Path) -> None:
        config = RunConfig(device="cpu", epochs=1000, batch_size=2000)  # it is nearly always in the middle of a step
        args = {"config": config.to_dict(), "folder": str(folder / run), "generation": 0, "resume": ()}
        self.link.send(Command(run, "open", args | {"status": RUNNING, "owner": run}))

    def reaches(self, run: str, step: int) -> bool:
        return any(update.run_id == run and update.step >= step for update in list(self.updates))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Engine]]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("ELBO_ROOM_AT_ONCE", "3")
    made: list[Engine] = []

    def make() -> Engine:
        made.append(Engine())
        return made[-1]

    yield make
    for one in made:
        one.link.close()


def test_an_engine_that_is_killed_has_named_the_run_that_it_served(
    engine: Callable[[], Engine], tmp_path: Path
) -> None:
    one = engine()
    one.open("a", tmp_path)
    wait_for(lambda: one.reaches("a", 3) and one.lines)
    assert one.lines[-1].seats == 3
    os.kill(one.link.process.pid, signal.SIGKILL)
    wait_for(lambda: one.deaths)
    ((cause, served),) = one.deaths
    assert cause == "signal 9" and served in ("a", "")  # nobody, in the moment between two steps


def test_an_engine_that_is_killed_at_rest_has_named_nobody(engine: Callable[[], Engine], tmp_path: Path) -> None:
    one = engine()
    one.open("a", tmp_path)
    wait_for(lambda: one.reaches("a", 1))
    one.link.send(Command("a", "close"))
    bad = {"config": {"nonsense": 1}, "folder": "", "generation": 0, "resume": (), "status": RUNNING}
    one.link.send(Command("b", "open", bad))
    wait_for(lambda: any(update.run_id == "b" for update in list(one.updates)))
    os.kill(one.link.process.pid, signal.SIGKILL)
    wait_for(lambda: one.deaths)
    assert one.deaths == [("signal 9", "")]


def test_an_engine_leaves_in_mid_flood_by_itself_and_says_nothing_of_a_death(
    engine: Callable[[], Engine], tmp_path: Path
) -> None:
    one = engine()
    for run in "abcdef":
        one.open(run, tmp_path)
    wait_for(lambda: one.reaches("a", 2))
    for i in range(3000):
        one.link.send(Command("abcdef"[i % 6], ("pause", "resume")[i // 6 % 2]))
    one.link.close()
    assert one.link.process.returncode in (0, -signal.SIGKILL) and one.deaths == []


@pytest.mark.parametrize(("asked", "seats"), [("", None), ("7", 7), ("1", 1)])
def test_how_many_train_at_once_can_be_set(asked: str, seats: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELBO_ROOM_AT_ONCE", asked)
    assert seats_asked() == seats


@pytest.mark.parametrize("asked", ["0", "-1", "many", "1.5", "1001", "٣"])
def test_a_number_that_is_none_is_a_sentence_and_the_usual(
    asked: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ELBO_ROOM_AT_ONCE", asked)
    assert seats_asked() is None
    (said,) = [record.getMessage() for record in caplog.records]
    assert repr(asked) in said and said.startswith("ELBO_ROOM_AT_ONCE") and said.endswith(".")
