"""Models that were trained elsewhere: somebody's state dict, as a model of ours that all figures and pages can use.

    opened = open_model("vae.pt", activation="relu")
    opened.model, opened.config, opened.said      # what was read, and what of it is assumed

Read are a folder or zip of ours, a `.safetensors` file, and a `.pt` or `.pth` file of tensors alone. Nothing that such
a file holds is executed: read.py.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from vae_core import checkpoints, models
from vae_core.any_path import AnyPath
from vae_core.checkpoints import CheckpointError
from vae_core.config import ConfigError, RunConfig
from vae_core.foreign.match import Matched, match
from vae_core.foreign.read import MOST_BYTES, ForeignError, check_numbers, read_tensors, unzip_ours
from vae_core.models.base import Family

__all__ = ["MOST_BYTES", "ForeignError", "Opened", "open_bytes", "open_model"]
SUMMED_SQUARES = 0.5**0.5  # the sigma for which the nll is a sum of squared errors, up to a constant


@dataclass(frozen=True)
class Opened:
    """A model that was read.

    Attributes:
        model: on the CPU, in evaluation mode, float32.
        config: the settings that make such a model; without a card those of its training stand at their defaults.
        said: in sentences, how it was matched and what is assumed, as a state dict cannot say it.
        card: of a checkpoint of ours; None else.
    """

    model: Family
    config: RunConfig
    said: tuple[str, ...]
    card: dict[str, Any] | None = None


def open_model(path: AnyPath, activation: str = "relu", likelihood: str = "bernoulli", sigma: float = 0.1) -> Opened:
    """Read a folder or a file.

    Args:
        activation: between the layers of an mlp, "relu", "elu" or "tanh": a state dict does not hold it.
        likelihood: p(x given z), as in RunConfig. sigma: of a Gaussian one that is fixed.
    Raises:
        ForeignError: it cannot be read, or is no model that we know.
    """
    path = Path(path)
    if path.is_dir():
        return _ours(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise too_large(path.name)
        data = path.read_bytes()
    except OSError as error:
        raise ForeignError(f"{path} cannot be read ({error.strerror}): name a file or a folder.") from None
    return open_bytes(path.name, data, activation, likelihood, sigma)


def open_bytes(
    name: str, data: bytes, activation: str = "relu", likelihood: str = "bernoulli", sigma: float = 0.1
) -> Opened:
    """The same of a file's content.

    Args:
        name: of the file.
    Raises:
        ForeignError: see open_model.
    """
    if len(data) > MOST_BYTES:
        raise too_large(name)
    if (files := unzip_ours(name, data)) is not None:
        with tempfile.TemporaryDirectory() as folder:
            checkpoints.write_files(folder, files)
            return _ours(Path(folder), name)
    tensors, said = read_tensors(name, data)
    given = {"activation": activation, "likelihood": likelihood, "sigma": sigma, "device": "cpu"}
    matched = match(name, tensors, given)
    return Opened(_built(name, matched), matched.config, (*said, *matched.said))


def too_large(name: str) -> ForeignError:
    """What is said of a file beyond all that a model of these networks needs."""
    return ForeignError(f"{name} is larger than {MOST_BYTES // 1_000_000} MB: save the state dict of the model alone.")


def _built(name: str, matched: Matched) -> Family:
    try:
        model = models.build(matched.config)
        model.load_state_dict(matched.tensors)
    except (ConfigError, RuntimeError) as error:
        raise ForeignError(f"{name} is no model that can be built here: {error}") from None
    return model.eval()


def _ours(folder: Path, name: str = "") -> Opened:
    """A checkpoint of ours: what it is stands on its card."""
    try:
        read = checkpoints.load(folder)
    except CheckpointError as error:
        inside = str(folder / "_")[:-1]  # with whatever separates folders here
        raise ForeignError(str(error).replace(inside, f"{name}: ") if name else str(error)) from None
    weights: dict[str, Tensor] = read.model.state_dict()
    check_numbers(name or folder.name, weights)
    return Opened(read.model, read.config, ("What it is stands on its card.",), read.card)
