"""Pictures of one's own in the way Encode: what can be used is encoded, the rest gets one sentence."""

import io
import re
import struct
import zlib
from urllib.parse import urlparse

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from pages.ui import shipped
from tests.browser.handwriting import DIGITS, draw
from tests.browser.test_explorer import PLANE, pixels, z_of
from tests.browser.test_explorer_encode import encoding, majority, part, picture_of, rested, torch_code
from tests.browser.test_live_training import until
from vae_core.data.picture import as_mnist, read_picture
from vae_core.inspect.snapshot import map_images


def png(grey: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "PNG")
    return file.getvalue()


def bomb(side: int = 50_000) -> bytes:
    """A PNG whose header says that it is enormous."""
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))  # noqa: E731
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def paper() -> bytes:
    """A two on white paper, larger and off the middle."""
    two = map_images(shipped.images())[0][int(np.flatnonzero(map_images(shipped.images())[1] == 2)[0]), 0].numpy()
    sheet = np.full((400, 300), 255, np.uint8)
    sheet[60:312, 20:272] -= np.kron(two, np.ones((9, 9), np.uint8))
    return png(sheet)


def upload(page: Page, name: str, content: bytes, mime: str = "image/png") -> None:
    if not page.locator("[data-testid='stFileUploader']").is_visible():
        page.get_by_role("button", name="Upload a digit").click()
    file = {"name": name, "mimeType": mime, "buffer": content}
    page.locator("[data-testid='stFileUploader'] input[type=file]").set_input_files(file)


def test_an_uploaded_digit_is_encoded(opened, server):
    page = encoding(opened, server)
    upload(page, "two.png", paper())
    wanted = as_mnist(read_picture(paper()))
    until(page, lambda: np.array_equal(pixels(part(page, "x")), wanted))
    mu, _ = torch_code(PLANE, wanted)
    until(page, lambda: np.abs(z_of(page) - mu).max() < 1e-3)
    expect(part(page, "mine")).to_have_attribute("aria-pressed", "true")
    assert majority(page) == 2
    until(page, lambda: "picture" in page.url and np.array_equal(picture_of(page), wanted))
    page.keyboard.press("Escape")
    draw(page, part(page, "paper"), [[(0.1, 0.1), (0.3, 0.1)]])  # on top of it
    assert not np.array_equal(pixels(part(page, "x")), wanted)
    part(page, "undo").click()
    assert np.array_equal(pixels(part(page, "x")), wanted)


BAD = {
    "truncated": ("cut.png", lambda: paper()[:300], "The file is damaged or incomplete"),
    "text": ("notes.png", lambda: b"not a picture at all" * 50, "The file is no PNG or JPEG picture"),
    "bomb": ("bomb.png", bomb, "The picture has 50000 by 50000 pixels"),
    "large": ("large.png", lambda: paper() + bytes(12_000_000), r"must be 10(\.0)?\s?MB or smaller"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_upload_gets_one_sentence_and_what_was_there_stays(kind, opened, server):
    page = encoding(opened, server, state={"image": 77})
    draw(page, part(page, "paper"), DIGITS[6])
    rested(page)
    before = pixels(part(page, "x")), z_of(page)
    name, content, sentence = BAD[kind]
    upload(page, name, content())
    expect(page.get_by_text(re.compile(sentence))).to_be_visible(timeout=30_000)
    page.wait_for_timeout(500)
    assert page.get_by_text(re.compile(sentence)).count() == 1
    assert np.array_equal(pixels(part(page, "x")), before[0]) and np.allclose(z_of(page), before[1], atol=1e-3)
    assert "encode" in urlparse(page.url).query
