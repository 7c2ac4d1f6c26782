"""The command line: one line for every bad input, and three files for every run that learned something."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch

from tests.command_line import ROOT, TINY, card_of, rows_of, run_main
from vae_core import cards, checkpoints, train, trainer
from vae_core.cards import Keeping
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.data.images import DataError
from vae_core.evaluate import evaluate_test
from vae_core.runs.quick import quick_trainer
from vae_core.trainer import Trainer

# ---- bad input

BAD = {
    "unknown net": ["--net", "transformer"],
    "unknown protocol": ["--protocol", "sepia"],
    "unknown activation": ["--activation", "swish"],
    "no layers": ["--widths", ""],
    "layers of another form": ["--widths", "400x200"],
    "five layers": ["--widths", "5-4-3-2-1"],
    "a layer too wide": ["--widths", "2049"],
    "negative steps": ["--steps", "-1"],
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

    monkeypatch.setattr(trainer, "load", damaged)
    assert run_main("--device", "cpu", "--out", str(tmp_path / "out")) == 2
    assert capsys.readouterr().err == "error: The data file is damaged: restore it.\n"
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_the_real_command_refuses_bad_input_in_one_line(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "vae_core.train", "--net", "transformer", "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "error: net 'transformer' is unknown: choose mlp or conv.\n"
    assert list(tmp_path.iterdir()) == []


# ---- a run


@pytest.fixture(scope="module")
def trained(small: Images, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny run: 2 epochs of 4 steps."""
    folder = tmp_path_factory.mktemp("trained") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "load", lambda name, device: small)
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
    out = cards.table(test, ("nll", "kl"))
    assert "grey" in out and "test" in out and "K=1" in out and "nats per image" in out
    for name in ("neg_elbo", "neg_iw_bound"):
        assert cards.with_error(test[name], test["errors"][name]) in out


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"net": "conv", "latent_dim": 16, "protocol": "dynamic", "device": "cpu"},
        {"likelihood": "gaussian-learned", "sigma": 0.123456789, "learning_rate": 1e-05, "alpha": 0.0, "beta": 1e6},
        {"widths": "300-300", "activation": "elu", "protocol": "static", "batch_size": 97, "steps": 20_000},
        {"warmup_steps": 700, "batch_size": 1, "epochs": 1000, "seed": 2**31 - 1, "protocol": "threshold"},
    ],
)
def test_the_command_on_the_card_makes_the_same_config(changes: dict[str, Any]) -> None:
    config = RunConfig(**changes)
    words = shlex.split(cards.command(config))
    assert words[:3] == ["python", "-m", "vae_core.train"]
    assert RunConfig(**train.parsed(words[3:]).settings) == config


# ---- a model in half precision


@pytest.fixture(scope="module")
def few(small: Images) -> Images:
    """400 to train, 40 to test, four a class: of each 100 samples are decoded, and convolutions take their time."""
    some = torch.cat([(small.y_test == label).nonzero()[:4, 0] for label in range(10)])
    return Images("mnist", small.x_train[:400], small.y_train[:400], small.x_test[some], small.y_test[some])


@pytest.fixture(scope="module")
def half(few: Images, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the same tiny run, with convolutions and BatchNorm, kept in half precision."""
    folder = tmp_path_factory.mktemp("half") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "load", lambda name, device: few)
        assert run_main(*TINY, "--net", "conv", "--batch-size", "100", "--half", "--out", str(folder)) == 0
    return folder


def test_the_weights_are_the_trained_ones_rounded_to_float16(half: Path, few: Images) -> None:
    trainer = quick_trainer(RunConfig.from_dict(card_of(half)["config"]), few)
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
    figures = evaluate_test(trainer.model, trainer.images, trainer.config).to_dict()
    of_a_bound = card["test"]["errors"].pop("neg_iw_bound")
    assert figures == {k: card["test"][k] for k in figures} and of_a_bound > 0
    unrounded = rows_of(half, "test")[-1]  # taken in training, before
    assert float(unrounded["neg_elbo"]) == pytest.approx(card["test"]["neg_elbo"], rel=1e-3)
    assert float(unrounded["neg_elbo"]) != pytest.approx(card["test"]["neg_elbo"], rel=1e-9)


def test_its_card_says_so_and_it_loads_in_float32(half: Path) -> None:
    card = card_of(half)
    assert card["command"].endswith("--half --out DIR") and "float16" in card["weights"]
    assert train.parsed(shlex.split(card["command"])[3:])[2] == Keeping(half=True)
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
    kept = train.thinned(rows)
    trainer = [row["step"] for row in kept if row["split"] == "train"]
    assert 500 <= len(trainer) <= 1_000 and trainer == sorted(set(trainer)) and trainer[0] == 1 and trainer[-1] == steps
    gaps = np.diff(trainer)
    assert trainer[:10] == list(range(1, 11)) and gaps[: len(gaps) // 2].max() <= gaps[len(gaps) // 2 :].min() + 1
    assert [row for row in kept if row["split"] == "test"] == [row for row in rows if row["split"] == "test"]
    given = {(row["split"], row["step"]): row for row in rows}
    assert all(row == given[row["split"], row["step"]] for row in kept)  # as it was: no mean over its neighbours


def test_a_short_run_keeps_every_row_of_its_history() -> None:
    rows = history_of(1_000, 100)
    assert train.thinned(rows) == rows and train.thinned([]) == []


def test_the_history_of_an_autoencoder_has_no_kl_and_no_elbo(small_data: Images, tmp_path: Path) -> None:
    assert run_main(*TINY, "--model", "ae", "--beta", "0", "--out", str(tmp_path)) == 0
    rows = rows_of(tmp_path, "train") + rows_of(tmp_path, "test")
    assert len(rows) == 10 and all(float(row["nll"]) > 0 for row in rows)
    assert set(rows[0]) == {"split", "step", "nll", "loss"}
    assert float(rows[-1]["nll"]) == pytest.approx(card_of(tmp_path)["test"]["nll"], abs=1e-3)
