"""`python -m tests.bench.circles`: does each latent move one thing on Circles? The gap by two evaluators, seed by seed.

Trains one trial, the same settings with five seeds, and judges each model over the test images as the family page
does: vae_core/metrics/judged.py, whose evaluators were fixed before any of these. Settings are those of
`python -m vae_core.train`; the defaults are those of the beta-TC-VAE that ships. Writes checkpoints/bench/circles.json,
where every trial stays, the failed ones too: what there is of a trial is left as it is.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vae_core import train
from vae_core.config import RunConfig
from vae_core.metrics.factors import BINS, NEIGHBOURS, Gap, gap_by_bins
from vae_core.metrics.judged import encode, judge
from vae_core.trainer import Trainer

FILE = Path(__file__).resolve().parents[2] / "checkpoints" / "bench" / "circles.json"
COMMAND = "python -m tests.bench.circles"
SETTINGS = RunConfig(
    dataset="circles",
    model="beta-tc",
    widths="200-100",
    latent_dim=3,
    weights="total_correlation=10",
    epochs=6,
    device="cpu",
)
SEEDS = range(5)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog=COMMAND, description="Gaps of a trial on Circles, over seeds.")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    options, others = parser.parse_known_args(arguments)
    asked = train.parser().parse_args(others)
    given = {name: getattr(asked, name) for name in SETTINGS.to_dict() if hasattr(asked, name)}
    record = json.loads(FILE.read_text(encoding="utf-8"))
    trial = trial_of(record, SETTINGS.with_(**given, seed=0))
    for seed in options.seeds:
        if seed not in [row["seed"] for row in trial["rows"]]:
            trial["rows"] = sorted(
                [*trial["rows"], measure(RunConfig.from_dict(trial["config"]).with_(seed=seed))],
                key=lambda row: row["seed"],
            )
            FILE.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
            print(line_of(next(row for row in trial["rows"] if row["seed"] == seed)), flush=True)
    reached = sum(row["bins"]["mig"] > 0.5 for row in trial["rows"])
    print(f"above 0.5 by bins: {reached} of {len(trial['rows'])}")


def trial_of(record: dict[str, Any], config: RunConfig) -> dict[str, Any]:
    """The trial of these settings in the record, a new one where there is none yet."""
    record |= {"bins": BINS, "neighbours": NEIGHBOURS}
    trials = record.setdefault("trials", [])
    if config not in [RunConfig.from_dict(trial["config"]) for trial in trials]:
        trials.append({"command": "", "config": config.to_dict(), "rows": []})
    for trial in trials:
        trial["command"] = command(trial["config"])  # of the defaults of today
    return next(trial for trial in trials if RunConfig.from_dict(trial["config"]) == config)


def command(config: dict[str, Any]) -> str:
    """What repeats a trial."""
    usual = SETTINGS.to_dict()
    changed = [f"--{name.replace('_', '-')}={value}" for name, value in config.items() if value != usual[name]]
    return " ".join([COMMAND, *changed])


def measure(config: RunConfig) -> dict[str, Any]:
    """Train with one seed, and judge."""
    trainer = Trainer(config)
    while not trainer.done:
        trainer.step()
    trainer.flush()
    found = judge(trainer.model, trainer.images, config)
    return {
        "seed": config.seed,
        "bins": written(found.bins),
        "neighbours": written(found.neighbours),
        "most": round(most(trainer, found.bins), 3),
        "parts": {name: round(value, 3) for name, value in found.parts.means.items()},
        "kl": round(found.parts.kl, 3),
    }


def written(gap: Gap) -> dict[str, Any]:
    """A gap as it stands in the record."""
    return {
        "mig": round(gap.mig, 3),
        "of_factors": [round(value, 3) for value in gap.of_factors.tolist()],
        "best": gap.best.tolist(),
        "information": [[round(value, 2) for value in row] for row in gap.information.tolist()],
    }


def most(trainer: Trainer, found: Gap) -> float:
    """The gap by bins of perfect codes with the same noise: how much of a failure is the noise of q alone.

    Each factor in place of the mean of the latent that says most of it, at the same spread, and that latent's own std.
    """
    assert trainer.images.factors_test is not None
    factors = trainer.images.factors_test.numpy()
    mu, log_var, _ = (values.numpy() for values in encode(trainer.model, trainer.images, trainer.config))
    means = (factors - factors.mean(0)) / factors.std(0) * mu.std(0)[found.best]
    eps = np.random.default_rng(0).normal(size=factors.shape)
    return gap_by_bins(means + np.exp(0.5 * log_var[:, found.best]) * eps, factors).mig


def line_of(row: dict[str, Any]) -> str:
    each = ", ".join(f"{value:.2f}" for value in row["bins"]["of_factors"])
    parts = ", ".join(f"{name} {value:.2f}" for name, value in row["parts"].items())
    return (
        f"seed {row['seed']}: MIG {row['bins']['mig']:.3f} of at most {row['most']:.3f} by bins "
        f"(x, y, radius: {each}), {row['neighbours']['mig']:.3f} by neighbours; {parts}; KL {row['kl']:.2f}"
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
