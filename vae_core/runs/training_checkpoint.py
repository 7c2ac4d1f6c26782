"""From where the command line goes on with a training: `training.safetensors` beside its result.

It holds what `Trainer.state` gives (model, Adam's moments, step, settings), every row of the history, exactly, and the
settings with which it began. A batch and its noise are functions of the seed and the step, so nothing else is needed:
on the same CPU what goes on is bit for bit what was never interrupted.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from vae_core.any_path import AnyPath
from vae_core.checkpoints import CARD, CheckpointError, config_of, read_card, write_files
from vae_core.config import ConfigError, RunConfig
from vae_core.runs.quick import quick_trainer
from vae_core.trainer import Trainer

TRAINING = "training.safetensors"
FREE = ("epochs", "steps", "device")  # settings that may be others when a training goes on
_ABOUT, _HISTORY = "about", "history"
_ADAM = ("exp_avg", "exp_avg_sq", "step")


@dataclass(frozen=True)
class Saved:
    """A training as it was left.

    Attributes:
        config: the settings with which it began. tensors: what `Trainer.state` gave.
        history: every row so far. seconds: that it took so far. half: whether its result is rounded to float16.
    """

    config: RunConfig
    tensors: dict[str, Tensor]
    history: list[dict[str, Any]]
    seconds: float
    half: bool


def write_state(folder: AnyPath, saved: Saved) -> None:
    """
    Raises:
        CheckpointError: the folder cannot be written.
    """
    about = {"config": saved.config.to_dict(), "seconds": saved.seconds, "half": saved.half}
    rows = torch.frombuffer(bytearray(json.dumps(saved.history).encode()), dtype=torch.uint8)
    write_files(folder, {TRAINING: to_bytes(saved.tensors | {_HISTORY: rows}, {_ABOUT: json.dumps(about)})})


def read_state(folder: AnyPath) -> Saved:
    """
    Raises:
        CheckpointError: there is none, it is damaged, or it is that of another training than the card beside it.
    """
    path = Path(folder) / TRAINING
    if not path.is_file():
        raise CheckpointError(f"{folder} has no {TRAINING} to go on from: train with --keep-state, or begin anew.")
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            about = json.loads(file.metadata()[_ABOUT])
        history = json.loads(tensors.pop(_HISTORY).numpy().tobytes())
        saved = Saved(RunConfig.from_dict(about["config"]), tensors, history, float(about["seconds"]), about["half"])
        assert all(row["split"] in ("train", "test") and isinstance(row["step"], int) for row in history)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError, AssertionError, RecursionError):
        raise _damaged(path) from None
    if (card := Path(folder) / CARD).is_file() and config_of(read_card(card), card) != saved.config:
        raise CheckpointError(f"{path} belongs to other settings than {CARD} beside it: restore one of them.")
    return saved


def go_on(folder: AnyPath, asked: dict[str, Any]) -> tuple[Trainer, Saved]:
    """A trainer where that of the folder stood, and what was saved; its history without what a last step added.

    Args:
        asked: settings by name; of those in FREE other values than before may be asked for.
    Raises:
        CheckpointError: see read_state; or the tensors are not those of such a training.
        ConfigError: a setting that cannot change, or nothing is left to do.
        DataError: the images cannot be loaded.
    """
    saved = read_state(folder)
    for name, value in asked.items():
        if name not in FREE and value != (before := getattr(saved.config, name)):
            option = f"--{name.replace('_', '-')}"
            raise ConfigError(f"{folder} was begun with {option} {before}: leave {option} out, or begin anew.")
    config = saved.config.with_(**({"steps": 0} if "epochs" in asked else {}) | asked)
    trainer = quick_trainer(config)
    _check(trainer, saved.tensors, Path(folder) / TRAINING)
    trainer.restore(saved.tensors)
    if trainer.done:
        raise ConfigError(f"{folder} has made all its {trainer.step_count:,} steps: give more by --epochs.")
    each = trainer.steps_per_epoch
    history = [row for row in saved.history if row["split"] == "train" or row["step"] % each == 0]
    return trainer, Saved(config, saved.tensors, history, saved.seconds, saved.half)


def _check(trainer: Trainer, tensors: dict[str, Tensor], path: Path) -> None:
    """Hold names, shapes and kinds of numbers to those of this trainer; a weight that never learned has no moments."""
    needed = {name: (t.shape, t.dtype) for name, t in trainer.state().items() if name != "weights"}
    shapes = {name: (p.shape, p.dtype) for name, p in trainer.model.named_parameters()}
    learned = {name for name in shapes if f"adam.{name}.{_ADAM[0]}" in tensors}
    for name in learned:
        needed |= {f"adam.{name}.{part}": shapes[name] for part in _ADAM[:2]}
        needed[f"adam.{name}.{_ADAM[2]}"] = (torch.Size(), torch.float32)
    found = {name: (t.shape, t.dtype) for name, t in tensors.items() if name != "weights"}
    if found != needed or not all(t.isfinite().all() for t in tensors.values()):
        raise _damaged(path)


def _damaged(path: Path) -> CheckpointError:
    return CheckpointError(f"{path} is damaged or belongs to another model: restore it, or begin anew.")
