"""`python -m tests.bench.words [--against REF] [--out FILE] [--only TEXT]`: how many words each page shows.

Every page, section and way is opened in a real Chromium at 1280x720 as by a visitor who comes for the first time, and
read once it has come to rest. Counted is every word with a letter in it that is rendered in the main area or the
sidebar, the labels of charts and all shadow roots of components included; what is folded, hidden or drawn into pixels
is not. A formula counts as drawn, without its copy for screen readers; names of icons are no words.

Writes JSON {page: words}. With --against, the same for another commit, served from a temporary worktree of its own,
and both columns side by side: no page is to show more words than it did.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, Request, sync_playwright
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import TimeoutError as BrowserTimeout

from tests.browser.conftest import LECTURERS_KEY, ROOT, serving, visit
from tests.browser.setup import FLAGS, system_browser

PLACES = {  # what the table calls it, and its address
    "home": "",
    "elbo: p(x)": "elbo",
    "elbo: three ways, Bayes": "elbo?section=derivation",
    "elbo: three ways, multiply": "elbo?section=derivation&way=multiply",
    "elbo: three ways, Jensen": "elbo?section=derivation&way=jensen",
    "elbo: see the bound": "elbo?section=bound",
    "elbo: KL": "elbo?section=kl",
    "elbo: reparameterise, two ways": "elbo?section=reparameterise",
    "elbo: reparameterise, autograd": "elbo?section=reparameterise&reparameterise=autograd",
    "elbo: reparameterise, log variance": "elbo?section=reparameterise&reparameterise=log variance",
    "elbo: likelihood, one pixel": "elbo?section=likelihood",
    "elbo: likelihood, sigma": "elbo?section=likelihood&likelihood=sigma",
    "elbo: likelihood, sum or mean": "elbo?section=likelihood&likelihood=reduction",
    "elbo: code": "elbo?section=code",
    "training": "training",
    "plane": "plane",
    "ablation: drop a term": "ablation",
    "ablation: drop a term, the end": "ablation?step=470",
    "ablation: bug lab, mean over pixels": "ablation?section=bugs",
    "ablation: bug lab, log_var": "ablation?section=bugs&bug=log-var",
    "ablation: bug lab, mean": "ablation?section=bugs&bug=mean",
    "ablation: bug lab, draws": "ablation?section=bugs&bug=draws",
    "ablation: dose": "ablation?section=dose",
    "check: first question": "check",
    "explorer: pad": "explorer",
    "explorer: encode": "explorer?way=encode",
    "explorer: interpolate": "explorer?way=interpolate",
    "explorer: arithmetic": "explorer?way=arithmetic",
    "explorer: traverse": "explorer?way=traverse",
    "explorer: prior": "explorer?way=prior",
    "explorer: labels": "explorer?model=mnist-cvae-mlp-2&way=labels",
    "explorer: code map": "explorer?model=mnist-vq&way=codes",
    "family": "family",
    "room": f"room?key={LECTURERS_KEY}",
}
REST, LONGEST = 5.0, 180.0  # seconds without a change that count as rest; after so many it is read as it is

READ = """() => {
  const words = [];
  const icons = "[data-testid=stIconMaterial], [translate=no][aria-hidden=true]"; // their names are drawn as pictures
  const unseen = `${icons}, .katex-mathml, script, style, noscript, template, title, option`;
  const collect = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      const range = document.createRange();
      range.selectNodeContents(node);
      const boxes = [...range.getClientRects()];
      if (boxes.some((box) => box.width > 1 && box.height > 1)) words.push(...node.data.split(/\\s+/));
      return;
    }
    if (node.nodeType === Node.ELEMENT_NODE) {
      if (node.matches(unseen)) return;
      const contents = getComputedStyle(node).display === "contents" || node instanceof HTMLSlotElement;
      if (!contents && !node.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return;
      const { clip, clipPath } = getComputedStyle(node);
      if (clip.startsWith("rect(0") || clipPath === "inset(50%)") return;
      if (node.shadowRoot) return collect(node.shadowRoot);
      if (node instanceof HTMLSlotElement) {
        for (const child of node.assignedNodes()) collect(child);
      }
    }
    for (const child of node.childNodes) collect(child);
  };
  for (const area of document.querySelectorAll("[data-testid=stMain], [data-testid=stSidebarUserContent]")) {
    collect(area);
  }
  return words.filter((word) => /\\p{L}/u.test(word));
}"""


# A script runs, or something is still to come: a part of Streamlit's own code, or a component that has drawn nothing.
MOVES = """() => {
  const empty = (host) => {
    const roots = [host, ...host.querySelectorAll("*")].map((e) => e.shadowRoot).filter(Boolean);
    const inside = roots.flatMap((root) => [...root.querySelectorAll("*")]);
    return inside.filter((e) => e.innerText?.trim() || e.matches("canvas, svg")).length < 3;
  };
  const running = "[data-test-script-state=running], [data-testid=stSkeleton]";
  const shown = (host) => host.getBoundingClientRect().height > 2; // one that only scrolls has no place of its own
  const hosts = [...document.querySelectorAll("[data-testid^=stBidi]")].filter(shown);
  return !!document.querySelector(running) || hosts.some(empty);
}"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.words", description="Count the visible words.")
    parser.add_argument("--against", metavar="REF", help="a commit whose pages are counted, too")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the JSON there")
    parser.add_argument("--only", default="", metavar="TEXT", help="places whose name holds this text")
    parser.add_argument("--text", action="store_true", help="print the words themselves, to see what is counted")
    options = parser.parse_args(arguments)
    places = {name: path for name, path in PLACES.items() if options.only in name}
    now = count(ROOT, places, options.text)
    report: dict[str, object] = {name: words for name, words in now.items()}
    if options.against:
        with another_tree(options.against) as tree:
            before = count(tree, places, options.text)
        print_table(before, now, options.against)
        report = {"now": now, options.against: before}
    text = json.dumps(report, indent=1)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    if not options.against:
        print(text)
    return 0


@contextlib.contextmanager
def another_tree(ref: str) -> Iterator[Path]:
    """A worktree of that commit, for as long as it is needed."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        _git("worktree", "add", "--detach", "--quiet", str(tree), ref)
        try:
            yield tree
        finally:
            _git("worktree", "remove", "--force", str(tree))


def _git(*words: str) -> None:
    subprocess.run(["git", *words], cwd=ROOT, check=True)


def count(root: Path, places: dict[str, str], told: bool = False) -> dict[str, int | None]:
    """The visible words of each place of a tree; None where it has no such place.

    Args:
        told: print the words, too.
    """
    found: dict[str, int | None] = {}
    with serving(root=root, ELBO_ROOM_FAMILIES="", PYTHONPATH=str(root)) as (url, _), sync_playwright() as p:
        browser = p.chromium.launch(executable_path=system_browser(), args=FLAGS)
        context = browser.new_context(viewport={"width": 1280, "height": 720}, color_scheme="light")
        for name, path in places.items():
            words = words_of(context, f"{url}/{path}", tries=3)
            found[name] = None if words is None else len(words)
            print(f"{name:<36} {found[name]}", file=sys.stderr, flush=True)
            if told and words is not None:
                print(f"  {' '.join(words)}", file=sys.stderr)
        browser.close()
    return found


def words_of(context: BrowserContext, url: str, tries: int = 1) -> list[str] | None:
    """What a first visitor reads there, whose browser holds nothing but the scripts; None if the link does not hold.

    Args:
        tries: that may take longer than a minute to open, on a busy machine.
    """
    page, on_its_way = context.new_page(), set[Request]()
    page.on("request", lambda request: on_its_way.add(request))
    for end in ("requestfinished", "requestfailed"):
        page.on(end, lambda request: on_its_way.discard(request))
    try:
        visit(page, url)
        words = at_rest(page, on_its_way)
        lost = page.get_by_text("This link does not hold in full").count() or page.get_by_text("Page not found").count()
        page.evaluate("() => localStorage.clear()")
        return None if lost else words
    except BrowserTimeout:
        if tries == 1:
            raise
    finally:
        page.close()
        context.clear_cookies()
    return words_of(context, url, tries - 1)


def at_rest(page: Page, on_its_way: set[Request]) -> list[str]:
    """The words once they have stayed the same for a while, and nothing is on its way.

    Args:
        on_its_way: requests that the page has made and that have not ended.
    """
    words: list[str] = []
    since = started = time.monotonic()
    while time.monotonic() - since < REST and time.monotonic() - started < LONGEST:
        page.wait_for_timeout(1000)
        try:
            page.evaluate("() => new Promise((idle) => requestIdleCallback(idle, { timeout: 20000 }))")
            seen, moves = page.evaluate(READ), page.evaluate(MOVES)
        except BrowserError:  # it goes on to another address
            seen, moves = [], True
        if seen != words or moves or on_its_way or not seen:
            words, since = seen, time.monotonic()
    return words


def print_table(before: dict[str, int | None], now: dict[str, int | None], ref: str) -> None:
    print(f"{'visible words':<36} {ref:>10} {'now':>6} {'more':>6}")
    for name, words in now.items():
        old = before[name]
        more = "" if old is None or words is None else f"{words - old:+d}"
        print(f"{name:<36} {'-' if old is None else old:>10} {'-' if words is None else words:>6} {more:>6}")


if __name__ == "__main__":
    sys.exit(main())
