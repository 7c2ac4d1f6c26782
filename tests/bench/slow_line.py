"""`python -m tests.bench.slow_line`: what a slow line has to bear, page by page, in a Chromium that is held back.

1.5 Mbit/s with 40 ms each way, an empty cache. Of every page: bytes and seconds until something can be read (title and
progress), until its first picture is drawn, and until nothing is fetched any more. Bytes are those on the wire, "ours"
without Streamlit's own scripts and fonts. `--json FILE` writes the figures, `--open` does not hold the line back.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import serving
from tests.browser.setup import FLAGS, system_browser
from tests.browser.wire import MILESTONES, Line

PAGES = ("", "elbo", "training", "plane", "ablation", "explorer", "family", "check")
QUIET_S = 3.0  # nothing more has come for so long: the page is complete
LONGEST_S = 90.0


def measure(browser: Browser, url: str, slow: bool = True) -> dict[str, Any]:
    """One page in a new window: nothing of it is cached."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    line = Line(page, slow)
    page.goto(url, wait_until="commit", timeout=LONGEST_S * 1000)
    waited, before = 0.0, -1
    quiet = 0.0
    while waited < LONGEST_S and (quiet < QUIET_S or ("picture" not in line.at and waited < 20)):
        page.wait_for_timeout(250)
        waited += 0.25
        now = sum(line.bytes.values())
        quiet = quiet + 0.25 if now == before else 0.0
        before = now
    found = {**{name: line.at.get(name) for name in MILESTONES}, "complete": line.figures()}
    found |= {"failed": line.missing, "largest": line.largest()}
    page.close()
    return found


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.slow_line", description=__doc__)
    parser.add_argument("--pages", nargs="+", default=list(PAGES))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--open", action="store_true", help="do not hold the line back")
    parser.add_argument("--largest", action="store_true", help="also what took most")
    options = parser.parse_args(arguments)
    rows: dict[str, Any] = {}
    with serving() as (url, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=system_browser(), args=FLAGS)
        print("page       |    words: s, kB |      picture: s, kB, ours |     complete: s, kB, ours | failed")
        for name in options.pages:
            rows[name or "home"] = row = measure(browser, f"{url}/{name}", slow=not options.open)
            print(line_of(name or "home", row), flush=True)
            for size, what in row["largest"] if options.largest else ():
                print(f"{size:>12.1f} kB {what}")
        browser.close()
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def line_of(name: str, row: dict[str, Any]) -> str:
    words, picture, complete = row["words"], row["picture"], row["complete"]
    cells = [
        f"{words['s']:>7.1f} {words['kB']:>8.1f}" if words else f"{'never':>16}",
        f"{picture['s']:>8.1f} {picture['kB']:>8.1f} {picture['ours_kB']:>8.1f}" if picture else f"{'none':>26}",
        f"{complete['s']:>8.1f} {complete['kB']:>8.1f} {complete['ours_kB']:>8.1f}",
    ]
    return " | ".join([f"{name:10}", *(f"{cell:>16}" for cell in cells), str(len(row["failed"]))])


if __name__ == "__main__":
    main()
