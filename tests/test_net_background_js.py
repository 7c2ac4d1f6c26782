"""Decoding in the background, under node: the queue, Background with and without a worker, the worker itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.node_runner import UI, node_runner
from tests.test_net_js import MODULES, OPEN, packed, trained

WORKER = (UI / "net" / "worker.js").as_uri()


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    return node_runner(tmp_path, *MODULES)


# ---- the queue

QUEUE = (
    "let time = 0; const seen = [];"  # a clock of the test's own: an image takes 3 ms
    "const fill = (n, v) => { time += 3; return new Float32Array(n).fill(v); };"
    "const fake = { dims: 2, decode: (z) => (seen.push(z[0]), fill(784, z[0] / 255)),"
    " encode: (x) => ({ mu: fill(2, x[0]), logVar: null }) };"
    "const queue = new jobs.Jobs(fake, () => time);"
    "const job = (key, id, first, count) => queue.add({ key, id, kind: 'decode',"
    " input: Float32Array.from({ length: 2 * count }, (_, i) => first + (i >> 1)) });"
    "const next = (ms) => { const p = queue.slice(ms); return p && [p.key, p.id, p.from, p.to, p.count]; };"
)


def test_a_newer_job_replaces_an_older_one_with_its_key(node: Callable[..., Any]) -> None:
    found = node(
        QUEUE + "job('strip', 1, 10, 5); const first = next(7); job('strip', 2, 50, 2);"
        "print({ first, then: [next(7), next(7)], seen });"
    )
    assert found["first"] == ["strip", 1, 0, 2, 5]
    assert found["then"] == [["strip", 2, 0, 2, 2], None]
    assert found["seen"] == [10, 11, 50, 51]  # nothing more of the older one


def test_several_keys_take_turns(node: Callable[..., Any]) -> None:
    found = node(
        QUEUE + "job('a', 1, 0, 5); job('b', 2, 100, 3); job('c', 3, 200, 1);"
        "const turns = []; for (let t; (t = next(6)); ) turns.push(t); print({ turns, seen });"
    )
    assert [turn[0] for turn in found["turns"]] == ["a", "b", "c", "a", "b", "a"]
    assert [turn[2:] for turn in found["turns"] if turn[0] == "a"] == [[0, 2, 5], [2, 4, 5], [4, 5, 5]]
    assert found["seen"] == [0, 1, 100, 101, 200, 2, 3, 102, 4]


def test_a_key_that_is_asked_again_and_again_starves_nobody(node: Callable[..., Any]) -> None:
    found = node(
        QUEUE + "job('slow', 1, 0, 4); const turns = [];"
        "for (let id = 2; id < 8; id++) { job('drag', id, 100, 9); turns.push(next(6)); }"
        "print(turns.filter(([key]) => key === 'slow'));"
    )
    assert found == [["slow", 1, 0, 2, 4], ["slow", 1, 2, 4, 4]]


@pytest.mark.parametrize(("ms", "images_a_slice"), [(1, 1), (3, 1), (5, 1), (6, 2), (8, 2), (9, 3)])
def test_a_slice_ends_before_its_time_is_up_but_does_one_image(
    ms: int, images_a_slice: int, node: Callable[..., Any]
) -> None:
    assert node(QUEUE + f"job('a', 1, 0, 9); print(next({ms}));") == ["a", 1, 0, images_a_slice, 9]


def test_a_job_of_nothing_is_done_at_once(node: Callable[..., Any]) -> None:
    assert node(QUEUE + "job('a', 1, 0, 0); print([next(6), next(6)]);") == [["a", 1, 0, 0, 0], None]


def test_parts_hold_grey_levels_and_codes(node: Callable[..., Any]) -> None:
    found = node(
        QUEUE + "job('a', 1, 10, 2); const { part } = queue.slice(6);"
        "queue.add({ key: 'b', id: 2, kind: 'encode', input: new Float32Array(1568).fill(0.5) });"
        "const codes = queue.slice(6).part; let refused;"
        "try { queue.add({ key: 'c', id: 3, kind: 'encode', input: new Float32Array(785) }); }"
        " catch (e) { refused = e.message; }"
        "print({ pictures: [...part.pictures], mu: [...codes.mu], logVar: codes.logVar, refused });"
    )
    assert found["pictures"] == [10] * 784 + [11] * 784
    assert found["mu"] == [0.5] * 4 and found["logVar"] is None
    assert found["refused"] == "785 numbers are not whole inputs to encode."


# ---- Background: node has no Worker of a browser, so by itself it computes in place

BEHIND = OPEN + (
    "const m = model.modelOf(about, arrays), Background = background.Background;"
    "const zs = Float32Array.from(given.flat()), wanted = given.flatMap((z) => [...images.greys(m.decode(z))]);"
    "const same = (found) => JSON.stringify([...found]) === JSON.stringify(wanted);"
)


def behind(node: Callable[..., Any], script: str, net: str = "conv") -> Any:
    z = torch.randn(30, 2, generator=torch.Generator().manual_seed(1))
    return node(BEHIND + script, z.tolist(), packed(trained(net, 2), net))


def test_pictures_come_in_parts_and_are_those_of_the_model(node: Callable[..., Any]) -> None:
    found = behind(
        node,
        "const b = new Background(file()), parts = []; let whole = true;"
        "const onPart = (pictures, from, to) => { parts.push([from, to]); whole &&= pictures.length === 784 * 30; };"
        "const promise = b.decode('strip', zs, onPart); zs.fill(99);"  # the caller's array is free at once
        "const pictures = await promise;"
        "print({ parts, whole, same: same(pictures), kind: pictures.constructor.name });",
    )
    assert found["whole"] and found["same"] and found["kind"] == "Uint8Array"
    assert len(found["parts"]) > 1  # it does not hold the page up until all are done
    assert [part[0] for part in found["parts"]] == [0, *(part[1] for part in found["parts"][:-1])]
    assert found["parts"][-1][1] == 30


def test_a_newer_call_answers_the_older_one_with_null(node: Callable[..., Any]) -> None:
    found = behind(
        node,
        "const b = new Background(file()); let late = 0;"
        "const calls = [b.decode('strip', zs, () => late++), b.decode('strip', zs),"
        " b.decode('grid', zs.subarray(0, 2)), b.encode('codes', new Float32Array(2 * 784))];"
        "const [old, now, other, codes] = await Promise.all(calls);"
        "print({ old, late, now: same(now), other: other.length, mu: codes.mu.length, logVar: codes.logVar.length });",
    )
    assert found == {"old": None, "late": 0, "now": True, "other": 784, "mu": 4, "logVar": 4}


def test_a_part_of_what_was_replaced_that_comes_late_is_left_out(node: Callable[..., Any]) -> None:
    found = behind(
        node,
        "const parts = []; let page;"
        "globalThis.Worker = class { constructor() { page = this; } postMessage() {} terminate() {} };"
        "const b = new Background(file()), part = (id, to, count) => page.onmessage({ data:"
        " { key: 'strip', id, from: 0, to, count, part: { pictures: new Uint8Array(784 * to).fill(id) } } });"
        "const old = b.decode('strip', zs);"
        "const now = b.decode('strip', zs.subarray(0, 4), (_, from, to) => parts.push(to));"
        "part(1, 30, 30); part(2, 2, 2); const pictures = await now;"
        "print({ old: await old, parts, length: pictures.length, from: [...new Set(pictures)] });",
    )
    assert found == {"old": None, "parts": [2], "length": 2 * 784, "from": [2]}


def test_after_the_end_everything_is_null_and_nothing_is_computed(node: Callable[..., Any]) -> None:
    found = behind(
        node,
        "const wait = setTimeout; let slices = 0; globalThis.setTimeout = (run, ms) => (slices++, wait(run, ms));"
        "const b = new Background(file()); let parts = 0; const call = b.decode('strip', zs, () => parts++);"
        "b.destroy(); const before = slices, after = b.decode('strip', zs);"
        "await new Promise((r) => wait(r, 50)); print([await call, await after, parts, slices - before]);",
    )
    assert found == [None, None, 0, 0]


def test_a_package_that_is_no_model_rejects_every_call(node: Callable[..., Any]) -> None:
    found = node(
        "const b = new background.Background(file()), why = (e) => e.message;"
        "print([await b.decode('a', [1, 2]).catch(why), await b.encode('b', []).catch(why)]);",
        None,
        packed(trained("mlp", 2), "other"),
    )
    assert found == ['The network "other" is not run in the browser: only mlp and conv are.'] * 2


def test_what_are_no_codes_is_refused_and_the_rest_goes_on(node: Callable[..., Any]) -> None:
    found = behind(
        node,
        "const b = new Background(file()); const bad = b.decode('a', [1, 2, 3]).catch((e) => e.message);"
        "print([await bad, same(await b.decode('a', zs))]);",
    )
    assert found == ["3 numbers are not whole inputs to decode.", True]


def test_a_worker_that_fails_is_replaced_by_the_page(node: Callable[..., Any]) -> None:
    """One that never starts (its script does not load) and one that ends in the middle of its work."""
    found = behind(
        node,
        "const results = [];"
        "for (const answers of [0, 2]) { let sent = 0, ended = 0;"
        "globalThis.Worker = class { constructor(url, { type }) { this.url = url; this.type = type; let left = answers;"
        " const say = (m) => left-- > 0 ? this.onmessage({ data: m }) : this.fail();"
        " this.hear = jobs.desk(say, 1, (f) => setTimeout(f, 0));"
        " if (!answers) setTimeout(() => this.fail(), 5); }"
        " fail() { if (!ended) this.onerror({ preventDefault() {} }); }"
        " postMessage(m) { sent++; if (answers) this.hear(m); } terminate() { ended++; } };"
        "const b = new Background(file()), { url, type } = b.worker, name = url.pathname.split('/').pop();"
        "results.push({ same: same(await b.decode('strip', zs)), type, name, sent, ended }); }"
        "print(results);",
    )
    assert found == [{"same": True, "type": "module", "name": "worker.js", "sent": 2, "ended": 1}] * 2


def test_the_worker_itself_answers_in_parts(node: Callable[..., Any]) -> None:
    """worker.js as it is, with the page's side played by the test; messages wait their turn as in a browser."""
    found = behind(
        node,
        "const heard = []; let finished; const done = new Promise((r) => (finished = r));"
        "globalThis.self = { postMessage: (m, handed) => {"
        " const { pictures } = m.part;"
        " heard.push({ id: m.id, handed: handed[0] === pictures.buffer, pictures: [...pictures] });"
        " if (heard.length === 1) self.onmessage({ data: { key: 'strip', id: 2, kind: 'decode', input: zs } });"
        " if (m.to === m.count) finished(); } };"
        "await import('" + WORKER + "');"
        "self.onmessage({ data: { open: file() } });"
        "self.onmessage({ data: { key: 'strip', id: 1, kind: 'decode', input: new Float32Array(2000) } });"
        "await done; const [first, ...rest] = heard;"
        "print({ first: first.id, rest: [...new Set(rest.map((m) => m.id))], handed: heard.every((m) => m.handed),"
        " same: same(rest.flatMap((m) => m.pictures)) }); process.exit(0);",
    )
    assert found == {"first": 1, "rest": [2], "handed": True, "same": True}
