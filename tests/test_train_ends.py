"""Trainings from the command line that end early: what was learned is kept, and the exit status says why."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.command_line import ROOT, TINY, card_of, raise_at, rows_of, run_main
from vae_core import checkpoints, train
from vae_core.data import Images
from vae_core.runs.messages import STOPPED
from vae_core.runs.run_record import RunRecord


def test_ctrl_c_keeps_a_filmed_run_with_all_its_rows(
    small_data: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_at(6, KeyboardInterrupt(), monkeypatch)
    assert run_main(*TINY, "--film", "--frames", "2", "--only-run", "--out", str(tmp_path / "cut")) == 130
    run = RunRecord.load(tmp_path / "cut")
    assert run.status == STOPPED and run.train.since(-1)[:, 0].tolist() == [1, 2, 3, 4, 5, 6] and run.film == (0,)


def test_ctrl_c_saves_what_was_learned_and_returns_130(
    small_data: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raise_at(6, KeyboardInterrupt(), monkeypatch)
    assert run_main(*TINY, "--out", str(tmp_path)) == 130
    assert "6 steps" in capsys.readouterr().err
    card = card_of(tmp_path)
    assert card["steps"] == 6 and card["finished"] is False
    assert [int(row["step"]) for row in rows_of(tmp_path, "train")] == [1, 2, 3, 4, 5, 6]
    assert checkpoints.load(tmp_path).config.seed == 6


def test_a_real_ctrl_c_ends_the_real_command_with_its_files(tmp_path: Path) -> None:
    """A signal sent to the process once its progress bar shows that training has begun."""
    process = subprocess.Popen(
        [sys.executable, "-c", WITH_FEW_IMAGES, "--device", "cpu", "--epochs", "1000", "--out", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None and process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "Traceback" not in err and "interrupted" in err
    assert card_of(tmp_path)["steps"] == len(rows_of(tmp_path, "train")) >= 3


def test_ctrl_c_while_the_result_is_saved_waits_for_it(
    small_data: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    original, handler = train.make_card, signal.getsignal(signal.SIGINT)

    def pressed(*arguments: Any) -> dict[str, Any]:
        signal.raise_signal(signal.SIGINT)
        return original(*arguments)

    monkeypatch.setattr(train, "make_card", pressed)
    assert run_main(*TINY, "--out", str(tmp_path)) == 0
    assert "being saved" in capsys.readouterr().err
    assert card_of(tmp_path)["finished"] is True and checkpoints.load(tmp_path).model is not None
    assert signal.getsignal(signal.SIGINT) is handler


# SIGINT as a terminal would have it: a shell that starts its tests in the background hands it on ignored.
WITH_FEW_IMAGES = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from vae_core import train, trainer
from vae_core.data import Images, load
def few(name, device):
    i = load(name, device)
    return Images(name, i.x_train[:1000], i.y_train[:1000], i.x_test[:100], i.y_test[:100])
def step(it, original=trainer.Trainer.step):
    original(it)
    if it.step_count == 3:
        print("begun", flush=True)
trainer.load, trainer.Trainer.step = few, step
sys.exit(train.main())
"""


def test_divergence_returns_1_and_saves_the_last_good_weights(
    small_data: Images, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main(*TINY, "--learning-rate", "1000", "--out", str(tmp_path)) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "learning rate 1000" in err
    weights = checkpoints.load(tmp_path).model.state_dict()
    assert all(tensor.isfinite().all() for tensor in weights.values())
    card = card_of(tmp_path)
    assert card["finished"] is False and np.isfinite(card["test"]["neg_elbo"])


def test_ctrl_c_on_a_loss_that_ran_away_unread_keeps_the_last_good_weights(
    small_data: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Losses wait on the device: at the third step of an epoch of four nobody has looked at them yet."""
    raise_at(3, KeyboardInterrupt(), monkeypatch)
    assert run_main(*TINY, "--learning-rate", "1000", "--out", str(tmp_path)) == 130
    err = capsys.readouterr().err
    assert "interrupted" in err and "ran away to infinity" in err and "Traceback" not in err
    assert all(tensor.isfinite().all() for tensor in checkpoints.load(tmp_path).model.state_dict().values())


def test_a_folder_lost_during_training_is_status_1_and_one_line(
    small_data: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder was writable at the start; a file lies in its place when the hour of training is over."""
    out = tmp_path / "out"

    def meanwhile(*_: Any) -> None:
        shutil.rmtree(out)
        out.write_text("in the way")

    monkeypatch.setattr(train, "train", meanwhile)
    assert run_main(*TINY, "--out", str(out)) == 1
    assert capsys.readouterr().err.count("\n") == 1
