"""What the browser computes of a run on points, run under node: the decoder and the posterior as torch has them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.node_runner import node_runner
from vae_core import losses, models
from vae_core.config import RunConfig
from vae_core.exact.points import bound, decode_sheet, log_evidence
from vae_core.inspect.points import _layers


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    return node_runner(tmp_path, "plane/decoder", "plane/chosen", "plane/bound")


@pytest.mark.parametrize(("dims", "activation"), [(1, "tanh"), (2, "tanh"), (2, "relu"), (1, "elu")])
@torch.no_grad()
def test_the_posterior_of_a_point_is_that_of_the_model(dims: int, activation: str, node: Callable[..., Any]) -> None:
    config = RunConfig(dataset="ring", likelihood="gaussian", sigma=0.2, latent_dim=dims, widths="16-8")
    model: Any = models.build(config.with_(activation=activation, seed=3)).eval()
    for parameter in model.decoder.parameters():
        parameter *= 2
    layers = {f"points_{name}": [list(w.shape), w.flatten().tolist()] for name, w in _layers(model).items()}
    twin, x = model.double(), torch.tensor([[0.4, -0.3]], dtype=torch.float64)
    found = bound(twin, x, *log_evidence(decode_sheet(twin, x), x))
    q = {"mu": found.mu[0].tolist(), "std": found.std[0].tolist()}
    seen = node(
        "const layers = Object.fromEntries(Object.entries(given.layers).map(([k, v]) => [k, array(v)]));"
        "const decode = decoder.decoderOf(layers, given.activation);"
        "const range = decoder.windowOf(decoder.surveyOf(decode), decode.dims, given.sigma, given.x, given.q);"
        "const found = decoder.densitiesOf(decode, range, given.sigma, given.x, given.logP, given.q);"
        "print({ decoded: Array.from(decode(given.zs)), range, n: decoder.FINE[decode.dims],"
        " ...Object.fromEntries(Object.entries(found).map(([k, v]) => [k, Array.from(v)])) });",
        {
            **{"layers": layers, "activation": activation, "sigma": 0.2, "x": x[0].tolist(), "q": q},
            **{"logP": found.log_p.item(), "zs": (zs := torch.linspace(-3, 3, 4 * dims)).tolist()},
        },
    )
    wanted = twin.decode(zs.double().view(-1, dims)).flatten()
    torch.testing.assert_close(torch.tensor(seen["decoded"], dtype=torch.float64), wanted, rtol=0, atol=1e-5)
    z = torch.tensor(seen["zs"], dtype=torch.float64).view(-1, dims)
    joint = -twin.nll(twin.decode(z), x.expand(len(z), 2)) + losses.standard_normal_log_prob(z)
    posterior, own = np.array(seen["posterior"]), np.array(seen["q"])
    assert posterior == pytest.approx((joint - found.log_p).exp().numpy(), rel=1e-4, abs=1e-9)
    log_q = losses.gaussian_log_prob(z, found.mu, 2 * found.std.log())
    assert own == pytest.approx(log_q.exp().numpy(), rel=1e-6, abs=1e-12)
    cell = np.prod([(r["to"] - r["from"]) / (seen["n"] - 1) for r in seen["range"]])
    assert posterior.sum() * cell == pytest.approx(1, abs=0.02)  # what the window leaves out
    assert own.sum() * cell == pytest.approx(1, abs=0.01)
    assert len({round(r["to"] - r["from"], 9) for r in seen["range"]}) == 1


def test_arrows_go_to_the_next_point_that_way(node: Callable[..., Any]) -> None:
    places = [[0, 0], [1, 0.1], [0.2, 1], [-1, 0], [0.1, -0.5], [3, 0]]
    found = node(
        "const points = { shape: [given.length, 2], data: given.flat() };"
        "print({ near: chosen.nearest(points, [0.9, 0]),"
        " next: ['Right', 'Up', 'Left', 'Down'].map((way) => chosen.next(points, 0, `Arrow${way}`)),"
        " end: chosen.next(points, 5, 'ArrowRight'), moves: ['ArrowUp', 'a'].map(chosen.isMove) });",
        places,
    )
    assert found == {"near": 1, "next": [1, 2, 3, 4], "end": 5, "moves": [True, False]}


def test_the_first_pictures_do_not_press_the_curves_flat(node: Callable[..., Any]) -> None:
    steps = [0, 10, 100, 500, 1000]
    found = node("print(bound.rangeOf(...given))", [steps, [-90, -50, -6, -3, -2], [-60, -20, -3, -2, -1.5]])
    assert found["from"] == pytest.approx(-6 - 0.08 * 4.5) and found["to"] == pytest.approx(-1.5 + 0.08 * 4.5)
