"""The bound you can see: one image, its true posterior, a q to be dragged, and the parts of log p(x) as bars.

Everything that moves is computed and drawn in the browser, from log p(x, z) on grids over the two latents.

What goes to the browser (`BoundData.to_data()`), all numbers in nats and in units of the prior's std:

    id            text; changes with the contents: a new one sets q back to the encoder's
    planes        [{n, z1: [min, max], z2: [min, max], log_joint}], finest first. log_joint is the base64 of n · n
                  little-endian float32, row by row, rows from high z2 to low as a picture has them; z1 and z2 are
                  the centres of the outermost columns and rows; the step is the same in both directions.
                  The first holds the posterior; others may hold the encoder's q, if it lies elsewhere; the last
                  is the whole plane, on which q may be dragged. ±5 with a step of 0.05 keeps q = prior honest.
    log_evidence  log p(x) as the server integrated it; error: how far off it may be
    encoder       {mu: [2], log_var: [2]}
    image         base64 of 784 grey bytes; label, name: of the image and of the model
    line          {w, b, sigma, x} of the one-dimensional model z ~ N(0, 1), x given z ~ N(w z + b, sigma²)
    q             {mu, log_var, rho} to begin with, or null; without rho it is mean-field

What comes back: the state `q`, {id, mu, log_var, rho}, when q comes to rest; nothing while it moves.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from pages.ui.component import declare

_show = declare(
    "bound_view", "lesson/bound/view.js", "bound", "lesson/bound/bound.css", "lesson/bound/sums.css", frame=True
)


@dataclass(frozen=True)
class Gaussian:
    """q(z): mean-field, its dimensions independent, or of full covariance."""

    mu: tuple[float, ...]
    log_var: tuple[float, ...]  # of each dimension by itself
    rho: float | None = None  # correlation of the two dimensions, within ±1; None: mean-field

    def to_data(self) -> dict[str, Any]:
        widths = {"mu": [float(v) for v in self.mu], "log_var": [float(v) for v in self.log_var]}
        return widths if self.rho is None else {**widths, "rho": float(self.rho)}


@dataclass(frozen=True)
class Plane:
    """log p(x, z) on a square grid over the latent plane."""

    log_joint: np.ndarray  # (n, n) nats; rows from high z2 to low
    z1: tuple[float, float]  # centres of the first and the last column
    z2: tuple[float, float]  # centres of the lowest and the highest row

    def __post_init__(self) -> None:
        """
        Raises:
            ValueError: not square, fewer than 4 points a side, unequal steps, or a value that is not finite.
        """
        n = len(self.log_joint)
        if self.log_joint.shape != (n, n) or n < 4:
            raise ValueError(f"log_joint must be a square grid of at least 4 × 4, not {self.log_joint.shape}.")
        widths = self.z1[1] - self.z1[0], self.z2[1] - self.z2[0]
        if not (widths[0] > 0 and np.isclose(*widths, rtol=1e-6)):
            raise ValueError(f"z1 {self.z1} and z2 {self.z2} must rise over equal widths.")
        if not np.isfinite(self.log_joint).all():
            raise ValueError("log_joint has values that are not finite.")

    def to_data(self) -> dict[str, Any]:
        ends = {"z1": [float(v) for v in self.z1], "z2": [float(v) for v in self.z2]}
        return {"n": len(self.log_joint), **ends, "log_joint": _base64(self.log_joint.astype("<f4"))}


@dataclass(frozen=True)
class Line:
    """The one-dimensional model whose posterior is a Gaussian: z ~ N(0, 1), x given z ~ N(w z + b, sigma²)."""

    w: float = 2.0
    b: float = 0.5
    sigma: float = 1.0
    x: float = 2.5  # what is seen


@dataclass(frozen=True)
class BoundData:
    """Everything the component shows; the module's docstring says how it travels."""

    planes: Sequence[Plane]  # finest first, the whole plane last
    log_evidence: float  # log p(x), nats
    error: float  # of log_evidence, nats
    encoder: Gaussian
    image: np.ndarray  # (28, 28) uint8
    label: str  # such as "test image 18, a 3"
    name: str  # of the model
    line: Line = field(default_factory=Line)

    def to_data(self) -> dict[str, Any]:
        content = {
            "planes": [plane.to_data() for plane in self.planes],
            "log_evidence": float(self.log_evidence),
            "error": float(self.error),
            "encoder": self.encoder.to_data(),
            "image": _base64(self.image.astype(np.uint8)),
            "label": self.label,
            "name": self.name,
            "line": asdict(self.line),
        }
        return {"id": hashlib.sha256(repr(content).encode()).hexdigest()[:16], **content}


def bound_view(data: BoundData, *, key: str, q: Gaussian | None = None) -> Gaussian | None:
    """Show the bound on one image; the script (or fragment) that calls this runs again when q comes to rest.

    Args:
        data: the image, its model and log p(x, z) on grids.
        key: of the widget.
        q: where q begins, as a link names it; None: the encoder's. It counts when the component is mounted and
            when another image comes; pass what was returned last.
    Returns:
        The q that the visitor left for this image, or None before the first move.
    """
    content = data.to_data()
    content["q"] = None if q is None else q.to_data()
    left = _show(key, content, {"q": None}).q
    if left is None or left["id"] != content["id"]:
        return None
    return Gaussian(tuple(left["mu"]), tuple(left["log_var"]), left.get("rho"))


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()
