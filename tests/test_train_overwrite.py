"""A result in the folder of a training: kept whole unless its replacement is wished for, and complete."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import TINY, card_of, raise_at, run_main
from vae_core import checkpoints, train
from vae_core.data import Images
from vae_core.runs import result_folder
from vae_core.runs.run_record import RunRecord
from vae_core.runs.storage import frames_in
from vae_core.trainer import Trainer

PARTS = {
    "model.safetensors",
    "card.json",
    "history.csv",
    "run.json",
    "curves.safetensors",
    "decoder.safetensors",
    "film",
    "states",
    "training.safetensors",
}


def tree(folder: Path) -> dict[str, bytes | None]:
    """All that lies below a folder: bytes of files, None for folders."""
    found = sorted(folder.rglob("*"))
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in found}


@pytest.fixture(scope="module")
def earlier(small: Images, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a filmed run and its model, and a note of its owner's: not to be changed."""
    folder = tmp_path_factory.mktemp("earlier") / "mine"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vae_core.trainer.load", lambda name, device: small)
        assert run_main(*TINY, "--film", "--out", str(folder)) == 0
    (folder / "notes.txt").write_text("beta 1 was best")
    return folder


@pytest.fixture
def mine(earlier: Path, tmp_path: Path) -> Path:
    shutil.copytree(earlier, tmp_path / "mine")
    return tmp_path / "mine"


def never(*_: Any) -> None:
    raise AssertionError("training has begun")


# ---- refused before training


def test_a_folder_with_a_result_is_refused_before_training(
    mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train, "quick_trainer", never)
    before = tree(mine.parent)
    assert run_main(*TINY, "--out", str(mine)) == 2
    parts = "model.safetensors, card.json, history.csv, run.json, curves.safetensors, film"
    said = f"error: {mine} holds a result already ({parts}): name another folder or add --overwrite.\n"
    assert capsys.readouterr() == ("", said) and tree(mine.parent) == before


@pytest.mark.parametrize("name", sorted(PARTS))
def test_each_part_of_a_result_is_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train, "quick_trainer", never)
    if name in ("film", "states"):
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).write_bytes(b"something")
    before = tree(tmp_path)
    assert run_main(*TINY, "--out", str(tmp_path)) == 2
    assert f"({name})" in capsys.readouterr().err and tree(tmp_path) == before


def test_what_is_no_result_is_no_obstacle_and_stays(small_data: Images, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("to do")
    assert run_main(*TINY, "--out", str(tmp_path)) == 0
    assert set(tree(tmp_path)) == {"notes.txt", "model.safetensors", "card.json", "history.csv"}


@pytest.mark.parametrize("name", ["", "   ", "\t"])
def test_a_folder_without_a_name_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train, "quick_trainer", never)
    monkeypatch.chdir(tmp_path)
    assert run_main(*TINY, "--out", name) == 2
    said = "error: argument --out: it is empty: name a folder, or . for the current one.\n"
    assert capsys.readouterr() == ("", said) and tree(tmp_path) == {}


# ---- replaced, once complete


def test_with_overwrite_the_new_result_takes_its_place_whole(mine: Path, small_data: Images) -> None:
    assert run_main(*TINY, "--seed", "7", "--overwrite", "--out", str(mine)) == 0
    assert set(tree(mine)) == {"notes.txt", "model.safetensors", "card.json", "history.csv"}  # no film of another run
    assert card_of(mine)["seed"] == checkpoints.load(mine).config.seed == 7
    assert "--overwrite" not in card_of(mine)["command"]
    assert [path.name for path in mine.parent.iterdir()] == ["mine"]


def test_a_film_takes_the_place_of_a_film(mine: Path, small_data: Images) -> None:
    film = ("--film", "--frames", "3", "--only-run")
    assert run_main(*TINY, *film, "--seed", "7", "--overwrite", "--out", str(mine)) == 0
    run = RunRecord.load(mine)
    assert run.config.seed == 7 and run.run_id == "mine"
    assert list(run.film) == frames_in(mine / "film") and len(run.film) == 3
    assert not (mine / "model.safetensors").exists() and (mine / "notes.txt").exists()


def test_until_then_the_earlier_result_is_whole(
    mine: Path, small_data: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at after every step: a killed training would leave what lies there then."""
    before, seen, original = tree(mine), [], Trainer.step

    def stepping(trainer: Trainer) -> None:
        original(trainer)
        now = tree(mine)
        seen.append({name: now.get(name) for name in before} == before)

    monkeypatch.setattr(Trainer, "step", stepping)
    assert run_main(*TINY, "--film", "--seed", "7", "--overwrite", "--out", str(mine)) == 0
    assert seen == [True] * 8 and tree(mine) != before


# ---- cut short


def test_a_training_that_diverged_never_replaces_a_result(
    mine: Path, small_data: Images, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(mine)
    for name in ("mine-unfinished", "mine-unfinished-2"):
        beside = mine.with_name(name)
        assert run_main(*TINY, "--learning-rate", "1000", "--overwrite", "--out", str(mine)) == 1
        out, err = capsys.readouterr()
        assert err.startswith("error: ") and "learning rate 1000" in err and err.count("\n") == 2
        assert err.endswith(f"{mine} keeps the result that it had; what was learned now is in {beside}\n")
        assert out.endswith(f"saved to {beside}\n") and tree(mine) == before
        weights = checkpoints.load(beside).model.state_dict()
        assert all(tensor.isfinite().all() for tensor in weights.values()) and card_of(beside)["finished"] is False
    assert len(list(mine.parent.iterdir())) == 3


def test_ctrl_c_keeps_both(
    mine: Path, small_data: Images, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, beside = tree(mine), mine.with_name("mine-unfinished")
    raise_at(6, KeyboardInterrupt(), monkeypatch)
    assert run_main(*TINY, "--film", "--overwrite", "--out", str(mine)) == 130
    assert tree(mine) == before and card_of(beside)["steps"] == 6 and RunRecord.load(beside).step == 6
    assert str(beside) in capsys.readouterr().err


def test_beside_the_current_folder_is_beside_it(
    mine: Path, small_data: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(mine)
    raise_at(6, KeyboardInterrupt(), monkeypatch)
    before = tree(mine)
    assert run_main(*TINY, "--overwrite", "--out", ".") == 130
    assert tree(mine) == before and card_of(mine.with_name("mine-unfinished"))["steps"] == 6


def test_a_result_that_came_meanwhile_is_not_replaced_without_being_asked(
    small_data: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two trainings into one folder: it was free when both began."""
    original = train.train

    def meanwhile(*arguments: Any) -> None:
        original(*arguments)
        (tmp_path / "mine" / "card.json").write_text("another's")

    monkeypatch.setattr(train, "train", meanwhile)
    assert run_main(*TINY, "--out", str(tmp_path / "mine")) == 0
    assert tree(tmp_path / "mine") == {"card.json": b"another's"}
    assert card_of(tmp_path / "mine-unfinished")["finished"] is True


# ---- failures of the disk


@pytest.mark.parametrize("move", range(1, 10))
def test_a_failure_while_it_takes_its_place_leaves_the_earlier_result(
    move: int, mine: Path, small_data: Images, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Six parts go out and three come in; whichever of these moves fails, all before it are taken back."""
    before, original, moves = tree(mine), shutil.move, []

    def failing(source: Path, aim: Path) -> None:
        moves.append(source)
        if len(moves) == move:
            raise OSError(5, "Input/output error")
        original(source, aim)

    monkeypatch.setattr(shutil, "move", failing)
    assert run_main(*TINY, "--seed", "7", "--overwrite", "--out", str(mine)) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"error: {mine} cannot be written (Input/output error)") and err.count("\n") == 1
    (kept,) = mine.glob(".unfinished-*/mine")
    assert str(kept) in err and checkpoints.load(kept).config.seed == 7  # nor is what was learned lost
    shutil.rmtree(kept.parent)
    assert tree(mine) == before and len(moves) == 2 * move - 1


def test_a_full_disk_leaves_the_earlier_result(
    mine: Path, small_data: Images, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    before = tree(mine)
    monkeypatch.setattr(os, "fsync", full)
    assert run_main(*TINY, "--overwrite", "--out", str(mine)) == 1
    assert capsys.readouterr().err.count("\n") == 1 and tree(mine) == before


def test_the_parts_of_a_result_are_those_of_its_writers() -> None:
    assert set(result_folder.PARTS) == PARTS
