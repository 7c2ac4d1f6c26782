"""The networks in the browser, run under node and held against torch and against safetensors' own writer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from tests.node_runner import needs_node, node_runner
from vae_core.models.ae import AE
from vae_core.models.vae import LOG_VAR_RANGE, VAE

CHECKPOINTS = Path(__file__).resolve().parents[1] / "checkpoints"
SHIPPED = sorted(path.parent.name for path in CHECKPOINTS.glob("*/model.safetensors"))
MODULES = ("net/tensors", "net/layers", "net/model", "net/jobs", "net/background")
DIMS = [1, 2, 5, 32]

pytestmark = needs_node("the networks in the browser")


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    return node_runner(tmp_path, *MODULES)


def images(count: int, seed: int) -> Tensor:
    """(count, 1, 28, 28) in [0, 1]: like digits, mostly black; the first is all noise, the second all black."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(count, 1, 28, 28, generator=generator)
    ink = torch.rand(count, 1, 28, 28, generator=generator) < 0.2
    ink[0], ink[1] = True, False
    return x * ink


def trained(net: str, dims: int, family: type[VAE] = VAE) -> VAE:
    """A model in eval mode whose BatchNorms have seen batches and whose every parameter is off its first value."""
    torch.manual_seed(dims)
    model = family(net, dims)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.normal_(1.0, 0.5)
                module.bias.normal_(0.0, 0.5)
        model.train()
        for step in range(5):
            mu, _ = model.encode(images(32, step))
            model.decode(mu + 3 * torch.randn_like(mu))
        last = [m for m in model.encoder.modules() if isinstance(m, nn.Linear | nn.Conv2d)][-1]
        assert last.bias is not None
        last.bias[-1] += 80.0  # beyond the range of log_var, so that the clamp counts
    return model.eval()


def about(net: str, family: str, dims: int) -> dict[str, str]:
    return {"about": json.dumps({"net": net, "model": family, "dims": dims})}


def packed(model: VAE, net: str, half: bool = False) -> bytes:
    """The package of a model, as the explorer fetches it; num_batches_tracked only in the float32 ones."""
    state = {f"model.{name}": value for name, value in model.state_dict().items() if value.dim() or not half}
    if half:
        state = {name: value.half() for name, value in state.items()}
    family = "vae" if model.stochastic else "ae"
    labels = torch.zeros(3, dtype=torch.uint8)  # of the codes, which a package holds too
    return save({**state, "labels": labels}, about(net, family, model.latent_dim))


OPEN = (
    "const { metadata, arrays: all } = tensors.readTensors(file()); const about = JSON.parse(metadata.about);"
    "const arrays = Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith('model.')));"
)
RUN = OPEN + (
    "const m = model.modelOf(about, arrays), list = (a) => a && Array.from(a);"
    "const codes = given.x.map((x) => m.encode(x)), pictures = given.z.map((z) => m.decode(z));"
    "print({ dims: m.dims, stochastic: m.stochastic, mu: codes.map((c) => list(c.mu)),"
    " logVar: codes.map((c) => list(c.logVar)), pictures: pictures.map(list), kind: pictures[0].constructor.name });"
)


def compare(model: VAE, found: dict[str, Any], x: Tensor, z: Tensor) -> None:
    """mu and log_var relative to max(1, |value|), pixels as they are: all within 1e-4 of torch."""
    with torch.no_grad():
        mu, log_var = model.encode(x)
        pictures = model.mean_image(model.decode(z)).flatten(1)
    assert (found["dims"], found["stochastic"]) == (model.latent_dim, model.stochastic)
    assert found["kind"] == "Float32Array"
    assert error(found["mu"], mu) < 1e-4
    if model.stochastic:
        assert error(found["logVar"], log_var) < 1e-4
    else:
        assert found["logVar"] == [None] * len(x)
    assert float((torch.tensor(found["pictures"]) - pictures).abs().max()) < 1e-4
    assert pictures.std() > 0.01 and mu.std() > 0.001  # something was computed


def error(found: list[list[float]], wanted: Tensor) -> float:
    return float(((torch.tensor(found) - wanted).abs() / wanted.abs().clamp(min=1)).max())


def inputs(dims: int) -> tuple[Tensor, Tensor]:
    z = 2 * torch.randn(6, dims, generator=torch.Generator().manual_seed(7))
    z[0] = 0
    return images(6, 99), z


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("dims", DIMS)
@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_a_model_encodes_and_decodes_as_torch_does(net: str, dims: int, half: bool, node: Callable[..., Any]) -> None:
    model, (x, z) = trained(net, dims), inputs(dims)
    file = packed(model, net, half)
    if half:
        model = model.half().float()  # torch then computes with what the file holds
    with torch.no_grad():
        assert model.encode(x)[1].max() == LOG_VAR_RANGE[1]
    compare(model, node(RUN, {"x": x.flatten(1).tolist(), "z": z.tolist()}, file), x, z)


@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_a_plain_autoencoder_has_no_log_var(net: str, node: Callable[..., Any]) -> None:
    model, (x, z) = trained(net, 2, AE), inputs(2)
    compare(model, node(RUN, {"x": x.flatten(1).tolist(), "z": z.tolist()}, packed(model, net)), x, z)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_model_runs_as_in_torch(name: str, node: Callable[..., Any]) -> None:
    config = json.loads((CHECKPOINTS / name / "card.json").read_text(encoding="utf-8"))["config"]
    net, family, dims = config["net"], config["model"], config["latent_dim"]
    model = {"vae": VAE, "ae": AE}[family](net, dims)
    kept = load_file(CHECKPOINTS / name / "model.safetensors")
    weights = {key: value for key, value in kept.items() if key.startswith(("encoder.", "decoder."))}
    model.load_state_dict(weights)  # strict
    file = save({f"model.{k}": v for k, v in weights.items()}, about(net, family, dims))
    x, z = inputs(dims)
    compare(model.eval(), node(RUN, {"x": x.flatten(1).tolist(), "z": z.tolist()}, file), x, z)


def test_results_are_the_callers_own(node: Callable[..., Any]) -> None:
    """The layers use their buffers again; what came out before must not change."""
    model, (x, z) = trained("conv", 2), inputs(2)
    found = node(
        OPEN + "const m = model.modelOf(about, arrays);"
        "const run = (i) => [m.encode(given.x[i]), m.decode(given.z[i])], text = JSON.stringify;"
        "const first = run(0), kept = text(first); run(2);"
        "print([text(first) === kept, text(run(0)) === kept]);",
        {"x": x.flatten(1).tolist(), "z": z.tolist()},
        packed(model, "conv"),
    )
    assert found == [True, True]


# ---- the file format


def test_every_type_of_number_is_read_as_it_was_written(node: Callable[..., Any]) -> None:
    r = np.random.RandomState(0)
    given: dict[str, np.ndarray] = {
        "a": r.randn(3, 5).astype(np.float32), "b": r.randint(0, 256, (7,)).astype(np.uint8),
        "c": r.randint(-(2**15), 2**15, (2, 2)).astype(np.int16),
        "d": r.randint(-(2**31), 2**31 - 1, (3,)).astype(np.int32),
        "e": np.array([-(2**63), 2**63 - 1, 0]), "f": np.array(470, np.int64), "g": np.zeros((0, 2), np.float32),
    }  # fmt: skip
    found = node(
        "const { metadata, arrays } = tensors.readTensors(file());"
        "for (const a of Object.values(arrays)) a.data = Array.from(a.data, String); print({ metadata, arrays });",
        None,
        safetensors.numpy.save(given, {"step": "470", "text": "β ≥ 0"}),
    )
    assert found["metadata"] == {"step": "470", "text": "β ≥ 0"}
    assert set(found["arrays"]) == set(given)
    for name, array in given.items():
        back = np.array(found["arrays"][name]["data"], dtype=array.dtype).reshape(found["arrays"][name]["shape"])
        assert back.shape == array.shape and np.array_equal(back, array), name


def test_every_float16_there_is_becomes_the_float32_of_numpy(node: Callable[..., Any]) -> None:
    """All 65,536 patterns: zeros of both signs, subnormal numbers, infinities and those that are no numbers."""
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    found = node(
        "const { data } = tensors.readTensors(file()).arrays.h;"
        "print({ kind: data.constructor.name, bits: Array.from(new Uint32Array(data.buffer)) });",
        None,
        safetensors.numpy.save({"h": halves}),
    )
    assert found["kind"] == "Float32Array"
    back, wanted = np.array(found["bits"], np.uint32).view(np.float32), halves.astype(np.float32)
    number = ~np.isnan(wanted)
    assert np.array_equal(np.isnan(back), ~number)
    assert np.array_equal(back[number].view(np.uint32), wanted[number].view(np.uint32))  # bit by bit: −0 is not 0


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        (safetensors.numpy.save({"w": np.zeros(2)}), "w: numbers of type F64 are not read here."),
        (safetensors.numpy.save({"w": np.zeros(6, np.float32)})[:-8], "w: the file has 4 of its 6 numbers."),
    ],
)
def test_a_file_that_cannot_be_read_says_so(file: bytes, wanted: str, node: Callable[..., Any]) -> None:
    assert node("try { tensors.readTensors(file()); } catch (e) { print(e.message); }", None, file) == wanted


# ---- what is refused


@pytest.mark.parametrize(
    ("script", "wanted"),
    [
        ("about.net = 'resnet'", 'The network "resnet" is not run in the browser: only mlp and conv are.'),
        ("about.net = 'toString'", 'The network "toString" is not run in the browser: only mlp and conv are.'),
        ("about.model = 'vq'", 'Models of the family "vq" are not run in the browser.'),
        ("about.dims = 0", '"0" is no number of latent dimensions.'),
        ("about.dims = 3", "model.encoder.6.weight has the shape (4, 32, 4, 4) in place of (6, 32, 4, 4) floats."),
        ("about.net = 'mlp'", "model.encoder.1.weight has the shape (16) in place of (400, 784) floats."),
        ("delete arrays['model.decoder.5.running_var']", "The weights model.decoder.5.running_var are missing."),
        (
            "arrays['model.decoder.12.weight'] = arrays['model.decoder.10.weight']",
            "The weights model.decoder.12.weight belong to no layer known here.",
        ),
        ("model.modelOf(about, arrays).decode([1])", "z has 1 numbers, not 2."),
        ("model.modelOf(about, arrays).encode(new Float32Array(783))", "x has 783 numbers, not 784."),
    ],
)
def test_what_is_not_known_is_refused_in_words(script: str, wanted: str, node: Callable[..., Any]) -> None:
    found = node(
        OPEN + f"try {{ {script}; model.modelOf(about, arrays); print(null); }} catch (e) {{ print(e.message); }}",
        None,
        packed(trained("conv", 2), "conv"),
    )
    assert found == wanted


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
    "const zs = Float32Array.from(given.flat()), wanted = given.flatMap((z) => [...model.greys(m.decode(z))]);"
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
        "await import('./net/worker.js');"
        "self.onmessage({ data: { open: file() } });"
        "self.onmessage({ data: { key: 'strip', id: 1, kind: 'decode', input: new Float32Array(2000) } });"
        "await done; const [first, ...rest] = heard;"
        "print({ first: first.id, rest: [...new Set(rest.map((m) => m.id))], handed: heard.every((m) => m.handed),"
        " same: same(rest.flatMap((m) => m.pictures)) }); process.exit(0);",
    )
    assert found == {"first": 1, "rest": [2], "handed": True, "same": True}
