"""Runs that the command line films for the live view, with their model or by themselves."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from tests.command_line import TINY, card_of, run_main
from vae_core import train, trainer
from vae_core.cards import Keeping
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.metrics.states import EXPLAINED
from vae_core.runs.messages import FINISHED
from vae_core.runs.run_record import SHIPPED, RunRecord
from vae_core.runs.snapshot_file import read_frame
from vae_core.runs.storage import frame_file, frames_in
from vae_core.trainer import Trainer


@pytest.fixture(scope="module")
def alone(small: Images, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny run of which the run alone is kept, trained into the folder of another."""
    folder = tmp_path_factory.mktemp("alone") / "by-itself"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "load", lambda name, device: small)
        assert run_main(*TINY, "--film", "--out", str(folder)) == 0
        assert frames_in(folder / "film") == list(range(9)) and (folder / "model.safetensors").is_file()
        film = ("--film", "--frames", "3", "--only-run", "--overwrite")
        assert run_main(*TINY, "--beta", "0.5", *film, "--out", str(folder)) == 0
    return folder


def test_of_a_run_by_itself_there_is_no_model(alone: Path) -> None:
    kept = {"run.json", "curves.safetensors", "film", "decoder.safetensors", "card.json"}
    assert {p.name for p in alone.iterdir()} == kept
    run = RunRecord.load(alone)
    assert (run.run_id, run.visitor, run.status, run.step) == ("by-itself", SHIPPED, FINISHED, 8)
    assert run.final == card_of(alone)["test"] and run.train.since(-1)[:, 0].tolist() == list(range(1, 9))
    assert run.test.since(-1)[:, 0].tolist() == list(run.film)


def test_its_frames_reach_from_the_first_step_to_the_last_with_the_meter_and_its_state(alone: Path) -> None:
    steps = frames_in(alone / "film")
    assert len(steps) == 3 and steps[0] == 0 and steps[-1] == 8
    for step in steps:
        numbers, _ = read_frame(frame_file(alone / "film", step))
        assert set(numbers["meter"]) > {"draw_gap", "prior_gap", "kl"}
        assert numbers["diagnosis"]["name"] in EXPLAINED


def test_its_decoder_is_the_trained_one_in_half_precision(alone: Path, small: Images) -> None:
    trainer = Trainer(RunConfig.from_dict(card_of(alone)["config"]), small)
    for _ in range(8):
        trainer.step()
    trained = {
        name: tensor.detach().numpy().astype(np.float16) for name, tensor in trainer.model.decoder.state_dict().items()
    }
    found = safetensors.numpy.load_file(alone / "decoder.safetensors")
    assert found.keys() == trained.keys() == {f"{i}.{part}" for i in (0, 2, 4) for part in ("weight", "bias")}
    assert all(found[k].dtype == np.float16 and np.array_equal(found[k], trained[k]) for k in found)


def test_its_card_names_the_command_with_all_that_was_chosen(alone: Path) -> None:
    card = card_of(alone)
    options, folder, keeping, overwrite, _ = train.parsed(shlex.split(card["command"])[3:])
    assert RunConfig(**options).to_dict() == card["config"] and str(folder) == "DIR" and not overwrite
    assert keeping == Keeping(film=True, frames=3, only_run=True, decoder=True)
    assert "float16" in card["kept"]


def test_a_run_can_do_without_its_decoder_and_with_its_end_alone(
    small_data: Images, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "bare"
    assert run_main(*TINY, "--film", "--frames", "1", "--only-run", "--no-decoder", "--out", str(folder)) == 0
    assert {p.name for p in folder.iterdir()} == {"run.json", "curves.safetensors", "film", "card.json"}
    assert frames_in(folder / "film") == [8] and "not even the decoder" in card_of(folder)["kept"]
    assert card_of(folder)["command"].endswith("--film --frames 1 --only-run --no-decoder --out DIR")


def test_a_run_filmed_into_the_folder_where_one_stands_is_named_after_it(
    small_data: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert run_main(*TINY, "--film", "--frames", "2", "--only-run", "--out", ".") == 0
    assert RunRecord.load(folder).run_id == "here" and json.loads((folder / "run.json").read_text())["run_id"] == "here"
