"""Every promise of the pages is held: by a bench whose committed figures show that it came, a test, or a source."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from pages.ablation.bugs import BUGS
from pages.ablation.questions import QUESTIONS
from pages.training.chips import CHIPS
from pages.training.claims import CLAIMS
from pages.ui.shipped import CHECKPOINTS, PLANE
from tests.bench import claims as bench
from tests.promises import OFTEN, PROMISES
from tests.trained import steps
from vae_core import losses
from vae_core.claims import Claim
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.evaluate import evaluate
from vae_core.metrics.definitions import METRICS
from vae_core.trainer import Trainer

ROOT = Path(__file__).resolve().parents[1]
FIGURES = json.loads(bench.FIGURES.read_text(encoding="utf-8"))
ALL = [
    *CLAIMS.values(),
    *(question.reveal for question in QUESTIONS.values()),
    *(bug.symptom for bug in BUGS),
    *(metric.claim for metric in METRICS if metric.held),
]


class Watched(Mapping[str, Any]):
    """The cases of one seed; remembers which were asked for."""

    def __init__(self, seed: int) -> None:
        self.seed, self.asked = str(seed), set[str]()

    def __getitem__(self, case: str) -> Any:
        self.asked.add(case)
        return FIGURES[case][self.seed]

    def __iter__(self) -> Iterator[str]:
        return iter(FIGURES)

    def __len__(self) -> int:
        return len(FIGURES)


def benches(claim: Claim) -> set[str]:
    return {one.removeprefix("bench: ") for one in claim.held if one.startswith("bench: ")}


def parts(claim: Claim) -> list[str]:
    """Keys of its promises: its own, or "KEY: PART" where a part of it is asked for by itself."""
    return [key for key in PROMISES if key == claim.key or key.startswith(f"{claim.key}: ")]


def test_each_stands_once() -> None:
    assert len(ALL) > 30 and len({claim.key for claim in ALL}) == len({claim.says for claim in ALL}) == len(ALL)
    assert {key.partition(": ")[0] for key in PROMISES} == {claim.key for claim in ALL if benches(claim)}


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.key)
def test_what_holds_it_is_there(claim: Claim) -> None:
    for kind, _, what in (one.partition(": ") for one in claim.held):
        if kind == "test":
            path, _, name = what.partition("::")
            assert re.search(rf"^def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), what
        elif kind == "bench":
            assert set(FIGURES[what]) == {str(seed) for seed in bench.SEEDS}, what
        else:
            assert re.search(r"\b(19|20)\d\d, \w+", what), what


@pytest.mark.parametrize("claim", [c for c in ALL if benches(c)], ids=lambda claim: claim.key)
def test_what_it_promises_came(claim: Claim) -> None:
    """In all three seeds, or in as many as its words say; and it is judged by the cases that it names, no others."""
    asked = set[str]()
    for key in parts(claim):
        seen = [Watched(seed) for seed in bench.SEEDS]
        came = [PROMISES[key](figures) for figures in seen]
        assert sum(came) >= (OFTEN if "often" in key else len(bench.SEEDS)), (key, came)
        asked |= set.union(*(figures.asked for figures in seen))
    assert asked == benches(claim)


def test_the_bench_ran_the_chips_at_their_own_settings() -> None:
    for chip in CHIPS:
        case = chip.look_for.held[0].removeprefix("bench: ")
        config = RunConfig(**FIGURES[case]["0"]["config"])
        values = {k: v for k, v in chip.values.items() if k not in ("recon_on", "reduction")}
        assert {k: getattr(config, k) for k in values} == values, chip.name
        assert (config.alpha == 0) == ("recon_on" in chip.values)
        assert (config.alpha == pytest.approx(1 / 784)) == ("reduction" in chip.values)


@pytest.mark.parametrize("case", bench.CASES)
def test_the_committed_figures_are_of_these_settings(case: str) -> None:
    for seed in bench.SEEDS:
        kept = FIGURES[case][str(seed)]
        assert kept["steps"] == bench.CASES[case][0]
        assert bench.rounded(RunConfig(**kept["config"]).to_dict()) == bench.rounded(
            bench.config_of(case, seed).to_dict()
        )


def test_pictures_differ_of_full_scale_everywhere() -> None:
    """ "0.47 grey levels" would be half of one of 255: values from 0 to 1 are of full scale, on every page."""
    unit = re.compile(r"grey levels? ?(a pixel|away|from 0 to 1\b|0 to 1\b|per)|grey levels\"|RMS grey", re.IGNORECASE)
    files = [p for folder in ("pages", "vae_core") for p in (ROOT / folder).rglob("*.*") if p.suffix in (".py", ".js")]
    found = [p for p in files if "node_modules" not in p.parts and unit.search(p.read_text(encoding="utf-8"))]
    assert len(files) > 300 and found == []


def test_no_metric_is_written_with_digits_that_its_noise_takes() -> None:
    """Another seed of the evaluation noise moves the last digit by less than ten."""
    for metric in METRICS:
        last = 10.0 ** -(metric.digits + 2 * (metric.unit == "%"))
        assert FIGURES[bench.NOISE].get(metric.key, 0) < 10 * last, metric.key


# ---- what the claims name as their tests


def test_sigma_weighs_the_squared_error() -> None:
    """1 / (2 sigma²) = 200 at 0.05; and with a small sigma the density of a good copy lies above 1: the nll below 0."""
    x, shift = torch.rand(1, 1, 28, 28), torch.full((1, 1, 28, 28), 0.1)
    sigma = torch.tensor(0.05)
    worse = losses.gaussian_nll(x + shift, x, sigma) - losses.gaussian_nll(x, x, sigma)
    assert worse.item() == pytest.approx(200 * shift.square().sum().item(), rel=1e-4)
    assert losses.gaussian_nll(x, x, sigma).item() < 0 < losses.gaussian_nll(x, x, torch.tensor(1.0)).item()


def test_alpha_and_beta_count_by_their_ratio(small: Images) -> None:
    """Adam divides the scale of the loss out again: alpha 2 with beta 1 makes the curve of alpha 1 with beta ½."""
    base = RunConfig(batch_size=100, device="cpu")
    double, half, usual = (
        steps(Trainer(base.with_(**weights), small), 40)[:, 1] for weights in ({"alpha": 2.0}, {"beta": 0.5}, {})
    )
    assert np.abs(double - half).max() < 0.2 * np.abs(usual - half).max()
    np.testing.assert_allclose(double, half, rtol=2e-3)


def test_the_loss_falls_slowly_for_fifty_epochs_more() -> None:
    """Of the main model, whose history ships: nine tenths of the way are gone by epoch 3, and by 53 nearly all."""
    rows = pd.read_csv(CHECKPOINTS / PLANE / "history.csv")
    start = rows["neg_elbo"][0]
    test = rows.query("split == 'test'")["neg_elbo"].to_numpy()
    third, later, last = test[2], test[52], test[-1]
    assert start - third > 0.9 * (start - last) and 10 < third - later < 25 and 0 < later - last < 1


@pytest.mark.parametrize("half", ["encoder", "decoder"])
def test_a_half_that_is_frozen_later_stays(half: str, small: Images) -> None:
    """Encoder: the KL stands still and the copies improve. Decoder: codes move, what it draws does not."""
    trainer = Trainer(RunConfig(batch_size=100, epochs=20, device="cpu"), small)
    steps(trainer, 60)
    z = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    before, drawn = evaluate(trainer.model, small.x_test, "grey", 0), trainer.model.decode(z).detach()
    trainer.set(frozen=half)
    steps(trainer, 60)
    after = evaluate(trainer.model, small.x_test, "grey", 0)
    assert after.terms["nll"] < before.terms["nll"]
    assert (after.terms["kl"] == before.terms["kl"]) == (half == "encoder")
    assert torch.equal(trainer.model.decode(z).detach(), drawn) == (half == "decoder")
