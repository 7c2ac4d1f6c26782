"""The explorer's way Encode under node: what a link may say, and its mathematics against torch and brute force."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from tests.node_runner import node_runner
from vae_core.data import prepare

BASE = {"of": "test", "image": 0, "picture": None, "number": None, "digit": 0, "seed": 0, "shown": "mu"}


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    names = (
        "encode/math as encode_math",
        "encode/words",
        "encode/mnist as pictures",
        "encode/save as saved",
        "shared/posterior",
        "shared/taken as pixels",
    )
    return node_runner(tmp_path, *(f"explore/{name}" for name in names))


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def text(values: Any) -> str:
    return base64.b64encode(bytes(values)).decode()


# ---- the state


def test_whatever_a_link_says_becomes_whole_and_harmless(node: Callable[..., Any]) -> None:
    good = text(range(256)) + text([0] * 528)  # 256 is no multiple of 3: "=" in the middle
    short, dark, right = text([7] * 783), text([0] * 784), text([i % 256 for i in range(784)])
    loose = right[:-3] + chr(ord(right[-3]) + 1) + "=="  # bits that no byte has
    raw: list[Any] = [
        {},
        None,
        7,
        "x",
        [],
        {"of": "nobody", "image": -1, "seed": 0.5, "shown": 3, "picture": 7},
        {"image": 5000, "seed": 2**32},
        {"image": "3", "seed": "3"},
        {"image": None, "picture": [], "number": 7},  # a number without its picture
        *({"of": "picture", "picture": p} for p in (good, short, dark, "<b>", "A" * 100_000, right + "=")),
    ]
    whole = {"of": "picture", "image": 4999, "picture": right, "seed": 2**32 - 1, "shown": "sample"}
    whole |= {"number": 9999, "digit": 9}
    found = node(
        "const limits = { dims: 2, count: 5000, tests: 10000, classes: 10 };"
        "const clean = (raw) => encode_math.cleanEncode(raw, limits);"
        "const few = (raw) => encode_math.cleanEncode(raw, { dims: 2, count: 30, tests: 40, classes: 3 });"
        "print([few({ ...given.whole, image: 30 }), few({ ...given.whole, image: 29, number: 39, digit: 2 }),"
        " ...[...given.raw, given.whole, { picture: given.loose }].map(clean)]);",
        {"raw": raw, "whole": whole, "loose": loose},
    )
    beyond, within, *cleaned, last, again = found
    assert beyond == {
        **whole,
        "image": 0,
        "number": None,
        "digit": 0,
    }  # a smaller set
    assert within == {**whole, "image": 29, "number": 39, "digit": 2}
    assert len(cleaned) == len(raw)
    for before, after in zip(raw, cleaned, strict=True):
        assert after == {
            **BASE,
            "of": "picture" if isinstance(before, dict) and "of" in before and before["of"] == "picture" else "test",
        }
    assert last == whole
    assert again["picture"] == right


def test_pictures_survive_a_link_and_come_as_the_model_takes_them(node: Callable[..., Any]) -> None:
    pixels = torch.randint(0, 256, (784,), generator=generator(0), dtype=torch.uint8)
    found = node(
        "const bytes = encode_math.pictureOf(given);"
        "print({ bytes: Array.from(bytes), text: encode_math.textOf(bytes),"
        " grey: Array.from(pixels.taken(bytes, 'grey')),"
        " black: Array.from(pixels.taken(bytes, 'threshold')) });",
        text(pixels.tolist()),
    )
    assert found["bytes"] == pixels.tolist() and found["text"] == text(pixels.tolist())
    x = pixels.float() / 255
    torch.testing.assert_close(torch.tensor(found["grey"]), x)
    torch.testing.assert_close(torch.tensor(found["black"], dtype=torch.float32), (x > 0.5).float())


# ---- the posterior


@pytest.mark.parametrize("dims", [1, 2, 32])
def test_kl_std_and_samples_are_those_of_torch(dims: int, node: Callable[..., Any]) -> None:
    mu, log_var = 2 * torch.randn(dims, generator=generator(dims)), torch.randn(dims, generator=generator(9)) - 3
    found = node(
        "const [mu, logVar] = [given.mu, given.logVar].map((v) => Float32Array.from(v));"
        "const std = posterior.stdOf(logVar), eps = posterior.noise(given.seed, mu.length);"
        "print({ kl: Array.from(posterior.klDims(mu, logVar)), std: Array.from(std),"
        " z: Array.from(posterior.samplesOf(mu, std, eps)) });",
        {"mu": mu.tolist(), "logVar": log_var.tolist(), "seed": 5},
    )
    posterior = Normal(mu.double(), (0.5 * log_var.double()).exp())
    torch.testing.assert_close(
        torch.tensor(found["kl"]).double(), kl_divergence(posterior, Normal(0.0, 1.0)).double(), rtol=1e-5, atol=1e-6
    )
    torch.testing.assert_close(torch.tensor(found["std"]), posterior.stddev.float())
    eps = torch.randn(16, dims, generator=generator(5))
    torch.testing.assert_close(
        torch.tensor(found["z"]).view(16, dims), mu + posterior.stddev.float() * eps, rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("binary", [False, True])
def test_bernoulli_nll_is_that_of_torch_distributions(binary: bool, node: Callable[..., Any]) -> None:
    logits = (20 * torch.randn(784, generator=generator(1), dtype=torch.float64)).clamp(-80, 9)
    x = torch.rand(784, generator=generator(2), dtype=torch.float64)
    x = (x > 0.5).double() if binary else x
    found = node(
        "const [x, p] = [given.x, given.p].map((v) => Float32Array.from(v));"
        "print(posterior.nll(x, p, { likelihood: 'bernoulli' }));",
        {"x": x.tolist(), "p": logits.sigmoid().tolist()},
    )
    one = Bernoulli(logits=logits, validate_args=False)  # grey x: the mean over x redrawn as Bernoulli(x)
    wanted = -(x * one.log_prob(torch.ones(784)) + (1 - x) * one.log_prob(torch.zeros(784))).sum().item()
    assert found == pytest.approx(wanted, rel=1e-5)


def test_nll_stays_a_number_where_the_picture_is_quite_black_or_white(node: Callable[..., Any]) -> None:
    found = node(
        "const all = (v) => new Float32Array(784).fill(v), of = { likelihood: 'bernoulli' };"
        "print([[0, 0], [1, 1], [1, 0], [0, 1]].map(([x, p]) => posterior.nll(all(x), all(p), of)));"
    )
    assert found[:2] == [0, 0]
    assert all(15 * 784 < value < 120 * 784 for value in found[2:])


@pytest.mark.parametrize("sigma", [0.05, 0.1, 1.0])
def test_gaussian_nll_is_that_of_torch_distributions(sigma: float, node: Callable[..., Any]) -> None:
    x, mean = torch.rand(784, generator=generator(3)), torch.rand(784, generator=generator(4))
    found = node(
        "const [x, p] = [given.x, given.p].map((v) => Float32Array.from(v)), likelihood = 'gaussian-learned';"
        "print([given.sigma, undefined, null, 0].map((sigma) => posterior.nll(x, p, { likelihood, sigma })));",
        {"x": x.tolist(), "p": mean.tolist(), "sigma": sigma},
    )
    wanted = -Normal(mean.double(), sigma).log_prob(x.double()).sum().item()
    assert found == [pytest.approx(wanted, rel=1e-6), None, None, None]


# ---- the codes around


@pytest.mark.parametrize("dims", [1, 2, 32])
def test_nearest_codes_are_those_of_brute_force(dims: int, node: Callable[..., Any]) -> None:
    mu = torch.randn(700, dims, generator=generator(dims))
    labels = torch.randint(0, 10, (700,), generator=generator(6))
    found = node(
        "const mu = Float32Array.from(given.mu.flat()), dims = given.mu[0].length;"
        "const at = (i) => mu.subarray(i * dims, (i + 1) * dims);"
        "const near = [0, 77, 699].map((i) => encode_math.nearestCodes(at(i), mu, 15, i));"
        "print({ near, self: encode_math.nearestCodes(at(77), mu)[0],"
        " few: encode_math.nearestCodes(at(1), mu.subarray(0, 3 * dims)),"
        " classes: near.map((list) => encode_math.classesOf(list, given.labels)),"
        " usual: Array.from(encode_math.usualDistances(mu, dims, 700)) });",
        {"mu": mu.tolist(), "labels": labels.tolist()},
    )
    far = torch.cdist(mu.double(), mu.double()).fill_diagonal_(torch.inf)
    for i, near, classes in zip((0, 77, 699), found["near"], found["classes"], strict=True):
        assert near == far[i].argsort()[:15].tolist()
        assert dict(map(tuple, classes)) == {
            d: n for d, n in enumerate(labels[near].bincount(minlength=10).tolist()) if n
        }
        assert [n for _, n in classes] == sorted((n for _, n in classes), reverse=True)
    assert found["self"] == 77 and sorted(found["few"]) == [0, 1, 2]
    torch.testing.assert_close(
        torch.tensor(found["usual"]).double(), far.min(1).values.sort().values.double(), rtol=1e-4, atol=1e-6
    )


def test_words_say_what_the_numbers_are(node: Callable[..., Any]) -> None:
    found = node(
        "const usual = Float64Array.from({ length: 500 }, (_, i) => i / 100), w = words;"
        "const digits = [...'0123456789'], bags = ['Bag', 'Ankle boot'];"
        "print({ many: w.neighbourWords([[3, 12], [5, 2], [8, 1]], digits), all: w.neighbourWords([[8, 15]], digits),"
        " named: w.neighbourWords([[1, 14], [0, 1]], bags), unlabelled: w.neighbourWords([[255, 15]], []),"
        " one: w.neighbourWords([[8, 1], [1, 1]], digits), near: w.lonelyWords(4.9, usual),"
        " far: w.lonelyWords(4.98, usual),"
        " none: w.lonelyWords(9, usual) });"
    )
    assert found["many"] == "12 of the 15 nearest codes are 3s, 2 are 5s, 1 is an 8."
    assert found["all"] == "15 of the 15 nearest codes are 8s."
    assert found["one"] == "1 of the 2 nearest codes is an 8, 1 is a 1."
    assert found["named"] == "14 of the 15 nearest codes are Ankle boot, 1 is Bag." and found["unlabelled"] == ""
    assert found["near"] == ""
    assert found["far"] == (
        "Unlike anything it has seen: mu is 4.98 from the nearest code, "
        "and 2 of 500 test images lie as far from the nearest other code."
    )
    assert "none of 500 test images" in found["none"]


def test_the_table_holds_every_number(node: Callable[..., Any]) -> None:
    code = {"mu": [0.5, -1], "std": [0.25, 0.5], "kl": [1, 2], "zs": np.arange(32).tolist()}
    found = node(
        "const [code, about] = [given, { title: 'test image 3, a 1', seed: 7, model: 'm' }];"
        "const typed = Object.fromEntries(Object.entries(code).map(([k, v]) => [k, Float32Array.from(v)]));"
        "const alone = { mu: typed.mu, std: null, kl: null, zs: null };"
        "print([saved.encodeTable(typed, about), saved.encodeTable(alone, about)]);",
        code,
    )
    rows = found[0].split("\r\n")
    assert rows[0] == "model,image,seed of eps,what,z1,z2"
    assert rows[1:4] == [f'm,"test image 3, a 1",7,{row}' for row in ("mu,0.5,-1", "std,0.25,0.5", "KL (nats),1,2")]
    assert len(rows) == 4 + 16 + 1 and rows[19] == 'm,"test image 3, a 1",7,sample 16,30,31'
    assert found[1].count("\r\n") == 2


def test_the_browser_draws_an_image_as_python_does(node: Callable[..., Any]) -> None:
    pixels = torch.randint(0, 256, (6, 1, 28, 28), generator=generator(0), dtype=torch.uint8)
    pixels[0], pixels[1] = 0, 255
    found = node("print(given.map((greys) => Array.from(pixels.taken(greys, 'static'))));", pixels.flatten(1).tolist())
    assert found == prepare(pixels, "static", generator(1)).flatten(1).tolist()


def test_a_drawing_for_other_images_is_made_small_as_it_lies(node: Callable[..., Any]) -> None:
    ink = np.zeros((280, 280))
    ink[35:70, 3:277] = np.random.default_rng(0).random((35, 274))
    small, none = node(
        "const ink = Float32Array.from(given.flat());"
        "print([Array.from(pictures.reduced(ink, 10)), pictures.reduced(new Float32Array(78400), 10)]);",
        ink.tolist(),
    )
    assert np.allclose(np.reshape(small, (28, 28)), ink.reshape(28, 10, 28, 10).mean((1, 3)), atol=1e-5)
    assert none is None
