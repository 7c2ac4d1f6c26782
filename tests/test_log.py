"""What the server says: on stderr, and the last sentences kept, whoever says them and however many at once."""

import logging
import threading
import time

import pytest

from vae_core.runs import log
from vae_core.runs.log import KEPT, Ring, Sentence, last_sentences, logger


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("elbo_room", logging.WARNING, __file__, 1, text, None, None)


def test_a_sentence_goes_to_stderr_as_it_is_and_is_kept_with_time_and_level(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = time.time()
    logger.warning("The disk is full: free some space.")
    logging.getLogger("elbo_room").info("%d of %d", 1, 2)  # the standard library's own, wherever it is asked for
    assert capsys.readouterr().err == "The disk is full: free some space.\n1 of 2\n"
    full, counted = last_sentences()[-2:]
    assert (full.level, full.text) == ("WARNING", "The disk is full: free some space.")
    assert (counted.level, counted.text) == ("INFO", "1 of 2")
    assert before - 1 < full.at <= counted.at < time.time() + 1


def test_an_error_is_kept_in_one_line_and_its_traceback_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise KeyError("a run")
    except KeyError:
        logger.exception("The round was not made.")
    said = capsys.readouterr().err
    assert "Traceback" in said and said.endswith("KeyError: 'a run'\n")
    assert last_sentences()[-1].text == "The round was not made. (KeyError: 'a run')"


def test_what_is_read_stays_as_it_was() -> None:
    ring = Ring(2)
    ring.handle(record("one"))
    read = ring.read()
    ring.handle(record("two"))
    assert isinstance(read, tuple) and [s.text for s in read] == ["one"]
    with pytest.raises(AttributeError):
        read[0].text = "another"  # type: ignore[misc]


def test_the_oldest_make_room() -> None:
    ring = Ring()
    for number in range(KEPT + 5):
        ring.handle(record(str(number)))
    assert [s.text for s in ring.read()] == [str(number) for number in range(5, KEPT + 5)]


def test_many_threads_may_speak_while_others_read() -> None:
    ring, failures = Ring(50), []

    def speak(name: int) -> None:
        for number in range(300):
            ring.handle(record(f"{name} {number}"))

    def read() -> None:
        try:
            for _ in range(300):
                assert all(isinstance(sentence, Sentence) for sentence in ring.read())
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=speak, args=(name,)) for name in range(4)]
    threads += [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == [] and len(ring.read()) == 50
    for name in range(4):  # in the order in which each of them spoke
        own = [int(s.text.split()[1]) for s in ring.read() if s.text.startswith(f"{name} ")]
        assert own == sorted(own)


def test_without_a_stderr_a_sentence_is_kept_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(log.sys, "stderr", None)
    logger.warning("Nobody hears it.")
    assert last_sentences()[-1].text == "Nobody hears it." and capsys.readouterr().out == ""
