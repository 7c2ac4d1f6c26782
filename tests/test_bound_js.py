"""The visible bound's mathematics under node, held against models whose evidence is known and against brute force."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from tests.bound_problem import (
    brute_force,
    data,
    exact,
    gaussian,
    grid,
    independent,
    kinked,
    kinked_data,
    linear_planes,
    run_bound,
)

QS = {
    "near the posterior": ([0.4, 0.5], [0.3, 0.25]),
    "narrower than any step": ([0.35, 0.6], [0.004, 0.006]),
    "wide and long": ([-0.5, 1.0], [0.9, 0.3]),
    "over the edge of the fine grid": ([1.8, 0.9], [0.3, 0.2]),
    "far off on the coarse grid": ([-2.0, -2.5], [0.3, 0.3]),
    "the prior": ([0.0, 0.0], [1.0, 1.0]),
}


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    return run_bound(tmp_path)


@pytest.mark.parametrize("name", QS)
def test_every_term_is_that_of_the_exactly_solvable_model(name: str, node: Callable[..., Any]) -> None:
    """Also where q is narrower than the grid's step: a parabola is interpolated exactly."""
    log_p, posterior = exact()
    mu, std = QS[name]
    found = node("print(problem.evaluate(given.q));", data(linear_planes(), log_p, q=gaussian(mu, std)))
    q = independent(mu, std)
    full = MultivariateNormal(q.mean, torch.diag(q.variance))
    gap = kl_divergence(full, posterior).item()
    kl = kl_divergence(q, independent([0.0, 0.0], [1.0, 1.0])).item()
    assert found["klPrior"] == pytest.approx(kl, abs=1e-9)
    assert found["klPosterior"] == pytest.approx(gap, rel=2e-4, abs=1e-3)
    assert found["elbo"] == pytest.approx(log_p - gap, rel=2e-4, abs=1e-3)
    assert found["nll"] == pytest.approx(gap - log_p - kl, rel=2e-4, abs=1e-3)
    assert found["agrees"] and found["outside"] < 1e-6


def test_both_ways_to_sum_the_gap_are_used(node: Callable[..., Any]) -> None:
    given = data(linear_planes(), exact()[0], qs=[gaussian(*q) for q in QS.values()])
    assert node("print(given.qs.map((q) => problem.evaluate(q).method));", given) == ["grid", *["nodes"] * 5]


def test_the_browser_integrates_the_evidence_itself(node: Callable[..., Any]) -> None:
    """Over nested grids, whose cells overlap only in part; the number from the server is not used."""
    found = node("print(problem.ownEvidence);", data(linear_planes(), -1234.5))
    assert found == pytest.approx(exact()[0], abs=1e-3)


def test_a_wrong_evidence_is_a_cross_and_a_right_one_a_tick(node: Callable[..., Any]) -> None:
    script = (
        "const r = problem.evaluate(given.q);"
        "print([r.agrees, sumOf(r, problem.logEvidence)[0], doubts(r, problem).join(' ')]);"
    )
    log_p, q = exact()[0], gaussian(*QS["near the posterior"])
    assert node(script, data(linear_planes(), log_p, q=q)) == [True, "✓", ""]
    agrees, sign, words = node(script, data(linear_planes(), log_p + 0.05, q=q))
    assert (agrees, sign) == (False, "✗") and "server differ by 0.05" in words
    assert node(script, data(linear_planes(), log_p + 0.05, 0.04, q=q))[0] is True  # within the server's own error


def test_a_q_that_hangs_out_of_the_plane_is_said(node: Callable[..., Any]) -> None:
    mu, std = [5.5, 0.0], [0.5, 0.2]
    script = "const r = problem.evaluate(given.q); print([r.outside, doubts(r, problem).join(' ')]);"
    outside, words = node(script, data(linear_planes(), exact()[0], q=gaussian(mu, std)))
    beyond = 1 - Normal(5.5, 0.5).cdf(torch.tensor(6.0)).item()
    assert (
        outside == pytest.approx(beyond, abs=0.03) and "do not trust" in words and re.search(r"About 1[3-9] %", words)
    )


@pytest.mark.parametrize(
    ("mu", "std"), [([0.45, 0.4], [0.1, 0.1]), ([-0.5, 0.1], [0.25, 0.15]), ([0.6, 0.5], [0.02, 0.3])]
)
def test_a_bent_and_kinked_posterior_against_brute_force(mu: Any, std: Any, node: Callable[..., Any]) -> None:
    given = kinked_data(q=gaussian(mu, std))
    found = node("print(problem.evaluate(given.q));", given)
    elbo, gap = brute_force(kinked, independent(mu, std), given["log_evidence"])
    assert found["elbo"] == pytest.approx(elbo, abs=0.01) and found["klPosterior"] == pytest.approx(gap, abs=0.01)
    assert found["agrees"] and gap > 0


def test_the_doubt_about_interpolation_covers_the_error_it_speaks_of(node: Callable[..., Any]) -> None:
    """A grid far too coarse for the bumps, narrow q along a line: where the number is wrong a sentence says so."""
    centres = [[v, 0.8 * v] for v in np.linspace(-0.8, 0.9, 12)]
    qs = [gaussian(mu, [0.03, 0.03]) for mu in centres]
    given = data([grid(kinked, (0.0, 0.0), 5.0, 41)], -100.0, 0.0, qs=qs)
    script = (
        "print(given.qs.map((q) => problem.evaluate(q)).map((r) => [r.elbo, r.interpolation, doubts(r, problem)[0]]));"
    )
    found = node(script, given)
    off = np.array(
        [
            abs(elbo - brute_force(kinked, independent(mu, [0.03, 0.03]), 0)[0])
            for (elbo, *_), mu in zip(found, centres, strict=True)
        ]
    )
    doubt = np.array([row[1] for row in found])
    assert off.max() > 0.5 and (doubt > off).mean() >= 0.75 and doubt.mean() < 10 * off.mean()
    assert all("coarse" in row[2] for row, error in zip(found, off, strict=True) if error > 0.1)


@pytest.mark.parametrize("start", [([-1.0, -1.0], [1.0, 1.0]), ([1.5, 1.2], [0.05, 0.3])])
def test_the_ascent_reaches_the_best_gaussian_and_never_falls(start: Any, node: Callable[..., Any]) -> None:
    """Of a Gaussian posterior: its mean, and the inverse of the diagonal of its precision."""
    log_p, posterior = exact()
    given = data(linear_planes(), log_p, q=gaussian(*start))
    found = node("const a = climb(problem, given.q); print({ q: a.q, trace: a.trace, steps: a.steps });", given)
    best = posterior.precision_matrix.diagonal().rsqrt()
    assert found["q"]["mu"] == pytest.approx(posterior.mean.tolist(), abs=2e-3)
    assert np.exp(0.5 * np.array(found["q"]["log_var"])) == pytest.approx(best.numpy(), rel=5e-3)
    assert np.all(np.diff(found["trace"]) > 0) and found["steps"] < 400


def test_the_search_leaves_the_lower_peak(node: Callable[..., Any]) -> None:
    script = (
        "const a = climb(problem, given.q);"
        "const best = finish(searchBoth(problem, [a.q, ...problem.starts()])).meanField;"
        "print([a.q.mu, a.reading.elbo, best.q.mu, best.reading.elbo, best.starts]);"
    )
    lower, low, higher, high, starts = node(script, kinked_data(q=gaussian([-0.6, -0.3], [0.1, 0.1])))
    assert lower == pytest.approx([-0.6, -0.3], abs=0.05) and higher == pytest.approx([0.5, 0.4], abs=0.1)
    assert high > low + 0.5 and starts >= 3


def test_the_slope_is_that_of_the_bound(node: Callable[..., Any]) -> None:
    """Against differences of the brute-force ELBO. The slope is counted in q's own units: of mu in std."""
    mu, std, h = [0.3, 0.2], [0.2, 0.15], 1e-4
    given = kinked_data(q=gaussian(mu, std))
    slope = node("print(problem.evaluate(given.q).slope);", given)
    values = np.array([*mu, *(2 * np.log(std))])

    def elbo(v: np.ndarray) -> float:
        return brute_force(kinked, independent(v[:2], np.exp(0.5 * v[2:])), 0.0, 301)[0]

    steps = h * np.eye(4)
    expected = [(elbo(values + step) - elbo(values - step)) / (2 * h) for step in steps]
    assert [*(np.array(slope["mu"]) / std), *slope["log_var"]] == pytest.approx(expected, rel=0.02, abs=0.02)


@pytest.mark.parametrize(("mu", "std"), [(-1.0, 1.0), (0.8, 0.4472135955), (2.5, 0.08)])
def test_the_one_dimensional_model_is_conjugate(mu: float, std: float, node: Callable[..., Any]) -> None:
    w, b, sigma, x = 2.0, 0.5, 1.5, 2.5
    given = {"line": {"w": w, "b": b, "sigma": sigma, "x": x}, "q": gaussian([mu], [std])}
    script = "const p = new LineProblem(given.line); print([p.evaluate(given.q), p.logEvidence, p.posterior]);"
    found, log_p, posterior = node(script, given)
    z = torch.linspace(-12, 12, 200_001, dtype=torch.float64)
    joint = Normal(0.0, 1.0).log_prob(z) + Normal(w * z + b, sigma).log_prob(torch.tensor(x))
    dz = math.log(z[1] - z[0])
    assert log_p == pytest.approx((joint.logsumexp(0) + dz).item(), abs=1e-6)
    weight = joint.softmax(0)
    mean = (weight * z).sum()
    variance = (weight * (z - mean).square()).sum().item()
    assert posterior["mu"] == pytest.approx([mean.item()], abs=1e-6)
    assert np.exp(posterior["log_var"]) == pytest.approx([variance], abs=1e-6)
    q = Normal(torch.tensor(mu, dtype=torch.float64), torch.tensor(std, dtype=torch.float64))
    elbo = ((q.log_prob(z) + dz).exp() * (joint - q.log_prob(z))).sum().item()
    assert found["elbo"] == pytest.approx(elbo, abs=1e-5)
    assert found["klPosterior"] == pytest.approx(log_p - elbo, abs=1e-5) and found["agrees"]


def test_optimising_closes_the_gap_of_the_one_dimensional_model(node: Callable[..., Any]) -> None:
    script = (
        "const p = new LineProblem(given); const a = climb(p, { mu: [-3], log_var: [1] });"
        "print([a.reading.klPosterior, a.reading.elbo - p.logEvidence, p.starts()]);"
    )
    gap, short, starts = node(script, {"w": 2.0, "b": 0.5, "sigma": 1.0, "x": 2.5})
    assert 0 <= gap < 1e-4 and -1e-4 < short < 1e-9 and starts == []


def test_the_nodes_have_the_moments_of_a_normal_variable(node: Callable[..., Any]) -> None:
    t, weight = (np.array(list(v.values())) for v in node("const r = normalRule(61); print([r.t, r.weight]);"))
    assert [(weight * t**k).sum() for k in range(5)] == pytest.approx([1, 0, 1, 0, 3], abs=5e-4)


@pytest.mark.parametrize(
    ("low", "high"), [(-154.6, -147.3), (-527.2, -196.5), (-2.2, -1.4), (-2.124, -2.1236), (-0.4, 0.9)]
)
def test_the_axis_shows_all_and_begins_below_the_bound(low: float, high: float, node: Callable[..., Any]) -> None:
    window = node("print(axisWindow(given));", {"low": low, "high": high})
    width = window["to"] - window["from"]
    assert window["from"] + 0.05 * width < low and high < window["to"] and width <= max(4.3 * (high - low), 0.7)
    assert window["from"] / window["step"] == pytest.approx(round(window["from"] / window["step"]), abs=1e-6)


def test_the_axis_rests_while_the_bars_move(node: Callable[..., Any]) -> None:
    """From a gap of 8 nats down to 1 in small steps the axis changes rarely; every window still shows all."""
    script = (
        "let w = null, changes = 0; for (let low = -12; low <= -5; low += 0.02) {"
        " const next = axisWindow({ low, high: -4 }, w); changes += next !== w; w = next;"
        " if (low <= w.from || w.to <= -4) throw new Error('out of sight'); } print(changes);"
    )
    assert node(script) <= 4


def test_keys_move_and_widen(node: Callable[..., Any]) -> None:
    q = gaussian([1.0, 2.0], [0.5, 0.25])
    press = [["ArrowLeft", False], ["ArrowUp", True], ["+", True], ["x", False]]
    script = "print(given.press.map(([key, shift]) => keyed(key, shift, given.q, 0.1)));"
    left, up, wider, other = node(script, {"q": q, "press": press})
    assert left["mu"] == pytest.approx([0.9, 2.0]) and up["mu"] == pytest.approx([1.0, 2.01])
    assert np.exp(0.5 * np.array(wider["log_var"])) == pytest.approx([0.55, 0.275])
    assert other is None
    only, both = node("print(['ArrowRight', '-'].map((key) => keyed(key, false, given, 0.1, 1)));", q)
    assert np.exp(0.5 * np.array(only["log_var"])) == pytest.approx([0.5, 0.275]) and only["mu"] == [1.0, 2.0]
    assert np.exp(0.5 * np.array(both["log_var"])) == pytest.approx([0.5, 0.25 / 1.1]) and both["mu"] == [1.0, 2.0]


def test_numbers_are_written_with_a_true_minus_and_no_negative_zero(node: Callable[..., Any]) -> None:
    assert node("print([fixed(-153.694), fixed(-0.001), fixed(0.957), plain(-0.3), plain(0)]);") == [
        "−153.69",
        "0.00",
        "0.96",
        "−0.3",
        "0",
    ]
    assert node("print(ticks(-4, 4, 5));") == pytest.approx([-4, -2, 0, 2, 4])
