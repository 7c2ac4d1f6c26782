"""The notebook of the ELBO: its cells are run, alone, and its numbers are those of the page."""

import io
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pages.elbo.code import take_notebook
from pages.elbo.subject import subject
from tests.notebook_runner import cells_of, run_cells
from vae_core.config import LIKELIHOODS, RunConfig
from vae_core.export.elbo_notebook import NOTEBOOK, WEIGHTS, elbo_bundle, elbo_notebook
from vae_core.models import build

ROOT = Path(__file__).resolve().parents[1]
CLOSE = 1e-3  # nats
NAMES = ("x", "mu", "log_var", "kl", "kl_by_quadrature", "reconstruction", "elbo", "log_p", "gap", "iw_bounds")


@pytest.mark.parametrize(
    ("model", "digit", "which", "redraw"),
    [("mnist-vae-mlp-2", 1, 8, 3), ("mnist-vae-gaussian-mlp-2", 4, 2, None)],
    ids=["Bernoulli, redrawn, a long posterior", "Gaussian"],
)
def test_its_numbers_are_the_pages(model: str, digit: int, which: int, redraw: int | None, tmp_path: Path) -> None:
    chosen = subject(model, digit, which, redraw)
    with zipfile.ZipFile(io.BytesIO(take_notebook(chosen))) as archive:
        assert archive.namelist() == [NOTEBOOK, WEIGHTS]
        archive.extract(WEIGHTS, tmp_path)
        notebook = archive.read(NOTEBOOK).decode()
    found, said = run_cells(notebook, tmp_path, *NAMES)
    assert torch.equal(torch.tensor(found["x"]), chosen.x)
    torch.testing.assert_close(torch.tensor(found["mu"]), chosen.mu, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(torch.tensor(found["log_var"]), chosen.log_var, atol=1e-5, rtol=1e-5)
    bound = chosen.bound
    for name in ("reconstruction", "kl", "elbo", "log_p", "gap"):
        assert found[name] == pytest.approx(getattr(bound, name).value, abs=CLOSE), name
    assert found["kl_by_quadrature"] == pytest.approx(bound.kl.value, abs=CLOSE)
    for value, error in found["iw_bounds"].values():
        assert bound.elbo.value - 4 * error < value < bound.log_p.value + 4 * error
    first, *_, last = (value for value, _ in found["iw_bounds"].values())
    assert first < last
    assert found["shown"] == ["Figure", "Figure"]
    assert f"ELBO {found['elbo']:.3f} + gap {found['gap']:.3f}" in said
    assert chosen.label[1:] in cells_of(notebook, "markdown")[0]


def test_every_likelihood_runs_and_is_without_a_fault_that_ruff_finds(tmp_path: Path) -> None:
    """No shipped model learns its sigma; such a one may be added. Its log p(x | z) at mu is that of the model."""
    x = torch.rand(1, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    for likelihood in LIKELIHOODS:
        for net in ("mlp", "conv"):
            config = RunConfig(net=net, likelihood=likelihood, widths="10")
            cells = "\n\n\n".join(cells_of(elbo_notebook(config, "", ""), "code"))
            (tmp_path / f"{net}_{likelihood}.py").write_text(cells, encoding="utf-8")
    options = ["--config", str(ROOT / "pyproject.toml"), "--extend-ignore", "B018,C408,E402,I001"]
    command = [sys.executable, "-m", "ruff", "check", *options, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
    config = RunConfig(likelihood="gaussian-per-pixel", widths="10", sigma=0.3)
    model = build(config).eval()
    with zipfile.ZipFile(io.BytesIO(elbo_bundle(model, config, x, "", ""))) as archive:
        archive.extract(WEIGHTS, tmp_path)
        whole = json.loads(archive.read(NOTEBOOK))
    _, said = run_cells(json.dumps(whole | {"cells": whole["cells"][:9]}), tmp_path)  # up to log p(x | z)
    with torch.no_grad():
        nll = model.nll(model.decode(model.encode(x)[0]), x).item()
    assert f"log p(x | z) = {-nll:.3f} nats at z = mu" in said


def test_without_two_latents_there_is_none() -> None:
    with pytest.raises(ValueError, match="2 latents"):
        elbo_notebook(replace(RunConfig(), latent_dim=3), "", "")
