"""Grey images as PNG files, made by hand in a few lines: the core needs no imaging library."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np


def png(image: np.ndarray) -> bytes:
    """(H, W) uint8 to an 8-bit grey PNG (W3C Recommendation "Portable Network Graphics", third edition)."""
    height, width = image.shape
    rows = np.zeros((height, width + 1), np.uint8)  # every row begins with its filter: 0, none
    rows[:, 1:] = image
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def data_uri(image: np.ndarray) -> str:
    """(H, W) uint8 to an address that carries the image itself."""
    return "data:image/png;base64," + base64.b64encode(png(image)).decode()


def grid(images: np.ndarray, per_row: int, gap: int = 2) -> np.ndarray:
    """(N, H, W) uint8 side by side with white lines between, (rows * (H + gap) - gap, ...) uint8."""
    count, height, width = images.shape
    rows = -(-count // per_row)
    result = np.full((rows * (height + gap) - gap, per_row * (width + gap) - gap), 255, np.uint8)
    for i, image in enumerate(images):
        top, left = i // per_row * (height + gap), i % per_row * (width + gap)
        result[top : top + height, left : left + width] = image
    return result


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
