"""The notebook of a run: its cells are run, alone, and its numbers are the trainer's."""

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.notebook_runner import cells_of, run_cells
from tests.told import tell
from vae_core.config import LIKELIHOODS, RunConfig
from vae_core.data import Images
from vae_core.export.run_notebook import AT_FIRST, run_notebook
from vae_core.export.run_report import RunReport
from vae_core.trainer import Trainer

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def few(small: Images) -> Images:
    return Images("mnist", small.x_train[:200], small.y_train[:200], small.x_test[:100], small.y_test[:100])


def tell_run(few: Images, changes: dict[int, dict[str, float]] | None = None, **settings: Any) -> RunReport:
    return tell(Trainer(RunConfig(device="cpu", batch_size=32, steps=12, **settings), few), 12, changes, bound_of=10)


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        ({"widths": "30", "warmup_steps": 5}, {7: {"beta": 3.0}}),
        ({"net": "conv", "likelihood": "gaussian-per-pixel", "protocol": "static", "latent_dim": 3}, {}),
    ],
    ids=["mlp, Bernoulli", "conv, a sigma per pixel"],
)
def test_its_losses_are_the_trainers(
    settings: dict[str, Any], changes: dict[int, dict[str, float]], few: Images, tmp_path: Path
) -> None:
    """12 steps of 32 cross an epoch of 200 images."""
    story = tell_run(few, changes, **settings)
    np.savez(tmp_path / "mnist.npz", x_train=few.x_train[:, 0].cpu(), x_test=few.x_test[:, 0].cpu())
    found, said = run_cells(run_notebook(story, "A run"), tmp_path, "rows", "x", "x_hat", "curves", "test_nll")
    np.testing.assert_allclose(found["rows"], story.train, rtol=1e-4, atol=1e-5)
    assert story.final is not None
    assert found["test_nll"] == pytest.approx(story.final["nll"], abs=0.02)
    assert f"after 12 steps: -ELBO {story.final['neg_elbo']:.2f}" in said
    assert found["shown"] == ["tuple", "Figure", "Figure", "Figure"]
    assert [line["name"] for line in found["curves"]["data"]] == ["−ELBO", "nll", "KL"]
    assert np.shape(found["x"]) == np.shape(found["x_hat"]) == (10, 1, 28, 28)
    assert 0 <= np.min(found["x_hat"]) < np.max(found["x_hat"]) <= 1


def test_a_long_run_is_cut_short_at_the_top(few: Images) -> None:
    story = tell_run(few, widths="8")
    assert "STEPS = 12  # 12 steps" in run_notebook(story, "")
    rows = np.ones((AT_FIRST + 1, story.train.shape[1]), np.float32) * np.arange(1, AT_FIRST + 2)[:, None]
    longer = run_notebook(replace(story, train=rows), "")
    assert f"STEPS = {AT_FIRST}  # the run took {AT_FIRST + 1}: 12 steps" in longer


def test_every_kind_is_without_a_fault_that_ruff_finds(few: Images, tmp_path: Path) -> None:
    """Unused imports and undefined names are among those faults; a value that a cell ends on is none."""
    story = tell_run(few, {3: {"beta": 0.0}}, widths="8")
    for net in ("mlp", "conv"):
        for likelihood in LIKELIHOODS:
            for protocol in ("grey", "static"):
                told = replace(story, config=RunConfig(net=net, likelihood=likelihood, protocol=protocol))
                cells = cells_of(run_notebook(told, "A run"), "code")
                (tmp_path / f"{net}_{likelihood}_{protocol}.py").write_text("\n\n\n".join(cells), encoding="utf-8")
    options = ["--config", str(ROOT / "pyproject.toml"), "--extend-ignore", "B018,C408,E402,I001"]
    command = [sys.executable, "-m", "ruff", "check", *options, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_words_of_a_story_are_neither_code_nor_html(few: Images) -> None:
    evil = "x\nimport os\rraise SystemExit\u2028<img src=x onerror=alert(1)> $\\href{a}{b}$"
    story = replace(tell_run(few, {3: {"beta": 0.0}}, widths="8"), status="stopped")
    dirty = run_notebook(
        replace(story, marks=(replace(story.marks[0], text=evil),), device=f"{story.device} {evil}", status=evil), evil
    )
    clean, spoilt = (cells_of(run, "code") for run in (run_notebook(story, "A run"), dirty))
    assert [ast.dump(ast.parse(cell)) for cell in spoilt] == [ast.dump(ast.parse(cell)) for cell in clean]
    head = cells_of(dirty, "markdown")[0].splitlines()[0]
    assert head.startswith("# x import os") and "\\<img" in head and "\\$" in head
