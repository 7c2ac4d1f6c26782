"""The explorer's way Encode as a student uses it: draw, choose, upload; what comes out is what torch says."""

import base64
import json
import re
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import quote

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from pages.ui import shipped
from pages.ui.words import image_name
from tests.browser.handwriting import DIGITS, draw
from tests.browser.test_explorer import CONV, PLANE, at, decoded, explorer, in_link, pixels, sent_by, z_of
from tests.browser.test_live_training import until
from tests.browser.ways import name_of
from vae_core.inspect.snapshot import map_images, map_numbers
from vae_core.losses import bernoulli_nll, gaussian_kl


def part(page: Page, name: str) -> Locator:
    """Of this way; of the frame around it the big picture."""
    whose = "" if name == "decoded" else "[data-way=encode] "
    return page.locator(f".explore {whose}[data-part={name}]")


def encoding(
    opened: Callable[..., Page], server: str, model: str = PLANE, state: dict | None = None, **options
) -> Page:
    asked = "&way=encode" + (f"&encode={quote(json.dumps(state))}" if state else "")
    page = explorer(opened, server, model, asked, **options)
    expect(part(page, "paper")).to_be_visible()
    return page


def torch_code(model: str, grey: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """(D,) mu and std of a 28 x 28 picture of grey levels; no std without a posterior."""
    one = shipped.checkpoint(model).model
    with torch.no_grad():
        mu, *log_var = one.encode(torch.tensor(grey).view(1, 1, 28, 28).float() / 255)
    return mu[0].numpy(), (0.5 * log_var[0][0]).exp().numpy() if log_var else None


def table(page: Page) -> np.ndarray:
    """(D, columns) of the table of all latents, opened."""
    if not part(page, "details").evaluate("(e) => e.open"):
        part(page, "all").click()
    part(page, "rows").locator("tr").first.wait_for()
    rows = part(page, "rows").locator("tr").all()
    return np.array([[float(t.replace("−", "-")) for t in row.locator("td").all_inner_texts()[1:]] for row in rows])


def samples(page: Page) -> np.ndarray:
    """(16, 28, 28) grey levels of the sheet."""
    sheet = pixels(part(page, "sheet").locator("canvas")).reshape(2, 28, 8, 28)
    return sheet.transpose(0, 2, 1, 3).reshape(16, 28, 28)


def picture_of(page: Page) -> np.ndarray:
    """The 28 x 28 picture in the address."""
    return np.frombuffer(base64.b64decode(in_link(page, "encode")["picture"]), np.uint8).reshape(28, 28)


def rested(page: Page, name: str = "encode") -> None:
    until(page, lambda: f"{name}=" in page.url)


# ---- drawing


def majority(page: Page) -> int:
    """The class of most of the 15 nearest codes, as the page says it."""
    found = re.match(r"\d+ of the 15 nearest codes (?:are|is an?) (\d)", part(page, "classes").inner_text())
    assert found is not None
    return int(found[1])


@pytest.mark.parametrize("model", [PLANE, CONV])
def test_drawn_digits_land_among_their_class(model, opened, server):
    """The class of most of the 15 nearest codes is the digit that was drawn, for at least 8 of 10."""
    page = encoding(opened, server, model)
    right = []
    for digit, strokes in DIGITS.items():
        if digit:
            part(page, "clear").click()
            expect(part(page, "empty")).to_be_visible()
        draw(page, part(page, "paper"), strokes)
        expect(part(page, "classes")).to_be_visible()
        right.append(majority(page) == digit)
    print(f"{model}: {sum(right)} of 10 drawn digits land among their class; not {[d for d in DIGITS if not right[d]]}")
    assert sum(right) >= 8


@pytest.mark.parametrize("model", [PLANE, CONV])
def test_a_drawing_is_encoded_as_torch_does_it(model, opened, server):
    page = encoding(opened, server, model)
    draw(page, part(page, "paper"), DIGITS[3])
    rested(page)
    grey = picture_of(page)
    assert np.array_equal(grey, pixels(part(page, "x")))
    mu, _ = torch_code(model, grey)
    assert np.abs(z_of(page) - mu).max() < 1e-4  # the big picture is at mu
    assert np.abs(pixels(part(page, "fromMu")) - decoded(model, mu)).max() <= 0.52
    other = encoding(opened, server, model, in_link(page, "encode"))
    assert np.array_equal(pixels(part(other, "x")), grey)
    assert np.abs(z_of(other) - mu).max() < 1e-4
    assert part(other, "undo").is_disabled() and part(other, "clear").is_enabled()


def test_a_small_drawing_is_inked_finely(opened, server):
    """Half as large it is the same digit, not a blot; its centre may be rounded to another pixel."""
    page = encoding(opened, server)
    found = []
    for scale in (1, 0.45):
        small = [[(0.5 + scale * (x - 0.5), 0.5 + scale * (y - 0.5)) for x, y in stroke] for stroke in DIGITS[2]]
        draw(page, part(page, "paper"), small)
        found.append(pixels(part(page, "x")).astype(float))
        part(page, "clear").click()
    moved = [np.roll(found[1], (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    assert min(np.abs(found[0] - other).mean() for other in moved) < 12 < np.abs(found[0] - found[0][::-1]).mean()
    assert abs(found[0].sum() / found[1].sum() - 1) < 0.1


def test_nothing_is_sent_while_drawing_and_the_picture_follows(opened, server):
    page = encoding(opened, server)
    sent = sent_by(page)
    page.wait_for_timeout(1500)
    box = part(page, "paper").bounding_box()
    assert box is not None
    place = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])  # noqa: E731
    draw(page, part(page, "paper"), DIGITS[5][:1])  # its report is due in 300 ms, unless the next stroke begins before
    page.mouse.move(*place(0.37, 0.2))
    page.mouse.down()
    page.wait_for_timeout(50)
    before, seen = len(sent), set()
    for step in range(40):
        page.mouse.move(*place(0.37 + 0.009 * step, 0.2))
        page.wait_for_timeout(20)
        seen.add(part(page, "decoded").get_attribute("data-z"))
    page.wait_for_timeout(600)  # a hand that keeps still has not let go
    assert not [m[-300:] for m in sent[before:]], "messages were sent during the stroke"
    assert len(seen) > 10
    page.mouse.up()
    until(page, lambda: len(sent) > before)
    rested(page)
    assert np.array_equal(picture_of(page), pixels(part(page, "x")))


def test_strokes_are_taken_back_one_by_one(opened, server):
    page = encoding(opened, server)
    expect(part(page, "undo")).to_be_disabled()
    first, second = DIGITS[4]
    draw(page, part(page, "paper"), [first])
    one = pixels(part(page, "x"))
    draw(page, part(page, "paper"), [second])
    both = pixels(part(page, "x"))
    assert not np.array_equal(one, both)
    page.wait_for_timeout(1500)  # what Python says meanwhile changes nothing
    part(page, "undo").click()
    assert np.array_equal(pixels(part(page, "x")), one)
    part(page, "clear").click()
    expect(part(page, "empty")).to_be_visible()
    part(page, "paper").focus()
    page.keyboard.press("Control+z")
    assert np.array_equal(pixels(part(page, "x")), one)
    page.keyboard.press("Control+z")
    expect(part(page, "empty")).to_be_visible()
    expect(part(page, "undo")).to_be_disabled()
    rested(page)
    page.wait_for_timeout(800)
    assert in_link(page, "encode")["picture"] is None


def test_a_finger_draws_and_the_page_does_not_scroll(opened, server):
    page = encoding(opened, server, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    paper = part(page, "paper")
    paper.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    box, touch = paper.bounding_box(), page.context.new_cdp_session(page)
    assert box is not None
    send = lambda kind, *points: touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})  # noqa: E731
    for stroke in DIGITS[7]:
        points = [{"x": box["x"] + box["width"] * x, "y": box["y"] + box["height"] * y} for x, y in stroke]
        send("touchStart", points[0])
        for a, b in pairwise(points):
            for share in (0.25, 0.5, 0.75, 1):
                send("touchMove", {k: a[k] + share * (b[k] - a[k]) for k in "xy"})
        send("touchEnd")
    expect(part(page, "classes")).to_contain_text("nearest codes are 7s")
    assert majority(page) == 7
    moved = paper.bounding_box()
    assert moved is not None and moved["y"] == box["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    rested(page)


# ---- test images, and what is said of them


NOT_ON_THE_MAP = min(set(range(100)) - set(map_numbers(shipped.images()).tolist()))


@pytest.mark.parametrize(
    ("model", "state", "number"),
    [
        (PLANE, {"of": "test", "image": 1234, "seed": 3}, int(map_numbers(shipped.images())[1234])),
        (CONV, {"number": NOT_ON_THE_MAP, "seed": 3}, NOT_ON_THE_MAP),  # as other pages link to it
    ],
)
def test_a_test_image_is_encoded_as_torch_does_it(model, state, number, opened, server):
    page = encoding(opened, server, model, state)
    grey = shipped.images().x_test[number, 0].numpy()
    assert np.array_equal(pixels(part(page, "x")), grey)
    assert part(page, "source").inner_text() == image_name(number, int(shipped.images().y_test[number]))
    mu, std = torch_code(model, grey)
    assert np.abs(z_of(page) - mu).max() < 1e-4
    rows = table(page)
    assert np.abs(rows[:, 0] - mu).max() < 6e-4 and np.abs(rows[:, 1] - std).max() < 6e-4
    assert np.abs(pixels(part(page, "fromMu")) - decoded(model, mu)).max() <= 0.52
    eps = torch.randn(16, len(mu), generator=torch.Generator().manual_seed(3)).numpy()
    until(page, lambda: part(page, "sheet").locator("canvas").get_attribute("aria-busy") == "false")
    for k, picture in enumerate(samples(page)):
        assert np.abs(picture - decoded(model, mu + std * eps[k])).max() <= 0.6  # rounded to a grey level
    assert np.array_equal(samples(page)[0], pixels(part(page, "fromSample")))
    tell_terms(page, model, grey, mu, std, eps[0])


def tell_terms(page: Page, model: str, grey: np.ndarray, mu: np.ndarray, std: np.ndarray, eps: np.ndarray) -> None:
    """The terms on the page are those of vae_core, in nats."""
    one, x = shipped.checkpoint(model).model, torch.tensor(grey).view(1, 1, 28, 28).float() / 255
    with torch.no_grad():
        nll = [bernoulli_nll(one.decode(torch.tensor(z)[None]), x).item() for z in (mu, mu + std * eps)]
    kl = gaussian_kl(torch.tensor(mu), 2 * torch.tensor(std).log()).item()
    said = [part(page, name).inner_text() for name in ("nllMu", "nllSample", "kl", "terms")]
    number = [float(re.findall(r"[\d.]+", text)[-1]) for text in said]
    assert np.abs(np.array(number) - [*nll, kl, nll[1] + kl]).max() < 0.06


def shown(page: Page) -> list[object]:
    """All that does not depend on eps."""
    pictures = [pixels(part(page, name)).tobytes() for name in ("x", "fromMu", "decoded")]
    return pictures + [part(page, name).inner_text() for name in ("mu", "std", "kl", "nllMu", "classes")]


def test_new_eps_changes_the_samples_and_nothing_else(opened, server):
    page = encoding(opened, server, state={"image": 10})
    page.wait_for_timeout(500)
    still, first = shown(page), samples(page)
    part(page, "another").click()
    part(page, "anew").click()  # an image later: the same eps until it is asked for
    expect(part(page, "seed")).to_have_text("1")
    page.locator(".explore [data-way=encode] [data-digit='1']").click()
    rested(page)
    other = encoding(opened, server, state={"image": 10, "seed": 1})
    page = encoding(opened, server, state={"image": 10})
    assert np.array_equal(samples(page), first)
    part(page, "anew").click()
    until(page, lambda: not np.array_equal(samples(page), first))
    assert shown(page) == still
    assert np.array_equal(samples(page), samples(other))


def test_images_are_chosen_by_class_and_on_the_map(opened, server):
    page = encoding(opened, server)
    labels = map_images(shipped.images())[1]
    chip = page.locator(".explore [data-way=encode] [data-digit='4']")
    fours = np.flatnonzero(labels == 4)
    chip.click()
    expect(part(page, "source")).to_have_text(name_of(fours[0]))
    expect(chip).to_have_attribute("aria-pressed", "true")
    part(page, "another").click()
    expect(part(page, "source")).to_have_text(name_of(fours[1]))
    mu, _ = torch_code(PLANE, map_images(shipped.images())[0][8].numpy())
    page.mouse.click(*at(page, *mu.tolist()))
    index = int(re.findall(r"\d+", part(page, "source").inner_text())[0])
    found, _ = torch_code(PLANE, shipped.images().x_test[index].numpy())
    assert np.abs(found - mu).max() < 0.05  # the code under the pointer, or one as near
    page.mouse.move(5, 400)
    assert np.abs(z_of(page) - found).max() < 1e-3


def test_a_sample_is_shown_big_under_the_pointer_and_pressed_to_go_there(opened, server):
    page = encoding(opened, server, CONV, {"image": 7})
    mu, std = torch_code(CONV, map_images(shipped.images())[0][7].numpy())
    z = mu + std * torch.randn(16, 32, generator=torch.Generator().manual_seed(0)).numpy()
    sheet = part(page, "sheet").locator("canvas")
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    assert box is not None
    place = (box["x"] + box["width"] * 2.5 / 8, box["y"] + box["height"] * 0.75)  # picture 11 of 16
    page.mouse.move(*place)
    until(page, lambda: np.abs(z_of(page) - z[10]).max() < 1e-4)
    page.mouse.move(box["x"] - 300, box["y"] + 300)
    until(page, lambda: np.abs(z_of(page) - mu).max() < 1e-4)
    page.mouse.click(*place)
    page.mouse.move(box["x"] - 300, box["y"] + 300)
    page.wait_for_timeout(200)
    assert np.abs(z_of(page) - z[10]).max() < 1e-4
    part(page, "lookSample").click()
    until(page, lambda: np.abs(z_of(page) - z[0]).max() < 1e-4)
    part(page, "lookMu").focus()
    page.keyboard.press("Enter")
    until(page, lambda: np.abs(z_of(page) - mu).max() < 1e-4)


def test_a_plain_autoencoder_has_no_cloud_and_says_so(opened, server):
    page = encoding(opened, server, "mnist-ae-mlp-2", {"image": 5})
    expect(part(page, "plain")).to_be_visible()
    for name in ("cloud", "sampleBox", "terms"):
        expect(part(page, name)).to_be_hidden()
    mu, _ = torch_code("mnist-ae-mlp-2", map_images(shipped.images())[0][5].numpy())
    assert np.abs(z_of(page) - mu).max() < 1e-3
    assert table(page).shape == (2, 1)


# ---- files


def test_its_files_hold_what_is_shown(opened, server):
    page = encoding(opened, server, state={"image": 1234, "seed": 3})
    mu, std = torch_code(PLANE, map_images(shipped.images())[0][1234].numpy())
    wanted = np.vstack([mu, std, mu + std * torch.randn(16, 2, generator=torch.Generator().manual_seed(3)).numpy()])
    page.locator(".explore [data-file=csv]:not([disabled])").wait_for()
    with page.expect_download() as saved:
        page.locator(".explore [data-file=csv]").click()
    rows = [line.rsplit(",", 3)[1:] for line in saved.value.path().read_text().splitlines()[1:]]
    numbers = np.array([[float(v) for v in row[1:]] for row in rows if not row[0].startswith("KL")])
    assert np.abs(numbers - wanted).max() < 1e-4
    with page.expect_download() as saved:
        page.locator(".explore [data-file=png]").click()
    with Image.open(saved.value.path()) as image:
        assert image.size[0] > 600 and len(np.unique(np.asarray(image.convert("L")))) > 50
