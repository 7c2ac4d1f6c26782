"""What costs time is computed once for a whole class: who asks for what another is computing waits for that."""

import functools
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")


def computed_once(kept: int | None) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """As functools.lru_cache, which lets sixty visitors who press at once compute the same sixty times.

    Others than these wait for nobody. What was raised is raised to its caller alone, and the next one tries again.

    Args:
        kept: how many results; None: all of them. Arguments can be hashed, and results are shared: never change one.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        kept_results = functools.lru_cache(kept)(function)
        cached = cast(Callable[P, T], kept_results)
        guard = threading.Lock()
        under_way: dict[object, threading.Lock] = {}

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            key = (args, tuple(kwargs.items()))
            with guard:
                mine = under_way.setdefault(key, threading.Lock())
            try:
                with mine:
                    return cached(*args, **kwargs)
            finally:
                with guard:
                    if under_way.get(key) is mine:
                        del under_way[key]

        vars(call).update(cache_info=kept_results.cache_info, cache_clear=kept_results.cache_clear)
        return call

    return decorate
