"""A run's film: its snapshots at a thinning set of steps, dense early and sparse late, one file each.

A frame is a safetensors file that the browser reads as it is (pages/ui/live/wire.js): the arrays of a snapshot, and
under `__metadata__` its numbers as one JSON text, "snapshot".
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from vae_core.diagnosis import Diagnosis
from vae_core.snapshot import Snapshot

FRAMES = 48  # kept of a run
_XY_MAX = 32_767
_EARLY = 60  # steps: before it frames count as evenly spaced, beyond it by their ratio


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
    """A frame as a file."""
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays_of(s).items()}
    return save(arrays, {"snapshot": json.dumps(numbers_of(s, diagnosis))})


def frame_path(folder: Path, step: int) -> Path:
    return folder / f"{step:09d}.safetensors"


def steps_in(folder: Path) -> list[int]:
    """Steps of the frames (or states) in a folder, in order."""
    return sorted(int(path.stem) for path in folder.glob("*.safetensors") if path.stem.isdigit())


def read_frame(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The numbers and the arrays of a frame.

    Raises:
        FileNotFoundError: the frame has been thinned out.
    """
    with safe_open(path, framework="numpy") as file:
        return json.loads(file.metadata()["snapshot"]), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def read_snapshot(path: Path) -> Snapshot:
    """A frame as a snapshot again: its codes to the precision of the map, without mu.

    Raises:
        FileNotFoundError: the frame has been thinned out.
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


def _unit(s: Snapshot) -> float:
    return max(float(np.abs(s.xy).max(initial=0)), 1e-6) / _XY_MAX
