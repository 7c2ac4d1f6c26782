"""KL per latent dimension as bars: filled where the unit is active, an outline where it is not."""

from __future__ import annotations

import numpy as np

from vae_core.takehome.svg import nice, number, tick_label

WIDTH, HEIGHT, LEFT, FLOOR = 490, 180, 44, 148  # pixels
_CEILING = 24


def bars_svg(kl_dims: np.ndarray, active: np.ndarray) -> str:
    """The drawing. kl_dims: (D,) nats per image. active: (D,) bool."""
    values = np.nan_to_num(kl_dims.astype(float), posinf=0.0)
    top = nice(max(float(values.max(initial=0.0)), 0.1))
    label = f"KL of {len(values)} latent dimensions, {int(active.sum())} active"
    bars = "".join(_bar(d, len(values), v, top, bool(active[d])) for d, v in enumerate(values))
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{_axes(top)}{bars}</svg>'


def _axes(top: float) -> str:
    parts = [f'<text x="{LEFT}" y="13">nats per image</text>']
    for v in (0, top / 2, top):
        y = FLOOR - v / top * (FLOOR - _CEILING)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 7}" y="{y + 5:.1f}" text-anchor="end">{tick_label(v)}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 1}" text-anchor="middle">latent dimension</text>')
    return "".join(parts)


def _bar(d: int, dims: int, value: float, top: float, active: bool) -> str:
    slot = (WIDTH - LEFT) / dims
    width = min(0.7 * slot, 60)
    x = LEFT + (d + 0.5) * slot - width / 2
    height = max(value / top * (FLOOR - _CEILING), 1.0)
    kind = "active" if active else "inactive"
    bar = (
        f'<rect class="bar {kind}" x="{x:.1f}" y="{FLOOR - height:.1f}" width="{width:.1f}" height="{height:.1f}">'
        f"<title>dimension {d + 1}: {number(value, 3)} nats, {kind}</title></rect>"
    )
    every = 1 if dims <= 16 else 4 if dims <= 64 else 16
    named = f'<text x="{x + width / 2:.1f}" y="{FLOOR + 16}" text-anchor="middle">{d + 1}</text>'
    return bar + (named if d % every == 0 else "")
