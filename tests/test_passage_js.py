"""The home page's picture under node: what a link may say, and its terms against torch.distributions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from tests.node_runner import node_runner
from vae_core.latent import quantile_grid

WHOLE = {"number": None, "picture": None, "blank": False, "seed": 0, "mu": None, "at": None}


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    return node_runner(tmp_path, "passage/math as it")


def test_whatever_a_link_says_becomes_whole_and_harmless(node: Callable[..., Any]) -> None:
    raw = [None, 7, "x", [], {"number": -1, "seed": 0.5, "mu": [1], "at": "3"}, {"mu": [1, "2"], "picture": "<b>"}]
    good = {"number": 61, "picture": None, "blank": False, "seed": 2**32 - 1, "mu": [1.2346, -99], "at": 23500}
    blank = {"blank": True, "number": 61}
    every = {"raw": raw, "good": good, "blank": blank}
    *cleaned, last, empty = node("print([...given.raw, given.good, given.blank].map(it.cleanPassage));", every)
    assert cleaned == [WHOLE] * len(raw) and empty == WHOLE | {"blank": True}
    assert last == good | {"mu": [1.235, -12]}


@pytest.mark.parametrize("moved", [None, [2.5, -1.0]])
def test_terms_are_those_of_torch(node: Callable[..., Any], moved: list[float] | None) -> None:
    """A small model of one line: log odds = weight · z. A moved cloud has its own KL, and z moves along."""
    generator = torch.Generator().manual_seed(1)
    grey = torch.randint(0, 256, (784,), generator=generator)
    weight = torch.randn(784, 2, generator=generator)
    mu, log_var = torch.tensor([0.3, -1.2]), torch.tensor([-2.0, -0.5])
    found = node(
        "const w = given.weight, mean = (z) => w.map(([a, b]) => 1 / (1 + Math.exp(-(a * z[0] + b * z[1]))));"
        "const encode = () => ({ mu: Float32Array.from(given.mu), logVar: Float32Array.from(given.logVar) });"
        "const model = { encode, decode: (z) => Float32Array.from(mean(z)) };"
        "const about = { protocol: 'grey', likelihood: 'bernoulli', sigma: null };"
        "const p = it.passage({ about, model }, Uint8Array.from(given.grey), { seed: 5, mu: given.moved });"
        "print({ z: [...p.z], nll: p.nll, kl: p.kl });",
        {"weight": weight.tolist(), "mu": mu.tolist(), "logVar": log_var.tolist(), "grey": grey.tolist()}
        | {"moved": moved},
    )
    eps = torch.randn(16, 2, generator=torch.Generator().manual_seed(5))[0]
    q = Normal(mu if moved is None else torch.tensor(moved), (log_var / 2).exp())
    z = q.loc + q.scale * eps
    nll = -Bernoulli(logits=weight @ z, validate_args=False).log_prob(grey / 255).sum().item()
    assert found["z"] == pytest.approx(z.tolist(), abs=1e-6)
    assert found["nll"] == pytest.approx(nll, rel=1e-5)
    assert found["kl"] == pytest.approx(kl_divergence(q, Normal(0.0, 1.0)).sum().item(), rel=1e-6)


def test_the_nearest_cell_of_the_grid_is_the_one_by_brute_force(node: Callable[..., Any]) -> None:
    places = torch.randn(50, 2, generator=torch.Generator().manual_seed(2)) * 1.5
    grid = quantile_grid(12)  # (144, 2)
    nearest = torch.cdist(places, grid).argmin(1)
    found = node("print(given.map((xy) => it.nearestCell(xy, 12)));", places.tolist())
    assert [f["cell"] for f in found] == nearest.tolist()
    assert torch.tensor([f["z"] for f in found]).sub(grid[nearest]).abs().max() < 1e-4
