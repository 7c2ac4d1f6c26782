"""The command line: `python -m vae_core.sweep --betas 0.1 1 4 --seeds 0 1 2 --latent-dims 2 8 --out DIR`.

Trains every combination, each into a folder of its own within DIR; a sweep that was interrupted goes on where it was.
"""

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from vae_core import devices, models
from vae_core.checkpoints import CheckpointError
from vae_core.config import ConfigError, RunConfig
from vae_core.console import OneLineParser, accept_all_letters, folder_name, say
from vae_core.data import load
from vae_core.data.images import DataError
from vae_core.runs.ray_link import ClusterError
from vae_core.sweep import cluster, local
from vae_core.sweep.grid import VARIED, Grid, hold, read_finished, write_cell
from vae_core.sweep.record import make_record, table, write_record
from vae_core.train import add_settings

BETAS, LATENT_DIMS, SEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0), (2,), (0, 1, 2)
_BAR = "{l_bar}{bar}| {postfix} [{elapsed}<{remaining}]"
_RAY = "HOST:PORT of a Ray cluster that trains, or local: one that is started here (requirements-ray.txt)"


def parser() -> argparse.ArgumentParser:
    result = OneLineParser(
        prog="python -m vae_core.sweep", description="Train a grid of betas, latent sizes and seeds, and compare."
    )
    result.add_argument("--betas", type=float, nargs="+", default=BETAS, metavar="BETA", help="weights of the KL term")
    result.add_argument("--latent-dims", type=int, nargs="+", default=LATENT_DIMS, metavar="D", help="sizes of z")
    result.add_argument("--seeds", type=int, nargs="+", default=SEEDS, metavar="SEED", help="three, unless told")
    add_settings(result, without=VARIED)
    what = "folder for sweep.json and a folder for each training (sweep); what is finished there is not trained again"
    result.add_argument("--out", type=folder_name, default=Path("sweep"), metavar="DIR", help=what)
    where = result.add_mutually_exclusive_group()
    where.add_argument(
        "--jobs", type=job_count, metavar="N", help="trained at once: as many as there are GPUs or cores"
    )
    where.add_argument("--ray", metavar="ADDRESS", help=_RAY)
    return result


def job_count(text: str) -> int:
    """The number of processes that an option names."""
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number from 1 to 1000.")
    return int(text)


def main(arguments: list[str] | None = None) -> int:
    """Train what is not there, say what came out, and return the exit status.

    Returns:
        0: all cells are finished. 1: some cannot be, the others are. 2: bad input. 130: interrupted.
    """
    accept_all_letters()
    options = vars(parser().parse_args(arguments))
    betas, dims, seeds = (tuple(dict.fromkeys(options.pop(name))) for name in ("betas", "latent_dims", "seeds"))
    folder, jobs, address = (options.pop(name) for name in ("out", "jobs", "ray"))
    try:
        grid = Grid(RunConfig.from_dict(options), betas, dims, seeds)
        for config in grid.cells().values():
            models.check(config)  # said before an hour of training
        if address is None:
            jobs = jobs or local.default_jobs(grid.base.device)
        load(grid.base.dataset, devices.resolve("cpu"))
        with hold(folder):
            return run(grid, folder, jobs, address)
    except (ConfigError, CheckpointError, DataError, ClusterError) as error:
        say(f"error: {error}", error=True)
        return 2
    except KeyboardInterrupt:
        say("interrupted: what was finished is kept, and the same command goes on from there", error=True)
        return 130


def run(grid: Grid, folder: Path, jobs: int, address: str | None) -> int:
    """Train the cells that are missing; the record is written anew after each. Returns the exit status.

    Raises:
        CheckpointError: a cell in the folder is another one's or damaged, or the folder cannot be written.
        ClusterError: there is no such cluster.
    """
    cells, failed = grid.cells(), dict[str, str]()
    cards = read_finished(folder, cells)
    if cards:
        say(f"{len(cards)} of {len(cells)} trainings are there already")
    missing = {name: config for name, config in cells.items() if name not in cards}
    with show_progress(len(cards), len(cells)) as tell:
        trained = local.train_all(missing, jobs, tell) if address is None else cluster.train_all(missing, address)
        with contextlib.closing(trained):
            for name, outcome in trained if missing else ():
                tell(name, 1.0)
                if outcome.error:
                    failed[name] = outcome.error
                    report(f"error: {name}: {outcome.error}", error=True)
                    continue
                cards[name] = write_cell(folder / name, outcome.files)
                write_record(folder, make_record(grid, cards, failed))
                report(f"{name}: {spoken(cards[name]['test'])}")
    record = make_record(grid, cards, failed)
    write_record(folder, record)
    say(table(record["bands"]))
    say(f"saved to {folder}")
    if failed:
        say(f"error: {len(failed)} of {len(cells)} trainings have failed: {', '.join(failed)}", error=True)
    return 1 if failed else 0


def spoken(test: dict[str, Any]) -> str:
    """One figure of a card, for a line as it comes."""
    name = next(name for name in ("neg_elbo", "nll") if test.get(name) is not None)
    return f"{'−ELBO' if name == 'neg_elbo' else name} {test[name]:.2f} nats"


def report(text: str, error: bool = False) -> None:
    """A line, above the progress bar if there is one."""
    with tqdm.external_write_mode(sys.stderr if error else sys.stdout):
        say(text, error)


@contextlib.contextmanager
def show_progress(finished: int, cells: int) -> Iterator[Callable[[str, float], None]]:
    """One bar for all cells, on a terminal.

    Yields:
        What is to be told which part of a cell is done, by the cell's name.
    """
    parts: dict[str, float] = {}
    with tqdm(total=cells, initial=finished, bar_format=_BAR, disable=None) as bar:

        def tell(name: str, part: float) -> None:
            parts[name] = part
            done = finished + sum(part == 1 for part in parts.values())
            bar.set_postfix_str(f"{done} of {cells} trained", refresh=False)
            bar.update(finished + sum(parts.values()) - bar.n)

        yield tell


if __name__ == "__main__":
    sys.exit(main())
