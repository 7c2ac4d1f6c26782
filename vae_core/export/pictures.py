"""Grey images as PNG files."""

import base64
import io

import numpy as np
import torch
from PIL import Image


def png(image: np.ndarray) -> bytes:
    """(H, W) uint8 to an 8-bit grey PNG."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG", optimize=True)
    return file.getvalue()


def data_uri(image: np.ndarray) -> str:
    """(H, W) uint8 to an address that carries the image itself."""
    return "data:image/png;base64," + base64.b64encode(png(image)).decode()


def grid(images: np.ndarray, per_row: int, gap: int = 2) -> np.ndarray:
    """(N, H, W) uint8 side by side with white lines between, (rows * (H + gap) - gap, ...) uint8."""
    from vae_core.vision import make_grid  # seconds, and only who asks for TensorBoard's pictures waits for them

    framed = make_grid(torch.from_numpy(images)[:, None], per_row, padding=gap, pad_value=255)  # (3, ...), with a frame
    return framed[0, gap:-gap, gap:-gap].contiguous().numpy()
