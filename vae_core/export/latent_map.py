"""The latent map as a drawing: codes of the test images on equal axes, in units of the prior's standard deviation."""

from __future__ import annotations

import numpy as np

from vae_core.export.svg import dots, tick_label, ticks
from vae_core.inspect.snapshot import Snapshot

SIDE = 540  # pixels
REACH = 4.0  # the axes run from -4 to 4, as in the live view ...
MOST_OUTSIDE = 0.01  # ... unless more than this share of the codes would lie outside
FAR = 0.995  # then this share lies inside


def reach(xy: np.ndarray) -> float:
    """Half the side of the square that is shown, in units of the prior's standard deviation. xy: (N, 2)."""
    furthest = np.abs(xy).max(axis=1)
    furthest = furthest[np.isfinite(furthest)]
    if not len(furthest) or (furthest > REACH).mean() <= MOST_OUTSIDE:
        return REACH
    return max(REACH, 1.05 * float(np.quantile(furthest, FAR)))


def outside(snapshot: Snapshot) -> int:
    """How many codes are not on the map."""
    return int((~(np.abs(snapshot.xy).max(axis=1) <= reach(snapshot.xy))).sum())


def latent_map_svg(snapshot: Snapshot) -> str:
    """The drawing: circles at 1, 2 and 3 sigma of the prior, a dot for every code, a digit at every class mean."""
    scale = SIDE / (2 * reach(snapshot.xy))
    return (
        f'<svg viewBox="0 0 {SIDE} {SIDE}" role="img" aria-label="codes of {len(snapshot.labels):,} test images">'
        f'<clipPath id="map"><rect width="{SIDE}" height="{SIDE}"/></clipPath>'
        f'<g clip-path="url(#map)">{_cross()}{_codes(snapshot, scale)}{_circles(scale)}</g>'
        f"{_ticks(scale)}{_names(snapshot)}{_digits(snapshot, scale)}"
        f'<rect class="frame" x="0.5" y="0.5" width="{SIDE - 1}" height="{SIDE - 1}" rx="6"/></svg>'
    )


def place(xy: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """(N, 2) in prior units to pixels from the left, (N,), and from the top, (N,)."""
    return SIDE / 2 + xy[:, 0] * scale, SIDE / 2 - xy[:, 1] * scale


def _cross() -> str:
    middle = SIDE / 2
    across = f'<line class="grid" x1="0" x2="{SIDE}" y1="{middle}" y2="{middle}"/>'
    return across + f'<line class="grid" x1="{middle}" x2="{middle}" y1="0" y2="{SIDE}"/>'


def _ticks(scale: float) -> str:
    """Numbers along the lower and the right edge."""
    limit = SIDE / 2 / scale
    parts = []
    for v in ticks(-limit, limit, 8):
        if abs(v) < 0.93 * limit:
            at, label = SIDE / 2 + v * scale, tick_label(v)
            parts.append(f'<text class="halo" x="{at:.1f}" y="{SIDE - 8}" text-anchor="middle">{label}</text>')
            parts.append(f'<text class="halo" x="{SIDE - 8}" y="{SIDE - at + 5:.1f}" text-anchor="end">{label}</text>')
    return "".join(parts)


def _circles(scale: float) -> str:
    middle = SIDE / 2
    parts = []
    for sigma in (1, 2, 3):
        radius = sigma * scale
        parts.append(f'<circle class="sigma" cx="{middle}" cy="{middle}" r="{radius:.2f}"/>')
        if scale > 16:
            parts.append(f'<text class="halo" x="{middle + 4}" y="{middle - radius - 4:.1f}">{sigma}σ</text>')
    return "".join(parts)


def _codes(snapshot: Snapshot, scale: float) -> str:
    parts = []
    for digit in range(10):
        xs, ys = place(snapshot.xy[snapshot.labels == digit], scale)
        inside = (np.minimum(xs, ys) >= 0) & (np.maximum(xs, ys) <= SIDE)
        if inside.any():
            points = dots(xs[inside], ys[inside])
            parts.append(f'<path class="codes" style="stroke: var(--class-{digit})" d="{points}"/>')
    return "".join(parts)


def _digits(snapshot: Snapshot, scale: float) -> str:
    parts = []
    for digit in range(10):
        chosen = snapshot.xy[snapshot.labels == digit].astype(float)
        if len(chosen) and np.isfinite(chosen).all():
            xs, ys = place(chosen.mean(axis=0, keepdims=True), scale)
            x, y = np.clip([xs[0], ys[0]], 12, SIDE - 12)
            style = f"fill: var(--class-{digit})"
            parts.append(f'<text class="digit halo" style="{style}" x="{x:.1f}" y="{y + 7:.1f}">{digit}</text>')
    return "".join(parts)


def _names(snapshot: Snapshot) -> str:
    dims = snapshot.mu.shape[1]
    across, up = ("PC 1", "PC 2") if dims > 2 else ("μ₁", "μ₂")
    text = f'<text class="halo" x="8" y="{SIDE - 26}">{across} →</text>'
    return text + (f'<text class="halo" x="8" y="20">{up} ↑</text>' if dims > 1 else "")
