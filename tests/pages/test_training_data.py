"""Which images a run trains on: the chooser of the live training page, and the visitor's own, uploaded."""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import checked
from tests.waiting import wait_for
from vae_core.data import own
from vae_core.data.images import DataError
from vae_core.runs import uploads
from vae_core.runs.registry import Registry

DRAW = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def nothing_kept(data_folder: Path) -> Iterator[None]:
    yield
    for name in uploads.names_of("tester"):
        uploads.forget(data_folder / "uploads" / name)


def png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(DRAW.integers(0, 256, (28, 28), dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, held in files.items():
            archive.writestr(name, held)
    return file.getvalue()


def said(at: AppTest) -> str:
    return "\n".join(element.value for element in (*at.success, *at.warning))


def chooser(at: AppTest):  # type: ignore[no-untyped-def]
    return next(box for box in at.selectbox if box.label == "Dataset")


def test_the_sets_are_offered_and_one_that_is_not_here_names_its_command(
    training: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert chooser(training).options == ["MNIST digits", "Circles", "Fashion-MNIST", "Kuzushiji-MNIST"]
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **named: pytest.fail("a network was asked"))
    at = checked(chooser(training).set_value("kmnist").run())
    assert "python -m vae_core.data.fetch kmnist" in said(at) and at.query_params["dataset"] == "kmnist"
    assert "fetch" not in said(checked(chooser(at).set_value("circles").run()))


def test_uploaded_images_are_counted_trained_on_and_nobody_elses(
    training: AppTest, registry: Registry, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"{('cat', 'dog')[i % 2]}/{i}.png": png() for i in range(30)} | {"cat/notes.txt": b"hello"}
    at = checked(training.file_uploader[0].upload("pets.zip", zipped(files)).run())
    assert "30 images (26 train, 4 test, 2 classes), 1 refused." in said(at)
    (table,) = [frame.value for frame in at.dataframe if "why" in frame.value]
    assert table["refused"].tolist() == ["cat/notes.txt"] and "no PNG or JPEG" in table["why"][0]
    (name,) = uploads.names_of("tester")
    assert chooser(at).value == name and "Your own images, 30" in chooser(at).options
    at.number_input(key="epochs").set_value(1)
    checked(at.button(key="start").click().run())
    run = registry.of("tester")[0]
    wait_for(lambda: run.final is not None or run.status == "failed", 60)
    assert run.config.dataset == name and run.final is not None, run.message
    assert run.final["images"] == 4
    with np.load(data_folder / "uploads" / name / "images.npz", allow_pickle=False) as held:
        digest = hashlib.sha256(b"".join(held[k].tobytes() for k in ("x_train", "y_train", "x_test", "y_test")))
    right = hashlib.sha256(f"tester {digest.hexdigest()}".encode()).hexdigest()[:24]
    assert name == f"own-{right}"
    assert uploads.names_of("somebody else") == []


def test_what_cannot_be_trained_on_is_a_sentence_and_the_choice_stays(training: AppTest) -> None:
    at = checked(training.file_uploader[0].upload("few.zip", zipped({f"{i}.png": png() for i in range(3)})).run())
    assert "There are 3 images, and it takes 20 to train" in said(at) and chooser(at).value == "mnist"
    at = checked(at.file_uploader[0].upload("x.npz", b"PK\x03\x04 is no archive").run())
    assert "The npz file is damaged" in said(at)


def made(count: int = 20) -> own.OwnImages:
    return own.make(own.Gathered(DRAW.integers(0, 256, (count, 28, 28), dtype=np.uint8)), "Your own images")


def test_the_set_not_used_for_longest_gives_way_but_none_that_trains(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [uploads.keep(made(), "tester", []) for _ in range(uploads.OF_ONE)]
    for age, name in enumerate(names):
        uploads.os.utime(data_folder / "uploads" / name, (age, age))
    newest = uploads.keep(made(), "tester", [names[0]])
    assert set(uploads.names_of("tester")) == {names[0], names[2], newest}
    with pytest.raises(DataError, match="Your runs train on 3 sets of images of yours"):
        uploads.keep(made(), "tester", uploads.names_of("tester"))
    monkeypatch.setattr(uploads, "OF_ALL", 0)
    theirs = uploads.keep(made(), "another", [newest])
    assert uploads.names_of("tester") == [newest] and uploads.names_of("another") == [theirs]
    uploads.forget(data_folder / "uploads" / theirs)
