"""A run on other images than MNIST: its moments, its frames, its report, its script and its bundle."""

import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.told import tell
from vae_core.config import RunConfig
from vae_core.data import Images, write
from vae_core.data.sets import circles, name_of, read
from vae_core.export import bundle as bundle_module
from vae_core.export.bundle import bundle
from vae_core.export.report import html_report
from vae_core.export.run_report import RunReport
from vae_core.export.script import repeat_script
from vae_core.inspect.snapshot import NO_CLASS, SnapshotTaker, ten_images
from vae_core.runs.snapshot_file import frame_bytes, packed, read_frame, read_snapshot
from vae_core.trainer import Trainer

CPU = torch.device("cpu")


@pytest.fixture(scope="module", autouse=True)
def few() -> Iterator[Images]:
    """A hundredth of Circles, whoever reads them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(circles, "DECLARED", replace(circles.DECLARED, train=600, test=100))
        for module in (write, bundle_module):
            patch.setattr(module, "load", read)  # not kept for other tests
        yield read("circles", CPU)


@pytest.fixture(scope="module")
def trainer(few: Images) -> Trainer:
    return Trainer(RunConfig(dataset="circles", device="cpu", batch_size=100, epochs=1), few)


@pytest.fixture(scope="module")
def story(trainer: Trainer) -> RunReport:
    """An epoch of six steps."""
    return tell(trainer, 6)


@pytest.fixture(scope="module")
def two(small: Images) -> Images:
    """Two classes with names, one of them of no file's making."""
    ones = small.y_train < 2
    tests = small.y_test < 2
    return Images(
        *("own", small.x_train[ones], small.y_train[ones], small.x_test[tests], small.y_test[tests]),
        classes=2,
        class_names=("<b>round</b>", "straight"),
    )


def test_images_without_labels_have_no_figure_that_needs_them(trainer: Trainer, tmp_path: Path) -> None:
    taker = SnapshotTaker(trainer.config, trainer.images)
    seen = taker.take(trainer.model, 0, measured=True)
    assert (seen.labels == NO_CLASS).all() and seen.originals.shape == (10, 28, 28)
    assert seen.metrics is not None and seen.metrics["neighbours"] is None and seen.metrics["holes"] is not None
    (tmp_path / "frame").write_bytes(packed(frame_bytes(seen)))
    again = read_snapshot(tmp_path / "frame")
    assert (again.labels == NO_CLASS).all() and again.class_names == ()


def test_names_of_classes_travel_with_a_frame_and_mnists_frames_stay_as_they_are(
    two: Images, small: Images, mnist: Images, tmp_path: Path
) -> None:
    config = RunConfig(device="cpu")
    for images in (two, small, replace(small, class_names=mnist.class_names)):
        seen = SnapshotTaker(config, images).take(Trainer(config, images).model, 0)
        (tmp_path / "frame").write_bytes(packed(frame_bytes(seen)))
        numbers, _ = read_frame(tmp_path / "frame")
        assert numbers.get("classNames") == (list(two.class_names) if images is two else None)
        assert read_snapshot(tmp_path / "frame").class_names == (two.class_names if images is two else ())
    first = two.y_test.tolist()
    assert ten_images(two)[:2].tolist() == [first.index(0), first.index(1)] and len(set(ten_images(two).tolist())) == 10


def test_a_report_on_other_images_names_them_and_their_classes(story: RunReport, trainer: Trainer, two: Images) -> None:
    page = html_report(story, "a run")
    assert "grey Circles" in page and "MNIST" not in page and 'class="key"' not in page and "of its class" not in page
    assert story.snapshot is not None and page.count('class="codes"') == 1
    seen = SnapshotTaker(trainer.config, two).take(trainer.model, story.steps)
    named = html_report(replace(story, snapshot=seen), "a run")
    assert named.count("&lt;b&gt;round&lt;/b&gt;") == 2 and "<b>round" not in named  # in the key and on the map
    assert named.count('class="codes"') == 2


def test_the_script_of_a_run_on_circles_is_repeated_on_the_file_that_its_command_writes(
    story: RunReport, tmp_path: Path
) -> None:
    script = repeat_script(story)
    command = re.search(r"python -m vae_core\.data\.write (\S+) (\S+)\n", script)
    assert command is not None and "mnist" not in script.lower()
    assert write.main([command[1], str(tmp_path / command[2])]) == 0
    (tmp_path / "repeat.py").write_text(script, encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "-I", "repeat.py", command[2], "curve.csv"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert result.returncode == 0, result.stderr
    curve = np.loadtxt(tmp_path / "curve.csv", delimiter=",", skiprows=1)
    assert np.array_equal(curve.astype(np.float32), story.train) and "grey Circles, test, 100 images" in result.stdout


def test_a_bundle_names_the_images_of_its_run(story: RunReport, trainer: Trainer) -> None:
    tensors = trainer.model.state_dict()
    with zipfile.ZipFile(io.BytesIO(bundle(story, tensors))) as archive:
        card = json.loads(archive.read("card.json"))
    assert card["data"]["name"] == "circles" and len(card["data"]["sha256"]) == 64
    gone = replace(story, config=story.config.with_(dataset=f"own-{'0' * 24}"))
    with zipfile.ZipFile(io.BytesIO(bundle(gone, tensors))) as archive:
        assert json.loads(archive.read("card.json"))["data"] == {"name": f"own-{'0' * 24}"}
    assert name_of("mnist") == "MNIST" and name_of("circles") == "Circles"
