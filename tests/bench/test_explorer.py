"""The picture follows the finger: updates a second, frames, event to pixels, and what is sent, while z is dragged."""

from __future__ import annotations

import math
import statistics
import time

import pytest
from playwright.sync_api import Page

from tests.bench.measure import load, undisturbed

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


def drag(page: Page, seconds: float) -> None:
    """Circles over the map with the button down, a move every 8 ms: more often than frames are drawn."""
    box = page.locator("[data-part=over]").bounding_box()
    assert box is not None
    middle, radius = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), 0.3 * box["width"]
    begun = time.perf_counter()
    while (now := time.perf_counter() - begun) < seconds:
        x, y = (m + radius * turn(2 * now) for m, turn in zip(middle, (math.cos, math.sin), strict=True))
        page.mouse.move(x, y)
        time.sleep(max(0.0, 0.008 - (time.perf_counter() - begun - now)))


def measured(page: Page, sent: list[object]) -> dict[str, float]:
    over = page.locator("[data-part=over]")
    over.hover()
    page.mouse.down()
    drag(page, 1)  # to have met everything once
    over.evaluate(WATCH)
    before = len(sent)
    drag(page, SECONDS)
    found = page.evaluate(END)
    messages = len(sent) - before
    page.mouse.up()
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


@pytest.mark.timeout(600)
@pytest.mark.parametrize("model", MODELS)
def test_dragging(model, opened, server, capsys):
    page, sent = watched(opened, f"{server}/explorer?model={model}")
    page.locator(f".explore[data-ready='{model}']").wait_for(timeout=60_000)
    page.wait_for_timeout(3000)  # strips and yardstick are done
    found = undisturbed(lambda: measured(page, sent))
    f = {name: f"{value:.1f}" for name, value in found.items()}
    with capsys.disabled():
        print(
            f"\n{model}: {f['updates']} updates/s (goal 55), {f['moves']} moves/s; {f['within 20 ms']} % of frames "
            f"within 20 ms (goal 95), longest {f['longest frame']}; event to pixels median {f['event to pixels']} ms "
            f"(goal 40), 95th percentile {f['95th']} ms; {f['messages']} messages to the server; others kept "
            f"{f['others']} cores busy; {load()}"
        )
    assert found["updates"] > 0 and found["messages"] == 0


def watched(opened, url: str) -> tuple[Page, list[object]]:
    """A page, and a list that grows with every message that it sends over a socket."""
    sent: list[object] = []
    page = opened(url)
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.reload()
    return page, sent


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
