"""The browser's side of a message, run under node on bytes that pack() made."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from pages.ui.live.socket import pack
from pages.ui.terms import describe
from tests.node_runner import node_runner
from vae_core.config import LiveSettings, RunConfig
from vae_core.inspect.snapshot import Snapshot
from vae_core.runs.messages import Update
from vae_core.runs.news import Cursor
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import RunRecord
from vae_core.trainer import Mark

BEGINNING = Cursor()


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    """Run a script beside the modules; what it prints is JSON. `read(i)` is message i."""
    run = node_runner(tmp_path, "lib/wire", "lib/history", "live/html")
    prelude = (
        "const { History, align } = history;\n"
        "const read = (i) => { const b = readFileSync(`${i}.bin`);"
        " return wire.unpack(b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength)); };\n"
    )

    def with_messages(script: str, *messages: bytes) -> Any:
        for i, message in enumerate(messages):
            (tmp_path / f"{i}.bin").write_bytes(message)
        return run(prelude + script)

    return with_messages


@pytest.fixture
def snapshot(snapshot_of_new_model: Snapshot) -> Callable[[int], Snapshot]:
    """A snapshot of a step with 51 codes: an odd number of bytes before the images."""

    def at(step: int) -> Snapshot:
        few = {name: getattr(snapshot_of_new_model, name)[:51] for name in ("mu", "xy", "labels")}
        return replace(snapshot_of_new_model, step=step, terms={"nll": 150.5, "kl": 6.25}, mean_std=0.5, **few)

    return at


@pytest.fixture
def run(fake_registry: Registry) -> RunRecord:
    made = fake_registry.get(fake_registry.start(RunConfig(device="cpu"), "ann"))
    assert made is not None
    return made


def message(registry: Registry, run: RunRecord, since: Cursor = BEGINNING) -> bytes:
    news = registry.read(run.run_id, since)
    assert news is not None
    return pack(news)


def rows(first: int, last: int) -> np.ndarray:
    """Values that float32 and JSON keep exactly."""
    steps = np.arange(first, last + 1, dtype=np.float32)
    return np.column_stack([steps, 100 + steps / 4, steps / 8, 100 + steps * 3 / 8])


def take(run: RunRecord, first: int, last: int, **more: Any) -> None:
    """Feed the run its steps first to last."""
    values: dict[str, Any] = {"status": "running", "step": last, "total_steps": 1000, "rows": rows(first, last)} | more
    run.take(Update(run.run_id, values.pop("generation", 0), **values))


def test_unpack_reads_what_pack_wrote(
    node: Callable[..., Any], fake_registry: Registry, run: RunRecord, snapshot: Any
) -> None:
    taken = snapshot(5)
    take(
        run,
        1,
        5,
        snapshot=taken,
        message="β → 0 ‖",
        marks=(Mark(2, "beta 1 → 0 at step 2", LiveSettings(beta=0.0)),),
    )
    packed = message(fake_registry, run)
    found = node(
        "const { news, arrays } = read(0);\n"
        "print({ news, arrays: Object.fromEntries(Object.entries(arrays).map(([name, { shape, data }]) =>"
        " [name, { shape, type: data.constructor.name, data: Array.from(data) }])) });",
        packed,
    )
    news, arrays = found["news"], found["arrays"]
    assert (news["run"], news["fresh"], news["step"], news["message"]) == (run.run_id, True, 5, "β → 0 ‖")
    assert news["marks"][0]["text"] == "beta 1 → 0 at step 2" and news["config"]["device"] == "cpu"
    assert news["cursor"]["train_step"] == 5
    types = {"Float32Array": "float32", "Int16Array": "int16", "Uint8Array": "uint8"}
    library = safetensors.numpy.load(packed)  # the same bytes, read by somebody else
    assert arrays.keys() == library.keys() >= {"train", "test", "xy", "labels", "originals", "prior_draws"}
    for name, values in library.items():
        assert tuple(arrays[name]["shape"]) == values.shape and types[arrays[name]["type"]] == values.dtype, name
        assert np.array_equal(np.array(arrays[name]["data"]), values.flatten()), name
    assert np.array_equal(library["train"], rows(1, 5)) and np.array_equal(library["labels"], taken.labels)


def test_a_message_without_rows_has_empty_tables(
    node: Callable[..., Any], fake_registry: Registry, run: RunRecord
) -> None:
    take(run, 1, 0)
    script = "const { arrays } = read(0); print([arrays.train.shape, arrays.train.data.length, arrays.test.shape]);"
    assert node(script, message(fake_registry, run)) == [[0, 4], 0, [0, 5]]


def test_history_appends_and_leaves_out_what_it_has(
    node: Callable[..., Any], fake_registry: Registry, run: RunRecord, snapshot: Any
) -> None:
    """The second message overlaps the first, as after joining a running stream; the third is the second again."""
    marks = tuple(Mark(3, f"{name} 1 → 0 at step 3", LiveSettings(**{name: 0.0})) for name in ("beta", "alpha"))
    take(run, 1, 4, snapshot=snapshot(4), marks=marks)
    first, early = message(fake_registry, run), Cursor(generation=0, train_step=2)
    take(run, 5, 7, snapshot=snapshot(7))
    second = message(fake_registry, run, early)
    found = node(
        "const h = new History(); [0, 1, 1].forEach((i) => h.add(read(i)));"
        " print({ train: h.train, test: h.test, marks: h.marks.map((m) => m.text) });",
        first,
        second,
    )
    expected = rows(1, 7)
    for i, name in enumerate(("step", "nll", "kl", "loss")):
        assert found["train"][name] == expected[:, i].tolist()
    assert found["test"]["step"] == [4, 7] and found["test"]["mean_std"] == [0.5, 0.5]
    assert found["marks"] == [mark.text for mark in marks]


def test_a_fresh_message_clears_the_history(
    node: Callable[..., Any], fake_registry: Registry, run: RunRecord, snapshot: Any
) -> None:
    take(run, 1, 5, snapshot=snapshot(5), marks=(Mark(2, "beta 1 → 0 at step 2", LiveSettings(beta=0.0)),))
    before = message(fake_registry, run)
    cursor = fake_registry.read(run.run_id, Cursor()).cursor  # type: ignore[union-attr]
    take(run, 1, 2, generation=1)
    after = message(fake_registry, run, cursor)
    script = "const h = new History(); h.add(read(0)); h.add(read(1)); print([h.train.step, h.test.step, h.marks]);"
    assert node(script, before, after) == [[1, 2], [], []]


def test_aligned_columns_share_their_steps(
    node: Callable[..., Any], fake_registry: Registry, run: RunRecord, snapshot: Any
) -> None:
    """Test rows at steps 0 and 2 between train rows 1 to 3: null where a table has no row."""
    take(run, 1, 0, snapshot=snapshot(0))
    take(run, 1, 2, snapshot=snapshot(2))
    take(run, 3, 3)
    names = ["train.nll", "test.nll", "train.negElbo", "test.negElbo", "train.loss"]
    wanted = [{"source": 0, "name": name} for name in names]
    script = f"const h = new History(); h.add(read(0)); print(align([h], {json.dumps(wanted)}));"
    assert node(script, message(fake_registry, run)) == [
        [0, 1, 2, 3],
        [None, 100.25, 100.5, 100.75],
        [150.5, None, 150.5, None],
        [None, 100.375, 100.75, 101.125],
        [156.75, None, 156.75, None],
        [None, 100.375, 100.75, 101.125],
    ]


def test_beside_a_vae_an_autoencoder_has_no_bound(node: Callable[..., Any]) -> None:
    """Its only term is no −ELBO: the curve of its sum would lie below every VAE's."""
    script = """
    const run = (columns, row) => {
      const h = new History(), none = { shape: [0, columns.length], data: new Float32Array(0) };
      const arrays = { train: { shape: [1, row.length], data: Float32Array.from(row) }, test: none };
      h.add({ news: { fresh: true, marks: [], columns: { train: columns, test: columns } }, arrays });
      return h;
    };
    const vae = run(["step", "nll", "kl", "loss"], [1, 90, 8, 98]), ae = run(["step", "nll", "loss"], [1, 70, 70]);
    const wanted = [0, 1].flatMap((source) => ["negElbo", "nll", "kl"].map((term) => ({ source, name: `train.${term}` })));
    print(align([vae, ae], wanted));
    """  # noqa: E501
    assert node(script) == [[1], [98], [90], [8], [None], [70], [None]]


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian-learned"])
def test_of_a_gaussian_run_sigma_is_drawn_beside_the_error(
    likelihood: str, node: Callable[..., Any], fake_registry: Registry, snapshot: Any
) -> None:
    config = RunConfig(device="cpu", likelihood=likelihood)
    run = fake_registry.get(fake_registry.start(config, "ann"))
    assert run is not None
    scales = {} if likelihood == "bernoulli" else {"sigma": 0.5, "rmse": 0.25}
    take(run, 1, 3, snapshot=replace(snapshot(3), scales=scales))
    script = f"""
    const h = new History(), m = read(0), curves = html.scalesOf({json.dumps(describe(config))});
    h.add(m);
    const picture = wire.pictureOf(m.news.snapshot, m.arrays);
    const names = curves.map((c) => c.name), wanted = names.map((name) => ({{ source: 0, name }}));
    print([names, align([h], wanted), picture.scales]);
    """
    names, (_, *values), pictured = node(script, message(fake_registry, run))
    assert names == [f"test.{name}" for name in scales] and pictured == scales
    assert values == [[None, None, value] for value in scales.values()]


def test_what_was_not_recorded_yet_leaves_a_gap(node: Callable[..., Any]) -> None:
    script = """
    const h = new History(), columns = { train: ["step", "nll", "loss"], test: ["step", "nll", "sigma"] };
    const rows = (...data) => ({ shape: [data.length / 3, 3], data: Float32Array.from(data) });
    h.add({ news: { fresh: true, marks: [], columns }, arrays: { train: rows(), test: rows(1, 90, NaN, 2, 80, 0.25) } });
    print(align([h], [{ source: 0, name: "test.sigma" }]));
    """  # noqa: E501
    assert node(script) == [[1, 2], [None, 0.25]]


def test_an_empty_history_aligns_to_empty_columns(node: Callable[..., Any]) -> None:
    assert node('print(align([new History()], [{source: 0, name: "train.nll"}, {source: 0, name: "test.nll"}]));') == [
        [],
        [],
        [],
    ]


@pytest.mark.parametrize(("factor", "weighted"), [(1.0, False), (1.5, True)])
def test_history_notices_a_weighted_loss(
    factor: float, weighted: bool, node: Callable[..., Any], fake_registry: Registry, run: RunRecord
) -> None:
    changed = rows(1, 3)
    changed[1, 3] *= factor  # one row of three
    take(run, 1, 3, rows=changed)
    assert (
        node("const h = new History(); h.add(read(0)); print(h.weighted());", message(fake_registry, run)) is weighted
    )
