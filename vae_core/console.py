"""What command lines share: refusals in one line, letters that every terminal can show, Ctrl-C at the right moment."""

import argparse
import codecs
import contextlib
import io
import os
import signal
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

_HANDLER = "elbo-room-plain"  # as codecs know it
_ALIKE = {
    "−": "-",
    "–": "-",
    "—": "-",
    "→": "->",
    "×": "x",
    "±": "+-",
    "·": "*",
    "‖": "||",
    "…": "...",
    "’": "'",
    "“": '"',
    "”": '"',
}


def accept_all_letters() -> None:
    """From now on stdout and stderr write what their encoding lacks as it looks ("-" for "−"), or as "?"."""
    codecs.register_error(_HANDLER, _replace)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a notebook puts something else there
            stream.reconfigure(errors=_HANDLER)


def say(text: str, error: bool = False) -> None:
    """A line on stdout, or on stderr; lost where nobody can read it any more (`| head`, a full disk)."""
    stream = sys.stderr if error else sys.stdout
    try:
        print(text, file=stream, flush=True)
    except OSError:  # also when Python flushes what is left at its end
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line and exits with status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}\n")


def folder_name(text: str) -> Path:
    """The folder that an option names."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty: name a folder, or . for the current one.")
    return Path(text)


@contextlib.contextmanager
def hold_interrupts(why: str) -> Iterator[None]:
    """A Ctrl-C within the block is answered with a sentence, and does nothing else.

    Args:
        why: the sentence: what goes on, and that it will end.
    """
    try:
        before = signal.signal(signal.SIGINT, lambda *_: say(why, error=True))
    except ValueError:  # not on the main thread, which alone hears a Ctrl-C
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Paused(KeyboardInterrupt):
    """A Ctrl-C that waited until nothing was under way."""


@contextlib.contextmanager
def interrupts_wait() -> Iterator[Callable[[], None]]:
    """A Ctrl-C within the block waits for the next call of what is given here, which then raises Paused.

    The second one waits for nothing: it is a KeyboardInterrupt wherever it comes.
    """
    pressed = False

    def press(*_: object) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    def look() -> None:
        if pressed:
            raise Paused

    heard = threading.current_thread() is threading.main_thread()  # which alone hears a Ctrl-C
    if not heard or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield look
        return
    before = signal.signal(signal.SIGINT, press)
    try:
        yield look
    finally:
        signal.signal(signal.SIGINT, before)


def _replace(error: UnicodeError) -> tuple[str | bytes, int]:
    """For codecs: what stands for the first letter that cannot be encoded, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letter, end = error.object[error.start], error.start + 1
    if "\udc80" <= letter <= "\udcff":  # a byte of a file name that is no text: as it was
        return bytes([ord(letter) - 0xDC00]), end
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()  # "e" of "é"
    return _ALIKE.get(letter) or plain or "?", end
