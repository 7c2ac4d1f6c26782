"""A snapshot as a file: one frame of a run's film.

It is a safetensors file that the browser reads as it is (pages/ui/lib/wire.js): the arrays of a snapshot, and
under `__metadata__` its numbers as one JSON text, "snapshot". On disk it is gzip-compressed, to about a half.
"""

import gzip
import json
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load, save

from vae_core.any_path import AnyPath
from vae_core.inspect.snapshot import Snapshot
from vae_core.metrics import codes
from vae_core.metrics.states import Diagnosis

_XY_MAX = 32_767
_MOST = 10**9  # of a whole number; steps have nine digits in the names of files
_KINDS: dict[str, tuple[str, int]] = {  # of the arrays of a frame: kind of its numbers, and dimensions
    "xy": ("i", 2),
    **dict.fromkeys(("labels", "active"), ("u", 1)),
    "kl_dims": ("f", 1),
    **dict.fromkeys(("originals", "reconstructions", "prior_draws", "sigmas", "inputs", "code_maps"), ("u", 3)),
    "grid": ("u", 4),
    **dict.fromkeys(("basis", "ten_mu", "ten_log_var", "ten_pull_mu", "ten_pull_log_var"), ("f", 2)),
}
_ONLY_SOME = ("sigmas", "inputs", "code_maps")  # of families that have them
_LATER = ("spread", "outside", "nll_copy", "nll_mean_image")  # numbers that older frames lack
_NEEDED = ("xy", "labels", "kl_dims", "active", "originals", "reconstructions", "prior_draws", "grid")


_POINTS = "points_"  # before the names of a run's arrays on points of the plane: float, two dimensions


class FrameError(ValueError):
    """A frame that cannot be read; the message is one sentence."""


def arrays_of(s: Snapshot) -> dict[str, np.ndarray]:
    """The arrays of a frame. Codes are int16 in units of `xyUnit`: finer than a pixel of any screen."""
    return {
        "xy": np.round(s.xy / _unit(s)).astype(np.int16),
        "labels": s.labels,
        "kl_dims": s.kl_dims.astype(np.float32),
        "active": s.active.astype(np.uint8),
        "originals": s.originals,
        "reconstructions": s.reconstructions,
        "prior_draws": s.prior_draws,
        "grid": s.grid,
        "basis": s.basis.astype(np.float32),
        "ten_mu": s.ten_mu,
        "ten_log_var": s.ten_log_var,
        "ten_pull_mu": s.ten_pull_mu,
        "ten_pull_log_var": s.ten_pull_log_var,
        **{name: array for name in _ONLY_SOME if len(array := getattr(s, name))},
        **{f"{_POINTS}{name}": array for name, array in s.points.items()},
    }


def numbers_of(s: Snapshot, diagnosis: Diagnosis | None = None) -> dict[str, Any]:
    """The numbers of a frame, JSON-ready, under the names that the browser uses."""
    return {
        "step": s.step,
        "xyUnit": _unit(s),
        "explained": s.explained,
        "meanStd": s.mean_std,
        "scales": s.scales,
        "usage": s.usage,
        "terms": s.terms,
        "negElbo": s.neg_elbo,
        **{name: getattr(s, name) for name in _LATER},
        "diagnosis": asdict(diagnosis) if diagnosis else None,
        "meter": s.metrics,
        **({"classNames": list(s.class_names)} if s.class_names else {}),
        **({"exact": s.exact} if s.exact else {}),
    }


def frame_bytes(s: Snapshot, diagnosis: Diagnosis | None = None) -> bytes:
    """A frame as the browser reads it: a safetensors file."""
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays_of(s).items()}
    return save(arrays, {"snapshot": json.dumps(numbers_of(s, diagnosis))})


def packed(frame: bytes) -> bytes:
    """A frame as it lies on disk. Without a time in it, so that the same frame gives the same bytes."""
    return gzip.compress(frame, compresslevel=6, mtime=0)


def unpacked(path: AnyPath) -> bytes:
    """A frame as the browser reads it, from its file.

    Raises:
        FileNotFoundError: the frame has been thinned out.
        FrameError: the file is damaged.
    """
    try:
        return gzip.decompress(Path(path).read_bytes())
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise FrameError(f"The frame {path} cannot be read ({error}): it is left out.") from None


def read_frame(path: AnyPath) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The numbers and the arrays of a frame.

    Raises:
        FileNotFoundError: the frame has been thinned out.
        FrameError: the file is damaged.
    """
    data = unpacked(path)
    try:
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        numbers = json.loads(header["__metadata__"]["snapshot"])
        arrays = load(data)
        numbers = numbers if "terms" in numbers else _with_terms(numbers, arrays)
        numbers = numbers if "scales" in numbers else _with_scales(numbers)
        _check(numbers, arrays)
        return numbers, arrays
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, SafetensorError) as error:
        raise FrameError(f"The frame {path} cannot be read ({error}): it is left out.") from None


def _check(numbers: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Hold a frame to what frame_bytes writes; older frames lack what is not needed.

    Raises:
        ValueError: something is of another kind. KeyError: it is missing.
    """
    kinds = _KINDS | {name: ("f", 2) for name in arrays if name.startswith(_POINTS)}
    if wrong := [name for name, array in arrays.items() if (array.dtype.kind, array.ndim) != kinds[name]]:
        raise ValueError(f"no usable {wrong[0]}")
    xy, labels, kl_dims, active, *_ = (arrays[name] for name in _NEEDED)
    if xy.shape[1] != 2 or len(xy) not in (0, len(labels)) or len(kl_dims) not in (0, len(active)):
        raise ValueError("arrays of different lengths")
    given = [numbers["xyUnit"], numbers["explained"], *numbers["terms"].values()]
    given += [value for name in ("scales", "usage", "exact") for value in numbers.get(name, {}).values()]
    given += [value for name in ("meanStd", "negElbo") if (value := numbers[name]) is not None]
    given += [value for name in _LATER if (value := numbers.get(name)) is not None]
    if not all(isinstance(value, float) or (isinstance(value, int) and abs(value) < _MOST) for value in given):
        raise ValueError("numbers that are none")
    if not isinstance(numbers["step"], int) or not 0 <= numbers["step"] < _MOST:
        raise ValueError("no usable step")
    names = numbers.get("classNames", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("no usable names of classes")
    metrics = numbers.get("meter")
    if metrics is not None and not (isinstance(metrics, dict) and _names_a_state(metrics)):
        raise ValueError("no usable metrics")


def _names_a_state(metrics: dict[str, Any]) -> bool:
    """Whether those figures are there by which states.figures tells a state."""
    numbers = [metrics[name] for name in ("spread", "outside", "variety")]
    numbers += [] if metrics["mean_std"] is None else [metrics["mean_std"]]
    return isinstance(metrics["active_dims"], list) and all(isinstance(value, (int, float)) for value in numbers)


def _with_terms(numbers: dict[str, Any], arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Those of a frame from before families named their terms; an autoencoder's had a KL that meant nothing."""
    if len(arrays.get("ten_mu", ())) and not len(arrays["ten_log_var"]):
        return numbers | {"terms": {"nll": numbers["nll"]}, "negElbo": None, "meanStd": None}
    terms = {name: numbers[name] for name in ("nll", "kl")}
    return numbers | {"terms": terms, "negElbo": sum(terms.values())}


def _with_scales(numbers: dict[str, Any]) -> dict[str, Any]:
    """Those of a frame from when the one sigma of a Gaussian likelihood was all that was kept of them."""
    sigma = numbers["sigma"]
    return numbers | {"scales": {} if sigma is None else {"sigma": sigma}}


def read_snapshot(path: AnyPath) -> Snapshot:
    """A frame as a snapshot again: its codes to the precision of the map, without mu.

    Raises:
        FileNotFoundError: the frame has been thinned out.
        FrameError: the file is damaged.
    """
    numbers, arrays = read_frame(path)
    xy = arrays.pop("xy").astype(np.float32) * numbers["xyUnit"]
    later: dict[str, Any] = {name: numbers.get(name) for name in _LATER}
    points = {name.removeprefix(_POINTS): arrays.pop(name) for name in list(arrays) if name.startswith(_POINTS)}
    read: dict[str, Any] = arrays | {"active": arrays["active"].astype(bool)}
    return Snapshot(
        step=numbers["step"],
        terms=numbers["terms"],
        bound=numbers["negElbo"] is not None,
        mean_std=numbers["meanStd"],
        scales=numbers["scales"],
        usage=numbers.get("usage", {}),
        explained=numbers["explained"],
        metrics=numbers.get("meter"),
        class_names=tuple(numbers.get("classNames", ())),
        exact=numbers.get("exact", {}),
        points=points,
        **later | _spread(numbers, xy, len(arrays["active"])),
        mu=np.zeros((0, len(arrays["active"])), np.float32),
        xy=xy,
        **read,
    )


def _spread(numbers: dict[str, Any], xy: np.ndarray, dims: int) -> dict[str, float]:
    """Of a frame from before these were kept: by the map, where that shows all dimensions of the codes."""
    if numbers.get("spread") is not None or not len(xy) or dims not in (1, 2):
        return {}
    mu = torch.from_numpy(xy[:, :dims]).double()
    return {"spread": codes.spread(mu), "outside": codes.share_outside(mu)}


def _unit(s: Snapshot) -> float:
    return max(float(np.abs(s.xy).max(initial=0)), 1e-6) / _XY_MAX
