"""How soon the pictures of another moment are on the screen: from the move of the bar to the frame that shows them."""

import random
import statistics

import pytest
from playwright.sync_api import Page

from tests.bench.measure import Others, Visit, begin, load

MOMENTS = 40
NEVER = 5000.0  # ms: a picture that has not come by then
MOVE = """(bar, index) => new Promise((done) => {
  const live = bar.closest(".live");
  bar.value = index;
  const start = performance.now();
  bar.dispatchEvent(new Event("input"));
  const wanted = bar.getAttribute("aria-valuetext").replace("step ", "");
  const seen = () => {
    if (performance.now() - start > 5000) return done(null);
    if (live.dataset.step !== wanted) return requestAnimationFrame(seen);
    const painted = new MessageChannel();  // its message comes after the frame has been painted
    painted.port1.onmessage = () => done(performance.now() - start);
    painted.port2.postMessage(null);
  };
  requestAnimationFrame(seen);
})"""


def scrub(page: Page) -> list[float]:
    """Milliseconds for moments in random order, none of them seen before; a picture that never comes counts 5 s."""
    bar = page.locator("[data-part=scrub]")
    page.wait_for_function(f"e => e.max >= {MOMENTS}", arg=bar.element_handle(), timeout=300_000)
    others, times = Others(), []
    for index in random.Random(0).sample(range(int(bar.get_attribute("max") or 0)), MOMENTS):
        times.append(bar.evaluate(MOVE, index) or NEVER)
        page.wait_for_timeout(150)
    print(f"\n  others kept {others.cores():.2f} cores busy; {load()}", end="")
    return sorted(times)


def report(name: str, times: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(
            f"\n{name}: new pictures after {statistics.median(times):.0f} ms, "
            f"95th percentile {times[int(0.95 * len(times))]:.0f} ms, longest {times[-1]:.0f} ms (goal: 100)"
        )


def test_scrubbing_the_shipped_run(opened, server, capsys):
    times = scrub(opened(f"{server}/training"))
    report("shipped run", times, capsys)
    assert len(times) == MOMENTS and times[-1] < NEVER


@pytest.mark.timeout(900)
def test_scrubbing_an_own_run_while_it_trains(opened, server, capsys):
    page, run_id = begin(opened, server)
    Visit(server, run_id).until(2000)
    times = scrub(page)
    report("own run, training", times, capsys)
    assert len(times) == MOMENTS  # the film goes on: a frame may be thinned out before it is fetched
