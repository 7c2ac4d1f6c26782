"""A run's film: its snapshots at a thinning set of steps, dense early and sparse late, one file each.

A frame is a safetensors file that the browser reads as it is (pages/ui/live/wire.js): the arrays of a snapshot, and
under `__metadata__` its numbers as one JSON text, "snapshot". On disk it is gzip-compressed, to about a half.
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from vae_core.diagnosis import Diagnosis
from vae_core.paths import AnyPath
from vae_core.snapshot import Snapshot

FRAMES = 48  # kept of a run
_XY_MAX = 32_767
_EARLY = 60  # steps: before it frames count as evenly spaced, beyond it by their ratio


class FrameError(ValueError):
    """A frame that cannot be read; the message is one sentence."""


def superfluous(steps: list[int]) -> int:
    """The index of the step that a full film misses least: never the first or the last two.

    Frames are judged by the gap that their loss leaves, as a share of the steps made until then, so what stays is
    dense early and sparse late.
    """
    gaps = [(steps[i + 1] - steps[i - 1]) / (steps[i] + _EARLY) for i in range(1, len(steps) - 2)]
    return 1 + int(np.argmin(gaps))


def add_step(steps: list[int], step: int, capacity: int = FRAMES) -> int | None:
    """Add a step to a sorted list that holds at most `capacity`; returns the one that had to leave, if any."""
    if step not in steps:
        steps.append(step)
        steps.sort()
    return steps.pop(superfluous(steps)) if len(steps) > capacity else None


def schedule(total_steps: int, frames: int = FRAMES) -> list[int]:
    """Steps at which a run that nobody watches is filmed: 0, the end, and between them dense early, sparse late."""
    growth = np.geomspace(_EARLY, total_steps + _EARLY, frames) - _EARLY
    return sorted({round(step) for step in growth})


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
    }


def numbers_of(s: Snapshot, diagnosis: Diagnosis | None = None) -> dict[str, Any]:
    """The numbers of a frame, JSON-ready, under the names that the browser uses."""
    return {
        "step": s.step,
        "xyUnit": _unit(s),
        "explained": s.explained,
        "meanStd": s.mean_std,
        "sigma": s.sigma,
        "nll": s.nll,
        "kl": s.kl,
        "diagnosis": asdict(diagnosis) if diagnosis else None,
        "meter": s.meter,
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


def frame_file(folder: AnyPath, step: int) -> Path:
    """Where the frame of a step lies."""
    return Path(folder) / f"{step:09d}.safetensors.gz"


def state_file(folder: AnyPath, step: int) -> Path:
    """Where the state of a step lies, from which training goes on."""
    return Path(folder) / f"{step:09d}.safetensors"


def frames_in(folder: AnyPath) -> list[int]:
    """Steps of the frames in a folder, in order."""
    return _steps(folder, ".safetensors.gz")


def steps_in(folder: AnyPath) -> list[int]:
    """Steps of the states in a folder, in order."""
    return _steps(folder, ".safetensors")


def read_frame(path: AnyPath) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The numbers and the arrays of a frame.

    Raises:
        FileNotFoundError: the frame has been thinned out.
        FrameError: the file is damaged.
    """
    data = unpacked(path)
    try:
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        return json.loads(header["__metadata__"]["snapshot"]), load(data)
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise FrameError(f"The frame {path} cannot be read ({error}): it is left out.") from None


def read_snapshot(path: AnyPath) -> Snapshot:
    """A frame as a snapshot again: its codes to the precision of the map, without mu.

    Raises:
        FileNotFoundError: the frame has been thinned out.
        FrameError: the file is damaged.
    """
    numbers, arrays = read_frame(path)
    xy = arrays.pop("xy").astype(np.float32) * numbers["xyUnit"]
    return Snapshot(
        step=numbers["step"],
        nll=numbers["nll"],
        kl=numbers["kl"],
        mean_std=numbers["meanStd"],
        sigma=numbers["sigma"],
        explained=numbers["explained"],
        meter=numbers.get("meter"),
        mu=np.zeros((0, len(arrays["kl_dims"])), np.float32),
        xy=xy,
        **arrays | {"active": arrays["active"].astype(bool)},
    )


def _steps(folder: AnyPath, ending: str) -> list[int]:
    names = [path.name.removesuffix(ending) for path in Path(folder).glob(f"*{ending}")]
    return sorted(int(name) for name in names if name.isdigit())


def _unit(s: Snapshot) -> float:
    return max(float(np.abs(s.xy).max(initial=0)), 1e-6) / _XY_MAX
