"""How fast a run would train, from a few of its own steps: what is said of its length before it begins."""

import statistics
import time

import torch

from vae_core.config import OF_FAMILIES, RunConfig
from vae_core.data.images import Images
from vae_core.data.sets import declared
from vae_core.trainer import Trainer

WARM, FEWEST, ENOUGH_S = 1, 2, 0.25  # steps before, steps at least, and after so long no more
MOST = 256  # images in such a step: of a larger one each takes as long
_OF_A_STEP = ("model", "net", "widths", "activation", "latent_dim", "likelihood", "protocol", "batch_size")


def kind_of(config: RunConfig) -> tuple[object, ...]:
    """What the time of a step depends on, apart from the device."""
    return tuple(getattr(config, name) for name in (*_OF_A_STEP, *OF_FAMILIES))


def total_images(config: RunConfig) -> int:
    """How many images a run trains on, each as often as it comes."""
    return config.steps * config.batch_size or config.epochs * declared(config.dataset).train


def images_per_second(config: RunConfig, device: torch.device) -> float:
    """Of the very steps of this run, on images of noise: their values cost nothing more or less."""
    count = min(config.batch_size, MOST)
    trainer = Trainer(config.with_(batch_size=count, device=device.type), _noise(config, max(count, 10), device))
    for _ in range(WARM):
        _seconds_of_a_step(trainer)
    taken = [_seconds_of_a_step(trainer) for _ in range(FEWEST)]
    while sum(taken) < ENOUGH_S:
        taken.append(_seconds_of_a_step(trainer))
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
