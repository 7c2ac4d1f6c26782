"""A training that goes on is, bit for bit, the training that was never interrupted."""

import json
import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from tests.command_line import TINY, card_of, run_main
from vae_core import evaluate
from vae_core.console import interrupts_wait
from vae_core.data import Images
from vae_core.evaluate import final_metrics
from vae_core.runs.training_checkpoint import TRAINING
from vae_core.trainer import Trainer

SHORT = [word for word in TINY if word not in ("--epochs", "2")]  # epochs of four steps
FILES = ("model.safetensors", "history.csv", "card.json")


@pytest.fixture(autouse=True)
def short_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five samples of five images: enough to see a bit that differs."""
    monkeypatch.setattr(evaluate, "final_metrics", lambda *given, iw_images: final_metrics(*given, 5, 5))


def content(folder: Path) -> dict[str, Any]:
    """All that is kept; of the card all but how long it took."""
    card = {name: value for name, value in card_of(folder).items() if name != "seconds"}
    return {name: (folder / name).read_bytes() for name in FILES[:2]} | {"card": card}


def press(at: int, monkeypatch: pytest.MonkeyPatch, presses: int = 1) -> None:
    """Ctrl-C comes within a step, when its update is made and not yet counted."""
    original = Trainer._update

    def updating(trainer: Trainer, *batch: torch.Tensor) -> None:
        original(trainer, *batch)
        if trainer.step_count == at:
            for _ in range(presses):
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Trainer, "_update", updating)


KINDS = {
    "mlp": ["--warmup-steps", "9"],
    "conv, rounded": ["--net", "conv", "--half"],
    "another likelihood": ["--likelihood", "gaussian-learned", "--protocol", "dynamic"],
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_goes_on_is_what_was_never_interrupted(
    kind: str, small: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = Images("mnist", small.x_train[:100], small.y_train[:100], small.x_test[:100], small.y_test[:100])
    monkeypatch.setattr("vae_core.trainer.load", lambda name, device: few)
    options = [*SHORT, *KINDS[kind], "--keep-state", "--batch-size", "25"]
    assert run_main(*options, "--epochs", "1", "--out", str(tmp_path / "a")) == 0
    assert (tmp_path / "a" / TRAINING).is_file()
    assert run_main("--resume", str(tmp_path / "a"), "--epochs", "2", "--keep-state") == 0
    assert run_main(*options, "--epochs", "2", "--out", str(tmp_path / "b")) == 0
    assert content(tmp_path / "a") == content(tmp_path / "b")
    ours, theirs = (safetensors.torch.load_file(tmp_path / name / TRAINING) for name in "ab")
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_ctrl_c_within_a_step_loses_nothing(
    small_data: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        press(5, patch)
        assert run_main(*TINY, "--out", str(tmp_path / "a")) == 130
    told = capsys.readouterr()
    assert "6 steps" in told.err and f"to go on: python -m vae_core.train --resume {tmp_path / 'a'}" in told.out
    assert card_of(tmp_path / "a")["steps"] == 6 and card_of(tmp_path / "a")["finished"] is False
    with monkeypatch.context() as patch:
        press(6, patch)
        assert run_main("--resume", str(tmp_path / "a")) == 130  # again, after one step: in its own folder
    assert card_of(tmp_path / "a")["steps"] == 7
    assert run_main("--resume", str(tmp_path / "a"), "--out", str(tmp_path / "c")) == 0
    assert card_of(tmp_path / "a")["steps"] == 7  # with --out, what it goes on from stays
    assert run_main(*TINY, "--out", str(tmp_path / "b")) == 0
    assert content(tmp_path / "c") == content(tmp_path / "b")
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == sorted(FILES)  # done: no state is kept


def test_the_test_row_of_an_end_within_an_epoch_is_not_of_the_longer_training(
    small_data: Images, tmp_path: Path
) -> None:
    assert run_main(*SHORT, "--steps", "6", "--keep-state", "--out", str(tmp_path / "a")) == 0
    assert run_main("--resume", str(tmp_path / "a"), "--epochs", "2") == 0
    assert run_main(*TINY, "--out", str(tmp_path / "b")) == 0
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_where_a_step_was_cut_nothing_is_kept_to_go_on_from(
    small_data: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        press(5, patch, presses=2)  # who presses twice does not wait
        assert run_main(*TINY, "--out", str(tmp_path / "cut")) == 130
    assert run_main(*TINY, "--learning-rate", "1000", "--keep-state", "--out", str(tmp_path / "away")) == 1
    with monkeypatch.context() as patch:
        press(2, patch)  # before anybody has read the losses
        assert run_main(*TINY, "--learning-rate", "1000", "--out", str(tmp_path / "unread")) == 130
    for name in ("cut", "away", "unread"):
        assert card_of(tmp_path / name)["finished"] is False and not (tmp_path / name / TRAINING).exists()
        assert "to go on" not in capsys.readouterr().out
        assert run_main("--resume", str(tmp_path / name)) == 2


# ---- what cannot go on


@pytest.fixture(scope="module")
def kept(small: Images, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept") / "a"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vae_core.trainer.load", lambda name, device: small)
        assert run_main(*SHORT, "--epochs", "1", "--keep-state", "--out", str(folder)) == 0
    return folder


def truncate(folder: Path) -> None:
    path = folder / TRAINING
    path.write_bytes(path.read_bytes()[:-1000])


def change(**metadata: Any) -> Callable[[Path], None]:
    def changing(folder: Path) -> None:
        with safetensors.safe_open(folder / TRAINING, framework="pt") as file:
            about = json.loads(file.metadata()["about"])
        tensors = safetensors.torch.load_file(folder / TRAINING)
        for name, value in metadata.items():
            if name == "config":
                about["config"] |= value
            elif value is None:
                del tensors[name.replace("__", ".")]
            else:
                tensors[name.replace("__", ".")] = value
        safetensors.torch.save_file(tensors, folder / TRAINING, {"about": json.dumps(about)})

    return changing


def other_card(folder: Path) -> None:
    path = folder / "card.json"
    path.write_text(path.read_text().replace('"beta": 1.0', '"beta": 2.0'))


DAMAGED: dict[str, tuple[Callable[[Path], None], str]] = {
    "no state": (lambda folder: (folder / TRAINING).unlink(), "has no training.safetensors to go on from: train with"),
    "truncated": (truncate, "training.safetensors is damaged"),
    "another card": (other_card, "belongs to other settings than card.json"),
    "another net": (change(config={"latent_dim": 5}), "belongs to other settings than card.json"),
    "a moment missing": (change(**{"adam__encoder.1.weight__exp_avg": None}), "is damaged"),
    "a weight of another shape": (change(**{"model__encoder.1.bias": torch.zeros(3)}), "is damaged"),
    "a weight that is no number": (change(**{"model__encoder.1.bias": torch.full((400,), torch.nan)}), "is damaged"),
    "history cut": (change(history=torch.tensor([91, 123], dtype=torch.uint8)), "is damaged"),
    "history of another kind": (change(history=torch.tensor([91, 49, 93], dtype=torch.uint8)), "is damaged"),
    "unknown setting": (change(config={"colour": "red"}), "is damaged"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_folder_gets_one_sentence_and_stays(
    kind: str, kept: Path, small_data: Images, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    harm, sentence = DAMAGED[kind]
    folder = shutil.copytree(kept, tmp_path / "a")
    harm(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert run_main("--resume", str(folder), "--epochs", "2") == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ") and err.count("\n") == 1 and sentence in err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "has made all its 4 steps: give more by --epochs"),
        (["--epochs", "1"], "has made all its 4 steps"),
        (["--epochs", "3", "--latent-dim", "2"], "was begun with --latent-dim 3: leave --latent-dim out"),
        (["--epochs", "3", "--film"], "a filmed run cannot go on later"),
        (["--epochs", "0"], "epochs is 0: give a whole number"),
    ],
)
def test_what_cannot_be_asked_for_gets_one_sentence(
    options: list[str], sentence: str, kept: Path, small_data: Images, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main("--resume", str(kept), *options) == 2
    err = capsys.readouterr().err
    assert sentence in err and err.count("\n") == 1


def test_what_was_asked_for_before_may_be_said_again(kept: Path, small_data: Images, tmp_path: Path) -> None:
    options = ["--latent-dim", "3", "--seed", "6", "--steps", "5", "--out", str(tmp_path / "b")]
    assert run_main("--resume", str(kept), *options) == 0
    card = card_of(tmp_path / "b")
    assert card["steps"] == 5 and card["config"]["steps"] == 5 and "--keep-state" not in card["command"]


def test_an_interrupt_waits_for_where_nothing_is_under_way() -> None:
    handler, reached = signal.getsignal(signal.SIGINT), []
    with pytest.raises(KeyboardInterrupt), interrupts_wait() as look:
        look()
        signal.raise_signal(signal.SIGINT)
        reached.append("the end of the step")
        look()
        reached.append("no more")
    assert reached == ["the end of the step"] and signal.getsignal(signal.SIGINT) is handler


def test_help_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main("--help") == 0
    said = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert "--resume DIR" in said and "bit for bit" in said and "--keep-state" in said and "(default 400-200)" in said
