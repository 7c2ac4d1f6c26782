"""A q of full covariance over the visible bound: its terms, its slope, its climb and its knobs, against torch."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal, kl_divergence

from pages.elbo.bound import TELLING, data_of
from pages.elbo.subject import subject
from pages.ui.shipped import PLANE
from tests.bound_problem import (
    LEANING,
    X,
    brute_force,
    correlated,
    data,
    exact,
    gaussian,
    grid,
    kinked,
    kinked_data,
    linear_planes,
    model,
    run_bound,
)
from tests.oracles.ascent import gauss_hermite
from vae_core.exact.density import log_joint

QS: dict[str, tuple[Any, Any, float]] = {
    "near the posterior": ([0.4, 0.5], [0.3, 0.25], -0.6),
    "leaning the other way": ([0.4, 0.5], [0.3, 0.25], 0.8),
    "a needle": ([0.35, 0.6], [0.3, 0.2], 0.999),
    "narrower than any step": ([0.35, 0.6], [0.004, 0.006], 0.9),
    "over the edge of the fine grid": ([1.8, 0.9], [0.3, 0.2], 0.5),
    "far off on the coarse grid": ([-2.0, -2.5], [0.3, 0.3], -0.7),
}


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    return run_bound(tmp_path)


def full(mu: Any, std: Any, rho: float) -> dict[str, Any]:
    return {**gaussian(mu, std), "rho": rho}


def mean_field_gap(posterior: MultivariateNormal) -> float:
    """KL of the best q with independent dimensions, whose precisions are the diagonal of the posterior's precision."""
    precision = posterior.precision_matrix
    return 0.5 * (precision.diagonal().log().sum() - torch.logdet(precision)).item()


def test_every_term_is_that_of_the_exactly_solvable_model(node: Callable[..., Any]) -> None:
    log_p, posterior = exact()
    given = data(linear_planes(), log_p, qs=[full(*q) for q in QS.values()])
    rows = node("print(given.qs.map((q) => problem.evaluate(q)));", given)
    for row, q in zip(rows, map(lambda q: correlated(*q), QS.values()), strict=True):
        gap = kl_divergence(q, posterior).item()
        prior = MultivariateNormal(torch.zeros(2, dtype=torch.float64), torch.eye(2, dtype=torch.float64))
        assert row["klPrior"] == pytest.approx(kl_divergence(q, prior).item(), abs=1e-9)
        assert row["klPosterior"] == pytest.approx(gap, rel=2e-4, abs=1e-3)
        assert row["elbo"] == pytest.approx(log_p - gap, rel=2e-4, abs=1e-3)
        assert row["agrees"] and row["outside"] < 1e-6
    assert [row["method"] for row in rows] == ["grid", "grid", *["nodes"] * 4]


def test_without_a_correlation_it_is_the_mean_field_q(node: Callable[..., Any]) -> None:
    mu, std, _ = QS["near the posterior"]
    given = data(linear_planes(), exact()[0], qs=[gaussian(mu, std), full(mu, std, 0.0)])
    plain, zero = node("print(given.qs.map((q) => problem.evaluate(q)));", given)
    for name in ("elbo", "klPrior", "klPosterior"):
        assert plain[name] == pytest.approx(zero[name], abs=1e-12)


@pytest.mark.parametrize(("mu", "std", "rho"), [([0.45, 0.4], [0.1, 0.1], 0.6), ([-0.5, 0.1], [0.25, 0.15], -0.9)])
def test_a_bent_and_kinked_posterior_against_brute_force(
    mu: Any, std: Any, rho: float, node: Callable[..., Any]
) -> None:
    given = kinked_data(q=full(mu, std, rho))
    found = node("print(problem.evaluate(given.q));", given)
    elbo, gap = brute_force(kinked, correlated(mu, std, rho), given["log_evidence"], 401)
    assert found["elbo"] == pytest.approx(elbo, abs=0.01) and found["klPosterior"] == pytest.approx(gap, abs=0.01)


def test_the_slope_is_that_of_the_bound(node: Callable[..., Any]) -> None:
    """Against differences of the brute-force ELBO: mu moves by L a, and L becomes L T."""
    q, h = correlated([0.3, 0.2], [0.2, 0.15], 0.6), 1e-4
    slope = node("print(problem.evaluate(given.q).slope);", kinked_data(q=full([0.3, 0.2], [0.2, 0.15], 0.6)))

    def elbo(v: np.ndarray) -> float:
        a, (b1, b2, shear) = torch.from_numpy(v[:2]), v[2:]
        turn = torch.tensor([[math.exp(b1 / 2), 0.0], [shear, math.exp(b2 / 2)]], dtype=torch.float64)
        moved = MultivariateNormal(q.mean + q.scale_tril @ a, scale_tril=q.scale_tril @ turn)
        return brute_force(kinked, moved, 0.0, 301)[0]

    expected = [(elbo(step) - elbo(-step)) / (2 * h) for step in h * np.eye(5)]
    assert [*slope["mu"], *slope["log_var"], slope["shear"]] == pytest.approx(expected, rel=0.02, abs=0.02)
    assert abs(slope["shear"]) > 0.2


def test_a_movement_in_its_own_units_is_that_of_the_factor(node: Callable[..., Any]) -> None:
    """And a mean-field q does not shear."""
    step = {"mu": [0.2, -0.4], "log_var": [0.3, -0.2], "shear": 0.45}
    given = {"step": step, "full": full([0.3, 0.2], [0.2, 0.15], -0.7), "plain": gaussian([0.3, 0.2], [0.2, 0.15])}
    moved, plain = node("print([given.full, given.plain].map((q) => movedBy(q, given.step)));", given)
    q = correlated([0.3, 0.2], [0.2, 0.15], -0.7)
    factor = q.scale_tril @ torch.tensor([[math.exp(0.15), 0.0], [0.45, math.exp(-0.1)]], dtype=torch.float64)
    covariance = factor @ factor.T
    assert moved["mu"] == pytest.approx((q.mean + q.scale_tril @ torch.tensor(step["mu"]).double()).tolist())
    assert np.exp(moved["log_var"]) == pytest.approx(covariance.diagonal().numpy())
    assert moved["rho"] == pytest.approx((covariance[0, 1] / covariance.diagonal().prod().sqrt()).item())
    assert "rho" not in plain and np.exp(plain["log_var"]) == pytest.approx(
        [0.04 * math.exp(0.3), 0.0225 / math.exp(0.2)]
    )


@pytest.mark.parametrize("start", [([-1.0, -1.0], [1.0, 1.0], 0.0), ([1.5, 1.2], [0.05, 0.3], 0.95)])
def test_the_ascent_reaches_the_posterior_and_never_falls(start: Any, node: Callable[..., Any]) -> None:
    log_p, posterior = exact(LEANING)
    script = "const a = climb(problem, given.q); print({ q: a.q, trace: a.trace, gap: a.reading.klPosterior });"
    found = node(script, data(linear_planes(LEANING), log_p, q=full(*start)))
    covariance = posterior.covariance_matrix
    assert found["q"]["mu"] == pytest.approx(posterior.mean.tolist(), abs=2e-3)
    assert np.exp(found["q"]["log_var"]) == pytest.approx(covariance.diagonal().numpy(), rel=1e-2)
    expected = (covariance[0, 1] / covariance.diagonal().prod().sqrt()).item()
    assert expected < -0.8 and found["q"]["rho"] == pytest.approx(expected, abs=5e-3)
    assert found["gap"] == pytest.approx(0, abs=1e-3) and np.all(np.diff(found["trace"]) > 0)


@pytest.mark.parametrize("rho", [0.0, 0.6, -0.97])
def test_the_three_gaps_have_their_closed_forms(rho: float, node: Callable[..., Any]) -> None:
    """An encoder too wide over a Gaussian posterior: what its width costs, what independence costs, and nothing."""
    posterior = correlated([0.5, -0.3], [0.25, 0.2], rho)
    planes = [grid(posterior.log_prob, (0.5, -0.3), 1.6, 121), grid(posterior.log_prob, (0.0, 0.0), 5.0, 201)]
    script = (
        "const best = finish(searchBoth(problem, [given.q, ...problem.starts()]));"
        "const kl = (q) => problem.evaluate(q).klPosterior;"
        "print(gaps({ encoder: kl(given.q), meanField: kl(best.meanField.q), full: kl(best.full.q) }));"
    )
    found = node(script, data(planes, 0.0, q=gaussian([0.5, -0.3], [0.4, 0.4])))
    best = mean_field_gap(posterior)
    wide = kl_divergence(correlated([0.5, -0.3], [0.4, 0.4], 0.0), posterior).item()
    assert found["amortisation"] == pytest.approx(wide - best, abs=2e-3)
    assert found["meanField"] == pytest.approx(best, abs=2e-3)
    assert found["rest"] == pytest.approx(0.0, abs=1e-3)
    assert sum(found.values()) == pytest.approx(wide, abs=2e-3)


def test_the_gaps_of_the_linear_model_are_those_of_its_encoder(node: Callable[..., Any]) -> None:
    """Its encoder, twice too wide in both dimensions, loses 3/2 − log 2 nats in each: its amortisation gap."""
    log_p, posterior = exact(LEANING)
    mu, log_var = (v[0] for v in model(2.0, LEANING).encode(X))
    given = data(linear_planes(LEANING), log_p, q={"mu": mu.tolist(), "log_var": log_var.tolist()})
    script = (
        "const { meanField, full } = finish(searchBoth(problem, [given.q, ...problem.starts()]));"
        "print([meanField.reading.klPosterior, full.reading.klPosterior, problem.evaluate(given.q).klPosterior]);"
    )
    independent, best, encoder = node(script, given)
    assert independent == pytest.approx(mean_field_gap(posterior), abs=1e-3) and best == pytest.approx(0, abs=1e-3)
    assert encoder - independent == pytest.approx(2 * (1.5 - math.log(2)), abs=1e-3)


@pytest.mark.parametrize("name", QS)
def test_the_axes_are_the_eigenvectors_of_the_covariance(name: str, node: Callable[..., Any]) -> None:
    q = full(*QS[name])
    script = "const axes = axesOf(given, 7); print([axes, ofAxes(given.mu, axes), axesOf(given)]);"
    axes, back, upright = node(script, q)
    values = np.linalg.eigvalsh(correlated(*QS[name]).covariance_matrix.numpy())
    assert sorted(axes["stds"]) == pytest.approx(np.sqrt(values), rel=1e-6)
    along = torch.tensor([math.cos(axes["angle"]), math.sin(axes["angle"])], dtype=torch.float64)
    variance = along @ correlated(*QS[name]).covariance_matrix @ along
    assert axes["stds"][0] == pytest.approx(variance.sqrt().item(), rel=1e-6)
    assert abs(axes["angle"] - 7) <= math.pi / 4 and abs(upright["angle"]) <= math.pi / 4
    assert back["log_var"] == pytest.approx(q["log_var"]) and back["rho"] == pytest.approx(q["rho"])


def test_a_knob_of_a_full_covariance_follows_the_hand_and_turns_q(node: Callable[..., Any]) -> None:
    """Of a mean-field q it moves along its axis only."""
    script = (
        "const pull = (q, d, flip) => { const axes = axesOf(q, 0.2), end = endOf(axes, d, 300, flip);"
        " const { q: next, angle } = pulled(q, axes, d, 300, flip, [31, 17]);"
        " const after = axesOf(next, angle); return { axes, end, after, there: endOf(after, d, 300, flip) }; };"
        "print(given.map((q) => [0, 1].flatMap((d) => [1, -1].map((flip) => pull(q, d, flip)))));"
    )
    turned, straight = node(script, [full([0, 0], [0.2, 0.1], 0.5), gaussian([0, 0], [0.2, 0.1])])
    for k, row in enumerate(turned):
        assert np.subtract(row["there"], row["end"]) == pytest.approx([31, 17], abs=1e-6)
        assert row["after"]["stds"][1 - k // 2] == pytest.approx(row["axes"]["stds"][1 - k // 2])
        assert abs(row["after"]["angle"] - row["axes"]["angle"]) > 0.05
    for k, row in enumerate(straight):
        assert np.subtract(row["there"], row["end"]) == pytest.approx([[31, 0], [0, 17]][k // 2], abs=1e-6)
        assert row["after"]["angle"] == 0


def test_keys_turn_and_widen_an_axis(node: Callable[..., Any]) -> None:
    q = full([1.0, 2.0], [0.4, 0.1], 0.3)
    press = [["ArrowLeft", False], ["ArrowRight", True], ["ArrowUp", False], ["-", True], ["x", False]]
    script = (
        "print([axesOf(given.q), ...given.press.map(([key, shift]) => keyedAxis(key, shift, given.q, 1, 0))"
        ".map((found) => found && axesOf(found.q, found.angle)), keyed('ArrowUp', false, given.q, 0.1).rho]);"
    )
    before, left, right, up, narrower, other, rho = node(script, {"q": q, "press": press})
    for turned, by in ((left, 5), (right, -0.5)):
        assert math.degrees(turned["angle"] - before["angle"]) == pytest.approx(by)
        assert turned["stds"] == pytest.approx(before["stds"])
    for widened, by in ((up, 1.1), (narrower, 1 / 1.1)):
        assert widened["stds"] == pytest.approx([before["stds"][0], by * before["stds"][1]])
        assert widened["angle"] == pytest.approx(before["angle"])
    assert other is None and rho == 0.3


def test_turning_once_around_comes_back(node: Callable[..., Any]) -> None:
    """The knobs stay with their axes: no jump where the longer axis passes 45 degrees."""
    script = (
        "let q = given, angle = 0; const seen = [];"
        "for (let k = 0; k < 72; k++) { ({ q, angle } = keyedAxis('ArrowLeft', false, q, 0, angle));"
        " const axes = axesOf(q, angle); seen.push([axes.angle, axes.stds[0]]); } print([q, seen]);"
    )
    q = full([0.0, 0.0], [0.3, 0.1], 0.4)
    back, seen = node(script, q)
    angles, stds = np.array(seen).T
    assert np.diff(angles) == pytest.approx(math.radians(5)) and stds == pytest.approx(stds[0])
    assert back["log_var"] == pytest.approx(q["log_var"]) and back["rho"] == pytest.approx(0.4)


@torch.no_grad()
def test_the_image_that_is_offered_has_three_gaps_that_add_up_to_the_exact_one(node: Callable[..., Any]) -> None:
    """Of the shipped model, against its quadrature in Python and against Gauss and Hermite over the same two q."""
    script = (
        "const best = finish(searchBoth(problem, [given.encoder, ...problem.starts()]));"
        "const { meanField, full } = best, kl = (q) => problem.evaluate(q).klPosterior;"
        "const all = { encoder: kl(given.encoder), meanField: kl(meanField.q), full: kl(full.q) };"
        "print([gaps(all), meanField.q, full.q]);"
    )
    found, independent, best = node(script, data_of(PLANE, *TELLING).to_data())
    shown = subject(PLANE, *TELLING)
    assert sum(found.values()) == pytest.approx(shown.bound.gap.value, abs=0.03)
    eps, weight = gauss_hermite(16, 2, torch.device("cpu"))
    elbos = []
    for q in (independent, best):
        std = np.exp(0.5 * np.array(q["log_var"]))
        normal = correlated(q["mu"], std, q.get("rho", 0.0))
        z = normal.mean + eps @ normal.scale_tril.T
        elbos.append((weight @ log_joint(shown.model, shown.x, z) + normal.entropy()).item())
    assert found["meanField"] > 1 and found["meanField"] == pytest.approx(elbos[1] - elbos[0], abs=0.03)
    assert found["rest"] == pytest.approx(shown.evidence.log_p.value - elbos[1], abs=0.03)
