"""The idx format of MNIST and its kin (yann.lecun.com/exdb/mnist): a header of sizes, big-endian, and bytes.

    0  0  8 (unsigned bytes)  number of sizes    size, 4 bytes each    values, the last index fastest

A file may be gzip-compressed. No more is unpacked than the header says, and the header is held to a limit first.
"""

import gzip
import io
import math
import struct
import zlib
from typing import BinaryIO

import numpy as np

_MAGIC, _BYTES = b"\x1f\x8b", 8  # of gzip; the code of unsigned bytes


class IdxError(ValueError):
    """No idx file of bytes, or a damaged one; the message is a part of a sentence."""


def read_idx(data: bytes | BinaryIO, most: int) -> np.ndarray:
    """The array of an idx file.

    Args:
        data: the file, gzip-compressed or not. most: bytes that its array may have.
    Returns:
        uint8, of the shape in the header.
    Raises:
        IdxError: it is none, is larger than `most`, or ends too early.
    """
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    packed = file.read(2) == _MAGIC
    file.seek(0)
    try:
        if not packed:
            return _read(file, most)
        with gzip.GzipFile(fileobj=file) as unpacked:
            return _read(unpacked, most)
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise IdxError(f"damaged ({type(error).__name__})") from None


def _read(file: BinaryIO | gzip.GzipFile, most: int) -> np.ndarray:
    zeros, kind, dimensions = struct.unpack(">HBB", file.read(4))
    if zeros or kind != _BYTES or not 1 <= dimensions <= 4:
        raise IdxError("no idx file of unsigned bytes")
    shape = struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
    size = math.prod(shape)
    if size > most:
        raise IdxError(f"{size:,} bytes large by its header, and may have {most:,}")
    values = file.read(size + 1)
    if len(values) != size:
        raise IdxError(f"not the {size:,} bytes long that its header says")
    return np.frombuffer(bytearray(values), np.uint8).reshape(shape)  # of a bytearray: it can be written to
