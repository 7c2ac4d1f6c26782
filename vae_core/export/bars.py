"""KL per latent dimension as bars: filled where the unit is active, an outline where it is not."""

from __future__ import annotations

import numpy as np

from vae_core.export.svg import nice, number, text_width, tick_label

WIDTH, HEIGHT, CEILING, FLOOR = 490, 186, 28, 150  # pixels


def bars_svg(kl_dims: np.ndarray, active: np.ndarray) -> str:
    """The drawing. kl_dims: (D,) nats per image. active: (D,) bool."""
    values = np.nan_to_num(kl_dims.astype(float), posinf=0.0)
    top = nice(max(float(values.max(initial=0.0)), 0.1))
    left = round(max(text_width(tick_label(v)) for v in (top / 2, top))) + 10
    slot = (WIDTH - left) / len(values)
    bars = "".join(
        _bar(left + (d + 0.5) * slot, slot, v / top, bool(active[d]), f"dimension {d + 1}: {number(v, 3)} nats")
        for d, v in enumerate(values)
    )
    every = 1 if len(values) <= 16 else 4 if len(values) <= 64 else 16
    names = "".join(
        f'<text x="{left + (d + 0.5) * slot:.1f}" y="{FLOOR + 16}" text-anchor="middle">{d + 1}</text>'
        for d in range(0, len(values), every)
    )
    label = f"KL of {len(values)} latent dimensions, {int(active.sum())} active"
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{_axes(top, left)}{bars}{names}</svg>'


def _axes(top: float, left: float) -> str:
    parts = [f'<text x="{left}" y="16">nats per image</text>']
    for v in (0, top / 2, top):
        y = FLOOR - v / top * (FLOOR - CEILING)
        parts.append(f'<line class="grid" x1="{left}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{left - 7}" y="{y + 5:.1f}" text-anchor="end">{tick_label(v)}</text>')
    parts.append(f'<text x="{(left + WIDTH) / 2}" y="{HEIGHT - 5}" text-anchor="middle">latent dimension</text>')
    return "".join(parts)


def _bar(middle: float, slot: float, share: float, active: bool, title: str) -> str:
    """A bar in a slot so wide, as high as its share of the frame, 0 to 1; its title shows under the pointer."""
    width, height = min(0.7 * slot, 60), max(share * (FLOOR - CEILING), 1.0)
    kind = "active" if active else "inactive"
    return (
        f'<rect class="bar {kind}" x="{middle - width / 2:.2f}" y="{FLOOR - height:.1f}" width="{width:.2f}" '
        f'height="{height:.1f}"><title>{title}, {kind}</title></rect>'
    )
