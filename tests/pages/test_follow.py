"""Following the lecturer: what is on the page, which run it is, and that nothing on it acts on that run."""

import re
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
import zxingcpp
from streamlit.testing.v1 import AppTest

from pages.training import following
from pages.training.following import SEES, WAITS
from pages.ui import visitor
from pages.ui.follow import view
from pages.ui.live.view import Seen
from tests.pages.conftest import checked, own_buttons
from tests.pages.linked import shown
from vae_core.config import RunConfig
from vae_core.runs.registry import Registry

CONFIG = RunConfig(device="cpu", epochs=2)


@pytest.fixture(autouse=True)
def views(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, bool]]:
    """What the live views and the line above them were told, in the order of the calls."""
    told: list[tuple[str, str, bool]] = []

    def live_view(run_id: str, kind: Any, *, quiet: bool = False, **_: Any) -> Seen:
        told.append(("view", run_id, quiet))
        return Seen("", None)

    monkeypatch.setattr(following, "live_view", live_view)
    monkeypatch.setattr(following, "following_line", lambda run_id, text, key: told.append((text, run_id, True)))
    return told


@pytest.fixture
def room(fake_registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The server's registry; whoever visits is "tester", a student."""
    monkeypatch.setattr(visitor, "current", lambda: "tester")
    monkeypatch.setattr(visitor, "token_of_socket", lambda: "")
    return fake_registry


def lecture(registry: Registry) -> None:
    """The visitor is the lecturer from here on."""
    assert registry.lecturers.admit(registry.lecturers.key, "tester")


def follow() -> AppTest:
    return shown("training", {"follow": "1"})


def test_a_follower_waits_in_one_sentence_while_the_lecturer_shows_nothing(room: Registry, views: list[Any]) -> None:
    at = follow()
    assert views[-1] == (WAITS, "", True)
    assert [button.label for button in own_buttons(at)] == ["Train your own"]
    assert at.query_params == {"follow": "1"} and not at.warning


def test_a_follower_sees_the_lecturers_run_and_can_do_nothing_to_it(room: Registry, views: list[Any]) -> None:
    run_id = room.start(CONFIG, "lecturer")
    room.lecturers.show(run_id)
    at = follow()
    assert views[-2:] == [(SEES, run_id, True), ("view", run_id, True)]
    assert [button.label for button in own_buttons(at)] == ["Train your own"]
    assert not any(at.get(kind) for kind in ("toggle", "number_input", "selectbox", "multiselect", "slider"))
    assert at.query_params == {"follow": "1"}


def test_the_page_that_runs_again_shows_the_run_to_which_the_lecturer_went(room: Registry, views: list[Any]) -> None:
    first, second = (room.start(CONFIG, "lecturer") for _ in range(2))
    room.lecturers.show(first)
    at = follow()
    room.lecturers.show(second)
    checked(at.run())
    assert views[-1] == ("view", second, True)
    room.close_run(second)
    checked(at.run())
    assert views[-1] == (WAITS, "", True)


def test_train_your_own_leads_to_ones_own_page_and_the_link_back_again(room: Registry, views: list[Any]) -> None:
    room.lecturers.show(room.start(CONFIG, "lecturer"))
    at = follow()
    checked(at.button(key="leave").click().run())
    assert at.button(key="start") and at.number_input(key="beta") and "follow" not in at.query_params
    seen = len(views)
    checked(at.button(key="start").click().run())
    (own,) = room.of("tester")
    assert at.query_params["run"] == own.run_id and len(views) == seen
    assert follow().query_params == {"follow": "1"} and views[-1] == ("view", room.lecturers.followed, True)


def test_who_comes_back_from_another_page_still_follows(room: Registry, views: list[Any]) -> None:
    room.lecturers.show(room.start(CONFIG, "lecturer"))
    at = follow()
    at.query_params.clear()
    checked(at.switch_page("home/page.py").run())
    checked(at.switch_page("training/page.py").run())
    assert views[-1][0] == "view" and [button.label for button in own_buttons(at)] == ["Train your own"]


def test_a_link_to_a_run_leads_away_from_the_lecturers(room: Registry, views: list[Any]) -> None:
    at = follow()
    run_id = room.start(CONFIG, "somebody")
    at.query_params.clear()
    at.query_params["run"] = run_id
    checked(at.run())
    assert at.query_params["run"] == run_id and at.button(key="start")


def test_nobody_but_the_lecturer_shows_anything_to_the_class(room: Registry) -> None:
    at = checked(shown("training", {}).button(key="start").click().run())
    assert room.of("tester") and room.lecturers.followed == ""
    assert not any("class sees" in line.value for line in at.markdown)


def test_the_class_sees_what_the_lecturer_starts_or_chooses(room: Registry) -> None:
    lecture(room)
    at = shown("training", {})
    assert room.lecturers.followed == ""  # the run that ships is not the lecturer's
    assert any(line.value == "**Your class sees no run yet by**" for line in at.markdown)
    checked(at.button(key="start").click().run())
    (first,) = room.of("tester")
    assert room.lecturers.followed == first.run_id
    assert any(line.value == "**Your class sees this run by**" for line in at.markdown)
    checked(at.button(key="start").click().run())
    second = room.of("tester")[0]
    assert room.lecturers.followed == second.run_id != first.run_id
    box = next(b for b in at.selectbox if b.label == "Run on the page")
    checked(box.set_value(first.run_id).run())
    assert room.lecturers.followed == first.run_id


def test_a_second_window_of_the_lecturers_takes_the_class_away_only_when_asked_to(room: Registry) -> None:
    lecture(room)
    one = checked(shown("training", {}).button(key="start").click().run())
    first = room.lecturers.followed
    another = shown("training", {})
    checked(another.button(key="start").click().run())
    second = room.lecturers.followed
    assert first != second
    checked(one.run())  # as it does by itself, whenever its run enters another status
    assert room.lecturers.followed == second
    assert any(line.value == "**Your class sees another run by**" for line in one.markdown)
    checked(next(b for b in one.button if b.label == "Show this run to the class").click().run())
    assert room.lecturers.followed == first
    assert not any(b.label == "Show this run to the class" for b in one.button)


def read_qr(html: str) -> str:
    """What another reader than the writer makes of the picture: its path draws runs of dark modules, row by row."""
    (size,) = set(re.findall(r"viewBox='0 0 (\d+) \1'", svg := unquote(html)))
    path = re.findall(r"stroke='#000'[^>]* d='([^']+)'|d='([^']+)'[^>]* stroke='#000'", svg)
    dark = np.full((int(size), int(size)), 255, np.uint8)
    x = y = 0.0
    for move, numbers in re.findall(r"([Mmh])([-\d. ]+)", "".join(path[0])):
        given = [float(number) for number in numbers.split()]
        if move == "h":
            dark[int(y), int(x) : int(x + given[0])] = 0
            x += given[0]
        else:
            x, y = (given[0], given[1]) if move == "M" else (x + given[0], y + given[1])
    (found,) = zxingcpp.read_barcodes(dark.repeat(4, axis=0).repeat(4, axis=1))
    return found.text


@pytest.mark.parametrize("host", ["10.1.2.3:8501", "127.0.0.1:8501"])
def test_the_link_of_the_class_is_a_qr_code_where_others_can_reach_it(
    host: str, room: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    lecture(room)
    link = f"http://{host}/training?follow=1"
    monkeypatch.setattr(view, "class_link", lambda page: link)
    at = shown("room", {})
    codes = [element.proto.body for element in at.get("html") if "QR code" in element.proto.body]
    if host.startswith("127"):
        assert not codes and any("No QR code, as this link works on this computer" in c.value for c in at.caption)
    else:
        assert [read_qr(code) for code in codes] == [link]


@pytest.mark.parametrize("asked", ["0", "2", "yes", ""])
def test_what_is_no_wish_to_follow_is_none(asked: str, room: Registry) -> None:
    at = shown("training", {"follow": asked})
    assert at.button(key="start") and "follow" not in at.query_params
    assert bool(at.warning) is (asked != "0")
