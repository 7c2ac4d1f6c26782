"""What the server has to say, in sentences: each goes to stderr, and the last ones are kept for the lecturer's page.

`logger` is the standard library's: `logger.warning("A frame cannot be written: free some disk space.")`.
"""

import collections
import logging
import sys
from dataclasses import dataclass

KEPT = 100  # sentences


@dataclass(frozen=True)
class Sentence:
    at: float  # seconds since the epoch
    level: str  # "INFO", "WARNING", "ERROR"
    text: str


class Ring(logging.Handler):
    """The last sentences, oldest first. Thread-safe: `logging` calls `emit` under the handler's lock."""

    def __init__(self, most: int = KEPT) -> None:
        super().__init__()
        self._sentences: collections.deque[Sentence] = collections.deque(maxlen=most)

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info and record.exc_info[0]:  # of a traceback its last line: the rest is on stderr
            text += f" ({record.exc_info[0].__name__}: {record.exc_info[1]})"
        self._sentences.append(Sentence(record.created, record.levelname, text))

    def read(self) -> tuple[Sentence, ...]:
        """A copy that nobody changes any more."""
        self.acquire()
        try:
            return tuple(self._sentences)
        finally:
            self.release()


class _Stderr(logging.Handler):
    """Writes to whatever stderr is at that moment, and nowhere where there is none."""

    def emit(self, record: logging.LogRecord) -> None:
        if sys.stderr is not None:
            print(self.format(record), file=sys.stderr, flush=True)


def _begin(ring: Ring) -> logging.Logger:
    """The one logger of the program, which writes by itself: whoever sets up a root logger gets nothing twice."""
    made = logging.getLogger("elbo_room")
    made.setLevel(logging.INFO)
    made.propagate = False
    made.handlers = [_Stderr(), ring]
    return made


_ring = Ring()
logger = _begin(_ring)


def last_sentences() -> tuple[Sentence, ...]:
    """What was said last, oldest first."""
    return _ring.read()
