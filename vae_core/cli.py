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
from vae_core.camera import Camera, Keeping, keep_run
from vae_core.checkpoints import CheckpointError
from vae_core.config import ConfigError, RunConfig
from vae_core.data.images import DataError
from vae_core.train import RunError, Trainer, final_metrics

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
HISTORY_ROWS = 1_000  # train rows in history.csv at most
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
    result.add_argument(
        "--frames", type=frame_count, help=f"of the film: 1 keeps the end alone (default {film.FRAMES})"
    )
    result.add_argument("--only-run", action="store_true", help="with --film: keep run, card and decoder, no model")
    result.add_argument("--no-decoder", action="store_true", help="with --only-run: keep no decoder either")
    result.add_argument("--half", action="store_true", help="round the weights to float16 at the end: half the file")
    return result


def frame_count(text: str) -> int:
    """The number of frames that an option names."""
    if not text.isdecimal() or not 1 <= int(text) <= film.FRAMES:
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number from 1 to {film.FRAMES}.")
    return int(text)


def parsed(arguments: list[str] | None) -> tuple[dict[str, Any], Path, Keeping]:
    """The settings of the run, its folder, and what is kept of it; status 2 for options that do not go together."""
    reader = parser()
    options = vars(reader.parse_args(arguments))
    folder, frames = options.pop("out"), options.pop("frames")
    filmed, only_run, bare, half = (options.pop(name) for name in ("film", "only_run", "no_decoder", "half"))
    if not filmed and (frames is not None or only_run):
        reader.error("--frames and --only-run need --film: add it.")
    if bare and not only_run:
        reader.error("--no-decoder needs --only-run: add it.")
    if half and only_run:
        reader.error("--half is for a whole model, which --only-run leaves out: give one of the two.")
    return options, folder, Keeping(filmed, frames or film.FRAMES, only_run, not bare, half)


def main(arguments: list[str] | None = None) -> int:
    """Train, save, and return the exit status: 1 if training failed, 2 for bad input, 130 if interrupted."""
    options, folder, keeping = parsed(arguments)
    try:
        config = RunConfig.from_dict(options)
        devices.resolve(config.device)
        checkpoints.check_writable(folder)
        trainer = Trainer(config)
    except (ConfigError, CheckpointError, DataError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return run(trainer, folder, keeping)


def run(trainer: Trainer, folder: Path, keeping: Keeping) -> int:
    """Train to the end with a progress bar, save, print the table."""
    history: list[dict[str, Any]] = []
    camera = Camera(trainer, folder, keeping.frames) if keeping.film else None
    status, started = 0, time.perf_counter()
    try:
        train(trainer, history, camera)
    except KeyboardInterrupt:
        status = 130
        print(f"interrupted: saving what was learned in {trainer.step_count} steps", file=sys.stderr)
        _keep_rows(trainer, history, camera)
    except RunError as error:
        status = 1
        print(f"error: {error}", file=sys.stderr)
        _keep_rows(trainer, history, camera)
    if keeping.half:  # before the test figures are taken: they are those of the model that is kept
        trainer.model.load_state_dict(checkpoints.in_half(trainer.model.state_dict()))
    card = make_card(trainer, time.perf_counter() - started, keeping)
    try:
        if camera is not None:
            camera.finish(card["test"])
        if keeping.only_run:
            keep_run(folder, trainer.model.decoder if keeping.decoder else None, card)
        else:
            checkpoints.save(folder, trainer.model, card, written(trainer, history), keeping.half)
    except CheckpointError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(table(card["test"]))
    print(f"saved to {folder}")
    return status


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


def written(trainer: Trainer, history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of history.csv; a model without a posterior has no KL and no ELBO there."""
    rows = thinned(history)
    return rows if trainer.model.stochastic else [row | {"kl": None, "neg_elbo": None} for row in rows]


def thinned(history: list[dict[str, Any]], most: int = HISTORY_ROWS) -> list[dict[str, Any]]:
    """The rows of history.csv: every test row, and at most so many train rows, dense early and sparse late.

    A train row stays what it was, the means over one batch. The steps are chosen as those of a film are.
    """
    steps = [row["step"] for row in history if row["split"] == "train"]
    if len(steps) <= most:
        return history
    chosen = set(film.schedule(steps[-1], most))
    return [row for row in history if row["split"] == "test" or row["step"] in chosen]


def make_card(trainer: Trainer, seconds: float, keeping: Keeping) -> dict[str, Any]:
    """What is to be known of the model: settings, test figures with protocol and K, and how to build it again."""
    config = trainer.config
    return {
        "name": f"{config.dataset} {config.model} {config.net}, {config.latent_dim} latents",
        "config": config.to_dict(),
        "command": command(config, keeping),
        **({"kept": keeping.sentence} if keeping.only_run else {}),
        **({"weights": "float16, rounded before the test figures were taken"} if keeping.half else {}),
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


def command(config: RunConfig, keeping: Keeping | None = None) -> str:
    """The command that trains this config again, and keeps the same of it."""
    defaults, values = RunConfig().to_dict(), config.to_dict()
    named = {"net", "latent_dim", "epochs", "seed"}
    chosen = [f"--{k.replace('_', '-')} {v}" for k, v in values.items() if k in named or v != defaults[k]]
    kept = keeping.options.split() if keeping else []
    return " ".join(["python -m vae_core.train", *chosen, *kept, "--out DIR"])


def table(test: dict[str, Any]) -> str:
    """The test figures as text, in nats per image."""
    where = f"{test['protocol']} data, test, {test['images']:,} images"
    of = f" of {len(test['kl_dims'])}" if test["kl_dims"] else ""
    rows = [
        (f"−ELBO (K=1, {where})", _nats(test["neg_elbo"])),
        ("  reconstruction, nll", _nats(test["nll"])),
        ("  KL", _nats(test["kl"])),
        (
            f"−importance-weighted bound (K={test['iw_samples']}, {test['iw_images']:,} images)",
            _nats(test["neg_iw_bound"]),
        ),
        ("  −ELBO of the same images", _nats(test["iw_neg_elbo"])),
        ("active units", f"{test['active_units']}{of}"),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value:>8}" for name, value in rows) + "   nats per image"


def _nats(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.2f}"


def _keep_rows(trainer: Trainer, history: list[dict[str, Any]], camera: Camera | None = None) -> dict[str, Any]:
    rows = trainer.flush()
    if camera is not None:
        camera.take(rows)
    for step, nll, kl, loss in rows.tolist():
        values = {"nll": nll, "kl": kl, "neg_elbo": nll + kl, "loss": loss}
        history.append({"split": "train", "step": int(step), **values})
    return history[-1] if history else {"nll": float("nan"), "kl": float("nan")}
