"""When a follower's page moves after the lecturer, under node: never the whole class at once, and nobody twice."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.node_runner import node_runner

Node = Callable[..., Any]
STAGE = """
globalThis.document = { baseURI: "https://lab.example.org/vae/training" };
const sockets = [], timers = [];
globalThis.WebSocket = class { constructor(url) { this.url = String(url); sockets.push(this); } close() { this.closed = true; } };
globalThis.setTimeout = (call, ms) => timers.push({ call, ms });
globalThis.clearTimeout = (id) => id && (timers[id - 1].call = () => {});
const due = () => { const now = timers.splice(0, timers.length); now.forEach((t) => t.call()); return now.map((t) => t.ms); };
const told = (socket, run) => socket.onmessage({ data: JSON.stringify({ moved: run }) });
const asked = [], states = [];
const page = (run) => new moves.Moves(run, () => asked.push(run), (open) => states.push(open));
"""  # noqa: E501


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    run = node_runner(tmp_path_factory.mktemp("moves"), "follow/moves")
    return lambda script: run(STAGE + script)


def test_it_asks_where_the_page_is_below_the_page_and_by_its_own_scheme(node: Node) -> None:
    assert node("page('a b'); print(sockets[0].url)") == "wss://lab.example.org/vae/follow?run=a+b"


def test_a_class_moves_within_a_second_and_not_at_once(node: Node) -> None:
    script = """
    for (let i = 0; i < 150; i++) page("one");
    sockets.forEach((socket) => told(socket, "two"));
    const early = asked.length, delays = due();
    print([early, asked.length, delays]);
    """
    early, late, delays = node(script)
    assert (early, late) == (0, 150)
    assert all(0 <= ms < 1000 for ms in delays)
    tenths = {int(ms / 100) for ms in delays}
    assert len(tenths) >= 9 and max(sum(int(ms / 100) == tenth for ms in delays) for tenth in tenths) < 50


def test_a_lecturer_who_goes_to_and_fro_moves_a_page_once_or_not_at_all(node: Node) -> None:
    script = """
    const own = page("one"), [socket] = sockets;
    told(socket, "two"); told(socket, "three"); due();
    const once = asked.length;
    own.see("three"); due();
    told(socket, "one"); told(socket, "three"); due();
    print([once, asked.length, timers.length]);
    """
    assert node(script) == [1, 1, 0]


def test_a_page_that_was_drawn_before_the_last_move_moves_again(node: Node) -> None:
    script = """
    const own = page("one"), [socket] = sockets;
    told(socket, "two"); due();
    told(socket, "three"); own.see("two"); due();
    own.see("three"); due();
    print(asked.length);
    """
    assert node(script) == 2


def test_after_a_break_it_asks_for_what_the_page_shows_and_waits_longer_each_time(node: Node) -> None:
    script = """
    const own = page("one"), waits = [];
    sockets[0].onopen();
    own.see("two");
    for (let i = 0; i < 6; i++) {
      sockets.at(-1).onclose({});
      waits.push(...due());
    }
    sockets.at(-1).onopen();
    print([sockets.length, sockets.at(-1).url, waits, states]);
    """
    count, address, waits, states = node(script)
    assert count == 7 and address.endswith("?run=two")
    for wait, least in zip(waits[-6:], (500, 1000, 2000, 4000, 8000, 8000), strict=True):
        assert least <= wait < 2 * least
    assert states == [True] + 6 * [False] + [True]


def test_what_was_said_before_a_break_is_forgotten(node: Node) -> None:
    """The server says it again where it still holds; else the page would ask for ever for a run that is not shown."""
    script = """
    page("one");
    told(sockets[0], "two");
    sockets[0].onclose({});
    const [move, retry] = timers;
    retry.call();
    move.call();
    print([sockets.length, asked.length]);
    """
    assert node(script) == [2, 0]


def test_a_page_that_is_left_neither_moves_nor_comes_back(node: Node) -> None:
    script = """
    const own = page("one"), [socket] = sockets;
    told(socket, "two");
    own.close(); socket.onclose({});
    due();
    print([asked.length, sockets.length, socket.closed]);
    """
    assert node(script) == [0, 1, True]
