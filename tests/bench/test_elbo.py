"""How fast the ELBO page opens and answers, the server being warm."""

from __future__ import annotations

import statistics
import time

from pages.elbo.link import SECTIONS

WIDGETS = {  # section: what is pressed, and the text that then changes
    "evidence": "New draws",
    "derivation": "Next",
    "reparameterise": "New draws",
}


def test_opening(opened, server) -> None:
    """From the address to the end of the first run, each section three times, a new visitor each time."""
    opened(f"{server}/elbo").wait_for_timeout(8000)  # the warm-up
    for name in SECTIONS:
        times = []
        for _ in range(3):
            start = time.perf_counter()
            opened(f"{server}/elbo?section={name}")
            times.append(time.perf_counter() - start)
        print(f"\n{name}: opens in {statistics.median(times):.2f} s (goal 2 s)", end="")


def test_answering(opened, server) -> None:
    """From a click to the end of the fragment's run that follows it."""
    for name, button in WIDGETS.items():
        page = opened(f"{server}/elbo?section={name}")
        page.wait_for_timeout(1500)
        times = []
        for _ in range(5):
            ran = page.evaluate(
                """([name]) => new Promise((done) => {
                     const app = document.querySelector("[data-testid=stApp]");
                     const button = [...document.querySelectorAll("button")].find((b) => b.innerText.includes(name));
                     const start = performance.now();
                     let running = false;
                     new MutationObserver((_, seen) => {
                       const state = app.dataset.testScriptState;
                       if (state === "running") running = true;
                       else if (running) { seen.disconnect(); done(performance.now() - start); }
                     }).observe(app, { attributes: true });
                     button.click();
                   })""",
                [button],
            )
            times.append(ran)
        print(f"\n{name}, {button!r}: answered in {statistics.median(times):.0f} ms (goal 150 ms)", end="")
