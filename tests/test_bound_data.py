"""What the page sends of a model for its bound: the joint density on grids, against the model itself."""

import base64
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, kl_divergence

from pages.elbo import settings
from pages.ui.lesson.bound.planes import bound_data, modes
from pages.ui.lesson.bound.view import BoundData, Line, Plane
from tests.bound_problem import (
    X,
    data,
    exact,
    linear_log_joint,
    linear_planes,
    model,
    run_bound,
)
from vae_core.exact.quadrature import evidence


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    return run_bound(tmp_path)


def test_planes_arrive_as_they_were_sent(node: Callable[..., Any]) -> None:
    plane = linear_planes()[0]
    sent = data([plane], 0.0)["planes"][0]
    found = node("const p = unpack(given); print({ ...p, values: Array.from(p.values) });", sent)
    assert found["values"] == plane.log_joint.astype("<f4").flatten().tolist()
    assert (found["n"], found["z1"], found["z2"]) == (101, list(plane.z1), list(plane.z2))
    assert base64.b64decode(data([plane], 0.0)["image"]) == bytes(784)


def test_a_plane_must_be_square_finite_and_of_equal_steps() -> None:
    good = np.zeros((5, 5))
    Plane(good, (0.0, 1.0), (2.0, 3.0))
    bad = good.copy()
    bad[2, 2] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        Plane(bad, (0.0, 1.0), (2.0, 3.0))
    with pytest.raises(ValueError, match="square grid"):
        Plane(np.zeros((5, 6)), (0.0, 1.0), (2.0, 3.0))
    for z2 in ((2.0, 4.0), (3.0, 2.0)):
        with pytest.raises(ValueError, match="equal widths"):
            Plane(good, (0.0, 1.0), z2)


def test_the_id_follows_the_contents() -> None:
    planes = linear_planes()
    assert data(planes, -1.0)["id"] == data(planes, -1.0)["id"] != data(planes, -1.1)["id"]


def test_a_q_of_a_link_may_have_a_correlation_below_one() -> None:
    """Links of before have none: mean-field."""
    plain = {"mu": [0.5, -1.25], "log_var": [-1.0, 0.25]}
    for q in (plain, {**plain, "rho": 0.0}, {**plain, "rho": -0.99}):
        made = settings.gaussian(q)
        assert made is not None and made.to_data() == q and made.rho == q.get("rho")
    for rho in (1, -1.5, math.nan, "a", None):
        assert settings.gaussian({**plain, "rho": rho}) is None


@pytest.fixture(scope="module")
def linear_data() -> BoundData:
    """What the page would send of the linear model, its encoder five times too wide."""
    spoilt = model(widen=5.0)
    found = evidence(spoilt, X)
    return bound_data(spoilt, X, found, image=np.zeros((28, 28)), label="x", name="linear", line=Line(w=1.0))


def test_bound_data_is_the_model_on_grids(linear_data: BoundData, node: Callable[..., Any]) -> None:
    log_p, posterior = exact()
    assert linear_data.log_evidence == pytest.approx(log_p, abs=1e-3) and linear_data.line.w == 1.0
    fine, whole = linear_data.planes[0], linear_data.planes[-1]
    assert (whole.z1, whole.z2, len(whole.log_joint)) == ((-5.0, 5.0), (-5.0, 5.0), 201)
    corner = torch.tensor([[fine.z1[0], fine.z2[1]], [fine.z1[1], fine.z2[0]]], dtype=torch.float64)
    assert fine.log_joint[[0, -1], [0, -1]] == pytest.approx(linear_log_joint(corner).numpy(), rel=1e-9)
    for (low, high), mean, var in zip((fine.z1, fine.z2), posterior.mean, posterior.variance, strict=True):
        assert low < mean - 4 * var.sqrt() and high > mean + 4 * var.sqrt()
    found = node("print([problem.ownEvidence, problem.evaluate(given.encoder)]);", linear_data.to_data())
    wide = MultivariateNormal(posterior.mean, torch.diag(25 / posterior.precision_matrix.diagonal()))
    assert found[0] == pytest.approx(log_p, abs=2e-3) and found[1]["agrees"]
    assert found[1]["klPosterior"] == pytest.approx(kl_divergence(wide, posterior).item(), rel=1e-3)


class TwoModes:
    """A likelihood with two far and narrow modes, and an encoder that sees neither."""

    latent_dim = 2

    def decode(self, z: Tensor) -> Tensor:
        return z

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return torch.tensor([[-1.5, 1.5]], dtype=x.dtype), torch.tensor([[-6.0, -6.0]], dtype=x.dtype)

    def nll(self, logits: Tensor, x: Tensor) -> Tensor:
        distance = torch.stack([((logits - c) / 0.05).square().sum(-1) for c in (-1.0, 1.2)])
        return -torch.logsumexp(-0.5 * distance, 0)


def test_each_mode_and_the_encoder_get_a_grid_of_their_own() -> None:
    found = evidence(TwoModes(), X)
    squares = modes(found)
    centres = sorted(round(s.z1, 1) for s in squares)
    assert centres == [-1.0, 1.2] and all(0.2 < s.half < 0.4 for s in squares)
    made = bound_data(TwoModes(), X, found, image=np.zeros((28, 28)), label="x", name="two")
    held = [p for p in made.planes[:-1] if p.z1[0] < -1.7 and p.z1[1] > -1.3 and p.z2[0] < 1.3 and p.z2[1] > 1.7]
    assert len(made.planes) == 4 and len(held) == 1
    steps = [(p.z1[1] - p.z1[0]) / (len(p.log_joint) - 1) for p in made.planes]
    assert steps == sorted(steps)
