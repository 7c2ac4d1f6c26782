"""Models of images whose factors are known, on the family page; and the cures of a collapse, on the Dose section."""

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import norm
from streamlit.testing.v1 import AppTest

from pages.ablation import cures
from pages.family import factors
from pages.family.settings import FACTORS
from pages.ui.shipped import cards, checkpoint, title_of
from tests.pages.conftest import checked
from tests.pages.linked import shown
from vae_core.metrics.factors import gap_by_neighbours
from vae_core.metrics.information import information
from vae_core.metrics.judged import encode
from vae_core.runs.registry import Registry

BETA_TC = "circles-beta-tc-mlp-3"
ROW = re.compile(r'<span>z<sub>(\d)</sub> (?:–|<b>(\w+)</b> ([\d.]+))</span><img alt="[^"]*" src="data:[^,]+,([^"]+)"')


@pytest.fixture(scope="module")
def codes() -> tuple[torch.Tensor, torch.Tensor]:
    """mu and log_var of all test images."""
    mu, log_var, _ = encode(checkpoint(BETA_TC).model, factors.images_of(BETA_TC), checkpoint(BETA_TC).config)
    return mu, log_var


def tables(at: AppTest) -> list[Any]:
    return [table.value for table in at.table]


def number(text: str) -> float:
    return float(text.split(" ± ")[0].replace("−", "-"))


def test_a_button_puts_the_models_of_known_factors_side_by_side(registry: Registry) -> None:
    at = shown("family", {"models": "mnist-ae-mlp-2"})
    assert len(at.table) == 1 and not [html for html in at.get("html") if ROW.search(html.proto.body)]
    (button,) = [button for button in at.button if button.label == "One latent, one factor?"]
    checked(button.click().run())
    assert [head.value for head in at.header][: len(FACTORS)] == [title_of(name) for name in FACTORS]
    assert at.query_params["models"] == ",".join(FACTORS)
    figures, parts, gaps = tables(at)
    assert list(figures.index) == list(parts.index) == [title_of(name) for name in FACTORS]
    assert len(gaps) == 2 * len(FACTORS) and sum(len(ROW.findall(html.proto.body)) for html in at.get("html")) == 6


def test_the_three_parts_are_those_of_another_estimate_and_add_up(codes: tuple[torch.Tensor, torch.Tensor]) -> None:
    """Against metrics/information.py: I, and Σ_j I_j − I, which is the total correlation; and the card's KL."""
    row = factors.parts_table([BETA_TC]).loc[title_of(BETA_TC)]
    split = information(codes[0].double(), codes[1].double(), torch.Generator().manual_seed(5))
    correlation = sum(split.dims) - split.information
    assert number(row["index-code information"]) == pytest.approx(split.information, abs=0.15)
    assert number(row["total correlation"]) == pytest.approx(correlation, abs=0.15)
    assert number(row["dimension-wise KL"]) == pytest.approx(split.marginal_kl - correlation, abs=0.2)
    assert number(row["KL"]) == pytest.approx(sum(cards()[BETA_TC]["test"]["kl_dims"]), abs=0.05)
    error = float(row["sum − KL"].split(" ± ")[1])
    assert abs(number(row["sum − KL"])) < 4 * error and error < 0.1
    assert number(row["sum"]) == pytest.approx(
        sum(number(row[name]) for name in ("index-code information", "total correlation", "dimension-wise KL")),
        abs=0.05,
    )


def test_each_row_moves_what_is_written_beside_it() -> None:
    """Its pictures are decoded at quantiles of the prior; centre and area are measured in them."""
    rows, model = ROW.findall(factors.traversals(BETA_TC)), checkpoint(BETA_TC).model
    named = [name for _, name, _, _ in rows]
    assert sorted(row[0] for row in rows) == ["1", "2", "3"] and named == ["x", "y", "radius"]
    for latent, name, _, data in rows:
        strip = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
        pictures = np.stack(np.split(strip, 10, axis=1)) / 255  # (10, 28, 28)
        z = torch.zeros(10, 3)
        z[:, int(latent) - 1] = torch.from_numpy(norm.ppf((np.arange(10) + 0.5) / 10)).float()
        with torch.no_grad():
            wanted = model.decode(z).sigmoid()[:, 0].numpy()
        assert np.abs(pictures - wanted).max() <= 1 / 255
        mass = pictures.sum((1, 2))
        middles = np.arange(28) + 0.5
        measured = {"x": (pictures.sum(1) @ middles) / mass, "y": (pictures.sum(2) @ middles) / mass}
        moved = {axis: np.ptp(values) for axis, values in measured.items()} | {"radius": np.ptp(np.sqrt(mass / np.pi))}
        assert max(moved, key=lambda factor: moved[factor]) == name and moved[name] > 3, moved


def test_the_gap_is_that_of_both_evaluators_and_of_the_benchs_seeds(codes: tuple[torch.Tensor, torch.Tensor]) -> None:
    table = factors.gap_table([BETA_TC])
    bins, near = (table.loc[f"{title_of(BETA_TC)}: {says}"] for says in factors.EVALUATORS.values())
    known = factors.images_of(BETA_TC).factors_test
    assert known is not None
    found = gap_by_neighbours(codes[0].numpy(), known.numpy())
    assert near["MIG"] == f"{found.mig:.2f}" and near["radius"] == f"{found.of_factors[2]:.2f}"
    assert float(near["MIG"]) > float(bins["MIG"]) + 0.05
    for row, key in ((bins, "bins"), (near, "neighbours")):
        assert float(row["MIG"]) == pytest.approx(
            np.mean([float(row[name]) for name in ("x", "y", "radius")]), abs=0.01
        )
        trial = factors.seeds_of(BETA_TC)
        assert trial is not None and len(trial["rows"]) == 5
        assert [row[f"seed {seed}"] for seed in range(5)] == [f"{one[key]['mig']:.2f}" for one in trial["rows"]]
        own = trial["rows"][cards()[BETA_TC]["seed"]][key]["mig"]
        assert float(row["MIG"]) == pytest.approx(own, abs=0.02)  # the shipped weights are rounded


def test_without_the_benchs_file_the_models_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factors, "SEEDS_FILE", tmp_path / "none.json")
    assert factors.seeds_of(BETA_TC) is None
    assert list(factors.gap_table([BETA_TC]).columns) == ["x", "y", "radius", "MIG"]


def test_the_bench_holds_what_its_trials_say() -> None:
    for trial in factors.trials():
        for row in trial["rows"]:
            for key in factors.EVALUATORS:
                assert row[key]["mig"] == pytest.approx(np.mean(row[key]["of_factors"]), abs=0.001)


def test_cures_stand_beside_the_start_that_they_start_from(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = json.loads(cures.FILE.read_text())
    at = shown("ablation", {"section": "dose"})
    assert cures.TITLE in [box.label for box in at.expander] and not at.table
    at.session_state["ablation cures"] = True
    checked(at.run())
    assert len(at.table) == len(record["starts"]) == 3 and at.query_params["cures"] == "1"
    for start, table in zip(record["starts"], tables(at), strict=True):
        assert any(start in text.value for text in at.markdown)
        for cure in record["cures"]:
            figures, row = record["figures"][f"{start}: {cure}"], table.loc[cure]
            assert float(row["−ELBO"]) == pytest.approx(figures["nll"] + figures["kl"], abs=0.11)  # true, with beta 1
            assert float(row["I(n; z)"]) == figures["information"] <= figures["kl"] + 0.01
            assert row["active units"] == f"{figures['active']} of 16"
    assert any(record["command"] in caption.value for caption in at.caption)
    (tmp_path / "cures.json").write_text('{"starts": {"a": {}}}')
    monkeypatch.setattr(cures, "FILE", tmp_path / "cures.json")
    assert "Restore the folder checkpoints/bench." in checked(at.run()).error[0].value
