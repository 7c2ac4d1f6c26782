"""The code map of the ELBO page: a box, its formula and its sources light up together, by pointer and by keyboard."""

import io
import re
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from pages.elbo.code import steps_of
from pages.elbo.settings import link
from pages.elbo.subject import subject
from tests.browser.test_live_training import until
from tests.notebook_runner import cells_of
from vae_core.export.elbo_notebook import NOTEBOOK, WEIGHTS

STEPS = {step.name: step for step in steps_of(link.default("model"), link.default("digit"), link.default("image"))}
LIT = """(root) => [...root.querySelectorAll(".lit")].filter((e) => !e.matches(".head")).map((e) => [
  ["box", "formula", "source"].find((name) => e.classList.contains(name)), e.dataset.step])"""
# What the eye sees: a lit part has another background than an unlit one of its kind.
GROUNDS = """(root) => Object.fromEntries(["box", "formula", "source"].map((name) => {
  const ground = (lit) => new Set([...root.querySelectorAll("." + name)]
    .filter((e) => e.classList.contains("lit") === lit).map((e) => getComputedStyle(e).backgroundColor));
  return [name, [...ground(true)].every((colour) => !ground(false).has(colour))] }))"""
VISIBLE = """(section) => { const panel = section.closest(".sources").getBoundingClientRect();
  const own = section.getBoundingClientRect(); return own.top >= panel.top - 2 && own.top < panel.bottom - 40 }"""


@pytest.fixture
def code(opened: Callable[..., Page], server: str) -> Page:
    page = opened(f"{server}/elbo?section=code")
    expect(page.locator(".codemap .box")).to_have_count(len(STEPS), timeout=20_000)
    return page


def lit(page: Page) -> set[tuple[str, str]]:
    """What is lit: kind and step."""
    return {(kind, step) for kind, step in page.locator(".codemap").evaluate(LIT)}


def together(name: str) -> set[tuple[str, str]]:
    return {("box", name), ("formula", name), ("source", name)}


def part(page: Page, kind: str, name: str) -> Locator:
    return page.locator(f".codemap .{kind}[data-step='{name}']")


def test_the_pointer_lights_up_all_three_and_leaves_what_is_chosen(code: Page) -> None:
    assert lit(code) == together("encode")
    for name in STEPS:
        for kind in ("box", "formula"):
            part(code, kind, name).hover()
            until(code, lambda name=name: lit(code) == together(name))
            assert set(code.locator(".codemap").evaluate(GROUNDS).values()) == {True}, (kind, name)
    part(code, "source", "encode").first.hover()
    until(code, lambda: lit(code) == together("encode"))
    part(code, "box", "kl").hover()
    code.mouse.move(5, 5)
    until(code, lambda: lit(code) == together("encode"))


def test_the_keyboard_walks_the_boxes_and_their_code_comes_into_view(code: Page) -> None:
    part(code, "box", "encode").focus()
    for name in list(STEPS)[1:]:
        code.keyboard.press("Tab")
        assert code.locator(".codemap .box:focus").get_attribute("data-step") == name
        until(code, lambda name=name: lit(code) == together(name))
        source = part(code, "source", name).first
        until(code, lambda source=source: source.evaluate(VISIBLE))
    code.keyboard.press("Enter")
    expect(part(code, "box", "update")).to_have_attribute("aria-pressed", "true")
    expect(code.locator(".codemap [role=status]")).to_have_text(re.compile(r"^loss and update: Trainer\._update, in "))
    code.keyboard.press("Tab")  # on to the formulas: the focus moves, the choice stays
    until(code, lambda: lit(code) == together("encode"))
    expect(part(code, "box", "update")).to_have_attribute("aria-pressed", "true")


def test_the_image_goes_home_in_a_notebook(code: Page) -> None:
    with code.expect_download() as got:
        code.get_by_role("button", name="As a notebook").click()
    with zipfile.ZipFile(got.value.path()) as archive:
        cells = cells_of(archive.read(NOTEBOOK).decode(), "markdown")
        x = np.load(io.BytesIO(archive.read(WEIGHTS)))["x"]
    shown = subject(link.default("model"), link.default("digit"), link.default("image"))
    assert shown.label[1:] in cells[0] and np.array_equal(x, shown.x)


def test_it_shows_the_formulas_values_and_sources_of_this_image(code: Page) -> None:
    for name, step in STEPS.items():
        assert part(code, "box", name).inner_text().split("\n", 1) == [step.title, step.value]
        assert part(code, "formula", name).inner_text() == re.sub(r" +", " ", step.formula)
        shown = part(code, "source", name).locator(".head b").all_inner_texts()
        assert shown == [function.__qualname__ for function in step.functions]


def test_another_image_brings_new_numbers_and_keeps_the_choice(code: Page) -> None:
    part(code, "formula", "kl").click()
    before = part(code, "box", "kl").inner_text()
    code.get_by_role("button", name="Another image").click()
    until(code, lambda: part(code, "box", "kl").inner_text() != before)
    assert part(code, "box", "kl").get_attribute("aria-pressed") == "true"


def test_a_finger_chooses_on_a_phone_and_is_taken_to_the_code(opened: Callable[..., Page], server: str) -> None:
    page = opened(f"{server}/elbo?section=code", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    expect(page.locator(".codemap .box")).to_have_count(len(STEPS), timeout=20_000)
    part(page, "formula", "reconstruction").tap()
    source = part(page, "source", "reconstruction").first
    until(page, lambda: source.evaluate(VISIBLE) and source.bounding_box()["y"] < 844)
    assert lit(page) == together("reconstruction")
