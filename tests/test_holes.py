"""Holes: where the prior falls and codes don't, in two dimensions as in thirty-two."""

import math

import numpy as np
import pytest
import torch
from scipy import spatial
from torch import Tensor

from vae_core import rng
from vae_core.metrics import codes

IDEAL = math.prod((2000 - i) / (4000 - i) for i in range(5))  # the first five of 4,000 points are all of one kind


def normals(*shape: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def share(z: Tensor, seed: int = 0, draws: int = codes.PRIOR_DRAWS) -> float:
    return codes.holes(z, torch.Generator().manual_seed(seed), draws)


def test_by_hand_on_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes at 0 and 10, other prior draws at 1, 2, 3 …: each draw's nearest by a loop."""
    given = [
        torch.arange(1.0, 9.0).double()[:, None],
        torch.tensor([[-3.0], [0.4], [2.6], [5.0], [8.9], [20.0]]).double(),
    ]
    others, draws = given
    z = torch.tensor([[0.0], [10.0]] * 4).double()
    nearer = [sum(abs(o - d) < min(abs(d), abs(d - 10)) for o in others[:, 0]) for d in draws[:, 0]]
    assert [int(n) for n in nearer] == [0, 0, 5, 8, 1, 0]
    monkeypatch.setattr("vae_core.metrics.codes.torch.randn", lambda *_, **__: given.pop(0))
    assert share(z, draws=6) == pytest.approx(2 / 6)


@pytest.mark.parametrize("dims", [1, 2, 4, 8, 16, 20, 32])
def test_codes_that_lie_like_the_prior_have_as_few_in_every_dimension(dims: int) -> None:
    """A fixed distance calls all of it a hole from 8 dimensions on: 100% of a healthy model."""
    z = normals(2000, dims, seed=dims)
    assert share(z) == pytest.approx(IDEAL, abs=0.02)
    part_dead = torch.cat([z[:, : dims // 2], normals(2000, dims - dims // 2, seed=100)], -1)
    assert share(part_dead) == pytest.approx(IDEAL, abs=0.02)


@pytest.mark.parametrize("dims", [2, 4, 8, 16, 20, 32])
def test_codes_of_an_autoencoder_leave_holes(dims: int) -> None:
    """Narrow, several times as far out as the prior, in ten groups; and a shell around an empty middle."""
    r = np.random.default_rng(dims)
    spread = torch.from_numpy(4 * r.normal(size=(10, dims))[r.integers(0, 10, 2000)] + r.normal(size=(2000, dims)))
    shell = normals(2000, dims)
    shell *= 3 * math.sqrt(dims) / shell.norm(dim=-1, keepdim=True)
    for z in (spread, shell):
        assert share(z) > 0.25 > 5 * IDEAL
    assert share(0 * shell + 0.01 * normals(2000, dims, seed=1)) > 0.4  # all in one place


def test_in_the_plane_it_is_the_share_of_the_prior_over_a_grid() -> None:
    """With the same other draws: each cell of a fine grid is a hole or none, and the prior weighs them."""
    r = np.random.default_rng(1)
    z = torch.from_numpy(r.normal(size=(2000, 2)) * [1.6, 0.7] + [0.8, 0])
    z = z[(z - 0.5).norm(dim=-1) > 0.6]  # with a hole cut out
    others = torch.randn(len(z), 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).numpy()
    axis = np.linspace(-5, 5, 401)
    cells = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    fifth = spatial.cKDTree(others).query(cells, 5)[0][:, -1]
    hole = fifth < spatial.cKDTree(z.numpy()).query(cells)[0]
    weight = np.exp(-0.5 * (cells**2).sum(-1))
    wanted = (weight * hole).sum() / weight.sum()
    assert share(z, draws=20_000) == pytest.approx(wanted, abs=4 * math.sqrt(wanted / 20_000)) and 0.1 < wanted < 0.6


def test_the_noise_is_that_of_the_seed_and_nothing_else() -> None:
    z = 2 * normals(300, 4)
    before = torch.random.get_rng_state()
    assert share(z, 3) == share(z, 3) != share(z, 4) and torch.equal(before, torch.random.get_rng_state())
    pieces = codes.holes.pieces(z, rng.generator(torch.device("cpu"), 0, "eval", 4))
    assert len(list(pieces)) >= 20
