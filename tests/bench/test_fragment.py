"""What a fragment run costs the server, with torch imported: with our settings, and with Streamlit's default GC."""

import os
from pathlib import Path

from tests.browser.conftest import serving
from tests.browser.test_live_training import more, switch

RUNS = 40


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cost(opened, *arguments: str) -> dict[str, float]:
    """CPU milliseconds of the server for one fragment run, page by page."""
    result = {}
    with serving(*arguments) as (url, process):
        for path, button in (("", "Another sample"), ("training", "Start")):
            page = opened(f"{url}/{path}")
            if path == "training":  # a run that stands still: all that the server does is the fragment
                more(page, "Step").click()
                page.wait_for_timeout(4_000)
                target = switch(page, "KL").locator("xpath=ancestor::label")
            else:
                target = page.get_by_role("button", name=button)
            target.click()
            page.wait_for_timeout(1_500)
            before = cpu_seconds(process.pid)
            for _ in range(RUNS):
                target.click()
                page.wait_for_timeout(150)
            result[path or "home"] = (cpu_seconds(process.pid) - before) / RUNS * 1000
    return result


def test_fragment_cpu(opened, capsys):
    ours = cost(opened)
    default = cost(opened, "--runner.postScriptGC=true")
    with capsys.disabled():
        print("\nserver CPU of one fragment run, torch imported (goal: under 25 ms)")
        for page in ours:
            theirs, ratio = default[page], default[page] / ours[page]
            print(
                f"  {page:9} {ours[page]:6.1f} ms   with a collection after each run {theirs:6.1f} ms ({ratio:.1f} x)"
            )
    assert set(ours) == {"home", "training"}
