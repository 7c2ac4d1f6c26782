"""Published rows: the table, a tiny row from end to end, and what is committed of the real ones."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from vae_core import published, reproduce, reproduced
from vae_core.checkpoints import CheckpointError
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.published import ROWS, Figure, Row
from vae_core.trainer import Trainer

CHECKPOINTS = Path(__file__).resolve().parents[1] / "checkpoints"
TINY = Row(
    "tiny",
    "a row of five steps",
    {"widths": "20", "activation": "tanh", "latent_dim": 3, "protocol": "static", "batch_size": 97, "steps": 5},
    {"neg_elbo": Figure(400.0, 50.0, 7), "kl": Figure(1.0), "neg_iw_bound_4": Figure(390.0, agrees=1.0)},
    "nobody",
    ("It is made up.",),
    draws=3,
)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Row:
    """A row that the command knows, and that the table shows first."""
    monkeypatch.setattr(published, "ROWS", (TINY, *ROWS))
    for module in (reproduce, reproduced):
        monkeypatch.setattr(module, "ROWS", (TINY, *ROWS))
    return TINY


def test_a_row_is_trained_over_seeds_and_what_came_out_is_kept(
    tiny: Row, small_data: Images, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--rows", "tiny", "--device", "cpu", "--out", str(tmp_path)]
    assert reproduce.main([*arguments, "--seeds", "2"]) == 0
    results = reproduced.read(tmp_path)
    runs = results["tiny"]["runs"]
    assert [run["seed"] for run in runs] == [0, 1] and all(run["steps"] == 5 for run in runs)
    values = reproduced.obtained(results, "tiny", "neg_elbo")
    mean, deviation = np.mean(values), np.std(values, ddof=1)
    text = (tmp_path / "REPRODUCED.md").read_text(encoding="utf-8")
    apart = f"{mean - 400:+.2f}".replace("-", "−")
    agrees = "agrees" if abs(mean - 400) <= 100 else "does not agree"
    row = f"| `tiny` | −ELBO | {mean:.2f} ± {deviation:.2f} | 2 | 400 ± 50 (7 runs) | {apart}, "
    assert f"{row}{abs(mean - 400) / 50:.1f} sd: {agrees} |" in text
    assert "| `cs236` | −ELBO | not run |" in text and "It is made up." in text
    assert f"−ELBO: {mean:.2f} ± {deviation:.2f} (seeds: 2)" in capsys.readouterr().out
    assert reproduce.main([*arguments, "--seeds", "1"]) == 0  # a run again: bit for bit, and the other seed stays
    again = reproduced.read(tmp_path)["tiny"]["runs"]
    assert [run["figures"] for run in again] == [run["figures"] for run in runs]


def test_the_figures_are_those_of_torch_distributions(tiny: Row, small: Images) -> None:
    """−ELBO over many draws, and a bound of one sample, which is −ELBO, too."""
    trainer = Trainer(RunConfig(**tiny.settings, device="cpu"), small)
    while not trainer.done:
        trainer.step()
    asked = replace(tiny, draws=40, figures=dict.fromkeys(("neg_elbo", "kl", "nll", "neg_iw_bound_1"), Figure(1.0)))
    figures, errors = reproduce.measure(asked, trainer)
    x = reproduce.select_images(asked, trainer, torch.Generator())
    with torch.no_grad():
        mu, log_var = trainer.model.encode(x)
        q = Normal(mu, log_var.exp().sqrt())
        kl = kl_divergence(q, Normal(0.0, 1.0)).sum(-1)
        draws = [Bernoulli(logits=trainer.model.decode(q.sample())).log_prob(x).sum((1, 2, 3)) for _ in range(40)]
    nll = -torch.stack(draws).mean(0)
    assert figures["kl"] == pytest.approx(kl.mean().item(), rel=1e-5)
    assert figures["nll"] == pytest.approx(nll.mean().item(), abs=0.3)
    assert figures["neg_elbo"] == pytest.approx(figures["nll"] + figures["kl"], rel=1e-6)
    assert figures["neg_iw_bound_1"] == pytest.approx(figures["neg_elbo"], abs=0.3)
    assert errors["neg_elbo"] == pytest.approx((nll + kl).std().item() / len(x) ** 0.5, rel=0.05)


def test_the_images_of_cs236_are_ten_of_each_class_drawn_once(mnist: Images) -> None:
    trainer = Trainer(RunConfig(device="cpu", widths="5"), mnist)
    row = next(row for row in ROWS if row.id == "cs236")
    first, again = (reproduce.select_images(row, trainer, torch.Generator().manual_seed(s)) for s in (0, 1))
    assert first.shape == (100, 1, 28, 28) and torch.equal(first, again)
    assert set(first.unique().tolist()) == {0.0, 1.0}
    images = [
        mnist.x_test[mnist.y_test == label][rank] for label, ranks in enumerate(published.CS236_TEST) for rank in ranks
    ]
    p = torch.stack(images).double() / 255
    off = (first - p).sum() / (p * (1 - p)).sum().sqrt()
    assert abs(off) < 4 and (first[p == 0] == 0).all() and (first[p == 1] == 1).all()


def test_ctrl_c_keeps_the_runs_that_were_finished(
    tiny: Row, small_data: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measure = reproduce.measure

    def interrupted(row: Row, trainer: Trainer) -> Any:
        if trainer.config.seed == 1:
            raise KeyboardInterrupt  # as Ctrl-C does where no other test has changed the handler
        return measure(row, trainer)

    monkeypatch.setattr(reproduce, "measure", interrupted)
    assert reproduce.main(["--rows", "tiny", "--device", "cpu", "--seeds", "3", "--out", str(tmp_path)]) == 130
    assert "the runs that were finished are kept" in capsys.readouterr().err
    assert [run["seed"] for run in reproduced.read(tmp_path)["tiny"]["runs"]] == [0]


BAD = {
    "no row": [],
    "an unknown row": ["--rows", "cs236,vqvae"],
    "no seeds": ["--rows", "flax", "--seeds", "0"],
    "an unknown device": ["--rows", "flax", "--device", "tpu"],
}


@pytest.mark.parametrize("arguments", BAD.values(), ids=BAD.keys())
def test_bad_input_is_status_2_and_one_line(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = reproduce.main([*arguments, "--out", str(tmp_path)])
    except SystemExit as end:
        status = end.code  # type: ignore[assignment]
    said = capsys.readouterr().err
    assert status == 2 and said.startswith("error: ") and said.count("\n") == 1 and list(tmp_path.iterdir()) == []


def test_the_list_names_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert reproduce.main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [row.id for row in ROWS]


@pytest.mark.parametrize("text", ["{", "[]", '{"cs236": {}}', '{"cs236": {"runs": [3]}}'])
def test_a_damaged_file_gets_one_sentence(text: str, tmp_path: Path) -> None:
    (tmp_path / reproduced.JSON).write_text(text)
    with pytest.raises(CheckpointError, match=r"is damaged: restore it, or move it away to begin anew\.$"):
        reproduced.read(tmp_path)


def test_runs_of_other_settings_are_not_mixed() -> None:
    results: dict[str, Any] = {}
    run = {"seed": 0, "figures": {"neg_elbo": 1.0}}
    reproduced.add(results, TINY, RunConfig(seed=0), run)
    reproduced.add(results, TINY, RunConfig(seed=1, device="cpu"), run | {"seed": 1})
    assert len(results["tiny"]["runs"]) == 2
    reproduced.add(results, TINY, RunConfig(seed=1, beta=2.0), run | {"seed": 1})
    assert [r["seed"] for r in results["tiny"]["runs"]] == [1]


# ---- the rows themselves, and what is committed of them


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_row_can_be_trained_and_says_where_it_stands(row: Row) -> None:
    assert RunConfig(**row.settings) and row.source and row.differs and row.figures
    known = {"neg_elbo", "kl", "nll", *(f"neg_iw_bound_{k}" for k in row.bounds)}
    assert set(row.figures) <= known and all(figure.value > 0 for figure in row.figures.values())
    if {"kl", "nll"} <= set(row.figures):  # the terms that were published make their sum
        assert abs(row.figures["kl"].value + row.figures["nll"].value - row.figures["neg_elbo"].value) < 0.4


def test_ids_are_different() -> None:
    assert len({row.id for row in ROWS}) == len(ROWS)


def test_what_is_committed_is_rendered_from_its_json() -> None:
    text = (CHECKPOINTS / reproduced.MARKDOWN).read_text(encoding="utf-8")
    assert text == reproduced.render(reproduced.read(CHECKPOINTS))


@pytest.mark.parametrize("name", ["cs236", "flax-3900"])
def test_the_committed_rows_meet_their_measure(name: str) -> None:
    """−ELBO, KL and nll over three seeds within two standard deviations of those published; 104 within 2 nats."""
    results = json.loads((CHECKPOINTS / reproduced.JSON).read_text(encoding="utf-8"))
    row = next(row for row in ROWS if row.id == name)
    assert RunConfig.from_dict(results[name]["settings"]) == RunConfig(**row.settings)
    assert [run["seed"] for run in results[name]["runs"]] == [0, 1, 2]
    for figure, said in row.figures.items():
        values = [run["figures"][figure] for run in results[name]["runs"]]
        margin = 2 * said.spread if said.spread else said.agrees
        assert margin is None or abs(np.mean(values) - said.value) <= margin, (figure, values)
