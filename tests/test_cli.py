"""The command line: one line for every bad input, and three files for every run that learned something."""

from __future__ import annotations

import csv
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch

from vae_core import checkpoints, cli, train
from vae_core.camera import Keeping
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.data.images import DataError
from vae_core.engine import FINISHED, STOPPED
from vae_core.film import frame_file, frames_in, read_frame
from vae_core.meter import MEANINGS
from vae_core.run import SHIPPED, Run
from vae_core.train import Trainer

ROOT = Path(__file__).resolve().parents[1]
TINY = ["--device", "cpu", "--epochs", "2", "--batch-size", "500", "--latent-dim", "3", "--seed", "6"]


def run_main(*arguments: str) -> int:
    """The exit status of the command line in this process."""
    try:
        return cli.main(list(arguments))
    except SystemExit as ended:
        return int(ended.code or 0)


def rows_of(folder: Path, split: str) -> list[dict[str, str]]:
    with (folder / "history.csv").open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["split"] == split]


def card_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "card.json").read_text(encoding="utf-8"))


# ---- bad input

BAD = {
    "unknown net": ["--net", "transformer"],
    "unknown protocol": ["--protocol", "sepia"],
    "unknown device": ["--device", "tpu"],
    "fractional dimensions": ["--latent-dim", "2.5"],
    "no dimensions": ["--latent-dim", "0"],
    "too many dimensions": ["--latent-dim", "1000000"],
    "no number": ["--beta", "much"],
    "not a number": ["--beta", "nan"],
    "negative": ["--alpha=-1"],
    "infinite": ["--learning-rate", "inf"],
    "both weights zero": ["--alpha", "0", "--beta", "0"],
    "huge seed": ["--seed", "99999999999"],
    "empty value": ["--epochs", ""],
    "unknown option": ["--optimiser", "sgd"],
    "value missing": ["--epochs"],
    "newline in a value": ["--net", "ml\np"],
    "frames without a film": ["--frames", "12"],
    "no frames": ["--film", "--frames", "0"],
    "more frames than a film holds": ["--film", "--frames", "49"],
    "frames no number": ["--film", "--frames", "a few"],
    "only the run, without a film": ["--only-run"],
    "no decoder, with a model": ["--film", "--no-decoder"],
    "a rounded model where none is kept": ["--film", "--only-run", "--half"],
}


@pytest.mark.parametrize("arguments", BAD.values(), ids=BAD.keys())
def test_bad_input_is_status_2_one_line_and_no_file(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main("--out", str(tmp_path / "out"), *arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and captured.err.endswith("\n") and captured.err.count("\n") == 1
    assert captured.out == "" and list(tmp_path.iterdir()) == []


def test_a_missing_out_is_status_2_and_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main("--epochs", "1") == 2
    assert capsys.readouterr().err == "error: the following arguments are required: --out\n"


def test_a_folder_that_cannot_be_written_is_status_2_and_one_line_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    assert run_main("--out", str(tmp_path / "file" / "out")) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and "choose another folder" in captured.err


def test_damaged_data_is_status_2_and_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: Any) -> Images:
        raise DataError("The data file is damaged: restore it.")

    monkeypatch.setattr(train, "load", damaged)
    assert run_main("--device", "cpu", "--out", str(tmp_path / "out")) == 2
    assert capsys.readouterr().err == "error: The data file is damaged: restore it.\n"
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_the_real_command_refuses_bad_input_in_one_line(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "vae_core.train", "--net", "transformer", "--out", str(tmp_path / "out")],
        capture_output=True, text=True, cwd=ROOT, timeout=120,
    )  # fmt: skip
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "error: net 'transformer' is unknown: choose mlp or conv.\n"
    assert list(tmp_path.iterdir()) == []


# ---- a run


@pytest.fixture(scope="module")
def trained(small: Images, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny run: 2 epochs of 4 steps."""
    folder = tmp_path_factory.mktemp("trained") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "load", lambda name, device: small)
        assert run_main(*TINY, "--beta", "0.5", "--out", str(folder)) == 0
    return folder


def test_a_run_writes_three_files_that_load(trained: Path) -> None:
    assert {p.name for p in trained.iterdir()} == {"model.safetensors", "card.json", "history.csv"}
    checkpoint = checkpoints.load(trained)
    assert checkpoint.config == RunConfig(device="cpu", epochs=2, batch_size=500, latent_dim=3, seed=6, beta=0.5)


def test_the_saved_weights_are_those_of_the_same_training_in_python(trained: Path, small: Images) -> None:
    trainer = Trainer(checkpoints.load(trained).config, small)
    for _ in range(8):
        trainer.step()
    saved = checkpoints.load(trained).model.state_dict()
    assert all(torch.equal(v, saved[k]) for k, v in trainer.model.state_dict().items())


def test_the_card_says_what_the_model_is(trained: Path, small: Images) -> None:
    card = card_of(trained)
    assert card["seed"] == card["config"]["seed"] == 6
    assert card["steps"] == 8 and card["finished"] is True
    assert card["device"].startswith("CPU") and card["seconds"] >= 0
    assert card["versions"]["torch"] == torch.__version__ and card["versions"]["numpy"] == np.__version__
    test = card["test"]
    assert (test["protocol"], test["split"], test["samples"], test["images"]) == ("grey", "test", 1, 500)
    assert test["neg_elbo"] == pytest.approx(test["nll"] + test["kl"])
    assert len(test["kl_dims"]) == 3 and 0 <= test["active_units"] <= 3


def test_the_history_has_a_row_for_every_step_and_every_epoch(trained: Path) -> None:
    rows, test = rows_of(trained, "train"), rows_of(trained, "test")
    assert [int(row["step"]) for row in rows] == list(range(1, 9))
    assert [int(row["step"]) for row in test] == [4, 8]
    for row in rows:
        nll, kl = float(row["nll"]), float(row["kl"])
        assert float(row["neg_elbo"]) == pytest.approx(nll + kl)
        assert float(row["loss"]) == pytest.approx(nll + 0.5 * kl, rel=1e-6)
    assert float(test[-1]["neg_elbo"]) == pytest.approx(card_of(trained)["test"]["neg_elbo"], abs=1e-3)


def test_the_table_names_protocol_split_and_samples(trained: Path) -> None:
    test = card_of(trained)["test"]
    out = cli.table(test)
    assert "grey" in out and "test" in out and "K=1" in out and "nats per image" in out
    assert f"{test['neg_elbo']:.2f}" in out and f"{test['neg_iw_bound']:.2f}" in out


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"net": "conv", "latent_dim": 16, "protocol": "dynamic", "device": "cpu"},
        {"likelihood": "gaussian-learned", "sigma": 0.123456789, "learning_rate": 1e-05, "alpha": 0.0, "beta": 1e6},
        {"warmup_steps": 700, "batch_size": 1, "epochs": 1000, "seed": 2**31 - 1, "protocol": "threshold"},
    ],
)
def test_the_command_on_the_card_makes_the_same_config(changes: dict[str, Any]) -> None:
    config = RunConfig(**changes)
    words = shlex.split(cli.command(config))
    assert words[:3] == ["python", "-m", "vae_core.train"]
    options = vars(cli.parser().parse_args(words[3:]))
    assert RunConfig(**{name: options[name] for name in config.to_dict()}) == config


# ---- a model in half precision


@pytest.fixture(scope="module")
def few(small: Images) -> Images:
    """With 40 test images, four a class: of each 100 samples are decoded, and convolutions take their time."""
    some = torch.cat([(small.y_test == label).nonzero()[:4, 0] for label in range(10)])
    return Images("mnist", small.x_train, small.y_train, small.x_test[some], small.y_test[some])


@pytest.fixture(scope="module")
def half(few: Images, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the same tiny run, with convolutions and BatchNorm, kept in half precision."""
    folder = tmp_path_factory.mktemp("half") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "load", lambda name, device: few)
        assert run_main(*TINY, "--net", "conv", "--half", "--out", str(folder)) == 0
    return folder


def test_the_weights_are_the_trained_ones_rounded_to_float16(half: Path, few: Images) -> None:
    trainer = Trainer(RunConfig.from_dict(card_of(half)["config"]), few)
    for _ in range(8):
        trainer.step()
    trained = {name: tensor.detach().numpy() for name, tensor in trainer.model.state_dict().items()}
    found = safetensors.numpy.load_file(half / "model.safetensors")
    assert found.keys() == trained.keys() and any(name.endswith("num_batches_tracked") for name in found)
    for name, array in trained.items():
        expected = array if array.dtype == np.int64 else array.astype(np.float16)
        assert found[name].dtype == expected.dtype and np.array_equal(found[name], expected), name


def test_the_figures_on_the_card_are_those_of_the_rounded_model(half: Path, few: Images) -> None:
    """From the file by hand: float16 to float32, and every figure of the card again."""
    card = card_of(half)
    trainer = Trainer(RunConfig.from_dict(card["config"]), few)
    arrays = safetensors.numpy.load_file(half / "model.safetensors")
    floats = {k: torch.from_numpy(v if v.dtype == np.int64 else v.astype(np.float32)) for k, v in arrays.items()}
    trainer.model.load_state_dict(floats)
    assert trainer.evaluate().to_dict() == {k: card["test"][k] for k in trainer.evaluate().to_dict()}
    unrounded = rows_of(half, "test")[-1]  # taken in training, before
    assert float(unrounded["neg_elbo"]) == pytest.approx(card["test"]["neg_elbo"], rel=1e-3)
    assert float(unrounded["neg_elbo"]) != pytest.approx(card["test"]["neg_elbo"], rel=1e-9)


def test_its_card_says_so_and_it_loads_in_float32(half: Path) -> None:
    card = card_of(half)
    assert card["command"].endswith("--half --out DIR") and "float16" in card["weights"]
    assert cli.parsed(shlex.split(card["command"])[3:])[2] == Keeping(half=True)
    assert {p.dtype for p in checkpoints.load(half).model.parameters()} == {torch.float32}


# ---- the history of a long run


def history_of(steps: int, every: int) -> list[dict[str, Any]]:
    """Train rows 1 to `steps`, and a test row after each `every` of them."""
    rows: list[dict[str, Any]] = []
    for step in range(1, steps + 1):
        rows.append({"split": "train", "step": step, "nll": step / 7})
        if step % every == 0:
            rows.append({"split": "test", "step": step, "nll": step / 9})
    return rows


@pytest.mark.parametrize("steps", [1_001, 7_050, 23_500, 235_000])
def test_of_a_long_run_the_history_is_dense_early_and_sparse_late(steps: int) -> None:
    rows = history_of(steps, 235)
    kept = cli.thinned(rows)
    train = [row["step"] for row in kept if row["split"] == "train"]
    assert 500 <= len(train) <= 1_000 and train == sorted(set(train)) and train[0] == 1 and train[-1] == steps
    gaps = np.diff(train)
    assert train[:10] == list(range(1, 11)) and gaps[: len(gaps) // 2].max() <= gaps[len(gaps) // 2 :].min() + 1
    assert [row for row in kept if row["split"] == "test"] == [row for row in rows if row["split"] == "test"]
    given = {(row["split"], row["step"]): row for row in rows}
    assert all(row == given[row["split"], row["step"]] for row in kept)  # as it was: no mean over its neighbours


def test_a_short_run_keeps_every_row_of_its_history() -> None:
    rows = history_of(1_000, 100)
    assert cli.thinned(rows) == rows and cli.thinned([]) == []


def test_the_history_of_an_autoencoder_has_no_kl_and_no_elbo(small_data: Images, tmp_path: Path) -> None:
    assert run_main(*TINY, "--model", "ae", "--beta", "0", "--out", str(tmp_path)) == 0
    rows = rows_of(tmp_path, "train") + rows_of(tmp_path, "test")
    assert len(rows) == 10 and all(row["kl"] == row["neg_elbo"] == "" and float(row["nll"]) > 0 for row in rows)
    assert float(rows[-1]["nll"]) == pytest.approx(card_of(tmp_path)["test"]["nll"], abs=1e-3)


# ---- runs that are filmed


@pytest.fixture(scope="module")
def alone(small: Images, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny run of which the run alone is kept, trained into the folder of another."""
    folder = tmp_path_factory.mktemp("alone") / "by-itself"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "load", lambda name, device: small)
        assert run_main(*TINY, "--film", "--out", str(folder)) == 0
        assert frames_in(folder / "film") == list(range(9)) and (folder / "model.safetensors").is_file()
        assert run_main(*TINY, "--beta", "0.5", "--film", "--frames", "3", "--only-run", "--out", str(folder)) == 0
    return folder


def test_of_a_run_by_itself_there_is_no_model(alone: Path) -> None:
    kept = {"run.json", "curves.safetensors", "film", "decoder.safetensors", "card.json"}
    assert {p.name for p in alone.iterdir()} == kept
    run = Run.load(alone)
    assert (run.run_id, run.visitor, run.status, run.step) == ("by-itself", SHIPPED, FINISHED, 8)
    assert run.final == card_of(alone)["test"] and run.train.since(-1)[:, 0].tolist() == list(range(1, 9))
    assert run.test.since(-1)[:, 0].tolist() == run.film


def test_its_frames_reach_from_the_first_step_to_the_last_with_the_meter_and_its_verdict(alone: Path) -> None:
    steps = frames_in(alone / "film")
    assert len(steps) == 3 and steps[0] == 0 and steps[-1] == 8
    for step in steps:
        numbers, _ = read_frame(frame_file(alone / "film", step))
        assert set(numbers["meter"]) > {"draw_gap", "prior_gap", "kl"}
        assert numbers["diagnosis"]["name"] in MEANINGS  # the meter's words


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
    options, folder, keeping = cli.parsed(shlex.split(card["command"])[3:])
    assert RunConfig(**options).to_dict() == card["config"] and str(folder) == "DIR"
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
    assert Run.load(folder).run_id == "here" and json.loads((folder / "run.json").read_text())["run_id"] == "here"


def test_ctrl_c_keeps_a_filmed_run_with_all_its_rows(
    small_data: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_at(6, KeyboardInterrupt(), monkeypatch)
    assert run_main(*TINY, "--film", "--frames", "2", "--only-run", "--out", str(tmp_path / "cut")) == 130
    run = Run.load(tmp_path / "cut")
    assert run.status == STOPPED and run.train.since(-1)[:, 0].tolist() == [1, 2, 3, 4, 5, 6] and run.film == [0]


# ---- runs that end early


def raise_at(step: int, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trainer's step number `step` + 1 raises."""
    original = Trainer.step

    def stepping(trainer: Trainer) -> None:
        if trainer.step_count == step:
            raise error
        original(trainer)

    monkeypatch.setattr(Trainer, "step", stepping)


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
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "Traceback" not in err and "interrupted" in err
    assert card_of(tmp_path)["steps"] == len(rows_of(tmp_path, "train")) >= 3


# SIGINT as a terminal would have it: a shell that starts its tests in the background hands it on ignored.
WITH_FEW_IMAGES = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from vae_core import cli, train
from vae_core.data import Images, load
def few(name, device):
    i = load(name, device)
    return Images(name, i.x_train[:1000], i.y_train[:1000], i.x_test[:200], i.y_test[:200])
def step(trainer, original=train.Trainer.step):
    original(trainer)
    if trainer.step_count == 3:
        print("begun", flush=True)
train.load, train.Trainer.step = few, step
sys.exit(cli.main())
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


def test_a_folder_lost_during_training_is_status_1_and_one_line(
    small_data: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder was writable at the start; a file lies in its place when the hour of training is over."""
    out = tmp_path / "out"

    def meanwhile(*_: Any) -> None:
        out.rmdir()
        out.write_text("in the way")

    monkeypatch.setattr(cli, "train", meanwhile)
    assert run_main(*TINY, "--out", str(out)) == 1
    assert capsys.readouterr().err.count("\n") == 1
