"""Pictures as MNIST: its own images, files that must be refused, and photos of a pen on paper."""

import io
import re
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vae_core.data import Images, picture
from vae_core.data.picture import MAX_BYTES, PictureError, as_mnist, read_picture

CHECKPOINT = Path(__file__).resolve().parents[1] / "checkpoints" / "mnist-vae-mlp-2"


def saved(image: Image.Image, kind: str = "PNG", **settings: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **settings)
    return file.getvalue()


def enlarged(digit: np.ndarray, factor: int) -> np.ndarray:
    """uint8 (28, 28) to float (28 * factor, 28 * factor) in [0, 1], smooth."""
    side = 28 * factor
    return np.asarray(Image.fromarray(digit).resize((side, side), Image.Resampling.BILINEAR)) / 255


@pytest.fixture(scope="module")
def digits(mnist: Images) -> np.ndarray:
    """(10, 28, 28) uint8: the first test image of each class."""
    return mnist.x_test[mnist.one_per_class(), 0].numpy()


def off(found: np.ndarray, wanted: np.ndarray) -> float:
    """Mean absolute difference of grey levels, 0 to 255."""
    return float(np.abs(found.astype(int) - wanted).mean())


# ---- the normalisation


def test_mnist_images_are_what_they_become(mnist: Images) -> None:
    """Box, scale and centre are MNIST's own rule, so its images stay: but for one in a thousand, by one pixel."""
    images = mnist.x_test[:, 0].numpy()
    apart = np.array([off(as_mnist(image / 255), image) for image in images])
    assert apart.mean() < 0.05 and (apart > 1).mean() < 0.002


def test_where_the_digit_lies_and_how_large_it_is_do_not_matter(mnist: Images) -> None:
    for image in mnist.x_test[:100, 0].numpy():
        room = np.pad(image, 12) / 255
        for shift in ((9, -11), (-7, 4)):
            assert off(as_mnist(np.roll(room, shift, (0, 1))), as_mnist(image / 255)) == 0
        assert off(as_mnist(np.kron(room, np.ones((3, 3)))), as_mnist(image / 255)) < 0.01
        assert off(as_mnist(0.3 * room), as_mnist(image / 255)) < 0.01  # faint ink


def test_smoothly_enlarged_images_come_back(mnist: Images) -> None:
    """Blurred edges make the box a little larger and the digit a little smaller: a few per cent, half a pixel."""
    images = mnist.x_test[:200, 0].numpy()
    apart = [off(as_mnist(enlarged(image, 3)), image) for image in images]
    nothing = [off(np.zeros((28, 28)), image) for image in images]
    assert np.mean(apart) < 12 < np.mean(nothing) / 2


@pytest.mark.parametrize(("height", "width"), [(20, 10), (60, 15), (7, 14), (1, 1), (3, 120), (2000, 500)])
def test_a_box_is_scaled_to_twenty_pixels_and_keeps_its_shape(height: int, width: int) -> None:
    grey = np.zeros((height + 9, width + 3))
    grey[5 : 5 + height, 2 : 2 + width] = 1
    found = as_mnist(grey)
    scale = 20 / max(height, width)
    assert found.shape == (28, 28) and found.dtype == np.uint8 and found.max() == 255
    assert np.flatnonzero(found.any(1)).size == max(1, np.ceil(height * scale))
    assert np.flatnonzero(found.any(0)).size == max(1, np.ceil(width * scale))
    if min(height, width) * scale >= 1:  # nothing is lost: the ink is the scaled area
        assert found.sum() / 255 == pytest.approx(height * width * scale**2, rel=0.02)


def test_area_averaging_against_plain_loops() -> None:
    """30 by 30 to 20 by 20: each new pixel covers one and a half old ones each way."""
    grey = np.random.default_rng(0).random((30, 30)) + 0.1
    fine = grey.repeat(2, 0).repeat(2, 1)
    wanted = np.array([[fine[3 * i : 3 * i + 3, 3 * j : 3 * j + 3].mean() for j in range(20)] for i in range(20)])
    wanted = np.round(wanted / wanted.max() * 255)
    found = as_mnist(grey)
    top, left = (np.flatnonzero(found.any(axis))[0] for axis in (1, 0))
    assert np.abs(found[top : top + 20, left : left + 20] - wanted).max() <= 1
    assert found.sum() == found[top : top + 20, left : left + 20].sum()


def test_a_lopsided_digit_stays_inside() -> None:
    grey = np.zeros((20, 20))
    grey[0], grey[:, 0] = 1, 0.3
    found = as_mnist(grey)
    assert (found > 0).sum() == 39


@pytest.mark.parametrize("grey", [np.zeros((28, 28)), np.zeros((0, 0)), np.full((5, 5), np.nan)])
def test_an_empty_drawing_is_refused(grey: np.ndarray) -> None:
    with pytest.raises(PictureError, match="draw a digit"):
        as_mnist(grey)


# ---- files that are read


def test_an_mnist_image_survives_the_way_through_a_file(mnist: Images) -> None:
    for image in mnist.x_test[:50, 0].numpy():
        for shown in (image, 255 - image):
            assert off(as_mnist(read_picture(saved(Image.fromarray(shown)))), image) < 2


def on_paper(digit: np.ndarray) -> Image.Image:
    """Mode L: dark ink on white paper, 196 pixels a side."""
    return Image.fromarray(np.uint8(255 - 255 * enlarged(digit, 7)))


def as_16_bit(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image).astype(np.uint16) * 257)


def transparent(image: Image.Image) -> Image.Image:
    black = Image.new("RGBA", image.size, (0, 0, 0, 0))
    black.putalpha(image.point(lambda v: 255 - v))
    return black


KINDS = {
    "grey PNG": lambda image: saved(image),
    "16-bit PNG": lambda image: saved(as_16_bit(image)),
    "one bit": lambda image: saved(image.convert("1", dither=Image.Dither.NONE)),
    "palette": lambda image: saved(image.convert("P")),
    "colour": lambda image: saved(image.convert("RGB")),
    "transparent": lambda image: saved(transparent(image)),
    "transparent palette": lambda image: saved(transparent(image).quantize(64)),
    "grey with alpha": lambda image: saved(transparent(image).convert("LA")),
    "interlaced": lambda image: adam7(image),
    "JPEG": lambda image: saved(image, "JPEG", quality=90),
    "progressive JPEG": lambda image: saved(image.convert("RGB"), "JPEG", progressive=True),
    "CMYK JPEG": lambda image: saved(image.convert("RGB").convert("CMYK"), "JPEG", quality=90),
    "animated PNG": lambda image: saved(
        image, save_all=True, append_images=[Image.new("L", image.size, 77)], duration=10
    ),
    "large JPEG": lambda image: saved(image.resize((3000, 3000)), "JPEG", quality=60),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_gives_the_digit(kind: str, digits: np.ndarray) -> None:
    for digit in digits[[2, 7]]:
        image = on_paper(digit)
        found = as_mnist(read_picture(KINDS[kind](image)))
        assert off(found, digit) < 16 < 20 < off(np.zeros((28, 28)), digit)
        assert off(found, as_mnist(read_picture(saved(image)))) < 14  # most of all with one bit a pixel


def adam7(image: Image.Image) -> bytes:
    """An interlaced PNG, made by hand: seven pictures, each of every so manyth row and column."""
    pixels, rows = np.asarray(image), b""
    for y, x, dy, dx in (
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    ):
        rows += b"".join(b"\0" + row.tobytes() for row in pixels[y::dy, x::dx])
    return png(image.width, image.height, zlib.compress(rows), interlaced=True)


def png(width: int, height: int, content: bytes, interlaced: bool = False) -> bytes:
    """A grey PNG with that header, whatever its content."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", content) + chunk(b"IEND", b"")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_upright(orientation: int, digits: np.ndarray) -> None:
    """How the camera stored it, by the EXIF standard's table: which side of the scene row 0 and column 0 are."""
    upright = np.asarray(on_paper(digits[7]).crop((0, 0, 196, 180)))
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: upright.T[::-1],
        7: upright[::-1, ::-1].T,
        8: upright.T[:, ::-1],
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    for kind in ("PNG", "JPEG"):
        found = read_picture(saved(Image.fromarray(np.ascontiguousarray(stored)), kind, exif=exif))
        assert found.shape == upright.shape
        assert off(as_mnist(found), as_mnist(read_picture(saved(Image.fromarray(upright))))) < 4
        assert off(as_mnist(found), digits[7]) < 16


# ---- files that are refused

SENTENCE = re.compile(r"[A-Z][^.!?]*: [^.!?]*(\d\.\d[^.!?]*)?\.")


def refusal(data: bytes) -> str:
    """The sentence with which a file is refused: one, with what to do behind the colon."""
    with pytest.raises(PictureError) as caught:
        read_picture(data)
    text = str(caught.value)
    assert SENTENCE.fullmatch(text.replace("10.0 MB", "10 MB")), text
    return text


GIF = saved(Image.new("L", (28, 28), 9), "GIF")
PLAIN = saved(Image.fromarray(np.eye(60, dtype=np.uint8) * 255))
PHOTO = saved(Image.fromarray(np.eye(60, dtype=np.uint8) * 255), "JPEG")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"A digit, renamed to digit.png", "no PNG or JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no PNG or JPEG"),
        (GIF, "no PNG or JPEG"),
        (saved(Image.new("L", (28, 28), 9), "BMP"), "no PNG or JPEG"),
        (b"\0" * (MAX_BYTES + 1), "10.0 MB"),
        (PLAIN[:8], "damaged"),
        (PLAIN[:30], "damaged"),
        (PLAIN[: len(PLAIN) // 2], "damaged"),
        (PHOTO[:3], "damaged"),
        (PHOTO[:100], "damaged"),
        (PHOTO[: len(PHOTO) * 2 // 3], "damaged"),
        (png(60, 60, b"no zlib"), "damaged"),
        (png(60, 60, zlib.compress(bytes(61 * 10))), "No digit"),  # ends early, and all black
        (PHOTO + b"\xff\xda" * 101, "damaged"),
    ],
)
def test_what_is_no_picture_is_refused_in_one_sentence(data: bytes, words: str) -> None:
    assert words in refusal(data)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_empty_sheet_is_refused(level: int) -> None:
    assert "No digit" in refusal(saved(Image.new("L", (300, 200), level)))
    assert "No digit" in refusal(saved(Image.new("RGBA", (300, 200), (level, level, level, 0))))


@pytest.mark.parametrize("noise", [0.005, 0.01, 0.02, 0.05])
def test_lit_and_grainy_paper_without_ink_is_refused(noise: float) -> None:
    light = np.linspace(0.5, 0.9, 300)[None] * np.linspace(1, 0.8, 200)[:, None]
    for seed in range(3):
        grain = noise * np.random.default_rng(seed).standard_normal(light.shape)
        assert "No digit" in refusal(saved(Image.fromarray(np.uint8(255 * (light + grain).clip(0, 1))), "JPEG"))


@pytest.mark.parametrize(
    ("width", "height"), [(50_000, 50_000), (5001, 5000), (2**31 - 1, 1), (1, 25_000_000), (10_001, 9)]
)
def test_a_bomb_is_refused_by_its_header(width: int, height: int) -> None:
    """Zeros pressed a thousandfold, more than a machine's memory when unpacked."""
    bomb = png(width, height, zlib.compress(bytes(5_000_000), 9))
    tracemalloc.start()
    try:
        assert f"{width} by {height} pixels" in refusal(bomb)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000  # bytes
    finally:
        tracemalloc.stop()


def test_a_long_picture_is_read_as_long_as_it_is_no_bomb() -> None:
    ink = np.zeros((40, picture.MAX_SIDE), np.uint8)
    ink[10:30, 100:120] = 255
    assert read_picture(saved(Image.fromarray(ink))).shape[1] <= 800


def test_a_jpeg_bomb_is_refused_by_its_header() -> None:
    at = PHOTO.index(b"\xff\xc0")
    bomb = PHOTO[: at + 5] + struct.pack(">HH", 60_000, 60_000) + PHOTO[at + 9 :]
    assert "60000 by 60000 pixels" in refusal(bomb)


def test_pillows_global_settings_are_left_alone() -> None:
    before = Image.MAX_IMAGE_PIXELS
    read_picture(PLAIN)
    assert before == Image.MAX_IMAGE_PIXELS and before > picture.MAX_PIXELS  # so that Pillow never warns


def test_files_with_wrong_bytes_are_read_or_refused_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    for data in (PLAIN, PHOTO):
        for _ in range(150):
            broken = bytearray(data)
            for at in rng.integers(0, len(data), 3):
                broken[at] = rng.integers(0, 256)
            try:
                assert read_picture(bytes(broken)).ndim == 2
            except PictureError as error:
                assert str(error).endswith(".")
