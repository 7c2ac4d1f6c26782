"""The engine room's page: for a lecturer alone, with buttons that reach anybody's run."""

from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.room import tables
from pages.room.tables import engine_row, in_bytes
from pages.ui import visitor
from tests.pages.conftest import ROUTER, checked, own_buttons
from tests.test_room import say
from vae_core.config import RunConfig
from vae_core.runs.log import logger
from vae_core.runs.messages import RUNNING, STOPPED, Command, Line, Waiting
from vae_core.runs.registry import Registry
from vae_core.runs.room import EngineStatus

CONFIG = RunConfig(device="cpu", epochs=2)


@pytest.fixture
def class_registry(fake_registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """The server's, whose engines say what the test says; whoever visits is "tester"."""
    monkeypatch.setattr(visitor, "current", lambda: "tester")
    monkeypatch.setattr(visitor, "token_of_socket", lambda: "")
    return fake_registry


@pytest.fixture
def lecturer(class_registry: Registry) -> Registry:
    assert class_registry.lecturers.admit(class_registry.lecturers.key, "tester")
    return class_registry


def room() -> AppTest:
    at = AppTest.from_file(str(ROUTER), default_timeout=60).run()
    return checked(at.switch_page("room/page.py").run())


def words(at: AppTest) -> list[str]:
    return [text.value for text in at.text]


def test_nobody_else_sees_anything_but_what_to_do(class_registry: Registry) -> None:
    class_registry.start(CONFIG, "ann")
    at = room()
    assert [info.value for info in at.info] == [
        "This page is for the lecturer: open the link with the key that the server printed when it started."
    ]
    assert not own_buttons(at) and not at.metric and not at.text


def test_the_lecturer_sees_whose_runs_there_are(lecturer: Registry, links: list[Any]) -> None:
    for name in ("ann", "tester"):
        say(links, lecturer.start(CONFIG, name), RUNNING)
    at = room()
    assert not at.info
    row = ["vae mlp, 2 latents", "running", "12 of 470", "5,000", "–"]
    assert words(at) == ["lecturer", *row, "visitor 1", *row]
    assert {metric.label.split(" (")[0] for metric in at.metric} == {
        "Visitors",
        "Followers",
        "Train · wait in line",
        "Memory: server",
        "Memory: engines",
        "Disk of 20.0 GB",
    }
    assert next(m.value for m in at.metric if m.label == "Train · wait in line") == "2 · 0"


def test_stop_and_pin_reach_the_run_of_anybody(lecturer: Registry, links: list[Any]) -> None:
    run_id = lecturer.start(CONFIG, "ann")
    say(links, run_id, RUNNING)
    at = room()
    checked(at.button(key=f"pin {run_id}").click().run())
    assert links[0].sent[-1] == Command(run_id, "pin") and at.button(key=f"pin {run_id}").label == "Unpin"
    checked(at.button(key=f"pin {run_id}").click().run())
    assert links[0].sent[-1] == Command(run_id, "unpin") and at.button(key=f"pin {run_id}").label == "Pin"
    checked(at.button(key=f"stop {run_id}").click().run())
    assert links[0].sent[-1] == Command(run_id, "stop")


def test_a_button_of_a_run_that_has_just_gone_is_harmless(lecturer: Registry, links: list[Any]) -> None:
    run_id = lecturer.start(CONFIG, "ann")
    at = room()
    lecturer.close_run(run_id)
    checked(at.button(key=f"stop {run_id}").click().run())
    assert not words(at)


def test_of_a_large_class_the_first_have_buttons_and_the_others_are_counted(
    lecturer: Registry, links: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MOST_RUNS", 3)
    ids = [lecturer.start(CONFIG, f"visitor {n}") for n in range(5)]
    say(links, ids[0], STOPPED)
    at = room()
    assert [b.key for b in at.button if b.label == "Stop"] == [f"stop {run_id}" for run_id in ids[1:4]]
    assert any(c.value.startswith("2 more") for c in at.caption)


def test_a_run_that_has_ended_stays_in_its_place_without_anything_to_press(
    lecturer: Registry, links: list[Any]
) -> None:
    ids = [lecturer.start(CONFIG, f"visitor {n}") for n in range(2)]
    say(links, ids[0], STOPPED)
    at = room()
    assert [(b.key.split()[1], b.disabled) for b in own_buttons(at)] == [(ids[0], True)] * 2 + [(ids[1], False)] * 2
    assert not any("more" in caption.value for caption in at.caption)


def test_what_the_server_said_stands_there_the_newest_first(lecturer: Registry) -> None:
    logger.warning("The first: **not bold**.")
    logger.error("The second.")
    table = room().dataframe[0].value
    assert list(table["sentence"][:2]) == ["The second.", "The first: **not bold**."]
    assert list(table["level"][:2]) == ["error", "warning"]
    assert not any(lecturer.lecturers.key in text for text in table["sentence"])


def test_the_key_in_the_address_is_answered_once(lecturer: Registry) -> None:
    for answer, said in (("1", ""), ("0", "not the key of this server"), ("no-cookie", "keeps no cookie")):
        at = AppTest.from_file(str(ROUTER), default_timeout=60)
        at.query_params["lecturer"] = answer
        checked(at.run())
        assert "lecturer" not in at.query_params
        assert [toast.value for toast in at.toast] == (
            [] if said else ["The key was taken: you are the lecturer here."]
        )
        assert [said in warning.value for warning in at.warning] == ([True] if said else [])
        assert not checked(at.run()).toast


def test_nobody_is_greeted_as_the_lecturer_who_only_wrote_it_into_the_address(class_registry: Registry) -> None:
    at = AppTest.from_file(str(ROUTER), default_timeout=60)
    at.query_params["lecturer"] = "1"
    checked(at.run())
    assert not at.toast and "not the key" in at.warning[0].value


# ---- numbers and their units


def test_bytes_are_said_in_units_that_can_be_compared() -> None:
    assert [in_bytes(n) for n in (None, 0, 412_300_000, 999_999_999, 10**9, 75_700_000_000)] == [
        "–",
        "0 MB",
        "412 MB",
        "1000 MB",
        "1.0 GB",
        "75.7 GB",
    ]


def test_an_engine_tells_of_its_line_where_it_has_one() -> None:
    silent, talking = (
        EngineStatus("cpu", 1, 3, 5 * 10**8),
        EngineStatus("cuda", 2, 4, None, Line(2, 1, (Waiting("b", 1, 1, 3.0),), 10**8, 200.0, 0.1)),
    )
    assert engine_row(silent) == {
        "device": "cpu",
        "memory": "500 MB",
        "runs open": "3",
        "started again": "once",
    }
    row = engine_row(talking)
    assert row["train (seats)"] == "1 (2)" and row["wait in line"] == "1" and row["steps/s"] == "200"
    assert row["time for pictures and saves"] == "10%"
    assert row["started again"] == "2 times" and row["memory"] == "–"
