"""How fast the ELBO page opens and answers, the server being warm, and the frames of the browser while one drags."""

import itertools
import math
import re
import statistics
import time

import pytest
from playwright.sync_api import Page

from pages.elbo.settings import SECTIONS
from tests.bench.measure import Others, load, undisturbed

FRAME_MS = 20  # a frame of 60 Hz, with slack
PER_S, MOVES = 60, 240  # of the pointer
WIDGETS = {  # what is pressed, by section; the run of the script that follows is timed
    "evidence": "New draws",
    "derivation": "Next",
    "reparameterise": "New draws",
}
SIX_TIMES = {  # what the address or the page says when each of six presses was carried out
    "evidence": r"[?&]seed=6",
    "derivation": r"[?&]line=7",
    "reparameterise": r"Seed of the draws 6\.",
}
DRAGS = {  # what is dragged, and the number that answers
    "bound": (".bound .plane .handle.centre", "[data-bar=elbo]"),
    "kl": ("[aria-label='mean of q']", "[data-part=exact_qp]"),
}
ANSWERED = """(act) => new Promise((done, failed) => {
  setTimeout(() => failed(new Error("no run of the script within 10 s")), 10000);
  const app = document.querySelector("[data-testid=stApp]");
  const start = performance.now();
  let running = false;
  new MutationObserver((_, seen) => {
    if (app.dataset.testScriptState === "running") running = true;
    else if (running) { seen.disconnect(); done(performance.now() - start) }
  }).observe(app, { attributes: true });
  const button = [...document.querySelectorAll("button")].find((b) => b.innerText.includes(act));
  button.click();
})"""
# An answer: from the first movement of the pointer that is not yet answered to the new number.
WATCH = """(output) => {
  const seen = window.seen_ = { frames: [], answers: [] };
  let asked = null;
  addEventListener("pointermove", (event) => { asked ??= event.timeStamp }, true);
  new MutationObserver(() => {
    if (asked !== null) seen.answers.push(performance.now() - asked);
    asked = null;
  }).observe(output, { childList: true, characterData: true, subtree: true });
  const tick = (now) => { seen.frames.push(now); requestAnimationFrame(tick) };
  requestAnimationFrame(tick);
}"""


@pytest.fixture(scope="module")
def warm(server: str, browser: object) -> str:
    """The address of the page on a server that has had the time to warm up."""
    time.sleep(15)
    return f"{server}/elbo"


@pytest.mark.parametrize("name", SECTIONS)
def test_opening(opened, warm: str, name: str) -> None:
    """From the address to the end of the first run, five times, a new visitor each time."""
    others, times = Others(), []
    for _ in range(5):
        start = time.perf_counter()
        page = opened(f"{warm}?section={name}")
        times.append(time.perf_counter() - start)
        assert page.get_by_role("radio", name=SECTIONS[name]).is_checked()
    said = f"{statistics.median(times):.2f} s, longest {max(times):.2f} s (goal 2 s)"
    print(f"\n{name}: opens in {said}; others kept {others.cores():.1f} cores busy, {load()}", end="")


@pytest.mark.parametrize("name", WIDGETS)
def test_answering(opened, warm: str, name: str) -> None:
    """From a click to the end of the run of the fragment that follows it."""
    page = opened(f"{warm}?section={name}")
    page.wait_for_timeout(2500)
    others, times = Others(), []
    for _ in range(6):
        page.wait_for_timeout(300)
        page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']")
        times.append(page.evaluate(ANSWERED, WIDGETS[name]))
    assert re.search(SIX_TIMES[name], f"{page.url} {page.inner_text('[data-testid=stMain]')}")
    said = f"{statistics.median(times):.0f} ms, longest {max(times):.0f} ms (goal 150 ms)"
    print(f"\n{name}, {WIDGETS[name]!r}: answered in {said}; others kept {others.cores():.1f} cores busy", end="")


@pytest.mark.parametrize("name", DRAGS)
def test_dragging(opened, warm: str, name: str) -> None:
    """A handle is led in circles; nothing of it goes through the server."""
    handle, output = DRAGS[name]
    page = opened(f"{warm}?section={name}")
    page.wait_for_timeout(3000)
    page.locator(output).evaluate(WATCH)
    found = undisturbed(lambda: drag(page, handle), tries=3, patience_s=20)
    print(
        f"\n{name}: median frame {found['frame']:.1f} ms, {found['in time']:.1%} within {FRAME_MS} ms; the number "
        f"follows the pointer after {found['answer']:.1f} ms (95th percentile {found['late']:.1f} ms), "
        f"{found['answers']:.0f} times in {found['frames']:.0f} frames; others kept {found['others']:.1f} cores busy",
        end="",
    )
    assert found["answers"] > 0.5 * MOVES


def drag(page: Page, handle: str) -> dict[str, float]:
    """Circles of 60 pixels at the pace of a hand."""
    box = page.locator(handle).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate("() => { seen_.frames.length = seen_.answers.length = 0 }")
    start = time.perf_counter()
    for i in range(MOVES):
        turn = 2 * math.pi * i / PER_S
        page.mouse.move(x + 30 * (math.cos(turn) - 1), y + 30 * math.sin(turn))
        time.sleep(max(0.0, start + i / PER_S - time.perf_counter()))
    seen = page.evaluate("() => seen_")
    page.mouse.move(x, y)
    page.mouse.up()
    frames = [b - a for a, b in itertools.pairwise(seen["frames"])]
    answers = sorted(seen["answers"]) or [math.inf]
    return {
        "frame": statistics.median(frames),
        "in time": sum(t <= FRAME_MS for t in frames) / len(frames),
        "frames": len(frames),
        "answer": statistics.median(answers),
        "late": answers[int(0.95 * len(answers))],
        "answers": len(seen["answers"]),
    }
