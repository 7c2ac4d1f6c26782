"""The story of a run that the tests of export share. It needs nothing that a machine for training may lack."""

import functools

import numpy as np
import torch
from torch import Tensor

from vae_core import devices
from vae_core.config import RunConfig
from vae_core.evaluate import final_metrics
from vae_core.export.run_report import RunReport
from vae_core.inspect.snapshot import take_snapshot
from vae_core.trainer import Trainer

HALF = 117  # of the 235 steps of an epoch; there the KL is switched off


def tell(
    trainer: Trainer,
    steps: int,
    changes: dict[int, dict[str, float]] | None = None,
    every: int = 40,
    status: str = "",
    bound_of: int = 100,
) -> RunReport:
    """Train, change weights on the way as a lecturer would, and tell it as registry.py would.

    Args:
        bound_of: of so many test images the tighter bound is estimated.
    """
    test, snapshot = [], take_snapshot(trainer)
    columns = trainer.model.evaluation_columns(trainer.config)
    for step in range(steps):
        if changes and step in changes:
            trainer.set(**changes[step])
        trainer.step()
        if (step + 1) % every == 0 or step + 1 == steps:
            s = snapshot = take_snapshot(trainer)
            known = {"step": s.step, **s.terms, "mean_std": s.mean_std, "active": s.active.sum(), **s.usage, **s.scales}
            test.append([known[name] for name in columns])
    return RunReport(
        config=trainer.config,
        train=trainer.flush(),
        test=np.array(test, np.float32).reshape(-1, len(columns)),
        marks=tuple(trainer.marks),
        snapshot=snapshot,
        final=final_metrics(trainer.model, trainer.images, trainer.config, 20, bound_of),
        device=devices.describe(trainer.device),
        status=status or ("finished" if trainer.done else "stopped"),
    )


@functools.lru_cache(maxsize=1)
def told() -> tuple[RunReport, dict[str, Tensor]]:
    """An epoch of a small network on the whole of MNIST, the KL switched off at half time, and the weights."""
    torch.set_num_threads(1)
    trainer = Trainer(RunConfig(device="cpu", epochs=1, widths="200-100"))
    return tell(trainer, 235, {HALF: {"beta": 0.0}}), trainer.model.state_dict()
