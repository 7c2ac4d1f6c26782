"""The zip file, unpacked by zipfile and used as its receiver would use it."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from tests.told import told
from vae_core import checkpoints, rng
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.evaluate import evaluate
from vae_core.export.bundle import bundle, title
from vae_core.export.run_notebook import run_notebook
from vae_core.export.run_report import RunReport
from vae_core.export.script import repeat_script
from vae_core.export.tensorboard import event_file

ALWAYS = [
    "report.html",
    "history.csv",
    "config.json",
    "marks.json",
    "repeat.py",
    "repeat.ipynb",
    "events.out.tfevents.0.elbo-room",
    "model_card.md",
]


@pytest.fixture(scope="module")
def story() -> RunReport:
    return told()[0]


@pytest.fixture(scope="module")
def packed() -> bytes:
    return bundle(*told())


def opened(content: bytes) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    return archive


def test_the_files_come_in_one_order(packed: bytes, story: RunReport) -> None:
    assert opened(packed).namelist() == [*ALWAYS, "model.safetensors", "card.json"]
    assert opened(bundle(story)).namelist() == ALWAYS


def test_the_same_story_gives_the_same_bytes(packed: bytes) -> None:
    assert bundle(*told()) == packed


def test_settings_and_marks_are_json(packed: bytes, story: RunReport) -> None:
    archive = opened(packed)
    assert RunConfig.from_dict(json.loads(archive.read("config.json"))) == story.config
    (mark,) = json.loads(archive.read("marks.json").decode())
    assert mark == {
        "step": 117,
        "text": "beta 1 → 0 at step 117",
        "weights": {"alpha": 1.0, "beta": 0.0, "weights": "", "learning_rate": 0.002, "frozen": "none"},
    }


def test_report_script_and_events_are_those_of_their_modules(packed: bytes, story: RunReport) -> None:
    archive = opened(packed)
    assert f"<title>{title(story)}</title>" in archive.read("report.html").decode()
    assert archive.read("repeat.py").decode() == repeat_script(story)
    assert archive.read("repeat.ipynb").decode() == run_notebook(story, title(story))
    assert archive.read(ALWAYS[6]) == event_file(story)


def test_pandas_reads_the_curves(packed: bytes, story: RunReport) -> None:
    table = pd.read_csv(opened(packed).open("history.csv"))
    assert np.array_equal(table[table.split == "train"].loss.to_numpy(np.float32), story.train[:, 3])


def test_unpacked_it_is_a_checkpoint_with_the_figures_of_its_card(
    packed: bytes, story: RunReport, mnist: Images, tmp_path: Path
) -> None:
    opened(packed).extractall(tmp_path)
    loaded = checkpoints.load(tmp_path)
    weights = told()[1]
    assert all(torch.equal(tensor, weights[name]) for name, tensor in loaded.model.state_dict().items())
    found = evaluate(loaded.model, mnist.x_test, "grey", rng.stream_seed(story.config.seed, "eval"))
    card: dict[str, Any] = loaded.card
    assert found.neg_elbo == pytest.approx(card["test"]["neg_elbo"], abs=1e-3)
    assert (card["steps"], card["finished"], card["seed"]) == (235, True, 0)
    assert card["marks"][0]["step"] == 117 and card["command"].startswith("python -m vae_core.train --net mlp")


def test_an_unfinished_run_without_figures_is_a_checkpoint_too(story: RunReport, tmp_path: Path) -> None:
    bare = replace(story, status="failed", final=None, snapshot=None, marks=(), train=story.train[:7])
    opened(bundle(bare, told()[1])).extractall(tmp_path)
    card = checkpoints.load(tmp_path).card
    assert (card["test"], card["finished"], card["steps"]) == (None, False, 7)


def test_weights_of_another_model_are_refused(story: RunReport) -> None:
    other = replace(story, config=story.config.with_(latent_dim=3))
    with pytest.raises(RuntimeError, match="size mismatch"):
        bundle(other, told()[1])


def test_a_name_says_what_was_trained(story: RunReport) -> None:
    assert title(story) == "MNIST, VAE (mlp, 2 latents), seed 0"
