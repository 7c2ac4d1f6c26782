"""The latent map as a drawing: codes of the test images on equal axes, in units of the prior's standard deviation."""

import numpy as np

from vae_core.export.colours import Colours
from vae_core.export.svg import dots
from vae_core.export.templating import fill
from vae_core.inspect.snapshot import DIGITS, NO_CLASS, Snapshot

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


def draw_latent_map(snapshot: Snapshot) -> str:
    """The drawing: circles at 1, 2 and 3 sigma of the prior, a dot for every code, a class at its mean."""
    scale = SIDE / (2 * reach(snapshot.xy))
    places = {
        label: place(snapshot.xy[snapshot.labels == label].astype(float), scale) for label in np.unique(snapshot.labels)
    }
    return fill(
        "latent_map.svg",
        side=SIDE,
        scale=scale,
        count=len(snapshot.labels),
        names=snapshot.class_names or DIGITS,
        dims=snapshot.mu.shape[1],
        codes={digit: path for digit, at in places.items() if (path := _dots(at))},
        means={
            digit: np.clip(at.mean(axis=0), 12, SIDE - 12)
            for digit, at in places.items()
            if digit != NO_CLASS and np.isfinite(at).all()
        },
    )


def latent_map_file(snapshot: Snapshot, colours: Colours) -> str:
    """The drawing as an SVG file of its own, in these colours."""
    return fill("latent_map_file.svg", side=SIDE, colours=colours, terms=(), latent_map=draw_latent_map(snapshot))


def place(xy: np.ndarray, scale: float) -> np.ndarray:
    """(N, 2) in prior units to pixels from the left and from the top, (N, 2)."""
    return SIDE / 2 + xy * scale * [1, -1]


def _dots(at: np.ndarray) -> str:
    """Those of the points (N, 2), in pixels, that lie on the map; "" where none does."""
    inside = ((at >= 0) & (at <= SIDE)).all(axis=1)
    return dots(*at[inside].T)
