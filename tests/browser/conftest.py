"""A real server and a real Chromium. A missing browser is a failure, not a skip."""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.browser.setup import FLAGS, system_browser

ROOT = Path(__file__).resolve().parents[2]
FAMILIES = ROOT / "tests" / "families"  # of the tests' own
LECTURERS_KEY = "key-of-the-tests"


@contextmanager
def serving(
    *arguments: str, port: int = 0, prefix: str = "", root: Path = ROOT, **environment: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A fresh server on the port, or on a free one, ready to answer; its address, with the prefix, and its process.

    It serves what lies in `root`: another commit's tree, where two are compared.

    Runs of a test that is over stop soon: else they would take the processor from all tests after it.
    """
    if not port:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    below = ["--server.baseUrlPath", prefix] if prefix else []
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), *below, *arguments]
    with tempfile.TemporaryDirectory() as saved:
        own = {"ELBO_ROOM_RUNS": saved, "ELBO_ROOM_GONE_AFTER_S": "8", "ELBO_ROOM_FAMILIES": str(FAMILIES)}
        own |= {"ELBO_ROOM_KEY": LECTURERS_KEY, "ELBO_ROOM_AT_ONCE": "16"}  # no test waits for another's run
        every = {**own, **os.environ, **environment}  # a test may name others
        process = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, env=every)
        yield from _until_done(process, f"http://127.0.0.1:{port}{prefix}")


@contextmanager
def serving_page(folder: Path, app: str, page: str) -> Iterator[str]:
    """A server with one page of the test's own; `app` is a template with the places {root} and {page}."""
    (folder / "page.py").write_text(page)
    (folder / "app.py").write_text(app.format(root=str(ROOT), page=str(folder / "page.py")))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(folder / "app.py"), "--server.port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    for url, _ in _until_done(process, f"http://127.0.0.1:{port}"):
        yield url


def _until_done(process: subprocess.Popen[bytes], url: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    try:
        _wait_until_healthy(url, process)
        yield url, process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended at once"
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError("the server did not become healthy")


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with serving() as (url, _):
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=system_browser(), args=FLAGS)
        yield browser
        browser.close()


class Windows:
    """Browser contexts, each lent to one visitor at a time: what is cached in them makes a page open twice as fast."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._idle: dict[str, list[BrowserContext]] = {}
        self._lent: list[tuple[str, BrowserContext]] = []

    def lend(self, options: dict[str, object]) -> BrowserContext:
        key = repr(sorted(options.items()))
        idle = self._idle.setdefault(key, [])
        context = idle.pop() if idle else self._browser.new_context(**options)  # type: ignore[arg-type]
        context.grant_permissions(options.get("permissions", []))  # type: ignore[arg-type]  # taken back after each
        self._lent.append((key, context))
        return context

    def take_back(self) -> None:
        """Nothing of their visitors is left: no cookie, no storage, no page."""
        for key, context in self._lent:
            context.set_offline(False)
            for page in context.pages:
                _pause(page)
                page.evaluate("() => { try { localStorage.clear() } catch {} }")  # a blank page has none
                page.close()
            context.clear_cookies()
            context.clear_permissions()
            self._idle[key].append(context)
        self._lent.clear()


def _pause(page: Page) -> None:
    """What a test leaves training takes the processor from the tests after it, until its visitor counts as gone."""
    pause = page.get_by_role("button", name="Pause", exact=True)
    if pause.count() and pause.first.is_enabled():
        pause.first.evaluate("(button) => button.click()")
        with suppress(PlaywrightTimeout):  # it need not come to that: the server or the engine may be gone
            page.get_by_role("button", name="Resume", exact=True).wait_for(timeout=2000)


def visit(page: Page, url: str) -> None:
    """Go there and wait until the page has run."""
    page.goto(url)
    page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']", timeout=60_000)


@pytest.fixture(scope="session")
def windows(browser: Browser) -> Windows:
    return Windows(browser)


@pytest.fixture
def opened(windows: Windows) -> Iterator[Callable[..., Page]]:
    """Opens pages, each a visitor of its own.

    Holds that they asked no other host and for no script that is not there, threw no error and did nothing that the
    server's headers forbid.
    """
    pages: list[Page] = []
    errors: list[str] = []
    hosts: set[str] = set()
    missing: list[str] = []

    def answered(answer: Response) -> None:
        if answer.status == 404 and re.search("/(_stcore|static|assets)/", answer.url):
            missing.append(answer.url)

    def open_page(url: str, **options: object) -> Page:
        page = windows.lend({"viewport": {"width": 1280, "height": 720}, **options}).new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]) if "//" in request.url else None)
        page.on("response", answered)
        visit(page, url)
        pages.append(page)
        return page

    yield open_page
    exceptions = [page.locator("[data-testid='stException']").count() for page in pages]
    windows.take_back()
    assert exceptions == [0] * len(pages)
    assert errors == []
    assert missing == []
    assert all(host.startswith("127.0.0.1:") for host in hosts), hosts
