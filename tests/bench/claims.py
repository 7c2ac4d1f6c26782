"""`python -m tests.bench.claims`: train what the pages make promises of, three seeds each, and keep the figures.

It writes tests/bench/claims.json, which tests/test_claims.py holds the promises against. All cases take about five
minutes of one processor core (OMP_NUM_THREADS=1 gives the committed digits). What is there by the same settings is
left as it is; `--again` trains it anew, `--only NAME ...` takes some of the cases.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pages.ui.shipped import CHECKPOINTS, PLANE
from vae_core import models
from vae_core.checkpoints import load as load_checkpoint
from vae_core.config import RunConfig
from vae_core.data import Images, load
from vae_core.divergence import RunError
from vae_core.evaluate import evaluate, evaluating
from vae_core.families import is_bug
from vae_core.inspect.snapshot import map_images
from vae_core.metrics.measure import measure
from vae_core.models.base import Family
from vae_core.trainer import Trainer

FIGURES = Path(__file__).with_suffix(".json")
SEEDS = (0, 1, 2)
IMAGES = 2_000  # of the map, for the figures
MOMENTS = (100, 235)  # steps at which the test figures are taken, beside the last
PIXELS = 784
NETS, NOISE = "a step of mlp and conv", "noise of the metrics"

# By name how many steps are made (235 are an epoch), and what differs from the usual settings of the page.
CASES: dict[str, tuple[int, dict[str, Any]]] = {
    "usual": (470, {}),
    "usual, one epoch": (235, {}),
    "learning rate 0.1": (235, {"learning_rate": 0.1}),
    "sigma 0.05": (235, {"likelihood": "gaussian", "sigma": 0.05}),
    "beta 8": (235, {"beta": 8.0}),
    "32 latents": (470, {"latent_dim": 32}),
    "mean over pixels": (150, {"alpha": 1 / PIXELS}),
    "encoder frozen": (150, {"frozen": "encoder"}),
    "no reconstruction": (100, {"alpha": 0.0}),
    "no KL": (235, {"beta": 0.0}),
    "autoencoder": (235, {"model": "ae", "beta": 0.0}),
    "beta 32": (150, {"beta": 32.0}),
    "16 latents": (300, {"latent_dim": 16}),
    "bug log-var": (470, {"model": "bug-log-var"}),
    "bug mean": (235, {"model": "bug-mean"}),
    "warm-up": (470, {"warmup_steps": 300}),
    "no KL, 16 latents": (300, {"latent_dim": 16, "beta": 0.0}),
    "autoencoder, 16 latents": (300, {"latent_dim": 16, "model": "ae", "beta": 0.0}),
    "no reconstruction, 16 latents": (100, {"latent_dim": 16, "alpha": 0.0}),
    "beta 32, 16 latents": (150, {"latent_dim": 16, "beta": 32.0}),
    "decoder frozen": (100, {"frozen": "decoder"}),
}


def config_of(case: str, seed: int) -> RunConfig:
    return RunConfig(**{"epochs": 2, "seed": seed, "device": "cpu", **CASES[case][1]})


def run(config: RunConfig, steps: int, images: Images) -> dict[str, Any]:
    """Train so many steps; JSON-ready figures, nats per image on test images."""
    trainer = Trainer(config, images)
    before = {name: p.detach().clone() for name, p in trainer.model.named_parameters()}
    pixels, labels = (part[:IMAGES] for part in map_images(images))
    at, rows, diverged = {}, [], None
    try:
        while trainer.step_count < steps:
            trainer.step()
            if trainer.step_count in (*MOMENTS, steps):
                rows.append(trainer.flush())
                at[str(trainer.step_count)] = moment(trainer.model, pixels, config)
    except RunError as error:
        diverged = f"step {trainer.step_count}: {error}"
    return {
        "at": at,
        "train": history(np.concatenate(rows), trainer.columns),
        "metrics": measure(trainer.model, pixels, torch.from_numpy(labels), config.protocol, config.seed).to_dict(),
        "sharpness": sharpness(trainer.model, pixels[:1000], config),
        "moved": moved(trainer.model, before),
        "diverged": diverged,
        **({"in the right code": right_code(trainer.model, pixels, config)} if is_bug(config.model) else {}),
    }


def moment(model: Family, pixels: torch.Tensor, config: RunConfig) -> dict[str, Any]:
    found = evaluate(model, pixels, config.protocol, config.seed).to_dict()
    return {name: value for name, value in found.items() if name != "kl_dims"} | {
        "kl_dims": [round(v, 4) for v in found.get("kl_dims", [])]
    }


def history(rows: np.ndarray, columns: tuple[str, ...]) -> dict[str, Any]:
    """The curves of the reconstruction: means of 20 steps, and how often a batch stands far above the 20 before it."""
    nll = rows[:, columns.index("nll")].astype(float)
    before = np.array([np.median(nll[i - 20 : i]) for i in range(120, len(nll))])
    return {
        "nll by 20 steps": [round(float(part.mean()), 2) for part in np.array_split(nll, max(1, len(nll) // 20))],
        "largest jump": float((nll[120:] - before).max()) if len(before) else None,
        "spread of a batch": float(np.diff(nll[120:]).std() / 2**0.5) if len(nll) > 121 else None,
    }


def sharpness(model: Family, pixels: torch.Tensor, config: RunConfig) -> dict[str, float]:
    """Mean absolute difference of neighbouring pixels, of 1: of the reconstructions, and of the images themselves."""
    x = pixels.float() / 255
    generator = torch.Generator().manual_seed(config.seed)
    with evaluating(model):
        out = model(x, torch.randn(len(x), config.latent_dim, generator=generator))
        copies = model.mean_image(out.logits)
    return {name: float(p.diff(dim=-1).abs().mean()) for name, p in (("copies", copies), ("images", x))}


def moved(model: Family, before: dict[str, torch.Tensor]) -> dict[str, bool]:
    """Whether any weight of a half has changed since the start."""
    now = dict(model.named_parameters())
    return {
        half: any(not torch.equal(now[name], old) for name, old in before.items() if name.startswith(half))
        for half in ("encoder", "decoder")
    }


def right_code(model: Family, pixels: torch.Tensor, config: RunConfig) -> dict[str, Any]:
    """The same weights without the mistake."""
    right = models.build(config.with_(model="vae"), (1, 28, 28))
    right.load_state_dict(model.state_dict())
    return moment(right, pixels, config)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.claims", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=tuple(CASES), default=tuple(CASES), metavar="NAME")
    parser.add_argument("--again", action="store_true", help="also what is there")
    options = parser.parse_args(arguments)
    images = load("mnist", torch.device("cpu"))
    found = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    if options.again or NOISE not in found:
        found[NOISE] = noise_of_metrics(images)
    if options.again or NETS not in found:
        found[NETS] = {str(seed): time_nets(seed, images) for seed in SEEDS}
    for case in options.only:
        for seed in SEEDS:
            config = config_of(case, seed)
            settings = {"steps": CASES[case][0], "config": rounded(config.to_dict())}
            if not options.again and settings.items() <= found.get(case, {}).get(str(seed), {}).items():
                continue
            figures = settings | run(config, CASES[case][0], images)
            found.setdefault(case, {})[str(seed)] = figures
            FIGURES.write_text(json.dumps(rounded(found), indent=1) + "\n", encoding="utf-8")
            print(case, seed, figures["at"] and list(figures["at"].values())[-1], flush=True)
    return 0


def time_nets(seed: int, images: Images, steps: int = 5) -> dict[str, float]:
    """Processor seconds of a step of each network, after one that warms up."""
    found = {}
    for net in ("mlp", "conv"):
        trainer = Trainer(RunConfig(net=net, seed=seed, device="cpu"), images)
        trainer.step()
        before = time.process_time()
        for _ in range(steps):
            trainer.step()
        found[net] = (time.process_time() - before) / steps
    return found


def noise_of_metrics(images: Images, draws: int = 5) -> dict[str, float]:
    """Standard deviation of each metric of the main model over seeds of the evaluation noise, prior draws included."""
    model, (pixels, labels) = load_checkpoint(CHECKPOINTS / PLANE).model, map_images(images)
    rows = [measure(model, pixels, torch.from_numpy(labels), "grey", seed).to_dict() for seed in range(draws)]
    return {
        key: float(np.std([row[key] for row in rows], ddof=1)) for key in rows[0] if isinstance(rows[0][key], float)
    }


def rounded(value: Any) -> Any:
    """Floats with six significant digits: what is beyond differs between machines."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(inner) for inner in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


if __name__ == "__main__":
    raise SystemExit(main())
