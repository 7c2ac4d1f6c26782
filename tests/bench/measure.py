"""What the measurements share: processor time, the step that a run has reached, and what others do on the machine."""

import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Page
from websockets.sync.client import connect

_TICKS = os.sysconf("SC_CLK_TCK")


def _fields(pid: int | str) -> list[str]:
    """/proc/<pid>/stat behind the name of the process (Linux): state, parent, ..."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, without its children."""
    fields = _fields(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS


def thread_seconds(thread: int) -> float:
    """User and system time of a thread of this process so far, by its native id."""
    fields = _fields(f"self/task/{thread}")
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_bytes(pid: int) -> int:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descendants(pid: int) -> list[int]:
    """A process and all below it."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(_fields(entry.name)[1])
            except OSError:  # it has ended meanwhile
                continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def is_alive(pid: int) -> bool:
    """Whether a process is there and has not ended; one that nobody has waited for yet has."""
    try:
        return _fields(pid)[0] not in "ZX"
    except OSError:
        return False


def command_of(pid: int) -> str:
    """The command line of a process; empty where it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


class Others:
    """How busy the rest of the machine is while we measure: what is not this process or one that it started."""

    def __init__(self) -> None:
        self._started, self._ours = time.perf_counter(), self._own()
        self._busy = self._all()

    def cores(self) -> float:
        """Cores that others kept busy since this object was made."""
        own = self._own()
        ours = sum(own.get(pid, before) - before for pid, before in self._ours.items())
        ours += sum(spent for pid, spent in own.items() if pid not in self._ours)
        return max(0.0, (self._all() - self._busy - ours) / (time.perf_counter() - self._started))

    @staticmethod
    def _own() -> dict[int, float]:
        return {pid: cpu_seconds(pid) for pid in descendants(os.getpid()) if Path(f"/proc/{pid}").exists()}

    @staticmethod
    def _all() -> float:
        """Seconds of all cores that were not idle, those stolen by other machines too."""
        fields = [int(v) for v in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        return (sum(fields) - fields[3] - fields[4]) / _TICKS


BUSY = 0.35  # cores; a window in which others use more says little about us


def undisturbed(measure: Callable[[], dict[str, float]], tries: int = 4, patience_s: float = 30) -> dict[str, float]:
    """What `measure` returns of a time in which nobody else was busy; of too many such tries, the calmest.

    "others" is added: the cores that others kept busy meanwhile.
    """
    results: list[dict[str, float]] = []
    while len(results) < tries:
        deadline = time.monotonic() + patience_s
        while _others_for(1.0) > BUSY and time.monotonic() < deadline:
            pass
        others = Others()
        results.append(measure())
        results[-1]["others"] = others.cores()
        if results[-1]["others"] <= BUSY:
            return results[-1]
    return min(results, key=lambda result: result["others"])


def _others_for(seconds: float) -> float:
    others = Others()
    time.sleep(seconds)
    return others.cores()


def load() -> str:
    """The load averages of the last 1 and 5 minutes, our own share included."""
    return "load {:.1f}, {:.1f}".format(*os.getloadavg()[:2])


def begin(opened: Callable[..., Page], url: str, **settings: object) -> tuple[Page, str]:
    """Start a run of so many epochs that none ends while we measure; returns the page and the id of the run."""
    asked = "&".join(f"{k}={v}" for k, v in {"epochs": 200, **settings}.items())
    page = opened(f"{url}/training?{asked}")
    page.get_by_role("button", name="Start").click()
    page.wait_for_function("/run=(?!mnist-vae)/.test(location.search)", timeout=60_000)
    return page, re.search(r"run=([^&]+)", page.url)[1]


class Visit:
    """Asks where a run stands by short visits to its live route; between them nobody follows it."""

    def __init__(self, url: str, run_id: str) -> None:
        self.address = f"{url.replace('http', 'ws', 1)}/live/{run_id}"
        self._since = "{}"

    def news(self) -> dict:
        """The head of the first message: everything but the arrays."""
        with connect(f"{self.address}?since={quote(self._since)}", max_size=None) as socket:
            message = socket.recv()
        length = int.from_bytes(message[:8], "little")
        news = json.loads(json.loads(message[8 : 8 + length])["__metadata__"]["news"])
        self._since = json.dumps(news["cursor"])
        return news

    def until(self, step: int) -> None:
        """Wait until the run has made so many steps."""
        while self.news()["step"] < step:
            time.sleep(0.5)

    def rate(self, seconds: float) -> float:
        """Images per second over so many seconds from now; exact to 0.1 s, for so often the engine reports."""
        batch, first, started = *self._place(), time.perf_counter()
        time.sleep(seconds)
        last, took = self._place()[1], time.perf_counter() - started
        return (last - first) * batch / took

    def _place(self) -> tuple[int, int]:
        news = self.news()
        return news["config"]["batch_size"], news["step"]
