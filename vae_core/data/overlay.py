"""What was understood of a photo, to be looked at: the photo, small and grey, with what was taken for ink in red."""

import numpy as np
from PIL import Image

SIDE = 240  # of the small picture, at most
_RED = np.array([214, 28, 40], np.float32)


def overlay(grey: np.ndarray, ink: np.ndarray | None = None) -> np.ndarray:
    """(h, w, 3) uint8, its longer side at most SIDE.

    Args:
        grey: (H, W) in [0, 1], the photo. ink: (H, W) in [0, 1], or None where none was found.
    """
    share = np.zeros_like(grey) if ink is None else ink
    pale = 255 * (0.35 + 0.65 * grey)
    shown = pale[..., None] * (1 - share[..., None]) + _RED * share[..., None]
    picture = Image.fromarray(np.uint8(shown.clip(0, 255)))
    picture.thumbnail((SIDE, SIDE))
    return np.asarray(picture)
