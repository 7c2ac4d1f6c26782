"""How fast a run would train, from a few of its own steps: what is said of its length before it begins."""

import statistics
import time

import torch

from vae_core.config import OF_FAMILIES, RunConfig
from vae_core.data.images import Images
from vae_core.data.sets import declared
from vae_core.pieces import Pieces
from vae_core.runs.quick import quick_trainer
from vae_core.trainer import Trainer

FEWEST, ENOUGH_S = 2, 0.25  # steps at least, and after so long no more
LONGEST_S = 0.3  # that a step may take, about: others train meanwhile
COUNTS = (4, 16, 64, 256)  # images in a step: of a larger one each takes as long
_OF_A_STEP = ("model", "net", "widths", "activation", "latent_dim", "likelihood", "protocol", "batch_size")


def kind_of(config: RunConfig) -> tuple[object, ...]:
    """What the time of a step depends on, apart from the device.

    Raises:
        DataError: its data set is gone.
    """
    return *(getattr(config, name) for name in (*_OF_A_STEP, *OF_FAMILIES)), declared(config.dataset).shape


def plain_of_kind(config: RunConfig) -> RunConfig:
    """A run of the same kind with the usual weights and learning rate: these may end a run, but not speed it up."""
    same = {name: getattr(config, name) for name in (*_OF_A_STEP, *OF_FAMILIES, "dataset", "device")}
    return RunConfig(**same)


def total_images(config: RunConfig) -> int:
    """How many images a run trains on, each as often as it comes.

    Raises:
        DataError: its data set is gone.
    """
    return config.steps * config.batch_size or config.epochs * declared(config.dataset).train


def measure_pace(config: RunConfig, device: torch.device) -> Pieces[float]:
    """Images per second of the very steps of this run, on images of noise: their values cost nothing more or less.

    A piece is about one step. A run whose steps are long is measured by smaller ones.
    """
    for count in (min(config.batch_size, most) for most in COUNTS):
        smaller, images = config.with_(batch_size=count, device=device.type), _noise(config, max(count, 10), device)
        trainer = quick_trainer(smaller, images)
        _seconds_of_a_step(trainer)  # the first takes longer
        yield
        taken = [_seconds_of_a_step(trainer)]
        yield
        if count == config.batch_size or taken[0] * COUNTS[1] / COUNTS[0] > LONGEST_S:
            break
    while len(taken) < FEWEST or sum(taken) < ENOUGH_S:
        taken.append(_seconds_of_a_step(trainer))
        yield
    return count / statistics.median(taken)


def _seconds_of_a_step(trainer: Trainer) -> float:
    started = time.monotonic()
    trainer.step()
    trainer.flush()  # a GPU is done by then
    return time.monotonic() - started


def _noise(config: RunConfig, count: int, device: torch.device) -> Images:
    shape = declared(config.dataset).shape
    x = torch.randint(0, 256, (count, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    x, y = x.to(device), (torch.arange(count) % 10).to(device)
    return Images(config.dataset, x, y, x, y, shape)
