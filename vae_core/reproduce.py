"""Published figures, trained for again: `python -m vae_core.reproduce --rows cs236,flax --seeds 3`.

What comes out goes to REPRODUCED.json and, rendered from that, to REPRODUCED.md, after every run: a row that is run
later, or further seeds of it, leaves the others as they are.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from vae_core import checkpoints, devices, reproduced, rng
from vae_core.checkpoints import CheckpointError
from vae_core.config import ConfigError, RunConfig
from vae_core.console import OneLineParser, accept_all_letters, folder_name, say
from vae_core.data import Images, prepare
from vae_core.data.images import DataError
from vae_core.divergence import RunError
from vae_core.evaluate import evaluating, iw_bound
from vae_core.published import CS236_TEST, ROWS, Row, row_of
from vae_core.runs.quick import quick_trainer
from vae_core.trainer import Trainer

_EVERY = 50  # steps between two updates of the progress bar
_AT_ONCE = 500  # images


def parser() -> argparse.ArgumentParser:
    result = OneLineParser(
        prog="python -m vae_core.reproduce", description="Train what others have published, and compare."
    )
    result.add_argument("--rows", default="", metavar="A,B", help="which, by their ids")
    result.add_argument("--seeds", type=seed_count, default=3, metavar="N", help="runs of each: seeds 0 to N - 1")
    result.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    what = "folder for REPRODUCED.md and .json (default checkpoints)"
    result.add_argument("--out", type=folder_name, default=Path("checkpoints"), metavar="DIR", help=what)
    result.add_argument("--list", action="store_true", help="list the rows and end")
    return result


def seed_count(text: str) -> int:
    """The number of runs that an option names."""
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number from 1 to 100.")
    return int(text)


def main(arguments: list[str] | None = None) -> int:
    """Train the rows, write the table; returns the exit status: 1 if one failed, 2 for bad input, 130 after Ctrl-C."""
    accept_all_letters()
    reader = parser()
    options = reader.parse_args(arguments)
    if options.list:
        say("\n".join(f"{row.id:<12}  {row.title}: {row.source}" for row in ROWS))
        return 0
    rows = chosen(reader, options.rows)
    try:
        devices.resolve(options.device)
        checkpoints.check_writable(options.out)
        results = reproduced.read(options.out)
        run_rows(rows, range(options.seeds), options.device, options.out, results)
    except KeyboardInterrupt:
        say("interrupted: the runs that were finished are kept", error=True)
        return 130
    except (ConfigError, CheckpointError, DataError, RunError) as error:
        say(f"error: {error}", error=True)
        return 1 if isinstance(error, RunError) else 2
    return 0


def chosen(reader: argparse.ArgumentParser, names: str) -> list[Row]:
    """The rows that an option names; ends the program where there is none of a name."""
    found = {name: row_of(name) for name in filter(None, (part.strip() for part in names.split(",")))}
    if not found:
        reader.error("no row is named: give --rows, such as --rows flax, or --list to see them.")
    if unknown := [name for name, row in found.items() if row is None]:
        reader.error(f"there is no row {unknown[0]!r}: choose {', '.join(row.id for row in ROWS)}.")
    return [row for row in found.values() if row is not None]


def run_rows(
    rows: list[Row],
    seeds: range,
    device: str,
    folder: Path,
    results: dict[str, Any],
    images: Images | None = None,
) -> None:
    """Train every row with every seed; after each run both files are written, and what came out is said.

    Args:
        results: what is there already, as `reproduced.read` gives it; it grows.
        images: loaded when left out.
    Raises:
        ConfigError, DataError, RunError, CheckpointError: what has been finished until then is kept.
    """
    for row in rows:
        for seed in seeds:
            config = RunConfig(**row.settings, seed=seed, device=device)
            reproduced.add(results, row, config, run(row, config, images))
            reproduced.write(folder, results)
        say("\n".join(reproduced.lines(row, results)))


def run(row: Row, config: RunConfig, images: Images | None = None) -> dict[str, Any]:
    """One run of a row: its figures, and what else is to be known of it, JSON-ready."""
    started = time.perf_counter()
    trainer = quick_trainer(config, images)
    with tqdm(total=trainer.total_steps, desc=f"{row.id}, seed {config.seed}", unit=" steps", disable=None) as bar:
        while not trainer.done:
            trainer.step()
            if trainer.step_count % _EVERY == 0 or trainer.done:
                last = trainer.flush()[-1]
                bar.update(trainer.step_count - bar.n)
                bar.set_postfix_str(f"loss {last[-1]:.2f} nats")
    figures, errors = measure(row, trainer)
    return {
        "seed": config.seed,
        "steps": trainer.step_count,
        "seconds": round(time.perf_counter() - started, 1),
        "device": devices.describe(trainer.device),
        "torch": torch.__version__,
        "figures": figures,
        "errors": errors,
    }


def measure(row: Row, trainer: Trainer) -> tuple[dict[str, float], dict[str, float]]:
    """The figures of a row on its test images, and the standard error of each: over these images, nats."""
    generator = rng.generator(trainer.device, trainer.config.seed, "eval")
    x = select_images(row, trainer, generator)  # (N, 1, 28, 28)
    values: dict[str, Tensor] = {}  # (N,) each
    model: Any = trainer.model  # of a family with codes and a gaussian posterior, as all rows are
    with evaluating(model):
        values |= terms_of(trainer, x, row.draws, generator)
        for samples in row.bounds:
            times = max(row.draws // samples, 1)
            parts: list[Tensor] = []
            for part in x.split(_AT_ONCE):
                drawn = [iw_bound(model, part, samples, generator) for _ in range(times)]
                parts.append(torch.stack(drawn).mean(0))
            values[f"neg_iw_bound_{samples}"] = -torch.cat(parts)
    kept = {name: v.double().cpu() for name, v in values.items() if name in row.figures}
    figures = {name: v.mean().item() for name, v in kept.items()}
    return figures, {name: (v.std() / len(v) ** 0.5).item() for name, v in kept.items()}


def terms_of(trainer: Trainer, x: Tensor, draws: int, generator: torch.Generator) -> dict[str, Tensor]:
    """nll, kl and their sum, −ELBO: (N,) each, means over so many draws of z an image."""
    sums: dict[str, list[Tensor]] = {"nll": [], "kl": []}
    for part in x.split(_AT_ONCE):
        eps = [
            torch.randn(len(part), trainer.model.latent_dim, generator=generator, device=x.device) for _ in range(draws)
        ]
        terms = [trainer.model(part, e).terms for e in eps]
        for name, kept in sums.items():
            kept.append(torch.stack([t[name] for t in terms]).mean(0))
    nll, kl = torch.cat(sums["nll"]), torch.cat(sums["kl"])
    return {"neg_elbo": nll + kl, "kl": kl, "nll": nll}


def select_images(row: Row, trainer: Trainer, generator: torch.Generator) -> Tensor:
    """The images on which a row is evaluated, (N, 1, 28, 28) as data."""
    images = trainer.images
    if row.test != "cs236":
        return prepare(images.x_test, trainer.config.protocol, generator)
    of_class = [(images.y_test == label).nonzero()[:, 0] for label in range(10)]
    places = torch.cat([of_class[label][list(ranks)] for label, ranks in enumerate(CS236_TEST)])  # (100,)
    p = (images.x_test[places].cpu().float() / 255).numpy()
    drawn = np.random.RandomState(0).binomial(1, p)  # as the course's code does, whose images these are
    return torch.from_numpy(drawn).float().to(trainer.device)


if __name__ == "__main__":
    sys.exit(main())
