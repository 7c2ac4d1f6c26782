"""`python -m tests.bench.circles`: does each latent of a beta-TC-VAE move one thing on Circles? The gap, by two judges.

Trains the same settings with five seeds, and measures the mutual information gap over the test images by both
evaluators of vae_core/metrics/factors.py, whose settings were fixed beforehand. Prints a row for each seed as it comes,
and writes circles.json: what the latents say of x, y and radius, and the three parts of the KL.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from vae_core import rng
from vae_core.config import RunConfig
from vae_core.data import prepare
from vae_core.evaluate import evaluate_test, evaluating
from vae_core.metrics.factors import gap_by_bins, gap_by_neighbours
from vae_core.trainer import Trainer

SETTINGS = RunConfig(dataset="circles", model="beta-tc", latent_dim=4, weights="total_correlation=20", epochs=4)
SEEDS = range(5)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.circles", description="Gaps of beta-TC on Circles.")
    parser.add_argument("--weight", type=float, default=20.0, help="of the total correlation (20)")
    parser.add_argument(
        "--epochs", type=int, default=SETTINGS.epochs, help=f"passes over the images ({SETTINGS.epochs})"
    )
    parser.add_argument("--latent-dim", type=int, default=SETTINGS.latent_dim)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args(arguments)
    base = SETTINGS.with_(
        weights=f"total_correlation={options.weight:g}", epochs=options.epochs, latent_dim=options.latent_dim
    )
    rows = []
    for seed in options.seeds:
        rows.append(measured(base.with_(seed=seed)))
        print(line_of(rows[-1]), flush=True)
    reached = sum(row["mig_bins"] > 0.5 for row in rows)
    print(f"above 0.5 by bins: {reached} of {len(rows)}")
    options.out.write_text(json.dumps({"config": base.to_dict(), "rows": rows}, indent=1) + "\n", encoding="utf-8")


def measured(config: RunConfig) -> dict[str, Any]:
    """Train, and measure over the test images."""
    trainer = Trainer(config)
    while not trainer.done:
        trainer.step()
    result = evaluate_test(trainer.model, trainer.images, config)
    factors = trainer.images.factors_test
    assert factors is not None
    mu, z = codes_of(trainer)
    bins, near = gap_by_bins(z, factors.numpy()), gap_by_neighbours(mu, factors.numpy())
    return {
        "seed": config.seed,
        "terms": result.terms,
        "mig_bins": bins.mig,
        "mig_neighbours": near.mig,
        "of_factors_bins": bins.of_factors.tolist(),
        "of_factors_neighbours": near.of_factors.tolist(),
        "information": bins.information.tolist(),
        "best": bins.best.tolist(),
    }


def codes_of(trainer: Trainer) -> tuple[Any, Any]:
    """(N, D) means of all test images, and a sample of each posterior; numpy."""
    config, generator = trainer.config, rng.generator(torch.device("cpu"), trainer.config.seed, "eval")
    with evaluating(trainer.model):
        parts = [
            trainer.model.encode(prepare(x, config.protocol, generator)) for x in trainer.images.x_test.split(1_000)
        ]
    mu, log_var = (torch.cat(halves).cpu() for halves in zip(*parts, strict=True))
    eps = torch.randn(mu.shape, generator=generator)
    return mu.numpy(), (mu + (0.5 * log_var).exp() * eps).numpy()


def line_of(row: dict[str, Any]) -> str:
    each = ", ".join(f"{value:.2f}" for value in row["of_factors_bins"])
    terms = ", ".join(f"{name} {value:.2f}" for name, value in row["terms"].items())
    return (
        f"seed {row['seed']}: MIG {row['mig_bins']:.3f} by bins (x, y, radius: {each}), "
        f"{row['mig_neighbours']:.3f} by neighbours; {terms}"
    )


if __name__ == "__main__":
    main()
