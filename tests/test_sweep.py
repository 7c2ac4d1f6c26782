"""A sweep: its cells against trainings by train.py, what interrupts it, and what lies in its folder already."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import ROOT, card_of
from vae_core import cards, evaluate, train
from vae_core.checkpoints import CheckpointError
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.divergence import RunError
from vae_core.sweep import __main__ as sweep
from vae_core.sweep import local
from vae_core.sweep.cell import Outcome, train_cell
from vae_core.sweep.record import RECORD, read_record
from vae_core.trainer import Trainer

SETTINGS = ["--steps", "8", "--widths", "16", "--device", "cpu", "--batch-size", "500"]
GRID = ["--betas", "0.5", "4", "--seeds", "0", "3", *SETTINGS]
CELLS = [f"beta-{beta}-dim-2-seed-{seed}" for seed in (0, 3) for beta in (0.5, 4)]
TINY = RunConfig(steps=8, widths="16", device="cpu", batch_size=500)


@pytest.fixture
def here(small_data: Images, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Cells are trained in this process, on the small images; the names of those that were begun."""
    begun: list[str] = []

    def train_all(cells: Mapping[str, RunConfig], jobs: int, tell: Any) -> Iterator[tuple[str, Outcome]]:
        for name, config in cells.items():
            begun.append(name)
            yield name, train_cell(config, partial(tell, name))

    monkeypatch.setattr(local, "train_all", train_all)
    monkeypatch.setattr(cards, "final_metrics", partial(evaluate.final_metrics, iw_images=20))
    return begun


def test_a_cell_is_what_train_makes_of_its_settings(here: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "swept"
    assert sweep.main([*GRID, "--out", str(folder)]) == 0 and here == CELLS
    for name in CELLS:
        _, beta, _, _, _, seed = name.split("-")
        assert train.main([*SETTINGS, "--beta", beta, "--seed", seed, "--out", str(tmp_path / name)]) == 0
        for file in ("model.safetensors", "history.csv"):
            assert (folder / name / file).read_bytes() == (tmp_path / name / file).read_bytes()
        cell, alone = card_of(folder / name), card_of(tmp_path / name)
        assert cell.pop("seconds") >= 0 <= alone.pop("seconds") and cell == alone


def test_the_record_has_mean_least_and_most_over_seeds(
    here: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep.main([*GRID, "--out", str(tmp_path)]) == 0
    record = read_record(tmp_path)
    assert json.loads((tmp_path / RECORD).read_text()) == record  # bands as they follow from the rows
    for beta, band in zip((0.5, 4), record["bands"], strict=True):
        low, high = sorted(card_of(tmp_path / f"beta-{beta}-dim-2-seed-{seed}")["test"]["nll"] for seed in (0, 3))
        assert (band["beta"], band["latent_dim"], band["seeds"]) == (beta, 2, 2)
        assert band["nll"] == pytest.approx({"mean": (low + high) / 2, "min": low, "max": high})
        assert f"({low:.1f} to {high:.1f})" in capsys.readouterr().out or beta == 4  # read once
    again = sweep.parser().parse_args(record["command"].split()[3:])
    assert (again.betas, again.seeds, again.steps, again.widths) == ([0.5, 4.0], [0, 3], 8, "16")


def test_what_is_finished_is_not_trained_again(here: list[str], tmp_path: Path) -> None:
    assert sweep.main([*GRID[:5], *SETTINGS, "--out", str(tmp_path)]) == 0 and here == CELLS[:2]
    before = (tmp_path / CELLS[0] / "card.json").stat().st_mtime_ns
    (tmp_path / ".unfinished-x" / CELLS[2]).mkdir(parents=True)  # of a sweep that was killed while it wrote
    assert sweep.main([*GRID, "--out", str(tmp_path)]) == 0 and here == CELLS
    assert (tmp_path / CELLS[0] / "card.json").stat().st_mtime_ns == before
    assert not list(tmp_path.glob(".unfinished*")) and len(read_record(tmp_path)["rows"]) == 4


DAMAGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a card cut short": (lambda cell: (cell / "card.json").write_text("{"), "is not JSON"),
    "no card": (lambda cell: (cell / "card.json").unlink(), "cannot be read"),
    "a model cut short": (lambda cell: os.truncate(cell / "model.safetensors", 99), "truncated"),
    "other settings": (
        lambda cell: (cell / "card.json").write_text(
            (cell / "card.json").read_text().replace('"learning_rate": 0.002', '"learning_rate": 0.001')
        ),
        "holds another training (learning_rate 0.001, not 0.002)",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_cell_that_is_damaged_or_another_one_is_said_in_a_sentence(
    damage: str, here: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    do, said = DAMAGES[damage]
    assert sweep.main(["--betas", "1", "--seeds", "0", *SETTINGS, "--out", str(tmp_path)]) == 0
    do(tmp_path / "beta-1-dim-2-seed-0")
    assert sweep.main(["--betas", "1", "--seeds", "0", "1", *SETTINGS, "--out", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1 and len(here) == 1


def test_a_cell_that_diverges_is_named_and_the_others_go_on(
    here: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    step = Trainer.step

    def run_away(trainer: Trainer) -> None:
        if trainer.config.beta == 0.5 and trainer.config.seed == 0:
            raise RunError("The loss ran away.")
        step(trainer)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", run_away)
        assert sweep.main([*GRID, "--out", str(tmp_path)]) == 1
    assert f"error: {CELLS[0]}: The loss ran away." in capsys.readouterr().err
    record = read_record(tmp_path)
    assert record["failed"] == {CELLS[0]: "The loss ran away."} and record["missing"] == CELLS[:1]
    assert sorted(band["seeds"] for band in record["bands"]) == [1, 2]
    assert sweep.main([*GRID, "--out", str(tmp_path)]) == 0 and here == [*CELLS, CELLS[0]]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--betas", "1", "-1"], "beta is -1.0"),
        (["--latent-dims", "0"], "latent_dim is 0"),
        (["--model", "none"], "model 'none' is unknown"),
    ],
)
def test_bad_input_is_one_line(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep.main([*options, "--out", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_two_sweeps_do_not_write_to_one_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sweep.hold(tmp_path):
        assert sweep.main([*GRID, "--out", str(tmp_path)]) == 2
    assert "Another sweep writes to" in capsys.readouterr().err


def test_a_damaged_record_is_said_in_a_sentence(here: list[str], tmp_path: Path) -> None:
    assert sweep.main([*GRID, "--out", str(tmp_path)]) == 0
    for key, value in {"rows": [{}], "config": {"net": "none"}, "command": None}.items():
        whole = json.loads((tmp_path / RECORD).read_text())
        (tmp_path / "other").mkdir(exist_ok=True)
        (tmp_path / "other" / RECORD).write_text(json.dumps(whole | {key: value}))
        with pytest.raises(CheckpointError, match="is not whole"):
            read_record(tmp_path / "other")


# ---- real processes


def test_one_or_two_at_once_come_to_the_same_and_a_killed_process_loses_nothing() -> None:
    cells = {f"seed {seed}": TINY.with_(seed=seed, steps=40) for seed in (0, 1)}
    killed: list[int] = []

    def kill_one(name: str, part: float) -> None:
        if not killed:
            process = multiprocessing.active_children()[0]
            killed.append(process.pid or 0)
            process.kill()

    both = dict(local.train_all(cells, 2, kill_one))
    one_by_one = dict(local.train_all(cells, 1, lambda name, part: None))
    assert killed and both.keys() == one_by_one.keys() == cells.keys()
    for name in cells:
        for file in ("model.safetensors", "history.csv"):
            assert both[name].files[file] == one_by_one[name].files[file]
    assert both["seed 0"].files["history.csv"] != both["seed 1"].files["history.csv"]


def test_a_cell_whose_process_is_always_killed_is_given_up() -> None:
    kill = lambda name, part: [process.kill() for process in multiprocessing.active_children()]  # noqa: E731
    ((name, outcome),) = local.train_all({"a": TINY.with_(steps=2_000)}, 1, kill)
    assert name == "a" and outcome.files == {} and outcome.error.startswith("Its process was killed 2 times")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_ended_in_the_midst_it_keeps_what_is_done_and_leaves_no_process(how: signal.Signals, tmp_path: Path) -> None:
    """Its processes hold its stdout, which ends when the last of them has."""
    arguments = ["--betas", "1", "--seeds", "0", "1", "--jobs", "1", *SETTINGS, "--out", str(tmp_path)]
    slow = f"import sys; from vae_core.sweep import __main__ as m; sys.exit(m.main({arguments!r}))"
    started = subprocess.Popen(
        [sys.executable, "-c", slow], cwd=ROOT, stdout=-1, stderr=-1, text=True, start_new_session=True
    )
    assert started.stdout is not None and started.stdout.readline().startswith("beta-1-dim-2-seed-0: −ELBO")
    os.killpg(started.pid, how) if how == signal.SIGINT else started.kill()  # Ctrl-C reaches all, a kill the command
    _, err = started.communicate(timeout=60)
    assert started.returncode == (130 if how == signal.SIGINT else -how)
    assert (err.startswith("interrupted: what was finished is kept") and err.count("\n") == 1) or how == signal.SIGKILL
    assert len(read_record(tmp_path)["rows"]) == 1 and not (tmp_path / "beta-1-dim-2-seed-1").exists()
