"""A class that presses at once: what it asks for is computed one time, and nobody waits for what others asked for."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pages.ui.once import computed_once

CLASS = 60


def test_a_class_that_asks_for_the_same_has_it_computed_once() -> None:
    calls: list[int] = []
    began = threading.Barrier(CLASS)

    @computed_once(4)
    def square(number: int) -> list[int]:
        """Slow."""
        calls.append(number)
        time.sleep(0.05)
        return [number**2]

    def ask(_: int) -> list[int]:
        began.wait(10)
        return square(7)

    with ThreadPoolExecutor(CLASS) as visitors:
        found = list(visitors.map(ask, range(CLASS)))
    assert calls == [7] and all(one is found[0] for one in found) and found[0] == [49]
    assert square(7) is found[0] and square(number=7) == [49] and square.__doc__ == "Slow."


def test_who_asks_for_something_else_does_not_wait() -> None:
    first_is_done, first_began = threading.Event(), threading.Event()

    @computed_once(4)
    def compute(name: str) -> str:
        if name == "slow":
            first_began.set()
            assert first_is_done.wait(10)
        return name

    with ThreadPoolExecutor(1) as other:
        slow = other.submit(compute, "slow")
        assert first_began.wait(10)
        assert compute("quick") == "quick"  # else it would wait for ever
        first_is_done.set()
        assert slow.result(10) == "slow"


def test_an_error_is_told_and_the_next_one_tries_again() -> None:
    tries: list[int] = []

    @computed_once(None)
    def fail_first(number: int) -> int:
        tries.append(number)
        if len(tries) == 1:
            raise ValueError("not yet")
        return number

    with pytest.raises(ValueError, match="not yet"):
        fail_first(3)
    assert fail_first(3) == fail_first(3) == 3 and tries == [3, 3]


def test_no_more_results_are_kept_than_said() -> None:
    calls: list[int] = []

    @computed_once(2)
    def keep(number: int) -> int:
        calls.append(number)
        return number

    for number in (1, 2, 3, 1):
        keep(number)
    assert calls == [1, 2, 3, 1]
