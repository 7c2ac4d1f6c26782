"""Trained models on disk: `model.safetensors` (weights), `card.json` (what it is), `history.csv` (its curves).

Never pickle: loading a checkpoint runs no code of the file's. Writing is atomic, file by file.
"""

import contextlib
import csv
import io
import json
import math
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from vae_core import models
from vae_core.any_path import AnyPath
from vae_core.config import ConfigError, RunConfig
from vae_core.models.base import Family

WEIGHTS, CARD, HISTORY = "model.safetensors", "card.json", "history.csv"
_READING_S = (0.01, 0.03, 0.1, 0.3)  # waits for whoever reads where a file is to be replaced
_CARD_LIMIT = 1_000_000  # bytes; a card is a few kB


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be written or read; the message is one sentence."""


@dataclass(frozen=True)
class Checkpoint:
    model: Family
    config: RunConfig
    card: dict[str, Any]
    folder: Path


def save(
    folder: AnyPath, model: Family, card: dict[str, Any], history: list[dict[str, Any]], half: bool = False
) -> None:
    """Write the three files; each replaces its predecessor only when it is complete.

    Args:
        folder: made if missing.
        card: JSON-ready, with the run's settings under "config".
        history: rows by column: split, step, the terms, neg_elbo where that is a bound, loss; a value may be missing.
        half: weights as float16, half the size. `load` gives float32 again, and what it gives is the model that was
            saved only where that had been rounded before: `model.load_state_dict(in_half(model.state_dict()))`.
    Raises:
        CheckpointError: the folder cannot be written.
    """
    folder = Path(folder)
    check_writable(folder)
    weights = in_half(model.state_dict()) if half else model.state_dict()
    tensors = {k: v.detach().cpu().contiguous() for k, v in weights.items()}
    files = {
        WEIGHTS: to_bytes(tensors, metadata={"format": "pt"}),
        HISTORY: _csv(history).encode(),
        CARD: card_bytes(card),
    }
    write_files(folder, files)


def write_files(folder: AnyPath, files: Mapping[str, bytes]) -> None:
    """Write files, each of which replaces its predecessor only when it is complete.

    Raises:
        CheckpointError: the folder cannot be written.
    """
    try:
        for name, content in files.items():
            with replacing(Path(folder) / name) as file:
                file.write(content)
    except OSError as error:
        raise unwritable(folder, error) from None


def unwritable(folder: AnyPath, error: OSError) -> CheckpointError:
    """What is to be said where a folder cannot be written."""
    return CheckpointError(f"{folder} cannot be written ({error.strerror}): choose another folder.")


def load(folder: AnyPath) -> Checkpoint:
    """The model of a checkpoint, on the CPU, in evaluation mode, in float32 whatever its file holds.

    Raises:
        CheckpointError: a file is missing, damaged, of the wrong kind or does not fit its card.
    """
    folder = Path(folder)
    card = read_card(folder / CARD)
    config = config_of(card, folder / CARD)
    try:
        model = models.build(config)
    except ConfigError as error:
        raise CheckpointError(f"{folder / CARD} has no usable config ({error}): restore or retrain it.") from None
    expected = {k: tuple(v.shape) for k, v in model.state_dict().items()}
    model.load_state_dict(read_tensors(folder / WEIGHTS, expected))
    return Checkpoint(model.eval(), config, card, folder)


def in_half(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights rounded to float16, those beyond its range (65,504) to its end; integer counters as they are."""
    most = torch.finfo(torch.float16).max
    return {k: v.clamp(-most, most).half() if v.is_floating_point() else v for k, v in weights.items()}


def read_card(path: AnyPath) -> dict[str, Any]:
    """A card as a dictionary.

    Raises:
        CheckpointError: missing, too large, or no JSON object.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _CARD_LIMIT:
            raise CheckpointError(f"{path} is larger than a card can be: restore or retrain it.")
        card = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror}): name a folder with a checkpoint.") from None
    except (ValueError, RecursionError):
        raise CheckpointError(f"{path} is not JSON: restore or retrain it.") from None
    if not isinstance(card, dict):
        raise CheckpointError(f"{path} is not a card: restore or retrain it.")
    return card


def config_of(card: dict[str, Any], path: AnyPath) -> RunConfig:
    """The settings on a card.

    Args:
        path: of the card, for the message.
    Raises:
        CheckpointError: there are none, or they cannot be used.
    """
    try:
        return RunConfig.from_dict(card["config"])
    except (ConfigError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} has no usable config ({error}): restore or retrain it.") from None


def read_tensors(path: AnyPath, expected: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Tensors of a safetensors file, once their names and shapes are seen to be the expected ones.

    Raises:
        CheckpointError: missing, truncated, no safetensors file, or other names or shapes.
    """
    try:
        with safe_open(path, framework="pt") as file:
            found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            if found != expected:
                raise CheckpointError(f"{path} {_difference(found, expected)}: it belongs to another model.")
            return {name: file.get_tensor(name) for name in expected}
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing: name a folder with a checkpoint.") from None
    except (SafetensorError, OSError, ValueError) as error:
        reason = str(error).removeprefix("Error while deserializing header: ")
        raise CheckpointError(
            f"{path} is truncated or no safetensors file ({reason}): restore or retrain it."
        ) from None


def check_writable(folder: AnyPath) -> None:
    """Make the folder and try to write there, before an hour of training rather than after it.

    Raises:
        CheckpointError: it cannot be written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise unwritable(folder, error) from None


@contextlib.contextmanager
def replacing(path: AnyPath) -> Iterator[IO[bytes]]:
    """A file that takes the place of `path` when the block ends well, and vanishes when it does not."""
    path = Path(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        take_place(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def take_place(made: AnyPath, path: AnyPath) -> None:
    """Put a file in the place of another one. Windows refuses that while somebody reads there, which is soon over."""
    for wait_s in _READING_S:
        with contextlib.suppress(PermissionError):
            return os.replace(made, path)
        time.sleep(wait_s)
    os.replace(made, path)


def card_bytes(card: dict[str, Any]) -> bytes:
    """A card as it lies in its file."""
    return (json.dumps(json_ready(card), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def json_ready(value: Any) -> Any:
    """The value with null in place of NaN and infinity, which are no JSON."""
    if isinstance(value, dict):
        return {k: json_ready(v) for k, v in value.items()}
    if isinstance(value, list):
        return [json_ready(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _csv(history: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    names = dict.fromkeys(name for row in history for name in row)
    ends = [name for name in ("neg_elbo", "loss") if name in names]
    columns = ["split", "step", *(name for name in names if name not in ("split", "step", *ends)), *ends]
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: f"{v:.7g}" if isinstance(v, float) else v for k, v in row.items()} for row in history)
    return text.getvalue()


def _difference(found: dict[str, tuple[int, ...]], expected: dict[str, tuple[int, ...]]) -> str:
    missing, extra = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    if missing or extra:
        name = (missing or extra)[0]
        return f"{'lacks' if missing else 'has an unknown'} tensor {name!r}"
    name = next(n for n in expected if found[n] != expected[n])
    return f"has {name!r} of shape {found[name]}, not {expected[name]}"
