"""From images to an explored latent space: chosen, brought or drawn, trained on, saved, opened and looked at."""

import io
import json
import struct
import zipfile
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest
import safetensors.numpy
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, expect

from pages.ui import shipped
from tests.browser.conftest import LECTURERS_KEY
from tests.browser.handwriting import DIGITS, draw
from tests.browser.setup import FASHION, WITHOUT_FASHION
from tests.browser.test_explorer import pixels
from tests.browser.test_explorer_encode import part
from tests.browser.test_live_training import status, step, until
from vae_core.runs import drawings

SHAPES = ("box", "cross", "moon")
BROKEN = {"box/empty.jpg": b"", "moon/broken.png": b"\x89PNG\r\n\x1a\nno more", "moon/notes.txt": b"hello"}


def shape_picture(kind: str, draws: np.random.Generator, mode: str, format_: str) -> bytes:
    """A picture file of some size and colour: a light shape on a dark ground."""
    width, height = (int(side) for side in draws.integers(20, 90, 2))
    dark, light = ((20, 30, 60), (240, 220, 150)) if mode == "RGB" else ((15,), (235,))
    image = Image.new("RGB", (width, height), dark if mode == "RGB" else dark * 3)
    side = min(width, height) * float(draws.uniform(0.5, 0.9))
    box = ((width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2)
    pen, colour = ImageDraw.Draw(image), light if mode == "RGB" else light * 3
    if kind == "moon":
        pen.ellipse(box, fill=colour)
    elif kind == "box":
        pen.rectangle(box, fill=colour)
    else:
        pen.line(box, fill=colour, width=5)
        pen.line((box[0], box[3], box[2], box[1]), fill=colour, width=5)
    file = io.BytesIO()
    image.convert(mode).save(file, format_)
    return file.getvalue()


def mixed_zip(count: int = 200) -> bytes:
    """Pictures in three folders, of various sizes, grey, in colour and transparent, PNG and JPEG, and broken ones."""
    draws, file = np.random.default_rng(0), io.BytesIO()
    kinds = [("RGB", "PNG", "png"), ("L", "JPEG", "jpg"), ("RGBA", "PNG", "png"), ("RGB", "JPEG", "jpeg")]
    with zipfile.ZipFile(file, "w") as archive:
        for i in range(count):
            mode, format_, ending = kinds[i % 4]
            name = SHAPES[i % 3]
            archive.writestr(f"{name}/{i}.{ending}", shape_picture(name, draws, mode, format_))
        for name, held in BROKEN.items():
            archive.writestr(name, held)
    return file.getvalue()


def mlp(x: np.ndarray, arrays: dict[str, np.ndarray], half: str) -> np.ndarray:
    """(N, I) through the layers of an encoder or decoder by hand, in float64."""
    layers = sorted({int(name.split(".")[2]) for name in arrays if name.startswith(f"model.{half}.")})
    for layer in layers:
        weight, bias = (arrays[f"model.{half}.{layer}.{name}"].astype(np.float64) for name in ("weight", "bias"))
        x = x @ weight.T + bias
        x = x if layer == layers[-1] else np.maximum(x, 0)
    return x


def to_explorer(page: Page) -> tuple[Locator, str]:
    """The link to the run's latent space, and the run that it names."""
    link = page.get_by_role("link", name="Explore its latent space")
    return link, parse_qs(urlparse(link.get_attribute("href") or "").query)["model"][0]


def train(page: Page) -> None:
    """Start a run, no longer looking at the one that ships."""
    page.get_by_role("button", name="Start").click()
    until(page, lambda: to_explorer(page)[1] != shipped.PLANE)


def explored(page: Page, server: str, classes: Sequence[str]) -> None:
    """Open the run's model in the explorer: its map, its classes by their names, and a reconstruction as by hand."""
    link, run = to_explorer(page)
    until(page, lambda: page.request.get(f"{server}/explore/{run}").ok, 30)  # the first weights are kept
    link.click()
    page.locator(f".explore[data-ready='{run}']").wait_for(timeout=60_000)
    body = page.request.get(f"{server}/explore/{run}").body()
    (length,) = struct.unpack("<Q", body[:8])
    about = json.loads(json.loads(body[8 : 8 + length])["__metadata__"]["about"])
    arrays = safetensors.numpy.load(body)
    images = safetensors.numpy.load(page.request.get(f"{server}/map-images/{about['dataset']}").body())
    label = page.locator(".explore [data-part=map]").get_attribute("aria-label")
    assert label == f"latent codes of {len(images['images']):,} test images, coloured by class"
    page.get_by_role("radio", name="Encode", exact=True).or_(
        page.get_by_role("button", name="Encode", exact=True)
    ).click()
    chips = part(page, "chips").locator("button")
    expect(chips).to_have_text(list(classes))
    chips.last.click()
    expect(part(page, "source")).to_contain_text(classes[-1])
    x = pixels(part(page, "x"))
    (place,) = np.flatnonzero((images["images"] == x).all((1, 2)))[:1]
    assert images["labels"][place] == len(classes) - 1
    mu = mlp(x.reshape(1, -1) / 255.0, arrays, "encoder")[:, : about["dims"]]
    x_hat = 255 / (1 + np.exp(-mlp(mu, arrays, "decoder")))
    assert np.abs(pixels(part(page, "fromMu")) - x_hat.reshape(28, 28)).max() <= 0.6
    expect(part(page, "classes")).to_contain_text("nearest codes")


@pytest.mark.skipif(not FASHION.is_dir(), reason=WITHOUT_FASHION)
def test_fashion_is_chosen_trained_on_and_explored(opened, server):
    page = opened(f"{server}/training?dataset=fashion&epochs=1")
    train(page)
    until(page, lambda: step(page) > 5)
    page.get_by_role("button", name="Pause", exact=True).click()
    names = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
    explored(page, server, names)
    means = page.get_by_role("radio", name="Arithmetic").or_(page.get_by_role("button", name="Arithmetic"))
    means.click()
    page.get_by_role("button", name="Class means").click()
    expect(page.get_by_role("button", name="mean of Sneaker")).to_be_visible()


def test_a_zip_of_mixed_pictures_becomes_a_map_with_its_folders_as_classes(opened, server):
    page = opened(f"{server}/training?epochs=30")
    page.get_by_role("button", name="Your own images").click()
    file = {"name": "shapes.zip", "mimeType": "application/zip", "buffer": mixed_zip()}
    page.locator("[data-testid='stFileUploader'] input[type=file]").set_input_files(file)
    expect(page.get_by_text("200 images (167 train, 33 test, 3 classes), 3 refused.")).to_be_visible(timeout=30_000)
    for text in (*BROKEN, "The file is empty", "is damaged or incomplete", "is no PNG or JPEG"):
        expect(page.locator("[data-testid='stDataFrame'] [role=gridcell]").filter(has_text=text)).to_be_attached()
    page.keyboard.press("Escape")
    train(page)
    status(page, "finished")
    explored(page, server, SHAPES)


@pytest.fixture
def collection() -> Iterator[None]:
    """Of the folder that the server has too; empty before and after."""
    drawings.remove_all()
    yield
    drawings.close()
    drawings.remove_all()


def test_a_class_draws_a_set_and_explores_what_is_learned_of_it(opened, server, collection):
    lecturer = opened(f"{server}/room?key={LECTURERS_KEY}")
    lecturer.get_by_text("Drawings of the class").click()
    lecturer.get_by_role("button", name="Open the collection").click()
    expect(lecturer.get_by_text("0 drawings, open")).to_be_visible()

    visitor = opened(f"{server}/explorer?way=encode")
    visitor.locator(".explore[data-ready]:not([data-ready=''])").wait_for(timeout=60_000)
    give = visitor.get_by_role("button", name="Give it to the class")
    expect(give).to_be_disabled()  # a test image is on the page
    draw(visitor, part(visitor, "paper"), DIGITS[3])
    expect(give).to_be_enabled()
    visitor.get_by_role("radio", name="3", exact=True).or_(
        visitor.get_by_role("button", name="3", exact=True)
    ).last.click()
    give.click()
    expect(visitor.get_by_text("1 drawings so far.")).to_be_visible()
    shown = pixels(part(visitor, "x"))
    (first,) = drawings.drawings()
    assert first.label == "3" and np.array_equal(first.pixels, shown)

    images = shipped.images()
    for label in (3, 8):  # of others in the class
        for place in images.of_class(label)[:13].tolist():
            drawings.give(images.x_test[place].numpy().tobytes(), str(label), "another")
    expect(lecturer.get_by_text("27 drawings, open")).to_be_visible(timeout=15_000)
    table = lecturer.locator("[data-testid='stDataFrame']")
    table.click(position={"x": 16, "y": 36 + 22})  # the mark of the first row
    lecturer.get_by_role("button", name="Remove the chosen").click()
    expect(lecturer.get_by_text("26 drawings, open")).to_be_visible()
    assert first.name not in [drawing.name for drawing in drawings.drawings()]
    lecturer.get_by_role("button", name="Close the collection").click()
    lecturer.get_by_role("button", name="Make a set").click()
    lecturer.get_by_role("link", name="Train on them").click()
    train(lecturer)
    status(lecturer, "finished")
    explored(lecturer, server, ("3", "8"))
