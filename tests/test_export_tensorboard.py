"""The event file, read by hand: TFRecord frames with their checksums, then the wire format of protocol buffers.

What the two formats say, without the library that wrote the file. (TensorBoard's own reader was tried by hand.)
"""

import io
import struct
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.told import told
from vae_core.export.pictures import data_uri, grid, png
from vae_core.export.run_report import RunReport
from vae_core.export.tensorboard import FILE_NAME, event_file


@pytest.fixture(scope="module")
def story() -> RunReport:
    return told()[0]


def masked_crc32c(data: bytes) -> int:
    """CRC-32C bit by bit (RFC 3720, appendix B.4), then TensorFlow's rotation."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(raw: bytes) -> Iterator[bytes]:
    """u64 length, checksum of it, data, checksum of them."""
    stream = io.BytesIO(raw)
    while head := stream.read(12):
        length, check = struct.unpack("<QI", head)
        assert masked_crc32c(head[:8]) == check
        data = stream.read(length)
        (check,) = struct.unpack("<I", stream.read(4))
        assert len(data) == length and masked_crc32c(data) == check
        yield data


def varint(stream: io.BytesIO) -> int:
    value = shift = 0
    while True:
        byte = stream.read(1)[0]
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value


def fields(message: bytes) -> dict[int, list[Any]]:
    """Field number to its values: whole numbers, floats, or bytes."""
    stream, found = io.BytesIO(message), {}
    while stream.tell() < len(message):
        number, kind = divmod(varint(stream), 8)
        if kind == 0:
            value: Any = varint(stream)
        elif kind == 1:
            (value,) = struct.unpack("<d", stream.read(8))
        elif kind == 2:
            value = stream.read(varint(stream))
        else:
            assert kind == 5
            (value,) = struct.unpack("<f", stream.read(4))
        found.setdefault(number, []).append(value)
    return found


def read(raw: bytes) -> dict[str, list[tuple[int, Any]]]:
    """Tag to (step, value): Event is wall_time 1, step 2, file_version 3, summary 5; a value's tag is 1, its float 2,
    its image 4 (height 1, width 2, colours 3, file 4)."""
    first, *events = [fields(record) for record in records(raw)]
    assert first[3] == [b"brain.Event:2"]
    found: dict[str, list[tuple[int, Any]]] = {}
    for event in events:
        (step,), (summary,) = event[2], event[5]
        for value in map(fields, fields(summary)[1]):
            content = value[2][0] if 2 in value else fields(value[4][0])
            found.setdefault(value[1][0].decode(), []).append((step, content))
    return found


def column(found: list[tuple[int, Any]]) -> np.ndarray:
    return np.array(found, np.float32)


def test_the_checksum_is_the_published_one() -> None:
    """RFC 3720: 32 bytes of zeros give 8a9136aa; the mask turns it back."""
    unmasked = (masked_crc32c(bytes(32)) - 0xA282EAD8) & 0xFFFFFFFF
    assert (unmasked >> 17 | unmasked << 15) & 0xFFFFFFFF == 0x8A9136AA


def test_every_value_of_the_curves_is_in_the_file(story: RunReport) -> None:
    found = read(event_file(story))
    for i, name in enumerate(("nll", "kl", "loss"), start=1):
        assert np.array_equal(column(found[f"train/{name}"]), story.train[:, [0, i]])
    for i, name in enumerate(("nll", "kl", "mean_std", "active"), start=1):
        assert np.array_equal(column(found[f"test/{name}"]), story.test[:, [0, i]])
    for split, rows in (("train", story.train), ("test", story.test)):
        np.testing.assert_allclose(column(found[f"{split}/neg_elbo"])[:, 1], rows[:, 1] + rows[:, 2], rtol=1e-6)


def test_the_pictures_are_those_of_the_snapshot(story: RunReport) -> None:
    found = read(event_file(story))
    s = story.snapshot
    assert s is not None
    for name, rows in (("originals", 1), ("reconstructions", 1), ("prior_draws", 4)):
        ((step, image),) = found[name]
        pixels = np.asarray(Image.open(io.BytesIO(image[4][0])))
        assert step == s.step and pixels.shape == (image[1][0], image[2][0]) == (30 * rows - 2, 298)
        images = getattr(s, name)
        assert np.array_equal(pixels[:28, :28], images[0])
        assert np.array_equal(pixels[-28:, -28:], images[-1])
        assert np.array_equal(pixels[-28:, 30:58], images[-9])


def test_a_run_that_never_began_is_a_file_that_can_be_read(story: RunReport) -> None:
    bare = replace(story, train=np.zeros((0, 4), np.float32), test=np.zeros((0, 5), np.float32), snapshot=None)
    assert read(event_file(bare)) == {}


def test_the_same_story_gives_the_same_bytes(story: RunReport) -> None:
    assert event_file(story) == event_file(story)
    assert "tfevents" in FILE_NAME  # by which TensorBoard knows it


# ---- images


@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (58, 298), (3, 70_000)])
def test_pillow_reads_the_very_pixels(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    with Image.open(io.BytesIO(png(image))) as opened:
        opened.load()
        assert opened.mode == "L" and np.array_equal(np.asarray(opened), image)


def test_a_data_uri_carries_the_file() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    with urllib.request.urlopen(data_uri(image)) as answer:
        assert answer.headers["Content-Type"] == "image/png" and answer.read() == png(image)


def test_a_grid_that_is_not_full_ends_white() -> None:
    images = np.arange(5, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8)
    assert grid(images, per_row=3, gap=1).tolist() == [
        [0, 0, 255, 1, 1, 255, 2, 2],
        [0, 0, 255, 1, 1, 255, 2, 2],
        [255] * 8,
        [3, 3, 255, 4, 4, 255, 255, 255],
        [3, 3, 255, 4, 4, 255, 255, 255],
    ]
