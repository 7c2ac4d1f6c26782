"""What comes over the line to one page: bytes of every request, and how many had come at each of its milestones."""

from typing import Any

from playwright.sync_api import CDPSession, Page

BITS_A_SECOND, LATENCY_MS = 1.5e6, 40
MILESTONES = ("words", "picture")

# Streamlit's own scripts come below `static`; components live in shadow roots, so pictures are looked for there, too.
WATCH = """() => {
  if (window !== window.top) return;
  const seen = {};
  const tell = (what) => seen[what] || ((seen[what] = true), window.milestone(what));
  const every = function* (root) {
    for (const node of root.querySelectorAll("*")) {
      yield node;
      if (node.shadowRoot) yield* every(node.shadowRoot);
    }
  };
  const drawn = (canvas) => {
    if (!canvas.offsetWidth || !canvas.width || !canvas.height) return false;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const words = new Uint32Array(data.buffer);
    return words.some((word) => word !== words[0]);
  };
  const look = () => {
    if (document.body?.innerText.trim()) tell("words");
    for (const node of every(document)) {
      const picture = node.matches("svg.main-svg, [data-testid=stMain] img") && node.offsetHeight !== 0;
      if (picture || (node.matches("canvas") && drawn(node))) tell("picture");
    }
    if (!seen.picture) setTimeout(look, 100);
  };
  look();
}"""


class Line:
    """Counts what comes over the line to one page, and what had come at each of its milestones."""

    def __init__(self, page: Page, slow: bool) -> None:
        self.session: CDPSession = page.context.new_cdp_session(page)
        self.at: dict[str, dict[str, float]] = {}
        self.urls: dict[str, str] = {}
        self.bytes: dict[str, int] = {}
        self.start: float | None = None
        self.last = 0.0
        self.missing: list[str] = []
        hear = self.session.on
        hear("Network.requestWillBeSent", self._asked)
        hear("Network.responseReceived", self._answered)
        hear("Network.dataReceived", lambda e: self._came(e["requestId"], e["encodedDataLength"], e["timestamp"]))
        hear("Network.loadingFinished", self._finished)
        hear("Network.webSocketCreated", lambda e: self.urls.setdefault(e["requestId"], e["url"]))
        hear("Network.webSocketFrameReceived", self._frame)
        hear("Runtime.bindingCalled", lambda e: self._reached(e["payload"]))
        self.session.send("Network.enable")
        self.session.send("Runtime.enable")
        self.session.send("Runtime.addBinding", {"name": "milestone"})
        self.session.send("Page.enable")
        self.session.send("Page.addScriptToEvaluateOnNewDocument", {"source": f"({WATCH})()"})
        if slow:
            rate = BITS_A_SECOND / 8
            self.session.send(
                "Network.emulateNetworkConditions",
                {"offline": False, "latency": LATENCY_MS, "downloadThroughput": rate, "uploadThroughput": rate},
            )

    def _asked(self, event: dict[str, Any]) -> None:
        self.start = self.start or event["timestamp"]
        self.urls[event["requestId"]] = event["request"]["url"]

    def _answered(self, event: dict[str, Any]) -> None:
        if event["response"]["status"] >= 400:
            self.missing.append(f"{event['response']['status']} {event['response']['url']}")

    def _came(self, request: str, count: int, at: float) -> None:
        self.bytes[request] = self.bytes.get(request, 0) + count
        self.last = max(self.last, at)

    def _finished(self, event: dict[str, Any]) -> None:
        """The whole with its head, where parts have not been counted as they came."""
        request = event["requestId"]
        self.bytes[request] = max(self.bytes.get(request, 0), int(event["encodedDataLength"]))
        self.last = max(self.last, event["timestamp"])

    def _frame(self, event: dict[str, Any]) -> None:
        payload = event["response"]["payloadData"]
        binary = event["response"]["opcode"] == 2  # told in base64
        self._came(event["requestId"], len(payload) * 3 // 4 if binary else len(payload), event["timestamp"])

    def _reached(self, what: str) -> None:
        self.at[what] = self.figures()

    def figures(self) -> dict[str, float]:
        ours = sum(count for request, count in self.bytes.items() if "/static/" not in self.urls.get(request, ""))
        seconds = round(self.last - (self.start or self.last), 2)
        return {"s": seconds, "kB": round(sum(self.bytes.values()) / 1000, 1), "ours_kB": round(ours / 1000, 1)}

    def largest(self, count: int = 12) -> list[tuple[float, str]]:
        """What took most, in kB."""
        rows = sorted(((n, self.urls.get(request, "?")) for request, n in self.bytes.items()), reverse=True)
        return [(round(n / 1000, 1), url.split("/", 3)[-1][:90]) for n, url in rows[:count]]
