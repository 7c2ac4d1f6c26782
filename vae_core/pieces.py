"""What takes long, in pieces: whoever does it may do something else between two of them."""

import functools
from collections.abc import Callable, Generator
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Pieces = Generator[None, None, T]  # each `next` does a piece; what it returns in the end is the result


def finish(pieces: Pieces[T]) -> T:
    """Do all pieces, one after the other."""
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            return end.value


class in_pieces(Generic[P, T]):
    """Decorates a generator that yields between its pieces: called, it is a function that does them all.

    `function.pieces(...)` takes the same arguments and gives them one by one.
    """

    def __init__(self, function: Callable[P, Pieces[T]]) -> None:
        self.pieces = function
        functools.update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        return finish(self.pieces(*args, **kwargs))
