"""The command line: `python -m vae_core.sizes --out DIR` trains plain autoencoders and VAEs at equal nets.

Of each size of z one pair a seed: the same networks, initial weights, batches and budget; only the loss differs, and
that a VAE draws its z. What both reach on test images, and what draws decoded by both look like, is written as
`figures.json` and `draws.safetensors`.

A plain autoencoder has no prior. So each model's draws are made in two ways: of z ~ N(0, I), and of a Gaussian that was
fitted to its codes of the training images afterwards (Ghosh et al. 2020, "From variational to deterministic
autoencoders", section 4).
"""

import argparse
import itertools
import json
import math
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save as to_bytes
from torch import Tensor

import vae_core
from vae_core import devices, rng
from vae_core.any_path import AnyPath
from vae_core.checkpoints import (
    CheckpointError,
    card_bytes,
    check_writable,
    read_card,
    read_tensors,
    write_files,
)
from vae_core.config import ConfigError, RunConfig
from vae_core.console import OneLineParser, accept_all_letters, folder_name, say
from vae_core.data import Images, load, prepare
from vae_core.data.images import DataError
from vae_core.divergence import RunError
from vae_core.evaluate import evaluate_test, evaluating
from vae_core.inspect.snapshot import to_uint8
from vae_core.metrics.draws import energy_distance, rows, thinned
from vae_core.models.base import Family
from vae_core.runs.quick import quick_trainer
from vae_core.trainer import Trainer

FIGURES, PICTURES = "figures.json", "draws.safetensors"
MODELS: dict[str, dict[str, Any]] = {"ae": {"model": "ae", "beta": 0.0}, "vae": {}}  # what makes each of a base config
WAYS = ("prior", "fitted")  # z ~ N(0, I), and of a Gaussian fitted to the model's own codes
LATENT_DIMS, SEEDS, EPOCHS = (2, 4, 8, 16, 32), (0, 1, 2), 2
DRAWS = 2_000  # of each model and way, for the gap
SHOWN = 12  # of them, of the first seed, that are kept as pictures
CODES = 10_000  # of training images, to which the Gaussian is fitted
_CHUNK = 1_000


_ROW: dict[str, type] = {"model": str, "latent_dim": int, "seed": int, "active_units": int}  # and of a bound, nll
_FIGURES = ("nll_at_mu", "draw_gap", "draw_gap_fitted")


@dataclass(frozen=True)
class Sizes:
    """What `python -m vae_core.sizes` has written; see `compare`."""

    record: dict[str, Any]
    pictures: dict[str, np.ndarray]


def main(arguments: list[str] | None = None) -> int:
    """Train all, save, and return the exit status: 1 if training failed, 2 for bad input, 130 if interrupted."""
    accept_all_letters()
    options = parser().parse_args(arguments)
    folder: Path = options.out
    try:
        if (folder / FIGURES).exists() and not options.overwrite:
            raise CheckpointError(f"{folder} holds a result already: name another folder or add --overwrite.")
        base = RunConfig(epochs=options.epochs, device=options.device)
        for dim, seed in itertools.product(options.latent_dims, options.seeds):
            base.with_(latent_dim=dim, seed=seed)  # said before an hour of training
        images = load(base.dataset, devices.resolve(base.device))
        check_writable(folder)
    except (ConfigError, CheckpointError, DataError) as error:
        say(f"error: {error}", error=True)
        return 2
    try:
        for record, pictures in compare(base, options.latent_dims, options.seeds, images):
            write_files(folder, {FIGURES: card_bytes(record), PICTURES: to_bytes(pictures)})
            say(f"saved to {folder}: {record['command']}")
    except (RunError, CheckpointError) as error:
        say(f"error: {error}", error=True)
        return 1
    except KeyboardInterrupt:
        say("interrupted: what is saved holds the seeds that were done", error=True)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    result = OneLineParser(
        prog="python -m vae_core.sizes", description="Train plain autoencoders and VAEs at equal nets, over sizes of z."
    )
    result.add_argument("--latent-dims", type=int, nargs="+", default=list(LATENT_DIMS), metavar="D")
    result.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), metavar="SEED")
    result.add_argument("--epochs", type=int, default=EPOCHS, help=f"passes over the training images ({EPOCHS})")
    result.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    result.add_argument("--out", type=folder_name, required=True, metavar="DIR", help=f"for {FIGURES}, {PICTURES}")
    result.add_argument("--overwrite", action="store_true", help="a result in DIR gives way once the new one is there")
    return result


def compare(
    base: RunConfig, latent_dims: Sequence[int], seeds: Sequence[int], images: Images
) -> Iterator[tuple[dict[str, Any], dict[str, Tensor]]]:
    """Train both models of every size, seed by seed; after each seed, all that is there by then.

    Args:
        base: what all have in common.
    Yields:
        The record, JSON-ready: what is common to all, and "rows", see `measure_trained`. And the pictures, by
        "MODEL-D-WAY" with the way "prior" or "fitted": (SHOWN, 28, 28) uint8, of the first seed.
    Raises:
        RunError: a training diverged.
    """
    found: list[dict[str, Any]] = []
    pictures: dict[str, Tensor] = {}
    for done, seed in enumerate(seeds, 1):
        for dim, name in itertools.product(latent_dims, MODELS):
            trainer = quick_trainer(base.with_(latent_dim=dim, seed=seed, **MODELS[name]), images)
            while not trainer.done:
                trainer.step()
            trainer.flush()
            figures, drawn = measure_trained(trainer)
            found.append({"model": name, "latent_dim": dim, "seed": seed, **figures})
            say(json.dumps(found[-1]))
            if seed == seeds[0]:
                pictures |= {f"{name}-{dim}-{way}": part for way, part in drawn.items()}
        yield record_of(base, latent_dims, seeds[:done], images, found), pictures


def record_of(
    base: RunConfig, latent_dims: Sequence[int], seeds: Sequence[int], images: Images, found: list[dict[str, Any]]
) -> dict[str, Any]:
    """The rows with all that is to be known of them, and the command that makes them again."""
    varied = ("model", "beta", "latent_dim", "seed", "device")
    return {
        "command": command(latent_dims, seeds, base.epochs),
        "config": {name: value for name, value in base.to_dict().items() if name not in varied},
        "images": len(images.x_test),
        "draws": DRAWS,
        "real_gap": gap_of_real_images(images),
        "rows": list(found),
        "device": devices.describe(images.x_test.device),
        "versions": {"vae_core": vae_core.__version__, "torch": torch.__version__, "python": platform.python_version()},
    }


def command(latent_dims: Sequence[int], seeds: Sequence[int], epochs: int) -> str:
    """The command that trains the same again."""
    dims, numbers = (" ".join(map(str, values)) for values in (latent_dims, seeds))
    return f"python -m vae_core.sizes --latent-dims {dims} --seeds {numbers} --epochs {epochs} --out DIR"


def measure_trained(trainer: Trainer) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What a trained model reaches on all test images, and its first draws.

    Returns:
        In nats per image: "nll_at_mu", of z = mu; of what has a posterior also "nll", "kl" and "neg_elbo", one sample
        of z an image. "active_units". Of full scale: "draw_gap", the energy distance of decoded draws z ~ N(0, I) to
        the test images, and "draw_gap_fitted", of draws from a Gaussian fitted to the model's own codes.
        And by the way in which they were drawn, "prior" or "fitted", (SHOWN, 28, 28) uint8.
    """
    model, images, config = trainer.model, trainer.images, trainer.config
    tested = evaluate_test(model, images, config)
    assert tested.active is not None  # both families have codes
    figures: dict[str, Any] = {"nll_at_mu": nll_at_mu(model, images.x_test, config)}
    if model.has.sampled:
        figures |= {**tested.terms, "neg_elbo": tested.neg_elbo}
    figures["active_units"] = int(tested.active.sum())
    eps = torch.randn(
        DRAWS, config.latent_dim, generator=rng.generator(trainer.device, config.seed, "eval", 1), device=trainer.device
    )
    drawn = {}
    codes = encode_all(model, thinned(images.x_train, CODES), config)
    for way, key, z in zip(WAYS, ("draw_gap", "draw_gap_fitted"), (eps, draw_fitted(codes, eps)), strict=True):
        with evaluating(model):
            made = torch.cat([model.mean_image(model.decode(part)) for part in z.split(_CHUNK)])  # (DRAWS, 1, 28, 28)
        figures[key] = energy_distance(rows(made), rows(images.x_test))
        drawn[way] = torch.from_numpy(to_uint8(made[:SHOWN]))
    return figures, drawn


def nll_at_mu(model: Family, pixels: Tensor, config: RunConfig) -> float:
    """−log p(x given z = mu), mean over (N, 1, 28, 28) uint8 images, in nats per image: the copy without noise."""
    generator = rng.generator(pixels.device, config.seed, "eval")
    total = 0.0
    with evaluating(model):
        for part in pixels.split(_CHUNK):
            x = prepare(part, config.protocol, generator)
            total += model.nll(model.decode(model.encode(x)[0]), x).sum().item()
    return total / len(pixels)


def encode_all(model: Family, pixels: Tensor, config: RunConfig) -> Tensor:
    """(N, D) a code of each image: a sample of q(z given x) or, where nothing is drawn, z itself."""
    generator = rng.generator(pixels.device, config.seed, "eval", 2)
    codes = []
    with evaluating(model):
        for part in pixels.split(_CHUNK):
            parameters = model.encode(prepare(part, config.protocol, generator))
            eps = torch.randn(parameters[0].shape, generator=generator, device=pixels.device)
            codes.append(model.sample(*parameters, eps))
    return torch.cat(codes)


def draw_fitted(codes: Tensor, eps: Tensor) -> Tensor:
    """(K, D) draws of the Gaussian with the mean and covariance of (N, D) codes, made of eps (K, D) ~ N(0, I).

    A symmetric root takes the place of Cholesky's: a dimension that nothing uses may have no variance.
    """
    centre, wide = codes.double().mean(0), codes.double().T.cov()
    variances, axes = torch.linalg.eigh(wide.reshape(codes.shape[1], -1))
    root = axes * variances.clamp(min=0).sqrt() @ axes.T  # (D, D)
    return (centre + eps.double() @ root).to(codes)


def gap_of_real_images(images: Images) -> float:
    """What as many training images have in place of draws: as near as draws can be expected to come."""
    return energy_distance(rows(thinned(images.x_train, DRAWS)), rows(images.x_test))


def read_sizes(folder: AnyPath) -> Sizes:
    """A record that is whole: of every size and seed a row of both models, with pictures of every size.

    Raises:
        CheckpointError: a file is missing or damaged, or something in it is missing or of a wrong type.
    """
    folder = Path(folder)
    record = read_card(folder / FIGURES)
    try:
        rows = record["rows"]
        pairs = set(itertools.product((row["latent_dim"] for row in rows), (row["seed"] for row in rows), MODELS))
        whole = len(rows) == len(pairs) > 0
        whole &= {(row["latent_dim"], row["seed"], row["model"]) for row in rows} == pairs
        whole &= all(_is_row(row) for row in rows) and isinstance(record["config"], dict)
        whole &= all(isinstance(record[name], int) for name in ("images", "draws"))
        whole &= isinstance(record["command"], str) and math.isfinite(record["real_gap"])
    except (KeyError, TypeError):
        whole = False
    if not whole:
        raise CheckpointError(f"{folder / FIGURES} is not whole: restore it, or make it again with vae_core.sizes.")
    names = [f"{model}-{dim}-{way}" for model, dim, way in itertools.product(MODELS, _dims(rows), WAYS)]
    found = read_tensors(folder / PICTURES, dict.fromkeys(names, (SHOWN, 28, 28)))
    return Sizes(record, {name: tensor.numpy() for name, tensor in found.items()})


def _is_row(row: dict[str, Any]) -> bool:
    figures = (*_FIGURES, *(("nll", "kl") if row["model"] == "vae" else ()))
    return all(isinstance(row[name], kind) for name, kind in _ROW.items()) and all(
        isinstance(row[name], float) and math.isfinite(row[name]) for name in figures
    )


def _dims(rows: Sequence[dict[str, Any]]) -> list[int]:
    return sorted({row["latent_dim"] for row in rows})


if __name__ == "__main__":
    sys.exit(main())
