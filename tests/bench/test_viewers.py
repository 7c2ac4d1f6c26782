"""What a class that follows one run costs the server and the training: 0 and 30 viewers, by turns."""

import statistics
from functools import partial

import pytest

from tests.bench.audience import audience
from tests.bench.measure import Visit, begin, cpu_seconds, load, undisturbed
from tests.browser.conftest import serving

VIEWERS = 30
SECONDS, ROUNDS = 12, 4


def window(visit: Visit, server: int, count: int) -> dict[str, float]:
    """One stretch of time with so many viewers."""
    with audience(visit.address, count, SECONDS + 1) as received:
        before = cpu_seconds(server)
        result = {"images/s": visit.rate(SECONDS), "server": (cpu_seconds(server) - before) / SECONDS}
    return {**result, **received}


@pytest.mark.timeout(3600)  # it waits until the machine is calm
def test_viewers(opened, capsys):
    results: dict[int, list[dict[str, float]]] = {0: [], VIEWERS: []}
    with serving() as (url, process):
        page, run_id = begin(opened, url)
        page.goto(url)  # its visitor stays, on another page: nobody draws, so server and engine are what is measured
        visit = Visit(url, run_id)
        visit.until(300)
        for count in [0, VIEWERS, VIEWERS, 0] * ((ROUNDS + 1) // 2):
            results[count].append(undisturbed(partial(window, visit, process.pid, count), tries=2, patience_s=10))

    def median(count: int, what: str) -> float:
        return statistics.median(r[what] for r in results[count])

    speed = [median(count, "images/s") for count in results]
    server = [100 * median(count, "server") for count in results]
    with capsys.disabled():
        print(f"\n{VIEWERS} viewers of one run, medians of {len(results[0])} windows of {SECONDS} s by turns; {load()}")
        print(
            f"  server CPU   0 viewers {server[0]:5.1f} %   {VIEWERS} viewers {server[1]:5.1f} % of a core: "
            f"{server[1] - server[0]:+.1f} % (goal: under 5)"
        )
        print(
            f"  training     0 viewers {speed[0]:,.0f}   {VIEWERS} viewers {speed[1]:,.0f} images/s: "
            f"ratio {speed[1] / speed[0]:.3f} (goal: 0.97)"
        )
        print(
            f"  each viewer {median(VIEWERS, 'messages'):.1f} messages, "
            f"{median(VIEWERS, 'kilobytes'):.0f} kB a second; "
            f"others kept {median(0, 'others'):.2f} and {median(VIEWERS, 'others'):.2f} cores busy"
        )
    assert all(r["messages"] > 0 for r in results[VIEWERS])
