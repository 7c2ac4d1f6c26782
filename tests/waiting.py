"""Polling, where a test waits for another thread or process."""

import os
import time
from collections.abc import Callable
from typing import Any


def wait_for(condition: Callable[[], Any], seconds: float = 90) -> None:
    """Poll until something is true; the time is only an upper bound."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def is_there(pid: int) -> bool:
    """Whether a process has not ended, or has ended and nobody has taken note of it yet."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
