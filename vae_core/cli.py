"""The command line: `python -m vae_core.train --net mlp --latent-dim 2 --epochs 3 --out DIR`."""

from __future__ import annotations

import argparse
import platform
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from tqdm import tqdm

import vae_core
from vae_core import checkpoints, devices, film
from vae_core.checkpoints import CheckpointError
from vae_core.config import ConfigError, RunConfig
from vae_core.data.images import DataError
from vae_core.job import FINISHED, RUNNING, STOPPED, Update
from vae_core.run import SHIPPED, Run
from vae_core.train import ROW, RunError, Trainer, final_metrics

HELP = {
    "dataset": "image set",
    "protocol": "how pixels become data: grey, dynamic or threshold",
    "model": "model family",
    "net": "network: mlp or conv",
    "latent_dim": "number of latent dimensions",
    "likelihood": "bernoulli, gaussian or gaussian-learned",
    "sigma": "sigma of the Gaussian likelihood (a learned one starts there)",
    "alpha": "weight of the reconstruction term",
    "beta": "weight of the KL term",
    "warmup_steps": "steps over which beta rises linearly from 0",
    "learning_rate": "of Adam",
    "frozen": "the half that keeps its weights: encoder, decoder or none",
    "batch_size": "images in a step",
    "epochs": "passes over the training images",
    "seed": "of init, batch order, training noise and evaluation noise",
    "device": "auto, cpu, cuda or mps",
}
_EVERY = 20  # steps between two updates of the progress bar


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line and exits with status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}\n")


def parser() -> argparse.ArgumentParser:
    result = OneLineParser(
        prog="python -m vae_core.train", description="Train a VAE and save it with its card and history."
    )
    for field in fields(RunConfig):
        kind = type(field.default)
        option = f"--{field.name.replace('_', '-')}"
        result.add_argument(
            option, type=kind, default=field.default, help=f"{HELP[field.name]} (default {field.default})"
        )
    result.add_argument("--out", type=Path, required=True, help="folder for model.safetensors, card.json, history.csv")
    result.add_argument("--film", action="store_true", help="keep pictures of the whole run, for the live view")
    return result


def main(arguments: list[str] | None = None) -> int:
    """Train, save, and return the exit status: 1 if training failed, 2 for bad input, 130 if interrupted."""
    options = vars(parser().parse_args(arguments))
    folder, filmed = options.pop("out"), options.pop("film")
    try:
        config = RunConfig.from_dict(options)
        devices.resolve(config.device)
        checkpoints.check_writable(folder)
        trainer = Trainer(config)
    except (ConfigError, CheckpointError, DataError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return run(trainer, folder, filmed)


def run(trainer: Trainer, folder: Path, filmed: bool = False) -> int:
    """Train to the end with a progress bar, save, print the table."""
    history: list[dict[str, Any]] = []
    camera = Camera(trainer, folder) if filmed else None
    status, started = 0, time.perf_counter()
    try:
        train(trainer, history, camera)
    except KeyboardInterrupt:
        status = 130
        print(f"interrupted: saving what was learned in {trainer.step_count} steps", file=sys.stderr)
        _keep_rows(trainer, history)
    except RunError as error:
        status = 1
        print(f"error: {error}", file=sys.stderr)
        _keep_rows(trainer, history, camera)
    card = make_card(trainer, time.perf_counter() - started)
    if camera is not None:
        card["command"] = card["command"].replace("--out", "--film --out")
        camera.finish(card["test"])
    try:
        checkpoints.save(folder, trainer.model, card, history)
    except CheckpointError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(table(card["test"]))
    print(f"saved to {folder}")
    return status


class Camera:
    """Films a run for the live view: the folder then holds a run as the server keeps it (archive.py)."""

    def __init__(self, trainer: Trainer, folder: Path) -> None:
        self.trainer = trainer
        self.run = Run(SHIPPED, trainer.config, folder.parent, folder.name)
        self.steps = set(film.schedule(trainer.total_steps))
        self.take(np.zeros((0, len(ROW)), np.float32))

    def take(self, rows: np.ndarray, status: str = RUNNING, final: dict[str, Any] | None = None) -> None:
        """Add history rows, and a frame if one is due."""
        t = self.trainer
        due = t.step_count in self.steps
        self.run.take(
            Update(
                self.run.run_id, 0, status, step=t.step_count, steps_per_epoch=t.steps_per_epoch,
                total_steps=t.total_steps, weights=t.weights, rows=rows, snapshot=t.snapshot() if due else None,
                final=final, device=devices.describe(t.device),
            )
        )  # fmt: skip

    def finish(self, final: dict[str, Any]) -> None:
        self.take(np.zeros((0, len(ROW)), np.float32), FINISHED if self.trainer.done else STOPPED, final)
        self.run.save()


def train(trainer: Trainer, history: list[dict[str, Any]], camera: Camera | None = None) -> None:
    """All steps, with a test evaluation after every epoch; rows go to `history` as they come."""
    filmed = camera.steps if camera else set()
    images = trainer.config.epochs * len(trainer.images.x_train)
    with tqdm(total=images, unit=" images", unit_scale=True, disable=None) as bar:
        while not trainer.done:
            trainer.step()
            step = trainer.step_count
            if step % _EVERY == 0 or step % trainer.steps_per_epoch == 0 or step in filmed:
                last = _keep_rows(trainer, history, camera)
                bar.update(trainer.images_seen - bar.n)
                bar.set_postfix_str(f"nll {last['nll']:.1f} + KL {last['kl']:.2f} nats")
            if trainer.step_count % trainer.steps_per_epoch == 0:
                result = trainer.evaluate()
                values = {"nll": result.nll, "kl": result.kl, "neg_elbo": result.neg_elbo}
                history.append({"split": "test", "step": trainer.step_count, **values})


def make_card(trainer: Trainer, seconds: float) -> dict[str, Any]:
    """What is to be known of the model: settings, test figures with protocol and K, and how to build it again."""
    config = trainer.config
    return {
        "name": f"{config.dataset} {config.model} {config.net}, {config.latent_dim} latents",
        "config": config.to_dict(),
        "command": command(config),
        "steps": trainer.step_count,
        "finished": trainer.done,
        "test": final_metrics(trainer),
        "seed": config.seed,
        "device": devices.describe(trainer.device),
        "seconds": round(seconds, 1),
        "versions": {
            "vae_core": vae_core.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def command(config: RunConfig) -> str:
    """The command that trains this config again."""
    defaults, values = RunConfig().to_dict(), config.to_dict()
    named = {"net", "latent_dim", "epochs", "seed"}
    chosen = [f"--{k.replace('_', '-')} {v}" for k, v in values.items() if k in named or v != defaults[k]]
    return " ".join(["python -m vae_core.train", *chosen, "--out DIR"])


def table(test: dict[str, Any]) -> str:
    """The test figures as text, in nats per image."""
    where = f"{test['protocol']} data, test, {test['images']:,} images"
    rows = [
        (f"−ELBO (K=1, {where})", f"{test['neg_elbo']:.2f}"),
        ("  reconstruction, nll", f"{test['nll']:.2f}"),
        ("  KL", f"{test['kl']:.2f}"),
        (
            f"−importance-weighted bound (K={test['iw_samples']}, {test['iw_images']:,} images)",
            f"{test['neg_iw_bound']:.2f}",
        ),
        ("  −ELBO of the same images", f"{test['iw_neg_elbo']:.2f}"),
        ("active units", f"{test['active_units']} of {len(test['kl_dims'])}"),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value:>8}" for name, value in rows) + "   nats per image"


def _keep_rows(trainer: Trainer, history: list[dict[str, Any]], camera: Camera | None = None) -> dict[str, Any]:
    rows = trainer.flush()
    if camera is not None:
        camera.take(rows)
    for step, nll, kl, loss in rows.tolist():
        values = {"nll": nll, "kl": kl, "neg_elbo": nll + kl, "loss": loss}
        history.append({"split": "train", "step": int(step), **values})
    return history[-1] if history else {"nll": float("nan"), "kl": float("nan")}
