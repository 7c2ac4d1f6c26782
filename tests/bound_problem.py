"""Linear models whose evidence and posterior are known, on grids as the bound's view takes them."""

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Categorical, Distribution, Independent, MixtureSameFamily, MultivariateNormal, Normal

from pages.ui.lesson.bound.view import BoundData, Gaussian, Plane
from tests.node_runner import node_runner
from tests.oracles.linear_gaussian import LinearGaussian

MODULES = (
    "lib/numbers",
    *(
        f"lesson/bound/{name}"
        for name in (
            "axis",
            "ascent",
            "gaussian",
            "knobs",
            "conjugate",
            "math as bound",
            "handles",
            "wire",
            "words as said",
        )
    ),
)
PRELUDE = """
const { axisWindow } = axis, { Ascent, gaps, searchBoth } = ascent, { PlaneProblem, normalRule } = bound;
const { LineProblem } = conjugate, { axesOf, movedBy, ofAxes } = gaussian, { endOf, keyedAxis, pulled } = knobs;
const { keyed } = handles, { unpack } = wire, { doubts, sumOf } = said, { fixed, plain, ticks } = numbers;
const problem = given?.planes && new PlaneProblem(given.planes.map(unpack), given.log_evidence, given.error);
const climb = (p, q, rate) => { const a = new Ascent(p, q, rate); while (a.step()); return a; };
const finish = (generator) => { for (;;) { const { value, done } = generator.next(); if (done) return value; } };
"""
WEIGHT = torch.tensor([[2.0, 0.6], [-1.0, 1.5], [0.5, 2.5], [1.0, -0.3]], dtype=torch.float64)
# Its two dimensions explain the same pixels, so that the posterior has a correlation of −0.82.
LEANING = torch.tensor([[2.0, 1.8], [-1.0, -0.4], [0.5, 1.2], [1.0, 0.6]], dtype=torch.float64)
X = torch.tensor([[1.5, 0.2, 2.0, 0.4]], dtype=torch.float64)


def run_bound(tmp_path: Path) -> Callable[..., Any]:
    """Runs a script beside the modules of the bound; what it prints is JSON."""
    run = node_runner(tmp_path, *MODULES)
    return lambda script, given=None: run(PRELUDE + script, given)


def model(widen: float = 1.0, weight: Tensor = WEIGHT) -> LinearGaussian:
    return LinearGaussian(weight, torch.zeros(4, dtype=torch.float64), 0.8, widen)


def exact(weight: Tensor = WEIGHT) -> tuple[float, MultivariateNormal]:
    """log p(x) and the posterior of the linear model from the joint Gaussian of z and x, by torch.distributions."""
    noise = 0.64 * torch.eye(4, dtype=torch.float64)
    log_p = MultivariateNormal(torch.zeros(4, dtype=torch.float64), weight @ weight.T + noise).log_prob(X[0]).item()
    gain = weight.T @ torch.linalg.inv(weight @ weight.T + noise)
    return log_p, MultivariateNormal(gain @ X[0], torch.eye(2, dtype=torch.float64) - gain @ weight)


def linear_log_joint(z: Tensor, weight: Tensor = WEIGHT) -> Tensor:
    """(N, 2) to (N,): prior and likelihood as torch.distributions have them."""
    return Independent(Normal(torch.zeros_like(z), 1.0), 1).log_prob(z) + Normal(z @ weight.T, 0.8).log_prob(X).sum(-1)


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


def linear_planes(weight: Tensor = WEIGHT) -> list[Plane]:
    log_joint = functools.partial(linear_log_joint, weight=weight)
    return [grid(log_joint, (0.4, 0.6), 1.8, 101), grid(log_joint, (0.0, 0.0), 6.0, 121)]


def gaussian(mu: Any, std: Any) -> dict[str, list[float]]:
    return {"mu": list(mu), "log_var": [2 * math.log(s) for s in std]}


def independent(mu: Any, std: Any) -> Independent:
    parts = (torch.tensor(v, dtype=torch.float64) for v in (mu, std))
    return Independent(Normal(*parts), 1)


def correlated(mu: Any, std: Any, rho: float) -> MultivariateNormal:
    off = rho * std[0] * std[1]
    covariance = torch.tensor([[std[0] ** 2, off], [off, std[1] ** 2]], dtype=torch.float64)
    return MultivariateNormal(torch.tensor(mu, dtype=torch.float64), covariance)


def kinked(z: Tensor) -> Tensor:
    """Two bumps and a kink, as a decoder with ReLU has them; normalised by nobody."""
    bumps = MixtureSameFamily(
        Categorical(torch.tensor([0.8, 0.2], dtype=torch.float64)),
        MultivariateNormal(
            torch.tensor([[0.5, 0.4], [-0.6, -0.3]], dtype=torch.float64),
            torch.tensor([[[0.02, 0.012], [0.012, 0.02]], [[0.01, 0.0], [0.0, 0.03]]], dtype=torch.float64),
        ),
    )
    return bumps.log_prob(z) - 3 * (z[:, 0] - 0.55).clamp(min=0) - 100


def brute_force(
    log_joint: Callable[[Tensor], Tensor], q: Distribution, log_p: float, side: int = 801
) -> tuple[float, float]:
    """ELBO and KL(q ‖ posterior) by side × side points over ±7 std of q."""
    t = torch.linspace(-7, 7, side, dtype=torch.float64)
    e1, e2 = torch.meshgrid(t, t, indexing="ij")
    factor = q.scale_tril if isinstance(q, MultivariateNormal) else torch.diag(q.stddev)
    z = q.mean + torch.stack([e1, e2], -1).reshape(-1, 2) @ factor.T
    weight = (q.log_prob(z) + torch.logdet(factor) + 2 * math.log(t[1] - t[0])).exp()
    joint, log_q = log_joint(z), q.log_prob(z)
    return (weight * (joint - log_q)).sum().item(), (weight * (log_q - joint + log_p)).sum().item()


def kinked_data(**more: Any) -> dict[str, Any]:
    planes = [grid(kinked, (0.0, 0.0), 1.6, 161), grid(kinked, (0.0, 0.0), 5.0, 201)]
    z = grid(kinked, (0.0, 0.0), 1.8, 1801)
    log_p = float(np.logaddexp.reduce(z.log_joint, axis=None) + 2 * math.log(3.6 / 1800))
    return data(planes, log_p, **more)
