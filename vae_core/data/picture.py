"""A picture from outside, as an MNIST image: reading PNG and JPEG files safely, and the normalisation of MNIST.

Pillow's plugins are opened by name: of the many formats it knows only two are tried, and the size in the header is
checked before anything is decoded. Pillow's own guard against decompression bombs is a global setting and not needed.
"""

import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from vae_core.data.overlay import overlay
from vae_core.data.paper import NoInk, ink_of, thickened

REFUSED = {
    "nothing": "No digit can be seen in the picture: write one large digit in dark ink on plain paper and try again.",
    "several": "More than one thing is written there: cut the picture to one digit and try again.",
    "blot": "No strokes of a pen can be made out in the picture: write one large digit on plain paper and try again.",
}
MAX_BYTES = 10_000_000
MAX_PIXELS = 25_000_000
MAX_SIDE = 10_000  # one line of 25 million pixels would take 700 MB: Pillow keeps an address for each row
SIDE, BOX = 28, 20  # the image, and the box in it that the digit fills

_WORK_SIDE = 800  # longer side that is worked on; a digit needs 20 pixels
_MAX_SCANS = 100  # of a JPEG file: thousands of empty ones would take hours (progressive JPEG bombs)
_FAINT = 0.05  # of the brightest ink: less does not belong to the digit's box
_LIGHT = 170  # grey level of ink that is lost on white
_ORIENTATION = 0x0112  # EXIF
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Whatever a broken byte can make of a picture file.
_DAMAGE = (
    *(OSError, EOFError, SyntaxError, struct.error, zlib.error),
    *(ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, MemoryError),
)


class PictureError(ValueError):
    """A picture that cannot be used; the message is one sentence that says what to do.

    seen: (h, w, 3) uint8, a small picture of what was understood, where it came to that.
    """

    def __init__(self, message: str, seen: np.ndarray | None = None) -> None:
        super().__init__(message)
        self.seen = seen


@dataclass(frozen=True)
class Reading:
    """A photo and the ink that was seen in it, both (H, W) in [0, 1]."""

    grey: np.ndarray
    ink: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        """(h, w, 3) uint8: a small picture of both."""
        return overlay(self.grey, self.ink)

    @property
    def digit(self) -> np.ndarray:
        """(28, 28) uint8: what MNIST would have of it."""
        return as_mnist(thickened(self.ink))


def read_ink(data: bytes) -> Reading:
    """The ink of a PNG or JPEG file: paper 0, ink 1, whichever of them is the darker one.

    A photo is turned upright (EXIF), of an animated PNG the first picture is taken, and large pictures are made
    smaller. See paper.py for paper that is unevenly lit, ruled or squared.

    Raises:
        PictureError: too large, no PNG or JPEG, damaged, or no one digit to be seen.
    """
    grey = np.asarray(read_grey(data), dtype=np.float32) / 255
    try:
        return Reading(grey, ink_of(grey))
    except NoInk as unclear:
        raise PictureError(REFUSED[unclear.why], overlay(grey, unclear.ink)) from None


def read_picture(data: bytes) -> np.ndarray:
    """(H, W) float32 in [0, 1]: the ink of a file as `read_ink` has it, its strokes as thick as MNIST's."""
    return thickened(read_ink(data).ink)


def read_grey(data: bytes) -> Image.Image:
    """A PNG or JPEG file as a grey picture (mode L): upright, on white or black, at most 800 pixels on a side.

    Raises:
        PictureError: too large, no PNG or JPEG, or damaged.
    """
    image = open_checked(data)
    try:
        return _grey(image)
    except _DAMAGE:
        raise PictureError(_DAMAGED) from None


def open_checked(data: bytes) -> ImageFile.ImageFile:
    """A PNG or JPEG file with its header read and its size found fit; nothing is decoded yet.

    Raises:
        PictureError: too large, no PNG or JPEG, or damaged.
    """
    image = _open(data)
    _check_size(image, data)
    return image


def as_mnist(grey: np.ndarray) -> np.ndarray:
    """A drawing made into an MNIST image.

    As LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning applied to document recognition", Proceedings
    of the IEEE 86:2278-2324, section III.A, say: the digit is scaled to fit a box of 20 by 20 pixels, its aspect ratio
    kept, with grey edges from antialiasing, and its centre of mass is put in the middle of 28 by 28 pixels. The middle
    is index 14: MNIST's own images have their centres of mass from 13.5 to 14.5, and come out as they are. Scaling is
    exact area averaging. Thin lines turn grey thereby, so the brightest ink is brought back to 255.

    Args:
        grey: (H, W) in [0, 1], light ink on a dark ground.
    Returns:
        (28, 28) uint8.
    Raises:
        PictureError: there is no ink.
    """
    ink = _cropped(np.asarray(grey, dtype=np.float64))
    scale = BOX / max(ink.shape)
    box = _shares(ink.shape[0], scale) @ ink @ _shares(ink.shape[1], scale).T
    levels = np.floor(box * (255 / box.max()) + 0.5).astype(np.uint8)
    picture = np.zeros((SIDE, SIDE), np.uint8)
    top, left = (_start(box.sum(1 - axis)) for axis in (0, 1))
    picture[top : top + box.shape[0], left : left + box.shape[1]] = levels
    return picture


# ---- the file

_DAMAGED = "The file is damaged or incomplete: save the picture as PNG or JPEG again and choose the new file."


def _open(data: bytes) -> ImageFile.ImageFile:
    """The picture with its header read, nothing decoded."""
    if not data:
        raise PictureError("The file is empty: choose a PNG or JPEG picture.")
    if len(data) > MAX_BYTES:
        raise PictureError(
            f"The file has {len(data) / 1e6:.1f} MB and may have {MAX_BYTES // 10**6}: save a smaller picture."
        )
    kinds = {b"\x89PNG\r\n\x1a\n": PngImageFile, b"\xff\xd8\xff": JpegImageFile}
    kind = next((kind for start, kind in kinds.items() if data.startswith(start)), None)
    if kind is None:
        raise PictureError("The file is no PNG or JPEG picture: save it as PNG or JPEG and choose it again.")
    try:
        return kind(io.BytesIO(data))
    except _DAMAGE:
        raise PictureError(_DAMAGED) from None


def _check_size(image: ImageFile.ImageFile, data: bytes) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PictureError(
            f"The picture has {width} by {height} pixels and may have {MAX_PIXELS // 10**6} million in all: "
            "save it smaller and choose it again."
        )
    if max(width, height) > MAX_SIDE:
        raise PictureError(
            f"The picture has {width} by {height} pixels and no side may have more than {MAX_SIDE:,}: "
            "cut out the digit and choose it again."
        )
    if isinstance(image, JpegImageFile) and data.count(b"\xff\xda") > _MAX_SCANS:
        raise PictureError(_DAMAGED)


def _grey(image: ImageFile.ImageFile) -> Image.Image:
    """Mode L, upright, its longer side at most _WORK_SIDE."""
    image.draft(None, (_WORK_SIDE, _WORK_SIDE))  # a JPEG file is decoded at half, a quarter or an eighth at once
    image.load()
    grey = _flat(image)
    factor = -(-max(grey.size) // _WORK_SIDE)
    turn = _TURNS.get(_orientation(image))
    small = grey.reduce(factor) if factor > 1 else grey
    return small if turn is None else small.transpose(turn)


def _flat(image: Image.Image) -> Image.Image:
    """Mode L: on white where it is transparent, on black where white would hide all that is there."""
    if image.mode.startswith("I"):  # 16 bits
        return Image.fromarray((np.asarray(image).astype(np.int64) // 257).clip(0, 255).astype(np.uint8))
    if "transparency" in image.info or image.mode in ("LA", "PA", "La", "RGBA", "RGBa"):
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, _ground(image)), image)
    return image.convert("RGB").convert("L")


def _ground(image: Image.Image) -> str:
    """What lies under a transparent picture: light ink on nothing was made for a dark page."""
    alpha = np.asarray(image.getchannel("A"), dtype=np.float32)
    level = np.average(np.asarray(image.convert("L")), weights=alpha) if alpha.any() else 0
    return "black" if level > _LIGHT and (alpha < 128).mean() > 0.5 else "white"


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _DAMAGE:
        return 1  # a broken note about the camera is no reason to refuse the picture


# ---- the normalisation


def _cropped(ink: np.ndarray) -> np.ndarray:
    """The part of the picture that holds the digit."""
    visible = ink > _FAINT * ink.max(initial=0.0)
    if not visible.any():
        raise PictureError("The picture is empty: draw a digit.")
    rows, columns = (np.flatnonzero(visible.any(axis=1 - axis)) for axis in (0, 1))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _shares(size: int, scale: float) -> np.ndarray:
    """(new size, size): how much of each new pixel is covered by each old one, once they are scaled."""
    new = int(np.ceil(size * scale - 1e-9))
    edges = np.arange(size + 1) * scale + (new - size * scale) / 2
    i = np.arange(new)[:, None]
    return (np.minimum(edges[1:], i + 1) - np.maximum(edges[:-1], i)).clip(min=0)


def _start(profile: np.ndarray) -> int:
    """Where the box must begin for the centre of mass to lie at index 14, half a pixel more or less; all inside."""
    centre = float(profile @ np.arange(len(profile)) / profile.sum())
    return int(np.clip(np.ceil(SIDE / 2 - 0.5 - centre - 1e-9), 0, SIDE - len(profile)))
