"""The picture follows the finger: updates a second, frames, event to pixels, and what is sent, while z is dragged."""

import contextlib
import itertools
import json
import math
import socket
import statistics
import threading
import time
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.bench.measure import load, undisturbed
from tests.browser.setup import FLAGS, system_browser

MODELS = ("mnist-vae-mlp-2", "mnist-vae-conv-32")
SECONDS = 6.0
WATCH = """(over) => {
  const root = over.getRootNode().querySelector(".explore"), picture = root.querySelector("[data-part=decoded]");
  const watch = window.watch = { updates: 0, moves: 0, frames: [], delays: [], from: performance.now() };
  let last = null, moved = null;
  const frame = (now) => {
    if (last !== null) watch.frames.push(now - last);
    last = now;
    if (!watch.ended) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  over.addEventListener("pointermove", (event) => { watch.moves += 1; moved ??= event.timeStamp; }, { capture: true });
  new MutationObserver(() => {
    watch.updates += 1;
    const since = moved;
    moved = null;
    const painted = new MessageChannel(); // its message comes after the frame has been painted
    painted.port1.onmessage = () => since !== null && watch.delays.push(performance.now() - since);
    requestAnimationFrame(() => painted.port2.postMessage(null));
  }).observe(picture, { attributes: true, attributeFilter: ["data-z"] });
}"""
END = "() => { watch.ended = true; return { ...watch, seconds: (performance.now() - watch.from) / 1000 } }"


class Hand:
    """Moves the mouse as a hand does: without waiting until the page has dealt with the move before.

    Playwright's own mouse waits, so a page that computes for 10 ms a move would be sent fewer of them.
    """

    def __init__(self, port: int, url: str) -> None:
        targets = json.loads(urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=10).read())
        self._page = connect(
            next(t["webSocketDebuggerUrl"] for t in targets if t["url"].startswith(url)), max_size=None
        )
        self._ids = itertools.count(1)
        threading.Thread(target=self._forget_answers, daemon=True).start()

    def _forget_answers(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            for _ in self._page:
                pass

    def mouse(self, kind: str, x: float, y: float) -> None:
        asked = {
            "type": kind,
            "x": x,
            "y": y,
            "button": "left",
            "buttons": int(kind != "mouseReleased"),
            "clickCount": 1,
        }
        message = {"id": next(self._ids), "method": "Input.dispatchMouseEvent", "params": asked}
        self._page.send(json.dumps(message))

    def drag(self, middle: tuple[float, float], radius: float, seconds: float) -> None:
        """Circles, a move every 8 ms: more often than frames are drawn."""
        begun = time.perf_counter()
        for step in range(int(seconds / 0.008)):
            time.sleep(max(0.0, 0.008 * step - (time.perf_counter() - begun)))
            angle = 0.016 * step
            self.mouse("mouseMoved", middle[0] + radius * math.cos(angle), middle[1] + radius * math.sin(angle))


def measured(page: Page, hand: Hand, sent: list[object], where: str = "over") -> dict[str, float]:
    """A drag over the map, or a stroke on the canvas ("paper"); the picture that follows is the decoded one."""
    over = page.locator(f"[data-part={where}]")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box is not None
    middle, radius = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), 0.3 * box["width"]
    hand.mouse("mousePressed", *middle)
    hand.drag(middle, radius, 1)  # to have met everything once
    over.evaluate(WATCH)
    before = len(sent)
    hand.drag(middle, radius, SECONDS)
    found = page.evaluate(END)
    messages = len(sent) - before
    hand.mouse("mouseReleased", *middle)
    page.wait_for_timeout(800)
    frames, delays = sorted(found["frames"]), sorted(found["delays"])
    return {
        "updates": found["updates"] / found["seconds"],
        "moves": found["moves"] / found["seconds"],
        "within 20 ms": 100 * sum(f <= 20 for f in frames) / len(frames),
        "longest frame": frames[-1],
        "event to pixels": statistics.median(delays),
        "95th": delays[int(0.95 * len(delays))],
        "messages": messages,
    }


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def page(browser, port: int) -> Iterator[Page]:
    """A page of a browser of its own, whose input can also be reached at the port."""
    own = browser.browser_type.launch(
        executable_path=system_browser(), args=[*FLAGS, f"--remote-debugging-port={port}"]
    )
    yield own.new_context(viewport={"width": 1280, "height": 720}).new_page()
    own.close()


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("model", "way"), [(model, way) for way in ("pad", "encode") for model in MODELS])
def test_dragging(model, way, page, port, server, capsys):
    """On the pad z is dragged; in Encode a digit is drawn, normalised, encoded and decoded."""
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.goto(f"{server}/explorer?model={model}&way={way}")
    page.locator(f".explore[data-ready='{model}']").wait_for(timeout=60_000)
    page.wait_for_timeout(3000)  # strips and yardstick are done
    hand = Hand(port, server)
    found = undisturbed(lambda: measured(page, hand, sent, "over" if way == "pad" else "paper"))
    f = {name: f"{value:.1f}" for name, value in found.items()}
    with capsys.disabled():
        print(
            f"\n{model}, {way}: {f['updates']} updates/s (goal 55), {f['moves']} moves/s; "
            f"{f['within 20 ms']} % of frames within 20 ms (goal 95), longest {f['longest frame']}; "
            f"event to pixels median {f['event to pixels']} ms (goal 40), 95th percentile {f['95th']} ms; "
            f"{f['messages']} messages to the server; others kept {f['others']} cores busy; {load()}"
        )
    assert found["updates"] > 0 and found["messages"] == 0


def test_what_travels(opened, server, capsys):
    """Bytes on the wire until a model can be explored, scripts and styles of the component among them."""
    for model in MODELS:
        page = opened(server)
        total: dict[str, int] = {}

        def add(request, total=total):
            kind = next((k for k in ("/assets/", "/explore/", "/map-images") if k in request.url), "")
            if kind and request.response():
                sizes = request.sizes()
                total[kind] = total.get(kind, 0) + sizes["responseBodySize"] + sizes["responseHeadersSize"]

        page.on("requestfinished", add)
        started = time.perf_counter()
        page.goto(f"{server}/explorer?model={model}")
        page.locator(f".explore[data-ready='{model}']").wait_for(timeout=60_000)
        took = time.perf_counter() - started
        parts = ", ".join(f"{kind.strip('/')} {size / 1e6:.2f}" for kind, size in sorted(total.items()))
        with capsys.disabled():
            print(f"\n{model}: {sum(total.values()) / 1e6:.2f} MB on the wire ({parts}), ready after {took:.1f} s")
        assert total["/explore/"] > 0
