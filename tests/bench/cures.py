"""`python -m tests.bench.cures`: from starts that collapse, what each cure saves; and the added families' own figures.

It prints the tables and writes tests/bench/cures.json. OMP_NUM_THREADS=1 gives the committed digits on the same kind of
processor; all of it takes about ten minutes of one core. Figures are of the first 2,000 test images, grey, K = 1.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from vae_core.config import RunConfig
from vae_core.evaluate import evaluate, mean_iw_bound
from vae_core.metrics.gradient_snr import gradient_snr
from vae_core.metrics.measure import measure
from vae_core.models.dae import nll_by_level
from vae_core.trainer import Trainer

FIGURES = Path(__file__).with_suffix(".json")
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
    trainer = trained(latent_dim=16, epochs=2, **settings)
    pixels, labels = trainer.images.x_test[:IMAGES], trainer.images.y_test[:IMAGES]
    seen, metrics = evaluate(trainer.model, pixels, "grey", 0), measure(trainer.model, pixels, labels, "grey", 0)
    assert seen.neg_elbo is not None and seen.active is not None and metrics.information is not None
    kl, nll = seen.terms["kl"], seen.terms["nll"]
    active = int(seen.active.sum())
    return {"neg_elbo": seen.neg_elbo, "nll": nll, "kl": kl, "active": active, "information": metrics.information}


def denoising() -> dict[str, list[float]]:
    """−log p(x given z) of clean images from noisy ones, after two epochs with 16 latents."""
    found = {}
    for name in ("ae", "dae"):
        trainer = trained(model=name, latent_dim=16, epochs=2)
        x = trainer.images.x_test[:IMAGES].float() / 255
        found[name] = nll_by_level(trainer.model.eval(), x, LEVELS, torch.Generator().manual_seed(0))  # type: ignore
    return found


def importance_weighted(samples: int) -> dict[str, float]:
    """After one epoch: −ELBO, its own bound and that of 500 samples, nats; and the signal of the encoder's gradient."""
    trainer = trained(model="iwae", latent_dim=16, samples=samples, epochs=1)
    pixels = trainer.images.x_test[:IMAGES]
    seen = evaluate(trainer.model, pixels, "grey", 0)
    bound = -mean_iw_bound(trainer.model, pixels[:200], "grey", 0, 500)
    x = trainer.images.x_train[:50].float() / 255
    snr = {h: gradient_snr(trainer.model, x, 50, torch.Generator().manual_seed(0), h) for h in ("encoder", "decoder")}
    assert seen.neg_elbo is not None
    return {"neg_elbo": seen.neg_elbo, "iw": seen.terms["iw"], "neg_iw_bound_500": bound, **snr}


def snr_of_one_model() -> dict[str, dict[str, float]]:
    """The same weights, a VAE's after an epoch, under bounds of other K: only the estimator differs."""
    trainer = trained(latent_dim=16, epochs=1)
    x, found = trainer.images.x_train[:50].float() / 255, {}
    for samples in SAMPLES:
        other = Trainer(RunConfig(**CPU | {"model": "iwae", "latent_dim": 16, "samples": samples}))
        other.model.load_state_dict(trainer.model.state_dict())
        halves = ("encoder", "decoder")
        of_half = {h: gradient_snr(other.model, x, 100, torch.Generator().manual_seed(0), h) for h in halves}
        found[str(samples)] = of_half
    return found


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    figures: dict[str, Any] = {"cures": {}, "iwae": {}}
    for start, base in STARTS.items():
        print(f"{start:19}  −ELBO    nll     KL  active  information")
        figures["cures"][start] = rows = {}
        for name, settings in CURES.items():
            rows[name] = cure(**base | settings)
            neg_elbo, nll, kl, active, information = rows[name].values()
            print(f"{name:19} {neg_elbo:6.1f} {nll:6.1f} {kl:6.2f} {active:7} {information:12.2f}", flush=True)
    figures["denoising"] = denoising()
    for name, nlls in figures["denoising"].items():
        print(f"{name:5} nll at noise {LEVELS}: {[round(nll, 1) for nll in nlls]}", flush=True)
    for samples in SAMPLES:
        figures["iwae"][str(samples)] = row = importance_weighted(samples)
        print(f"IWAE K = {samples}: { ({name: round(value, 3) for name, value in row.items()}) }", flush=True)
    figures["snr of one model"] = snr_of_one_model()
    print(figures["snr of one model"])
    rounded = json.loads(json.dumps(figures), parse_float=lambda text: round(float(text), 4))
    FIGURES.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
