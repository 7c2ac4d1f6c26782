"""KL per latent dimension as bars: filled where the unit is active, an outline where it is not."""

import numpy as np

from vae_core.export.svg import nice, text_width, tick_label
from vae_core.export.templating import fill

WIDTH, HEIGHT, CEILING, FLOOR = 490, 186, 28, 150  # pixels


def draw_bars(kl_dims: np.ndarray, active: np.ndarray) -> str:
    """The drawing. kl_dims: (D,) nats per image. active: (D,) bool."""
    values = np.nan_to_num(kl_dims.astype(float), posinf=0.0)
    top = nice(max(float(values.max(initial=0.0)), 0.1))
    left = round(max(text_width(tick_label(v)) for v in (top / 2, top))) + 10
    slot = (WIDTH - left) / len(values)
    width = min(0.7 * slot, 60)
    bars = [
        {
            "number": d + 1,
            "x": left + (d + 0.5) * slot - width / 2,
            "width": width,
            "height": max(v / top * (FLOOR - CEILING), 1.0),
            "nats": v,
            "kind": "active" if active[d] else "inactive",
        }
        for d, v in enumerate(values)
    ]
    return fill(
        "bars.svg",
        bars=bars,
        active=int(active.sum()),
        ticks=[(v, FLOOR - v / top * (FLOOR - CEILING)) for v in (0, top / 2, top)],
        every=1 if len(values) <= 16 else 4 if len(values) <= 64 else 16,
        left=left,
        width=WIDTH,
        height=HEIGHT,
        floor=FLOOR,
    )
