"""The browser's end of a run's socket: after which closings it comes again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.node_runner import node_runner

FAKES = """
globalThis.document = { baseURI: "https://lab.example.org/lab/room/training?run=x" };
const opened = [];
globalThis.WebSocket = class { constructor(url) { this.url = String(url); opened.push(this); } close() {} };
const states = [], waits = [];
globalThis.setTimeout = (again, wait) => (waits.push(wait), again());
const run = new feed.Feed("a b", () => {}, (state) => states.push(state));
"""


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    run = node_runner(tmp_path, "lib/feed")
    return lambda script: run(FAKES + script)


def test_it_listens_below_the_prefix_and_comes_again_the_more_rarely_the_longer(node: Callable[..., Any]) -> None:
    found = node(
        "for (let i = 0; i < 6; i++) opened.at(-1).onclose({ code: 1006 });"
        "print({ urls: opened.map((s) => s.url), states, waits });"
    )
    assert set(found["urls"]) == {"wss://lab.example.org/lab/room/live/a%20b"} and len(found["urls"]) == 7
    assert found["states"] == ["lost"] * 6
    for wait, least in zip(found["waits"], (500, 1000, 2000, 4000, 8000, 8000), strict=True):
        assert least <= wait < 2 * least  # each page at a moment of its own: a class loses its server at once
    assert found["waits"] != [500, 1000, 2000, 4000, 8000, 8000]


@pytest.mark.parametrize(("code", "state"), [(4403, "refused"), (4404, "gone")])
def test_what_will_not_change_is_said_and_not_tried_again(code: int, state: str, node: Callable[..., Any]) -> None:
    found = node(f"opened[0].onclose({{ code: {code} }}); print({{ opened: opened.length, states }});")
    assert found == {"opened": 1, "states": [state]}
