"""The first minute: drag the cloud and x̂ follows, draw a digit, press play and it learns."""

import base64
import json
import re
from urllib.parse import parse_qs, urlsplit

import torch
from playwright.sync_api import Locator, Page, expect
from torch.distributions import Bernoulli, Normal, kl_divergence

from pages.ui.passage.view import moments, shown_number
from pages.ui.shipped import PLANE, checkpoint, images
from tests.browser.explained import assert_explained, assert_silent
from tests.browser.test_live_training import until
from tests.waiting import wait_for


def figures(page: Page) -> dict[str, float]:
    read = "(box) => Object.fromEntries([...box.querySelectorAll('.sum output')].map((o) => [o.dataset.part, o.value]))"
    return {name: float(text.replace("−", "-")) for name, text in page.locator(".passage").evaluate(read).items()}


def picture(page: Page) -> str:
    return page.locator(".passage [data-part=xHat]").evaluate("(canvas) => canvas.toDataURL()")


def ink(page: Page) -> int:
    """White pixels on the paper."""
    data = "(c) => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
    return sum(v > 127 for v in page.locator(".passage [data-part=paper]").evaluate(data)[::4])


def state(page: Page) -> dict[str, object]:
    return json.loads(parse_qs(urlsplit(page.url).query)["shown"][0])


def z_by_hand(pixels: torch.Tensor, mu: list[float] | None) -> list[float]:
    """mu + std · eps, of the first draw of the seed 0."""
    with torch.no_grad():
        own, log_var = checkpoint(PLANE).model.encode(pixels[None].float() / 255)
    eps = torch.randn(16, 2, generator=torch.Generator().manual_seed(0))[0]
    return ((own[0] if mu is None else torch.tensor(mu)) + (log_var[0] / 2).exp() * eps).tolist()


def by_hand(pixels: torch.Tensor, mu: list[float] | None) -> tuple[float, float]:
    """Both terms of an image, (1, 28, 28) uint8, its cloud where the encoder puts it or moved."""
    model = checkpoint(PLANE).model
    x = pixels[None].float() / 255
    with torch.no_grad():
        own, log_var = model.encode(x)
        q = Normal(own if mu is None else torch.tensor([mu]), (log_var / 2).exp())
        eps = torch.randn(16, 2, generator=torch.Generator().manual_seed(0))[:1]
        p = Bernoulli(logits=model.decode(q.loc + q.scale * eps), validate_args=False)
        return -p.log_prob(x).sum().item(), kl_divergence(q, Normal(0.0, 1.0)).sum().item()


def assert_terms(page: Page, pixels: torch.Tensor, mu: list[float] | None) -> None:
    nll, kl = by_hand(pixels, mu)
    shown = figures(page)
    assert abs(shown["reconstruction"] - nll) < 0.06 and abs(shown["kl"] - kl) < 0.006
    assert abs(shown["total"] - nll - kl) < 0.06


def assert_told(page: Page, pixels: torch.Tensor, mu: list[float] | None) -> None:
    """What a screen reader hears of the trained model: z, both terms and their sum, as torch has them."""
    z, (nll, kl) = z_by_hand(pixels, mu), by_hand(pixels, mu)
    said = page.locator(".passage p.spoken[aria-live=polite]")
    form = r"trained: z = \(([\d.−]+), ([\d.−]+)\); reconstruction ([\d.]+) \+ KL ([\d.]+) = −ELBO ([\d.]+) nats\."

    def numbers() -> list[float]:
        found = re.fullmatch(form, said.inner_text())
        return [float(text.replace("−", "-")) for text in found.groups()] if found else [0.0] * 5

    wanted = torch.tensor([*z, nll, kl, nll + kl])
    close = torch.tensor([0.006, 0.006, 0.06, 0.006, 0.06])
    wait_for(lambda: bool(((torch.tensor(numbers()) - wanted).abs() <= close).all()), 12)


def words_explain_themselves(page: Page) -> None:
    """By the Tab key, from word to word through the component and on into the page below it, and by the pointer."""
    words = page.locator(".word")
    shown = words.all_inner_texts()
    assert {"nats", "prior", "N(0, I)", "ELBO", "K = 1"} <= set(shown)
    prior = page.locator(".passage .word", has_text="prior")
    prior.focus()
    assert_explained(prior)
    prior.hover()
    page.keyboard.press("Escape")
    assert_silent(prior)
    page.mouse.move(0, 0)
    assert_silent(prior)  # it has the focus still
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert_explained(prior)
    page.keyboard.press("Tab")
    assert_silent(prior)
    assert_explained(page.locator(".passage .word", has_text="N(0, I)"))
    for word in words.all():
        word.hover()
        assert_explained(word)
    page.keyboard.press("Escape")
    assert_silent(words.last)
    page.mouse.move(0, 0)
    page.get_by_test_id("stMain").evaluate("(main) => main.scrollTo(0, 0)")


def assert_all_in_view(passage: Locator) -> None:
    """At once, without scrolling."""
    for part in ("paper", "another", "clear", "over", "xHat", "play", "kl", "totalCurve"):
        box = passage.locator(f"[data-part={part}]").bounding_box()
        assert box["y"] > 0 and box["y"] + box["height"] <= 720, part


def on_the_projector_it_is_larger(page: Page) -> None:
    """And all in view, what is said of x on one line and its buttons on one row; P leads there and back."""
    passage, paper = page.locator(".passage"), page.locator(".passage [data-part=paper]")
    before = paper.bounding_box()["width"]
    page.keyboard.press("p")
    page.wait_for_url(lambda url: "present=1" in url)
    wait_for(lambda: paper.bounding_box()["width"] > 1.1 * before, 10)
    assert_all_in_view(passage)
    assert passage.locator(".x figcaption").bounding_box()["height"] < 50
    another, clear = (passage.locator(f"[data-part={part}]").bounding_box() for part in ("another", "clear"))
    assert another["y"] == clear["y"]
    page.keyboard.press("p")
    page.wait_for_url(lambda url: "present" not in url)
    wait_for(lambda: paper.bounding_box()["width"] == before, 10)


def test_the_first_minute(opened, server):
    page = opened(server)
    passage = page.locator(".passage[data-ready]")
    passage.wait_for(timeout=30_000)
    first = images().x_test[shown_number(None)]
    expect(passage.get_by_text(f"test image {shown_number(None)}, a 7")).to_be_visible()
    assert_all_in_view(passage)
    assert_terms(page, first, None)
    page.wait_for_timeout(1000)
    assert "?" not in page.url  # nothing to tell

    words_explain_themselves(page)
    on_the_projector_it_is_larger(page)
    the_cloud_follows_the_finger(page, passage)
    a_drawing_goes_through(page, passage)
    the_film_shows_its_run(page, passage)


def the_cloud_follows_the_finger(page: Page, passage: Locator) -> None:
    first, before = images().x_test[shown_number(None)], picture(page)
    plane = passage.locator("[data-part=over]")
    box = plane.bounding_box()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.55 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.8 * box["height"], steps=4)
    assert picture(page) != before  # it follows the finger, before that lets go
    page.mouse.up()
    page.wait_for_url(lambda url: "mu" in url)
    assert_terms(page, first, state(page)["mu"])
    expect(passage.get_by_text("q moved by hand")).to_be_visible()
    by_mouse = state(page)["mu"]
    assert_told(page, first, by_mouse)
    plane.press("Home")  # where the encoder puts it
    assert_terms(page, first, None)
    assert picture(page) == before
    the_cloud_by_keys(page, plane, by_mouse)
    plane.press("Home")


def the_cloud_by_keys(page: Page, plane: Locator, by_mouse: list[float]) -> None:
    """As near to where the mouse has dragged it as steps of 0.1 lead."""
    with torch.no_grad():
        own = checkpoint(PLANE).model.encode(images().x_test[shown_number(None)][None].float() / 255)[0][0]
    for way, keys in zip(torch.tensor(by_mouse) - own, ("ArrowLeft ArrowRight", "ArrowDown ArrowUp"), strict=True):
        for _ in range(round(abs(way.item()) / 0.1)):
            plane.press(keys.split()[int(way > 0)])
    until(page, lambda: (torch.tensor(state(page).get("mu") or own) - torch.tensor(by_mouse)).abs().max() < 0.06, 10)


def a_drawing_goes_through(page: Page, passage: Locator) -> None:
    passage.get_by_role("button", name="a test image of a 0").click()
    expect(passage.get_by_text("a 0")).to_be_visible()
    passage.get_by_role("button", name="Draw a digit").click()
    expect(passage.get_by_text("draw a digit here")).to_be_visible()
    assert ink(page) == 0 and passage.locator("[data-part=kl]").inner_text() == "–"
    passage.get_by_role("button", name="Undo").click()
    expect(passage.get_by_text("a 0")).to_be_visible()  # the test image is back under its own name
    assert ink(page) > 0
    passage.get_by_role("button", name="Draw a digit").click()
    paper = passage.locator("[data-part=paper]").bounding_box()
    page.mouse.move(paper["x"] + 0.5 * paper["width"], paper["y"] + 0.2 * paper["height"])
    page.mouse.down()
    page.mouse.move(paper["x"] + 0.5 * paper["width"], paper["y"] + 0.8 * paper["height"], steps=5)
    page.mouse.up()
    page.wait_for_url(lambda url: "picture" in url)
    expect(passage.get_by_text("your drawing")).to_be_visible()
    drawn = torch.frombuffer(bytearray(base64.b64decode(state(page)["picture"])), dtype=torch.uint8)
    assert drawn.max() == 255 and 30 < (drawn > 127).sum() < 80  # one stroke, and nothing of the 0 before
    assert_terms(page, drawn.view(1, 28, 28), None)


def the_film_shows_its_run(page: Page, passage: Locator) -> None:
    passage.get_by_role("button", name="play the film").click()
    expect(passage.get_by_text("of this model's training")).to_be_visible()
    scrub = passage.get_by_label("step of the training")
    passage.get_by_role("button", name="pause the film").click()
    scrub.press("Home")
    first = moments(PLANE)[0]
    expect(passage.locator("[data-part=reconstruction]")).to_have_text(f"{first.nll:.1f}")
    expect(passage.locator("[data-part=kl]")).to_have_text(f"{first.kl:.3f}")
    page.wait_for_url(lambda url: "at" in parse_qs(urlsplit(url).query).get("shown", [""])[0])
    assert state(page)["at"] == 0
    the_film_is_looked_up(page, passage)
    scrub.press("End")
    expect(passage.get_by_text("your drawing")).to_be_visible()  # it was not lost
    expect(passage.get_by_role("button", name="Trained")).to_be_disabled()  # its last moment is that
    scrub.press("Home")
    passage.get_by_role("button", name="a test image of a 3").click()
    source = passage.locator("[data-part=source]")
    expect(source).to_contain_text("a 3")
    film = source.inner_text()
    paper = passage.locator("[data-part=paper]").bounding_box()
    page.mouse.move(paper["x"] + 0.2 * paper["width"], paper["y"] + 0.2 * paper["height"])
    page.mouse.down()  # over the film's image
    page.mouse.move(paper["x"] + 0.4 * paper["width"], paper["y"] + 0.3 * paper["height"], steps=3)
    page.mouse.up()
    expect(source).to_have_text("your drawing")
    passage.get_by_role("button", name="Undo").click()
    expect(source).to_have_text(film)  # that image again, and nobody's drawing


def the_film_is_looked_up(page: Page, passage: Locator) -> None:
    """What was decoded near a place: by the pointer over it, and by keys; and what is said of that moment."""
    plane, shown, first = passage.locator("[data-part=over]"), passage.locator("[data-part=z]"), moments(PLANE)[0]
    plane.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    expect(passage.get_by_text("decoded at the nearest kept z")).to_be_visible()
    by_keys, seen = shown.inner_text(), picture(page)
    plane.press("Home")
    expect(shown).to_have_text("a sample")
    box = plane.bounding_box()
    page.mouse.move(box["x"] + box["width"] * (0.5 + 0.2 / 8), box["y"] + box["height"] * (0.5 - 0.1 / 8))
    expect(shown).to_have_text(by_keys)
    assert picture(page) == seen
    said = f"reconstruction {first.nll:.1f} + KL {first.kl:.3f} = −ELBO {first.nll + first.kl:.1f} nats."
    expect(passage.locator("p.spoken")).to_have_text(f"step 0: z = {by_keys}; {said}", timeout=12_000)
    page.mouse.move(0, 0)
