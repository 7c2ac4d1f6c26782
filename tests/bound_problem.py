"""Linear models whose evidence and posterior are known, on grids as the bound's view takes them."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Independent, MultivariateNormal, Normal

from pages.ui.lesson.bound.view import BoundData, Gaussian, Plane
from tests.node_runner import node_runner
from tests.oracles.linear_gaussian import LinearGaussian

MODULES = (
    "lib/numbers",
    *(f"lesson/bound/{name}" for name in ("axis", "ascent", "math as bound", "handles", "wire", "words as said")),
)
PRELUDE = """
const { axisWindow } = axis, { Ascent, gaps, search } = ascent, { LineProblem, PlaneProblem, normalRule } = bound;
const { keyed } = handles, { unpack } = wire, { doubts, sumOf } = said, { fixed, plain, ticks } = numbers;
const problem = given?.planes && new PlaneProblem(given.planes.map(unpack), given.log_evidence, given.error);
const climb = (p, q, rate) => { const a = new Ascent(p, q, rate); while (a.step()); return a; };
const finish = (generator) => { for (;;) { const { value, done } = generator.next(); if (done) return value; } };
"""
WEIGHT = torch.tensor([[2.0, 0.6], [-1.0, 1.5], [0.5, 2.5], [1.0, -0.3]], dtype=torch.float64)
X = torch.tensor([[1.5, 0.2, 2.0, 0.4]], dtype=torch.float64)


def run_bound(tmp_path: Path) -> Callable[..., Any]:
    """Runs a script beside the modules of the bound; what it prints is JSON."""
    run = node_runner(tmp_path, *MODULES)
    return lambda script, given=None: run(PRELUDE + script, given)


def model(widen: float = 1.0) -> LinearGaussian:
    return LinearGaussian(WEIGHT, torch.zeros(4, dtype=torch.float64), 0.8, widen)


def exact() -> tuple[float, MultivariateNormal]:
    """log p(x) and the posterior of the linear model from the joint Gaussian of z and x, by torch.distributions."""
    noise = 0.64 * torch.eye(4, dtype=torch.float64)
    log_p = MultivariateNormal(torch.zeros(4, dtype=torch.float64), WEIGHT @ WEIGHT.T + noise).log_prob(X[0]).item()
    gain = WEIGHT.T @ torch.linalg.inv(WEIGHT @ WEIGHT.T + noise)
    return log_p, MultivariateNormal(gain @ X[0], torch.eye(2, dtype=torch.float64) - gain @ WEIGHT)


def linear_log_joint(z: Tensor) -> Tensor:
    """(N, 2) to (N,): prior and likelihood as torch.distributions have them."""
    return Independent(Normal(torch.zeros_like(z), 1.0), 1).log_prob(z) + Normal(z @ WEIGHT.T, 0.8).log_prob(X).sum(-1)


def grid(log_joint: Callable[[Tensor], Tensor], centre: tuple[float, float], half: float, side: int) -> Plane:
    steps = torch.linspace(-half, half, side, dtype=torch.float64)
    z2, z1 = torch.meshgrid(centre[1] - steps, centre[0] + steps, indexing="ij")
    values = log_joint(torch.stack([z1, z2], -1).reshape(-1, 2)).reshape(side, side).numpy()
    return Plane(values, (centre[0] - half, centre[0] + half), (centre[1] - half, centre[1] + half))


def data(planes: list[Plane], log_evidence: float, error: float = 0.0, **more: Any) -> dict[str, Any]:
    encoder = Gaussian((0.4, 0.6), (-2.0, -2.0))
    image = np.zeros((28, 28), np.uint8)
    made = BoundData(planes, log_evidence, error, encoder, image, "a label", "a name")
    return {**made.to_data(), **more}


def linear_planes() -> list[Plane]:
    return [grid(linear_log_joint, (0.4, 0.6), 1.8, 101), grid(linear_log_joint, (0.0, 0.0), 6.0, 121)]


def gaussian(mu: Any, std: Any) -> dict[str, list[float]]:
    return {"mu": list(mu), "log_var": [2 * math.log(s) for s in std]}


def independent(mu: Any, std: Any) -> Independent:
    parts = (torch.tensor(v, dtype=torch.float64) for v in (mu, std))
    return Independent(Normal(*parts), 1)
