"""Tensors out of a file that somebody else wrote. Nothing that it holds is executed, and no more of it is unpacked than
fits: a `.pt` file is read with weights_only=True alone.
"""

import io
import json
import pickletools
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from vae_core.checkpoints import CARD, WEIGHTS

MOST_BYTES = 200_000_000
_CONFIG = "config.json"  # of a bundle without figures
_WRAPPED = ("state_dict", "model_state_dict", "model")  # keys under which a training keeps its state dict
_WRAPPERS = ("module", "_orig_mod")  # of DataParallel and torch.compile, in the names of tensors
_OUTER = ("model", "vae", "net", "autoencoder")  # a name that all tensors begin with says nothing
_OF_TENSORS = re.compile(
    r"collections\.OrderedDict|torch\._utils\._rebuild_\w+|torch\.serialization\._get_layout"
    r"|torch\.storage\.\w+|torch\.(?!Tensor$)[A-Za-z]\w*"
)
_OLD_PARTS = 5  # pickles in a file of the format before 2020: number, version, machine, state dict, keys
_MOST_NAMES = 200_000  # a tensor takes some thirty instructions
_SAVE = "save it with torch.save(model.state_dict(), FILE)"

Row = tuple[str, str, str, str]  # expected name and shape, found name and shape; "" for nothing


class ForeignError(ValueError):
    """A file that cannot be opened as a model; the message is one sentence.

    Attributes:
        rows: where its tensors are not those of a model of ours, what is expected beside what was found.
    """

    def __init__(self, sentence: str, rows: tuple[Row, ...] = ()) -> None:
        super().__init__(sentence)
        self.rows = rows


def read_tensors(name: str, data: bytes) -> tuple[dict[str, Tensor], list[str]]:
    """The state dict in a file, in its order where it has one, and what is to be said of it.

    Args:
        name: of the file, for messages. data: its content.
    Returns:
        Tensors on the CPU, those of floating point in float32, by their names without those of wrappers.
    Raises:
        ForeignError: it holds something else, is damaged, or its numbers cannot be used.
    """
    found = _safetensors(name, data) if _is_safetensors(name, data) else _unwrapped(name, _torch(name, data))
    tensors = _plain_names({key: value for key, value in found.items() if isinstance(value, Tensor)})
    if not tensors:
        raise ForeignError(f"{name} holds no tensors: {_SAVE}.")
    others = sorted({str(t.dtype).removeprefix("torch.") for t in tensors.values() if t.is_floating_point()})
    tensors = {key: _float32(name, key, value) for key, value in _bounded(name, tensors).items()}
    check_numbers(name, tensors)
    rounded = ", ".join(kind for kind in others if kind != "float32")
    return tensors, [f"Its {rounded} weights are computed with as float32."] if rounded else []


def check_numbers(name: str, tensors: Mapping[str, Tensor]) -> None:
    """
    Raises:
        ForeignError: a weight is NaN or infinite.
    """
    for key, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise ForeignError(f"{name} has weights that are no numbers ({key}): its training ran away, take another.")


def unzip_ours(name: str, data: bytes) -> dict[str, bytes] | None:
    """Card and weights of a zip that holds a checkpoint of ours; None where the file is something else.

    Raises:
        ForeignError: the zip is damaged, too large when unpacked, or holds neither ours nor a file of PyTorch's.
    """
    if not data.startswith(b"PK"):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inside = {entry.rpartition("/")[2]: entry for entry in archive.namelist()}
            fits = sum(entry.file_size for entry in archive.infolist()) <= MOST_BYTES
            ours = fits and WEIGHTS in inside and (CARD in inside or _CONFIG in inside)
            if ours:
                card = archive.read(inside[CARD]) if CARD in inside else _card(archive.read(inside[_CONFIG]))
                return {WEIGHTS: archive.read(inside[WEIGHTS]), CARD: card}
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError, ValueError, zlib.error):
        raise ForeignError(f"{name} is truncated or damaged: copy it once more, or save it again.") from None
    if not fits:
        raise ForeignError(f"{name} unpacks to more than {MOST_BYTES // 1_000_000} MB: zip the model alone.")
    if "data.pkl" in inside:  # of torch.save
        return None
    raise ForeignError(f"{name} holds neither {WEIGHTS} with {CARD} nor a state dict of PyTorch: open one of these.")


def _card(config: bytes) -> bytes:
    """A card with nothing but settings."""
    return json.dumps({"config": json.loads(config)}).encode()


def _is_safetensors(name: str, data: bytes) -> bool:
    return name.lower().endswith(".safetensors") or data[8:9] == b"{"


def _safetensors(name: str, data: bytes) -> dict[str, Tensor]:
    """In the natural order of the names: the file keeps none, and "10" comes after "9"."""
    try:
        found = safetensors.torch.load(data)
    except (SafetensorError, ValueError, TypeError, KeyError, AttributeError, RuntimeError):
        raise ForeignError(f"{name} is truncated or no safetensors file: copy it again, or save it again.") from None
    return {key: found[key] for key in sorted(found, key=natural)}


def natural(name: str) -> list[tuple[int, str]]:
    """What names are sorted by, so that "10" comes after "9"."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _torch(name: str, data: bytes) -> Any:
    """What torch.load makes of a file, once all names that its pickle would call are seen to be those of tensors.

    By itself weights_only=True runs no code, but it calls bytearray, for example: a few bytes would fill the memory.
    """
    try:
        called = next((found for found in islice(_called(data), _MOST_NAMES) if not _OF_TENSORS.fullmatch(found)), None)
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError, zlib.error):
        called = ""  # damaged: torch says so, too
    if called is not None:
        if called.startswith("__torch__"):
            raise ForeignError(f"{name} is a TorchScript program, which is not run here: {_SAVE}.")
        if called:
            raise ForeignError(f"{name} holds Python objects besides tensors ({called}), and none was run: {_SAVE}.")
        raise ForeignError(f"{name} is truncated or no file of PyTorch's: copy it once more, or {_SAVE}.")
    try:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception:  # noqa: BLE001 - a damaged or malicious file can make torch raise anything
        raise ForeignError(f"{name} is damaged or holds more than tensors: copy it once more, or {_SAVE}.") from None


def _called(data: bytes) -> Iterator[str]:
    """Names of what a file's pickles would call, "torch.FloatStorage"; reads their instructions and follows none.

    Raises:
        ValueError, and others of zipfile: it is damaged.
    """
    pickles = [io.BytesIO(data)] * _OLD_PARTS
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            pickles = [io.BytesIO(archive.read(entry)) for entry in archive.namelist() if entry.endswith(".pkl")]
    for file in pickles:
        for count, (operation, value, _) in enumerate(pickletools.genops(file)):
            if count > _MOST_NAMES:
                raise ValueError("no state dict has so many instructions")
            if operation.name in ("GLOBAL", "INST"):
                yield str(value).replace(" ", ".")
            elif operation.name == "STACK_GLOBAL":  # of newer protocols, where the name is computed
                yield "a name that it computes"


def _unwrapped(name: str, found: Any) -> dict[Any, Any]:
    """The innermost dictionary under one of the usual keys."""
    for _ in range(len(_WRAPPED) + 1):
        if not isinstance(found, dict):
            raise ForeignError(f"{name} holds no state dict ({type(found).__name__}): {_SAVE}.")
        inner = next((found[key] for key in _WRAPPED if isinstance(found.get(key), dict)), None)
        if inner is None:
            break
        found = inner
    return found


def _plain_names(tensors: dict[Any, Tensor]) -> dict[str, Tensor]:
    """Names without what DataParallel, torch.compile or a model within a model put before them."""
    split = {key: [part for part in str(key).split(".") if part not in _WRAPPERS] for key in tensors}
    while len({parts[0] for parts in split.values() if parts}) == 1 and all(len(parts) > 2 for parts in split.values()):
        if next(iter(split.values()))[0] not in _OUTER:
            break
        split = {key: parts[1:] for key, parts in split.items()}
    named = {".".join(parts): tensors[key] for key, parts in split.items()}
    return named if len(named) == len(tensors) else {str(key): tensor for key, tensor in tensors.items()}


def _bounded(name: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """A few bytes can stand for an enormous tensor (a stride of 0): before anything is computed with them."""
    if sum(tensor.numel() for tensor in tensors.values()) > MOST_BYTES // 4:
        raise ForeignError(f"{name} has more than {MOST_BYTES // 4_000_000} million weights: open a smaller model.")
    return tensors


def _float32(name: str, key: str, tensor: Tensor) -> Tensor:
    plain = tensor.layout == torch.strided and tensor.device.type == "cpu" and not tensor.is_quantized
    if not plain or tensor.is_complex():
        kind = str(tensor.dtype).removeprefix("torch.")
        raise ForeignError(f"{name} has a {kind} tensor ({key}), which is no plain one of floats: convert it first.")
    return (tensor.detach().float() if tensor.is_floating_point() else tensor.detach()).contiguous().clone()
