"""The mathematics of two ways to explore, under node: paths over stops and differences of codes."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from pages.ui.words import image_name
from tests.node_runner import node_runner
from vae_core.latent import half_way, spherical, straight, through

Node = Callable[..., Any]
LIMITS = {"dims": 3, "count": 5000, "tests": 10_000, "classes": 10}
JUNK: list[Any] = [
    None,
    7,
    -1,
    0.5,
    1e300,
    "",
    "7",
    "10",
    "slant; drop",
    True,
    [],
    [None],
    [1],
    [-1, 5000],
    [0.5, 2.5],
    {},
    {"at": {}},
    [[1, 2], [3]],
    list(range(500)),
    ["0", "1"],
    "constructor",
    "__proto__",
    2**40,
]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    shared = ("near", "saved", "classes", "found")
    ways = (
        "interpolate/path as stops",
        "interpolate/slices",
        "interpolate/half",
        "interpolate/save",
        "arithmetic/math as sums",
    )
    folder = tmp_path_factory.mktemp("ways")
    return node_runner(folder, *(f"explore/shared/{name}" for name in shared), *(f"explore/{name}" for name in ways))


def codes(count: int, dims: int = 3, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, dims, generator=torch.Generator().manual_seed(seed))


# ---- what a link may say


def _junk_states(keys: list[str]) -> list[Any]:
    return [*JUNK, *({key: value} for key in keys for value in JUNK), {key: "x" * 9999 for key in keys}]


def test_a_path_from_any_link_is_whole_and_harmless(node: Node) -> None:
    raw = _junk_states(["images", "shape", "at", "twin", "seed"])
    states = node(
        "print(given.raw.map((r) => stops.cleanInterpolate(r, given.limits)))", {"raw": raw, "limits": LIMITS}
    )
    assert len(states) == len(raw)
    for state in states:
        assert 2 <= len(state["images"]) <= 6
        assert all(type(i) is int and 0 <= i < 5000 for i in state["images"])
        assert all(a != b for a, b in zip(state["images"], state["images"][1:], strict=False))
        assert state["shape"] in ("straight", "spherical") and 0 <= state["at"] <= 1
        assert type(state["twin"]) is bool and type(state["seed"]) is int and 0 <= state["seed"] < 2**32
        assert len(json.dumps(state)) < 200


def test_arithmetic_from_any_link_is_whole_and_harmless(node: Node) -> None:
    raw = _junk_states(["mode", "image", "attribute", "strength", "a", "b", "c"])
    states = node("print(given.raw.map((r) => sums.cleanArithmetic(r, given.limits)))", {"raw": raw, "limits": LIMITS})
    digits = [str(digit) for digit in range(10)]
    for state in states:
        assert state["mode"] in ("attribute", "means", "difference")
        assert state["attribute"] in ("slant", "thickness", "size", "width")
        assert type(state["image"]) is int and 0 <= state["image"] < 5000 and -2 <= state["strength"] <= 2
        for slot in (state["a"], state["b"], state["c"]):
            assert slot in digits or (type(slot) is int and 0 <= slot < 5000)


def test_a_good_link_is_kept_and_cleaning_twice_changes_nothing(node: Node) -> None:
    path = {"images": [4, 4999, 4], "shape": "spherical", "at": 0.25, "twin": False, "seed": 9}
    sums = {
        "mode": "difference",
        "image": 8,
        "attribute": "width",
        "strength": -1.25,
        "a": "3",
        "b": 17,
        "c": "0",
    }
    script = """const both = [[stops.cleanInterpolate, given.path], [sums.cleanArithmetic, given.sums]];
    const twice = (clean, raw) => [clean(raw, given.limits), clean(clean(raw, given.limits), given.limits)];
    print(both.map(([clean, raw]) => twice(clean, raw)))"""
    for (once, twice), said in zip(
        node(script, {"path": path, "sums": sums, "limits": LIMITS}), (path, sums), strict=True
    ):
        assert once == twice == said


@pytest.mark.parametrize(("count", "classes"), [(2, 0), (5, 2), (33, 3)])
def test_a_link_names_nothing_that_a_small_set_has_not(node: Node, count: int, classes: int) -> None:
    limits = {"dims": 3, "count": count, "tests": count, "classes": classes}
    raw = [{}, {"mode": "means", "a": "2", "b": "1", "c": 12, "image": 12, "images": [0, 12, 4]}]
    script = """print(given.raw.map((r) => [sums.cleanArithmetic(r, given.limits),
      stops.cleanInterpolate(r, given.limits)]))"""
    for state, path in node(script, {"raw": raw, "limits": limits}):
        named = [state["image"], state["a"], state["b"], state["c"], *path["images"]]
        assert all(int(slot) < (classes if isinstance(slot, str) else count) for slot in named)
        assert classes or state["mode"] != "means"
        assert len(path["images"]) >= 2 and path["images"][0] != path["images"][1]


# ---- stops


def test_stops_are_added_and_taken_away_within_bounds(node: Node) -> None:
    script = """const { withStop, withoutStop } = stops;
    print([withStop([1, 2], 3), withStop([1, 2], 2), withStop([1, 2, 3, 4, 5, 6], 7), withStop([1, 2], 1),
      withoutStop([1, 2, 3], 1), withoutStop([1, 2], 0), withoutStop([1, 2, 1], 1), withoutStop([1, 2, 1, 3], 1)])"""
    assert node(script) == [[1, 2, 3], None, None, [1, 2, 1], [1, 3], None, None, [1, 3]]


def test_another_image_is_of_the_same_class_and_comes_around(node: Node) -> None:
    labels = [3, 1, 3, 0, 3]
    script = "print([0, 2, 4, 1].map((i) => classes.another(i, given)).concat(classes.nextOf(7, 0, given)))"
    assert node(script, labels) == [2, 4, 0, 1, -1]


def test_two_random_images_are_drawn_as_torch_draws_them(node: Node) -> None:
    labels = (np.arange(5000) * 7 % 10).tolist()
    pairs = node("print([0, 1, 2, 77].map((seed) => stops.randomPair(seed, given)))", labels)
    for seed, (first, second) in zip((0, 1, 2, 77), pairs, strict=True):
        drawn = (torch.rand(50, generator=torch.Generator().manual_seed(seed)) * 5000).long().tolist()
        assert first == drawn[0]
        assert second == next(i for i in drawn[1:] if labels[i] != labels[first])
    pairs = node("print([0, 1, 2, 3, 4, 5].map((seed) => stops.randomPair(seed, [255, 255])))")
    assert all(sorted(pair) == [0, 1] for pair in pairs)  # without classes: two images, whichever


# ---- the path


@pytest.mark.parametrize("stops", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("shape", ["straight", "spherical"])
def test_a_path_is_that_of_the_core_at_every_place(node: Node, stops: int, shape: str) -> None:
    points = codes(stops, dims=4)
    script = """const path = new stops.Path(given.points.map((p) => Float32Array.from(p)), given.shape);
    print({ count: path.count, steps: path.steps, last: path.last, strip: Array.from(path.codesOf()),
      all: Array.from(path.codes), some: [0, 7, path.last].map((p) => Array.from(path.z(p))),
      legs: [0, path.placeOf(path.steps), path.last].map((p) => path.leg(p)),
      at: [0, 0.5, 1].map((t) => path.place(t)) })"""
    found = node(script, {"points": points.tolist(), "shape": shape})
    way = {"straight": straight, "spherical": spherical}[shape]
    legs, fine = stops - 1, found["last"] // (stops - 1)
    assert found["count"] == legs * found["steps"] + 1 >= 11
    strip = through(points, found["steps"] + 1, way)
    assert np.allclose(np.reshape(found["strip"], (-1, 4)), strip, atol=1e-5)
    everything = through(points, fine + 1, way)
    assert np.allclose(np.reshape(found["all"], (-1, 4)), everything, atol=1e-5)
    assert np.allclose(found["some"], everything[[0, 7, -1]], atol=1e-5)
    assert found["at"] == [0, pytest.approx(found["last"] / 2, abs=0.5), found["last"]]
    ends = [{"leg": 0, "t": 0}, {"leg": min(1, legs - 1), "t": 1 if legs == 1 else 0}, {"leg": legs - 1, "t": 1}]
    assert found["legs"] == ends


def test_half_way_is_that_of_the_core_and_pixels_are_averaged(node: Node) -> None:
    a, b = codes(2, 5)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 784))
    script = """const { pixelAverage } = half;
    print([Array.from(pixelAverage(...given.map((p) => Uint8Array.from(p))))])"""
    (mean,) = node(script, pictures.tolist())
    assert np.abs(np.array(mean) - pictures.mean(0)).max() <= 0.5
    path = """const { Path } = stops; const path = new Path(given.map((p) => Float32Array.from(p)), "straight");
    print(Array.from(path.z(path.place(0.5))))"""
    assert np.allclose(node(path, [a.tolist(), b.tolist()]), half_way(a, b), atol=1e-6)


def test_the_nearest_test_images_are_those_of_a_search_over_all(node: Node) -> None:
    draw = np.random.default_rng(1)
    images, pictures = draw.integers(0, 256, (350, 784)), draw.integers(0, 256, (3, 784))
    pictures[1] = images[317]
    script = """const [images, pictures] = given.map((p) => Uint8Array.from(p.flat()));
    const steps = [...slices.nearestImages(images, pictures)];
    print({ pauses: steps.filter((s) => s === undefined).length, found: steps.at(-1) })"""
    found = node(script, [images.tolist(), pictures.tolist()])
    rms = np.sqrt((((images[None] - pictures[:, None]) / 255.0) ** 2).mean(-1))
    assert [f["index"] for f in found["found"]] == rms.argmin(1).tolist()
    assert np.allclose([f["distance"] for f in found["found"]], rms.min(1), atol=1e-6)
    assert found["found"][1] == {"index": 317, "distance": 0}
    assert found["pauses"] >= 9  # it can be put aside between them


# ---- arithmetic


def test_the_plan_and_its_codes_are_what_the_formula_says(node: Node) -> None:
    mu, means, vectors = codes(20), codes(10, seed=1), codes(4, seed=2)
    given = {"mu": mu.tolist(), "means": means.tolist(), "vectors": vectors.tolist()}
    script = """const flat = (m) => Float32Array.from(m.flat());
    const set = { dims: 3, mu: flat(given.mu), classMeans: flat(given.means), attributeVectors: flat(given.vectors) };
    const states = [{ mode: "attribute", image: 7, attribute: "size" }, { mode: "difference", a: 2, b: "4", c: 19 }];
    print(states.map((s) => Array.from(sums.alongAll(sums.planOf(s, set), [-2, 0, 0.5])))
      .concat([[sums.planOf({ mode: "means" }, set)]]))"""
    attribute, difference, nothing = node(script, given)
    s = torch.tensor([[-2.0], [0], [0.5]])
    assert np.allclose(np.reshape(attribute, (3, 3)), mu[7] + s * vectors[2], atol=1e-6)
    assert np.allclose(np.reshape(difference, (3, 3)), mu[19] + s * (means[4] - mu[2]), atol=1e-6)
    assert nothing == [None]


def test_strengths_run_from_end_to_end_and_names_say_what_is_meant(node: Node) -> None:
    script = """const { strengths, STRENGTHS, named, lengthOf } = sums;
    const set = { labels: [0, 0, 8], numbers: [5, 9, 4832], classNames: [..."0123456789"] };
    const bags = { labels: [1, 0], numbers: [3, 77], classNames: ["Ankle boot", "Bag"] };
    const none = { labels: [255], numbers: [6], classNames: [] };
    print([strengths(5), STRENGTHS.length % 2, named("3", set), named(2, set), lengthOf([3, 4]),
      named("1", bags), named(1, bags), named(0, none), sums.labelsOf(bags), sums.labelsOf(none)])"""
    numbers, names = node(script)[:5], node(script)[5:]
    assert numbers == [[-2, -1, 0, 1, 2], 1, "mean of the 3s", "test image 4832, an 8", 5]
    assert names == ["mean of Bag", "test image 77, Ankle boot", "test image 6", ["0", "1"], []]


def test_a_test_image_has_the_name_that_python_gives_it(node: Node) -> None:
    numbers = [17, 3, 9999, 250]
    script = """const classNames = [..."0123456789"];
    print([classes.imageName(3, { numbers: given, labels: [0, 1, 8, 7], classNames }), classes.nameOf(12, "8"),
      [0, 3, 4, 250, 251, 9998, 9999].map((number) => classes.imageOf(number, given))])"""
    seven, eight, places = node(script, numbers)
    assert seven == image_name(250, 7) and eight == image_name(12, 8)
    assert [numbers[place] for place in places] == [3, 3, 17, 250, 9999, 9999, 9999]  # or the next


# ---- to take home


def test_the_table_is_read_back_by_another_reader(node: Node) -> None:
    rows = [{"t": 0.125, "z": [-1.5, 1e-9], "what": 'a "4", b'}, {"t": 1, "z": [0, 12345.678], "what": None}]
    text = node("""print(saved.table(["t", "z", "what"], 2, given))""", rows)
    head, *body = list(csv.reader(io.StringIO(text)))
    assert head == ["t", "z1", "z2", "what"]
    assert [[float(v) for v in row[:3]] for row in body] == [[0.125, -1.5, 1e-9], [1, 0, 12345.68]]
    assert [row[3] for row in body] == ['a "4", b', ""]


def test_the_animation_goes_there_and_back(node: Node) -> None:
    script = """const pictures = Uint8Array.from({ length: 3 * 784 }, (_, i) => Math.floor(i / 784));
    const { frames, width, height } = saved.thereAndBack(pictures);
    print([width, height, frames.map((f) => [f.length, f[5]])])"""
    assert node(script) == [28, 28, [[784, 0], [784, 1], [784, 2], [784, 1]]]


# ---- how near a code is


def test_a_near_radius_is_found_once_and_is_never_nothing(node: Node) -> None:
    script = """let reads = 0;
    const mu = Float32Array.from(given.mu.flat());
    const of = (set) => Object.assign(Object.create(found.Found.prototype), { set });
    const model = of({ get mu() { reads++; return mu; }, logVar: null, dims: 3 });
    const { radiusOf, ruleOf } = near, first = radiusOf(model), once = reads;
    print({ radii: [first, radiusOf(model)], again: reads - once,
      one: radiusOf(of({ mu: new Float32Array(90), logVar: null, dims: 3 })),
      rules: [ruleOf(of({ logVar: null })), ruleOf(of({ logVar: mu }))] })"""
    mu = codes(300)
    found = node(script, {"mu": mu.tolist()})
    radius = torch.cdist(mu, mu).fill_diagonal_(torch.inf).min(1).values.sort().values[285]
    assert found["radii"] == [pytest.approx(radius.item(), abs=1e-5)] * 2
    assert found["again"] == 0
    assert 0 < found["one"] < 1e-6  # all codes in one place: still something to divide by
    assert ["q(z | x)" in rule for rule in found["rules"]] == [False, True]


def test_ratios_are_written_short_and_a_gap_lies_beyond_1(node: Node) -> None:
    script = """const { ratioText, isFar, farWords } = near;
    print([[0, 0.0049, 1.004, 9.99, 9.996, 12.4, 99, 1e9].map(ratioText), [0, 1, 1.001].map(isFar),
      farWords([0, 1, 0.5]), farWords([0, 1.2, 3, 0])])"""
    texts = ["0.00", "0.00", "1.00", "9.99", "10", "12", "99", "> 99"]
    assert node(script) == [texts, [False, False, True], "no gap", "2 of 4 pictures in a gap"]


def test_no_film_is_saved_of_a_model_that_has_gone(node: Node) -> None:
    script = """const path = new stops.Path([[0, 0], [1, 1]].map((z) => Float32Array.from(z)), "straight");
    const decode = async (key, zs) => (given.gone ? null : new Uint8Array(392 * zs.length));
    const model = { set: {}, background: { decode } };
    print(await save.pathFiles(model, [{ path }], {}).gif())"""
    assert node(script, {"gone": True}) is None
    assert len(node(script, {"gone": False})["frames"]) == 94


def test_a_saved_path_names_a_run_by_its_title(node: Node) -> None:
    script = """const path = new stops.Path([[0, 0], [1, 1]].map((z) => Float32Array.from(z)), "straight");
    const lane = (about) => ({ found: { about }, path, ratios: new Array(11).fill(2), radius: 0.25, near: [] });
    const abouts = [{ name: "vae", title: "VAE, 2", shipped: true }, { name: "r1a2", title: "Run 3", shipped: false }];
    print(save.pathFiles({ set: {} }, abouts.map(lane), {}).csv())"""
    rows = list(csv.DictReader(io.StringIO(node(script))))
    assert [row["model"] for row in rows] == ["vae"] * 11 + ["Run 3"] * 11
    assert {(row["distance_to_nearest_code"], row["near_radius"]) for row in rows} == {("0.5", "0.25")}
