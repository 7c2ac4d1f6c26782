"""Drawings of a class: given in the explorer, looked at by the lecturer, trained on like an upload."""

import base64
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import shipped, visitor
from tests.pages.conftest import ROUTER, checked
from vae_core.data import load
from vae_core.data.images import DataError
from vae_core.data.sets import declared
from vae_core.runs import drawings, uploads
from vae_core.runs.registry import Registry

STATE = "explorer state"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ELBO_ROOM_DATA", str(tmp_path))
    drawings._given.clear()
    yield tmp_path / "drawings"
    drawings._given.clear()


@pytest.fixture
def lecturer(fake_registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setattr(visitor, "current", lambda: "tester")
    monkeypatch.setattr(visitor, "token_of_socket", lambda: "")
    assert fake_registry.lecturers.admit(fake_registry.lecturers.key, "tester")
    return fake_registry


def digit(number: int) -> bytes:
    return shipped.images().x_test[number].numpy().tobytes()


def page(name: str) -> AppTest:
    at = AppTest.from_file(str(ROUTER), default_timeout=60).run()
    at.session_state["drawings box"] = True  # opened
    return checked(at.switch_page(f"{name}/page.py").run())


def press(at: AppTest, label: str) -> AppTest:
    return checked(next(button for button in at.button if button.label == label).click().run())


def has(at: AppTest, label: str) -> bool:
    return any(button.label == label for button in at.button)


# ---- the set itself


def test_what_is_kept_is_the_picture_and_its_label(folder: Path) -> None:
    drawings.open_for_all(labels=True)
    for i, label in enumerate("707"):
        drawings.give(digit(i), label, f"visitor {i}")
    held = sorted(folder.glob("*.grey"))
    assert [path.read_bytes() for path in held] == [digit(i) for i in range(3)]
    assert [d.label for d in drawings.drawings()] == ["7", "0", "7"] and drawings.count() == 3
    everything = b"".join(path.name.encode() + path.read_bytes() for path in folder.iterdir())
    assert b"visitor" not in everything
    drawings.remove(held[1].name)
    drawings.remove("../open")
    drawings.remove("open")
    assert [d.pixels.tobytes() for d in drawings.drawings()] == [digit(0), digit(2)] and drawings.is_open()


def test_it_is_bounded_and_says_why_it_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(picture: bytes, label: str = "1", who: str = "ann") -> str:
        with pytest.raises(DataError) as error:
            drawings.give(picture, label, who)
        return str(error.value)

    assert "closed" in refused(digit(0))
    drawings.open_for_all(labels=True)
    monkeypatch.setattr(drawings, "OF_ONE", 2)
    monkeypatch.setattr(drawings, "MOST", 3)
    assert "no drawing yet" in refused(bytes(784)) and "no drawing yet" in refused(digit(0)[:-1])
    assert "which digit" in refused(digit(0), "") and "which digit" in refused(digit(0), "../../x")
    drawings.give(digit(0), "7", "ann")
    assert "already" in refused(digit(0))
    drawings.give(digit(1), "2", "ann")
    assert "as many as one may" in refused(digit(2))
    drawings.give(digit(2), "1", "bob")
    assert "full" in refused(digit(3), who="cleo") and drawings.count() == 3
    drawings.remove_all()
    drawings.close()
    drawings.open_for_all(labels=False)
    drawings.give(digit(5), "nonsense", "cleo")
    assert [d.label for d in drawings.drawings()] == [""]


def test_what_else_lies_there_brings_nobody_down(folder: Path) -> None:
    drawings.open_for_all(labels=True)
    drawings.give(digit(0), "7", "ann")
    (folder / "002001.grey").write_bytes(b"stray")
    (folder / "000001-zebra-0123456789ab.grey").write_bytes(digit(1))
    (folder / "000002-3-0123456789ab.grey").write_bytes(digit(2)[:100])  # cut short by a full disk
    assert [d.label for d in drawings.drawings()] == ["7"]
    drawings.give(digit(3), "1", "ann")
    drawings.remove_all()
    assert drawings.count() == 0 and (folder / "002001.grey").exists() and drawings.is_open()


@pytest.mark.parametrize("labels", [True, False])
def test_it_becomes_a_set_with_its_own_class_names(labels: bool) -> None:
    drawings.open_for_all(labels)
    with pytest.raises(DataError, match="There are 0 images, and it takes 20"):
        drawings.as_set()
    for i in range(40):
        drawings.give(digit(i), "38"[i % 2], "ann")
    made = drawings.as_set()
    name = uploads.keep(made, "tester", [])
    says, images = declared(name), load(name, shipped.images().x_test.device)
    assert says.title == "Drawn by the class" and says.centred
    assert says.class_names == (("3", "8") if labels else ()) and images.classes == 2 * labels
    given = {digit(i): i % 2 for i in range(40)}
    for x, y in zip([*images.x_train, *images.x_test], [*images.y_train, *images.y_test], strict=True):
        assert given.pop(x.numpy().tobytes()) == int(y) or not labels
    assert not given


# ---- on the pages


def test_the_lecturer_opens_sees_removes_closes_and_makes_a_set(lecturer: Registry) -> None:
    at = page("room")
    assert "0 drawings, closed." in [caption.value for caption in at.caption]
    at = press(at, "Open the collection")
    assert drawings.is_open() and drawings.asks_labels() and has(at, "Close the collection")
    for i in range(24):
        drawings.give(digit(i), "38"[i % 2], "ann")
    at = checked(at.run())
    assert any("24 drawings, open" in caption.value for caption in at.caption)
    table = next(frame.value for frame in at.dataframe if "drawing" in frame.value)
    assert table["label"].tolist() == list("38" * 12)
    png = base64.b64decode(table["drawing"][7].partition(",")[2])
    assert png.startswith(b"\x89PNG") and len(set(table["drawing"])) == 24
    assert next(button for button in at.button if button.label == "Remove the chosen").disabled
    drawings.remove(drawings.drawings()[0].name)
    at = press(at, "Make a set")
    (name,) = uploads.names_of("tester")
    assert declared(name).train + declared(name).test == 23
    at = press(at, "Close the collection")
    assert not drawings.is_open() and drawings.count() == 23
    at = press(at, "Remove all")
    assert next(button for button in at.button if button.label == "Make a set").disabled
    assert drawings.count() == 0 and uploads.names_of("tester") == [name]


def test_a_visitor_gives_what_was_drawn_and_no_test_image(lecturer: Registry) -> None:
    at = page("explorer")
    checked(at.segmented_control(key="explorer way").set_value("encode").run())
    assert not has(at, "Give it to the class")
    drawings.open_for_all(labels=True)
    give = lambda: next(button for button in at.button if button.label == "Give it to the class")  # noqa: E731
    at = checked(at.run())
    assert give().disabled
    for picture, usable in (("A" * 7, False), (base64.b64encode(digit(3)).decode(), True)):
        at.session_state[STATE] = {"encode": {"of": "picture", "picture": picture, "number": None}}
        at.session_state["explorer again"] += 1
        at = checked(at.run())
        assert give().disabled is not usable
    at = checked(give().click().run())
    assert drawings.count() == 0 and any("which digit" in warning.value for warning in at.warning)
    at.segmented_control(key="explorer given label").set_value("0")
    at = checked(give().click().run())
    (drawing,) = drawings.drawings()
    assert drawing.label == "0" and drawing.pixels.tobytes() == digit(3) and np.any(drawing.pixels)
    at = checked(at.selectbox(key="explorer model").set_value("circles-beta-tc-mlp-3").run())
    assert not has(at, "Give it to the class")  # there drawings are not made as MNIST's images are
