"""`python -m tests.bench.cures`: from starts that collapse, what each cure saves; and the added families' own figures.

It prints the tables and writes checkpoints/bench/cures.json, which the Ablation page shows. OMP_NUM_THREADS=1 gives the
committed digits on the same kind of processor; all of it takes about ten minutes of one core. Figures are of the first
2,000 test images, grey, K = 1.
"""

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from vae_core.config import RunConfig
from vae_core.evaluate import evaluate, mean_iw_bound
from vae_core.metrics.gradient_snr import gradient_snr
from vae_core.metrics.measure import measure
from vae_core.models.dae import nll_by_level
from vae_core.trainer import Trainer

FILE = Path(__file__).resolve().parents[2] / "checkpoints" / "bench" / "cures.json"
COMMAND = "python -m tests.bench.cures"
IMAGES = 2_000
CPU = {"device": "cpu", "seed": 0}
# Of 16 latents few or none are in use after two epochs: the KL outweighs what the decoder has learned to do with them.
# In the last one the net itself does not learn, and no cure of the KL can help.
STARTS: dict[str, dict[str, Any]] = {
    "beta 8": {"beta": 8.0},
    "deep, narrow, fast": {"widths": "64-64-64-64", "learning_rate": 5e-3},
    "deep, narrow, tanh": {"widths": "64-64-64-64", "activation": "tanh"},
}
CURES: dict[str, dict[str, Any]] = {
    "none": {},
    "linear": {"warmup_steps": 235},
    "cyclical": {"warmup_steps": 59, "warmup_cycles": 4},
    "free bits 0.1": {"free_bits": 0.1},
    "free bits 0.5": {"free_bits": 0.5},
}
COMMON = {"latent_dim": 16, "epochs": 2, "seed": 0}  # of all starts
LEVELS = (0.0, 0.25, 0.5)
SAMPLES = (1, 5, 50)


def trained(**settings: Any) -> Trainer:
    trainer = Trainer(RunConfig(**CPU | settings))
    while not trainer.done:
        trainer.step()
    trainer.flush()
    return trainer


def cure(**settings: Any) -> dict[str, float]:
    """The true KL and −ELBO of what was trained, whatever was minimised; nats."""
    trainer = trained(**COMMON | settings)
    pixels, labels = trainer.images.x_test[:IMAGES], trainer.images.y_test[:IMAGES]
    seen, metrics = evaluate(trainer.model, pixels, "grey", 0), measure(trainer.model, pixels, labels, "grey", 0)
    assert seen.neg_elbo is not None and seen.active is not None and metrics.information is not None
    return {
        "neg_elbo": round(seen.neg_elbo, 1),
        "nll": round(seen.terms["nll"], 1),
        "kl": round(seen.terms["kl"], 2),
        "active": int(seen.active.sum()),
        "information": round(metrics.information, 2),
    }


def denoising() -> dict[str, list[float]]:
    """−log p(x given z) of clean images from noisy ones, after two epochs with 16 latents."""
    found = {}
    for name in ("ae", "dae"):
        trainer = trained(model=name, latent_dim=16, epochs=2)
        x = trainer.images.x_test[:IMAGES].float() / 255
        nlls = nll_by_level(trainer.model.eval(), x, LEVELS, torch.Generator().manual_seed(0))  # type: ignore[arg-type]
        found[name] = [round(nll, 1) for nll in nlls]
    return found


def importance_weighted(samples: int) -> dict[str, float]:
    """After 235 equal updates of a small net: −ELBO, its own bound and that of 500 samples, nats; the signal in both
    halves' gradients."""
    trainer = trained(model="iwae", latent_dim=16, samples=samples, steps=235, widths="128", batch_size=64)
    pixels = trainer.images.x_test[:IMAGES]
    seen = evaluate(trainer.model, pixels, "grey", 0)
    bound = -mean_iw_bound(trainer.model, pixels[:200], "grey", 0, 500)
    assert seen.neg_elbo is not None
    found = {"neg_elbo": seen.neg_elbo, "iw": seen.terms["iw"], "neg_iw_bound_500": bound}
    return {name: round(value, 1) for name, value in found.items()} | signal(trainer)


def signal(trainer: Trainer) -> dict[str, float]:
    """SNR of the gradients of both halves on 50 images, over 50 draws of the noise."""
    x = trainer.images.x_train[:50].float() / 255
    halves = ("encoder", "decoder")
    return {h: round(gradient_snr(trainer.model, x, 50, torch.Generator().manual_seed(0), h), 3) for h in halves}


def signal_in_one_model() -> dict[str, dict[str, float]]:
    """The same weights, trained with K = 1, under bounds of other K: only the estimator differs."""
    small: dict[str, Any] = {"model": "iwae", "latent_dim": 16, "widths": "128"}
    weights, found = trained(samples=1, steps=235, batch_size=64, **small).model.state_dict(), {}
    for samples in SAMPLES:
        other = Trainer(RunConfig(**CPU | small | {"samples": samples}))
        other.model.load_state_dict(weights)
        found[str(samples)] = signal(other)
    return found


PARTS: dict[str, Callable[[], Any]] = {
    **{
        f"{start}: {name}": partial(cure, **base | settings)
        for start, base in STARTS.items()
        for name, settings in CURES.items()
    },
    "denoising": denoising,
    **{f"IWAE, K = {samples}": partial(importance_weighted, samples) for samples in SAMPLES},
    "IWAE, signal in one model": signal_in_one_model,
}


def main() -> None:
    """What is there is left as it is; --again computes it anew."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--again", action="store_true")
    there = FILE.is_file() and not reader.parse_args().again
    figures = json.loads(FILE.read_text(encoding="utf-8"))["figures"] if there else {}
    about = {"command": COMMAND, "images": IMAGES, "common": COMMON, "starts": STARTS, "cures": CURES}
    for name, make in PARTS.items():
        figures[name] = figures[name] if name in figures else make()
        print(f"{name:34} {figures[name]}", flush=True)
        FILE.write_text(json.dumps(about | {"figures": figures}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
