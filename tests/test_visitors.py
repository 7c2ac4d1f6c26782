"""Who is there: whose runs stay, and whose are let go."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.waiting import wait_for
from vae_core.config import RunConfig
from vae_core.runs.messages import Command
from vae_core.runs.news import Cursor
from vae_core.runs.registry import Registry

CONFIG = RunConfig(device="cpu", epochs=1000, widths="32")


def gone(runs: Registry, run_id: str) -> Callable[[], bool]:
    return lambda: runs.get(run_id) is None


@pytest.fixture
def forgetful(links: list[Any]) -> Iterator[Registry]:
    """Ends a visitor's runs a second after their last window has closed."""
    runs = Registry(gone_after_s=1)
    yield runs
    runs.close()


def test_a_visitor_gone_for_long_loses_the_runs(forgetful: Registry, links: list[Any]) -> None:
    stays, leaves = forgetful.start(CONFIG, "ann"), forgetful.start(CONFIG, "bob")
    for visitor in ("ann", "bob"):
        forgetful.visitors.enter(visitor)
    forgetful.visitors.leave("bob")
    wait_for(gone(forgetful, leaves))
    assert forgetful.of("bob") == [] and forgetful.read(leaves, Cursor()) is None
    assert links[0].sent[-1] == Command(leaves, "close")  # the engine forgets it too
    assert forgetful.get(stays) is not None


def test_a_visitor_back_in_time_keeps_the_runs(forgetful: Registry) -> None:
    """Bob leaves for good at the same moment; once his run is gone, Ann's would be gone too."""
    kept, lost = forgetful.start(CONFIG, "ann"), forgetful.start(CONFIG, "bob")
    for visitor in ("ann", "bob"):
        forgetful.visitors.enter(visitor)
        forgetful.visitors.leave(visitor)
    forgetful.visitors.enter("ann")
    wait_for(gone(forgetful, lost))
    assert forgetful.get(kept) is not None


def test_one_of_two_windows_may_close(forgetful: Registry) -> None:
    kept, lost = forgetful.start(CONFIG, "ann"), forgetful.start(CONFIG, "bob")
    for visitor in ("ann", "ann", "bob"):
        forgetful.visitors.enter(visitor)
    for visitor in ("ann", "bob"):
        forgetful.visitors.leave(visitor)
    wait_for(gone(forgetful, lost))
    assert forgetful.get(kept) is not None
    forgetful.visitors.leave("ann")
    wait_for(gone(forgetful, kept))


def test_a_run_of_a_visitor_who_never_opened_a_window_ends_too(forgetful: Registry) -> None:
    run_id = forgetful.start(CONFIG, "script")
    wait_for(gone(forgetful, run_id))
    assert forgetful.of("script") == []


def test_leaving_more_often_than_arriving_is_harmless(forgetful: Registry) -> None:
    forgetful.visitors.leave("ann")
    forgetful.visitors.enter("ann")
    kept, lost = forgetful.start(CONFIG, "ann"), forgetful.start(CONFIG, "bob")
    wait_for(gone(forgetful, lost))
    assert forgetful.get(kept) is not None
    forgetful.visitors.leave("ann")
    wait_for(gone(forgetful, kept))
