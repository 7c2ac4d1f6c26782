"""The whole app below a prefix, behind proxies, and in the frame of another site."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, Request, expect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.browser.conftest import serving, visit
from tests.browser.proxy import proxying
from tests.browser.setup import FLAGS, system_browser
from tests.browser.test_explorer_upload import paper

PREFIX = "/lab/room"


class Lab(NamedTuple):
    """A server with all settings on, a proxy before it that rewrites the Host, and the site of a course.

    To a browser, `localhost` is a safe place as https is, and `course.test` none.
    """

    url: str
    proxied: str
    course: str
    safe_course: str


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with proxying(f"http://127.0.0.1:{port}", host="internal.example") as front, framing() as site:
        origin, courses = f"http://127.0.0.1:{front}", (f"http://course.test:{site}", f"http://localhost:{site}")
        settings = {"ELBO_ROOM_ORIGINS": origin, "ELBO_ROOM_FRAMES": " ".join(courses)}
        with serving(port=port, prefix=PREFIX, **settings) as (url, _):
            yield Lab(url, origin + PREFIX, *courses)


class CoursePage(BaseHTTPRequestHandler):
    """Shows the address after its `?` in a frame."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        address = self.path.partition("?")[2]
        self.wfile.write(f"<h1>Course</h1><iframe src='{address}' width='1250' height='680'></iframe>".encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def framing() -> Iterator[int]:
    """The port of the course. A page that Playwright makes up would not do: it may frame nothing of this machine's."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), CoursePage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def go(page: Page | FrameLocator, name: str) -> None:
    page.get_by_role("link", name=name).first.click()


def train(page: Page | FrameLocator) -> None:
    """Some steps, as the live data tell them."""
    page.get_by_role("button", name="Start", exact=True).click()
    progress = page.locator("[data-part=progress]")
    expect(progress).to_have_text(re.compile(r"of 20 · step [1-9]"), timeout=60_000)
    page.get_by_role("button", name="Pause", exact=True).click()


def test_all_pages_show_their_panels_below_a_prefix(opened, lab):
    page = opened(f"{lab.url}/elbo?section=bound")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    expect(page.locator("canvas").first).to_be_visible(timeout=60_000)
    visit(page, lab.url)  # without a slash at its end
    assert page.url == f"{lab.url}/"
    expect(page.locator(".passage[data-ready]")).to_be_visible(timeout=30_000)
    go(page, "Live training")
    expect(page.locator("[data-part=status]")).to_have_text("finished", timeout=60_000)
    train(page)
    page.locator("[data-part=why]").click()
    read_on = page.get_by_role("link", name="Read on").evaluate("(link) => link.href")
    assert read_on.startswith(f"{lab.url}/elbo?section=")
    go(page, "Ablation")
    expect(page.locator(".arm [data-part=status]")).to_have_text(["finished"] * 3, timeout=60_000)
    go(page, "Explorer")
    expect(page.locator("canvas").first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Fetching the model…")).to_be_hidden(timeout=60_000)
    assert {url for url in asked if not url.startswith((lab.url, "blob:", "data:"))} == set()
    (cookie,) = [cookie for cookie in page.context.cookies() if cookie["name"] == "elbo_room_visitor"]
    assert cookie["path"] == PREFIX
    headers = page.request.get(lab.url).headers
    assert headers["x-content-type-options"] == "nosniff" and "default-src 'none'" in headers["content-security-policy"]


def test_a_proxy_may_take_a_prefix_away(opened, server):
    with proxying(server, strip=PREFIX) as port:
        page = opened(f"http://127.0.0.1:{port}{PREFIX}/training")
        expect(page.locator("[data-part=status]")).to_have_text("finished", timeout=60_000)


def test_behind_a_proxy_that_rewrites_the_host_the_page_names_cause_and_cure(browser, server):
    with proxying(server, host="internal.example") as port:
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}/training")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text(f"ELBO_ROOM_ORIGINS=http://127.0.0.1:{port}\n", timeout=30_000)
        expect(dialog).to_contain_text("'internal.example'")
        page.close()


def test_with_the_setting_that_proxy_is_no_hindrance(opened, lab):
    page = opened(f"{lab.proxied}/training")
    expect(page.locator("[data-part=status]")).to_have_text("finished", timeout=60_000)


# ---- in a frame


@contextmanager
def course(browser: Browser, site: str, address: str) -> Iterator[tuple[Page, FrameLocator]]:
    """A page of the course with ours in its frame, in a browser that takes `*.test` for this machine."""
    flags = [*FLAGS, "--host-resolver-rules=MAP *.test 127.0.0.1"]
    other = browser.browser_type.launch(executable_path=system_browser(), args=flags)
    page = other.new_page(viewport={"width": 1280, "height": 720})
    page.goto(f"{site}/?{address}")
    yield page, page.frame_locator("iframe")
    other.close()


PUT_TOO_MUCH = """async (url) => {
  const body = new FormData();
  body.append("file", new File([new Uint8Array(25.5 * 1024 * 1024)], "large.png"));
  const answer = await fetch(url + "0", { method: "PUT", body });
  return [answer.status, await answer.text()];
}"""


def test_in_a_frame_without_any_cookie_one_can_train_and_upload_not_too_much(browser, lab):
    """Plain http: no browser keeps a cookie of a frame there."""
    uploads: list[Request] = []
    room = lab.url.replace("127.0.0.1", "room.test")
    with course(browser, lab.course, f"{room}/training") as (page, frame):
        page.on("request", lambda request: uploads.append(request) if request.method == "PUT" else None)
        train(frame)
        go(frame, "Explorer")
        frame.get_by_text("Encode", exact=True).first.click(timeout=60_000)
        frame.get_by_role("button", name="Upload a digit").click()
        file: Any = {"name": "two.png", "mimeType": "image/png", "buffer": paper()}
        frame.locator("[data-testid='stFileUploader'] input[type=file]").set_input_files(file)
        expect(frame.locator("[data-part=mine]")).to_have_attribute("aria-pressed", "true", timeout=30_000)
        assert page.context.cookies() == []
        assert page.frames[1].evaluate(PUT_TOO_MUCH, uploads[0].url) == [413, "File too large"]


def test_in_a_frame_in_a_safe_place_a_visitor_has_a_cookie_of_that_place(browser, lab):
    with course(browser, lab.safe_course, lab.url) as (page, frame):
        expect(frame.locator("#root")).to_be_attached()
        (cookie,) = page.context.cookies()
        assert cookie["name"] == "elbo_room_visitor" and cookie["secure"] and cookie["sameSite"] == "None"
        assert cookie["partitionKey"] == "http://localhost"


# ---- sizes


@pytest.mark.parametrize(("path", "size"), [("_stcore/stream", 1_200_000), ("live/mnist-vae-mlp-2", 17_000_000)])
def test_a_message_that_is_too_large_ends_its_connection(path, size, server):
    address = f"{server.replace('http', 'ws')}/{path}"
    with connect(address, max_size=None) as viewer, pytest.raises(ConnectionClosed) as ended:
        viewer.send(bytes(size))
        while True:
            viewer.recv(timeout=20)
    assert ended.value.rcvd is None or ended.value.rcvd.code == 1009  # it may end before the reason can be read
