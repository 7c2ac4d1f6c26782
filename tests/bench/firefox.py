"""`python -m tests.bench.firefox [PAGE …]`: every page and section in a real Firefox: opens, draws, says no error.

It speaks WebDriver BiDi with the browser over one socket, without any driver between. Needs a Firefox (Debian:
`apt-get install firefox-esr`); ELBO_FIREFOX names another one. Exit status 1 where anything is amiss.
"""

import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.browser.conftest import serving

SECTIONS = ("evidence", "derivation", "bound", "kl", "reparameterise", "likelihood", "code")
WAYS = ("pad", "encode", "interpolate", "arithmetic", "traverse", "prior")
PAGES = (
    "",
    *(f"elbo?section={section}" for section in SECTIONS),
    "training",
    "plane",
    "ablation",
    *(f"explorer?way={way}" for way in WAYS),
    "explorer?model=mnist-vae-conv-32",
    "explorer?model=mnist-vq",
    "family",
    "check",
)
PATIENCE_S = 60.0
STILL = 3  # looks in a row, a second apart, that find the same
QUIET = {
    "browser.shell.checkDefaultBrowser": False,
    "app.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
}
# Streamlit asks whether it may have WebAssembly, and does without; and a page that is left has one more thing to say.
KNOWN = ("blocked WebAssembly", "when disconnected from server")

# What a page shows: whether it rests, its exceptions, and how many of its pictures are not blank.
STATE = """(() => {
  const every = (root) => [...root.querySelectorAll("*")].flatMap((node) =>
    node.shadowRoot ? [node, ...every(node.shadowRoot)] : [node]);
  const nodes = every(document);
  const drawn = nodes.filter((node) => {
    if (node.matches("svg")) return node.getBoundingClientRect().width > 100 && node.querySelector("path, line");
    if (!node.matches("canvas") || !node.offsetWidth) return false;
    const { data } = node.getContext("2d").getImageData(0, 0, node.width, node.height);
    const words = new Uint32Array(data.buffer);
    return words.some((word) => word !== words[0]);
  });
  const app = document.querySelector("[data-testid=stApp]");
  return JSON.stringify({
    rests: app?.dataset.testScriptState === "notRunning" && !document.querySelector("#elbo-opening"),
    exceptions: document.querySelectorAll("[data-testid=stException]").length,
    fetching: nodes.filter((n) => n.matches(".message") && n.offsetHeight && /Fetching/.test(n.textContent)).length,
    canvases: nodes.filter((node) => node.matches("canvas") && node.offsetWidth).length,
    drawn: drawn.length,
    words: document.body.innerText.length,
  });
})()"""

FIND = """(() => {
  const find = (root, name) => { for (const node of root.querySelectorAll("*")) {
    if (node.dataset?.part === name) return node;
    const below = node.shadowRoot && find(node.shadowRoot, name);
    if (below) return below;
  } };
  const box = find(document, "over").getBoundingClientRect();
  return JSON.stringify([box.x, box.y, box.width, box.height, find(document, "decoded").toDataURL()]);
})()"""


class Firefox:
    """One window of a Firefox, by its socket."""

    def __init__(self, socket_: ClientConnection) -> None:
        self.socket = socket_
        self.ids = itertools.count(1)
        self.errors: list[str] = []
        self.ask("session.new", capabilities={})
        self.ask("session.subscribe", events=["log.entryAdded"])
        self.context = self.ask("browsingContext.getTree")["contexts"][0]["context"]
        self.ask("browsingContext.setViewport", context=self.context, viewport={"width": 1280, "height": 720})

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and wait for its answer; events that come before it are heard."""
        asked = next(self.ids)
        self.socket.send(json.dumps({"id": asked, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.recv(timeout=PATIENCE_S))
            if message.get("type") == "event":
                self.hear(message["params"])
            elif message.get("id") == asked:
                if message["type"] == "error":
                    raise RuntimeError(f"{method}: {message['message']}")
                return dict(message["result"])

    def hear(self, entry: dict[str, Any]) -> None:
        text = str(entry.get("text"))
        if entry.get("level") == "error" and not any(known in text for known in KNOWN):
            self.errors.append(text[:200])

    def evaluate(self, script: str) -> Any:
        found = self.ask("script.evaluate", expression=script, target={"context": self.context}, awaitPromise=True)
        if found["type"] == "exception":
            raise RuntimeError(found["exceptionDetails"]["text"])
        return json.loads(found["result"]["value"])

    def go(self, url: str) -> None:
        self.errors.clear()
        self.ask("browsingContext.navigate", context=self.context, url=url, wait="interactive")

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        moves = [{"type": "pointerMove", "x": int(x), "y": int(y), "duration": 200} for x, y in (start, end)]
        acts = [moves[0], {"type": "pointerDown", "button": 0}, moves[1], {"type": "pointerUp", "button": 0}]
        mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": acts}
        self.ask("input.performActions", context=self.context, actions=[mouse])


@contextmanager
def opened() -> Iterator[Firefox]:
    """A Firefox with a profile of its own, without windows."""
    named = os.environ.get("ELBO_FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")
    if named is None:
        sys.exit("No Firefox was found: install one (apt-get install firefox-esr), or name it in ELBO_FIREFOX.")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in QUIET.items()]
        Path(profile, "user.js").write_text("\n".join(lines))
        command = [named, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", str(port)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with reach(port) as line:
                yield Firefox(line)
        finally:
            process.terminate()
            process.wait(15)


def reach(port: int) -> ClientConnection:
    for _ in range(150):
        try:
            return connect(f"ws://127.0.0.1:{port}/session", max_size=None)
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("Firefox did not answer.")


def wait_until_drawn(firefox: Firefox) -> dict[str, Any]:
    """The state of the page once it rests and nothing more comes."""
    before, same = dict[str, Any](), 0
    for _ in range(int(PATIENCE_S)):
        state = dict(firefox.evaluate(STATE))
        same = same + 1 if state == before else 0
        if state["rests"] and not state["fetching"] and same == STILL:
            return state
        before = state
        time.sleep(1)
    return before | {"rests": False}


def faults_of(firefox: Firefox, state: dict[str, Any]) -> list[str]:
    found = [f"said: {error}" for error in firefox.errors]
    found += [] if state["rests"] else [f"did not come to rest: {state}"]
    found += ["shows an exception"] if state["exceptions"] else []
    found += ["has drawn nothing"] if state["canvases"] and not state["drawn"] else []
    return found + (["is empty"] if state["words"] < 100 else [])


def drag_over_the_map(firefox: Firefox) -> list[str]:
    left, top, width, height, before = firefox.evaluate(FIND)
    firefox.drag((left + width * 0.5, top + height * 0.5), (left + width * 0.75, top + height * 0.4))
    time.sleep(0.5)
    return ["a drag over the map leaves x̂ as it was"] if firefox.evaluate(FIND)[-1] == before else []


def main() -> int:
    amiss = 0
    with serving() as (url, _), opened() as firefox:
        for path in sys.argv[1:] or PAGES:
            firefox.go(f"{url}/{path}")
            state = wait_until_drawn(firefox)
            faults = faults_of(firefox, state)
            if path == "explorer?way=pad":
                faults += drag_over_the_map(firefox)
            print(f"{path or 'home':36} {state['drawn']:3} pictures, {state['canvases']:3} canvases", flush=True)
            for fault in faults:
                print(f"    {fault}")
            amiss += len(faults)
    print(f"{amiss} faults" if amiss else "no fault")
    return int(amiss > 0)


if __name__ == "__main__":
    sys.exit(main())
