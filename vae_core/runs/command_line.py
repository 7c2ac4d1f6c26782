"""What the command line keeps of a run for the live view: its film, its curves and, if it stands alone, its decoder."""

from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import save as to_bytes
from torch import nn

from vae_core import devices
from vae_core.any_path import AnyPath
from vae_core.checkpoints import CARD, CheckpointError, card_bytes, in_half, json_ready, unwritable, write_files
from vae_core.inspect.points import taker_of
from vae_core.runs import storage
from vae_core.runs.messages import FINISHED, RUNNING, STOPPED, Update
from vae_core.runs.run_record import SHIPPED, RunRecord
from vae_core.runs.storage import DECODER, frames_in
from vae_core.thinning import FRAMES, schedule
from vae_core.trainer import Trainer


class Recorder:
    """Films a run for the live view: the folder then holds a run as the server keeps it (storage.py).

    Each frame carries the figures of the metrics, and by them the name of the run's state.
    """

    def __init__(self, trainer: Trainer, folder: AnyPath, frames: int = FRAMES) -> None:
        """
        Raises:
            CheckpointError: there is a film in the folder, whose frames would be taken for this one's.
        """
        folder = Path(folder).resolve()  # its name is the run's id
        self.trainer, self._taker = trainer, taker_of(trainer.config, trainer.images)
        self.run = RunRecord(SHIPPED, trainer.config, folder.parent, folder.name)
        self.steps = set(schedule(trainer.total_steps, frames)) if frames > 1 else {trainer.total_steps}
        if frames_in(self.run.film_folder):
            raise CheckpointError(f"{folder} holds the film of another run: choose another folder.")
        self.take()

    def take(self, rows: np.ndarray | None = None, status: str = RUNNING, final: dict[str, Any] | None = None) -> None:
        """Add history rows, and a frame if one is due."""
        t = self.trainer
        due = t.step_count in self.steps and t.step_count not in self.run.film
        snapshot = self._taker.take(t.model, t.step_count, measured=True) if due else None
        self.run.take(
            Update(
                self.run.run_id,
                0,
                status,
                step=t.step_count,
                steps_per_epoch=t.steps_per_epoch,
                total_steps=t.total_steps,
                settings=t.settings,
                rows=rows,
                snapshot=snapshot,
                final=final,
                device=devices.describe(t.device),
            )
        )

    def finish(self, final: dict[str, Any]) -> None:
        """Save the run.

        Raises:
            CheckpointError: the folder cannot be written.
        """
        self.take(None, FINISHED if self.trainer.done else STOPPED, json_ready(final))
        try:
            now = self.run.now
            storage.write(self.run.folder, self.run.record(now), now.train.since(-1), now.test.since(-1))
        except OSError as error:
            raise unwritable(self.run.folder, error) from None


def keep_run(folder: AnyPath, decoder: nn.Module | None, card: dict[str, Any]) -> None:
    """Card and decoder beside a saved run.

    Args:
        decoder: None leaves its weights out.
    Raises:
        CheckpointError: the folder cannot be written.
    """
    files = {CARD: card_bytes(card)} | ({} if decoder is None else {DECODER: half_precision(decoder)})
    write_files(folder, files)


def half_precision(module: nn.Module) -> bytes:
    """Weights as a safetensors file: float16, counters as they are."""
    return to_bytes({k: v.detach().cpu().contiguous() for k, v in in_half(module.state_dict()).items()})
