"""Training speed with and without somebody watching, and the frames of the browser that watches."""

from __future__ import annotations

import itertools
import statistics
import time

from tests.browser.test_live_training import step
from vae_core.config import RunConfig
from vae_core.runs import Runs

SECONDS = 12
FRAMES = """() => { const t = []; window.frames_ = t;
  const tick = (now) => { t.push(now); requestAnimationFrame(tick) }; requestAnimationFrame(tick) }"""


def headless() -> float:
    """Images per second of the same engine process and the same snapshots, with no browser."""
    registry = Runs()
    try:
        run = registry.get(registry.start(RunConfig(epochs=200), "bench"))
        while run.step < 60:
            time.sleep(0.1)
        first, started = run.step, time.perf_counter()
        time.sleep(SECONDS)
        return (run.step - first) * 256 / (time.perf_counter() - started)
    finally:
        registry.close()


def watched(opened, server) -> tuple[float, list[float]]:
    page = opened(f"{server}/training")
    page.get_by_label("Epochs", exact=True).fill("200")
    page.get_by_label("Epochs", exact=True).press("Enter")
    page.wait_for_timeout(500)
    page.get_by_role("button", name="Start").click()
    page.wait_for_timeout(4_000)
    page.evaluate(FRAMES)
    first, started = step(page), time.perf_counter()
    page.wait_for_timeout(SECONDS * 1000)
    rate = (step(page) - first) * 256 / (time.perf_counter() - started)
    times = page.evaluate("() => window.frames_")
    page.get_by_role("button", name="Stop").click()
    return rate, [b - a for a, b in itertools.pairwise(times)]


def test_watched_training(opened, server, capsys):
    alone, with_browser, frames = [], [], []
    for _ in range(2):
        alone.append(headless())
        rate, times = watched(opened, server)
        with_browser.append(rate)
        frames += times
    frames.sort()
    unseen, seen = statistics.mean(alone), statistics.mean(with_browser)
    late = sum(t > 20 for t in frames) / len(frames)
    with capsys.disabled():
        print(f"\nheadless {unseen:,.0f} images/s, watched {seen:,.0f}: {seen / unseen:.2f}")
        print(
            f"frames within 20 ms: {1 - late:.1%}; median {statistics.median(frames):.1f} ms, "
            f"95th percentile {frames[int(0.95 * len(frames))]:.1f} ms, longest {frames[-1]:.0f} ms"
        )
    assert frames
