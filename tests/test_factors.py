"""The mutual information gap on hand-made codes, where it can be said what comes out."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from vae_core.metrics.factors import BINS, Gap, gap_by_bins, gap_by_neighbours

EVALUATORS = (gap_by_bins, gap_by_neighbours)


@pytest.fixture
def factors() -> np.ndarray:
    return np.random.default_rng(0).uniform(size=(4_000, 3))


@pytest.mark.parametrize("evaluate", EVALUATORS)
def test_a_latent_of_its_own_for_each_factor_scores_one(factors: np.ndarray, evaluate: Callable[..., Gap]) -> None:
    codes = np.exp(factors[:, [2, 0, 1]]) * [1, -5, 0.01]  # neither order nor scale nor sign matters
    found = evaluate(codes, factors)
    assert found.best.tolist() == [1, 2, 0]
    assert found.mig > 0.93 and found.of_factors.min() > 0.92
    assert np.diag(found.information[found.best]) == pytest.approx([math.log(BINS)] * 3, rel=0.05)


@pytest.mark.parametrize("evaluate", EVALUATORS)
def test_two_latents_that_say_the_same_score_nothing(factors: np.ndarray, evaluate: Callable[..., Gap]) -> None:
    codes = np.concatenate([factors, -factors], axis=1)
    assert abs(evaluate(codes, factors).mig) < 0.02


@pytest.mark.parametrize("evaluate", EVALUATORS)
def test_mixed_factors_score_less_than_apart(factors: np.ndarray, evaluate: Callable[..., Gap]) -> None:
    turned = factors[:, :2] @ np.array([[1, 1], [1, -1]]) / 2**0.5
    assert abs(evaluate(turned, factors[:, :2]).mig) < 0.06


@pytest.mark.parametrize("evaluate", EVALUATORS)
def test_noise_says_nothing(factors: np.ndarray, evaluate: Callable[..., Gap]) -> None:
    found = evaluate(np.random.default_rng(1).normal(size=(4_000, 2)), factors)
    assert found.information.max() < 0.08 and abs(found.mig) < 0.02


@pytest.mark.parametrize("evaluate", EVALUATORS)
def test_the_information_of_a_noisy_latent_is_that_of_the_integral(evaluate: Callable[..., Gap]) -> None:
    """z = bin + Gaussian noise, four bins: I(z; bin) by an integral over z."""
    rng, std = np.random.default_rng(2), 0.5
    factor = rng.uniform(0, 4, size=40_000)
    z = np.floor(factor) + std * rng.normal(size=40_000)
    grid = np.linspace(-4, 8, 20_001)
    each = np.exp(-0.5 * ((grid - np.arange(4)[:, None]) / std) ** 2) / (std * (2 * np.pi) ** 0.5)
    mean = each.mean(0)
    wanted = np.trapezoid((each * np.log(np.maximum(each, 1e-300) / mean)).mean(0), grid)
    found = evaluate(z[:, None], factor[:, None], bins=4).information[0, 0]
    binned_away = 0.25 if evaluate is gap_by_bins else 0.02  # four bins of z lose some
    assert wanted - binned_away < found < wanted + 0.02


def test_counts_by_hand() -> None:
    """Half of the images on each side, one in four on the wrong one: ln 2 − H(1/4)."""
    factor, z = np.repeat([0.0, 1.0], 4), np.array([0, 0, 0, 1, 1, 1, 1, 0]) + np.arange(8) * 1e-3
    wanted = math.log(2) + 0.25 * math.log(0.25) + 0.75 * math.log(0.75)
    assert gap_by_bins(z[:, None], factor[:, None], bins=2).information[0, 0] == pytest.approx(wanted)


def test_what_does_not_fit_is_a_sentence(factors: np.ndarray) -> None:
    with pytest.raises(ValueError, match="give one for each image"):
        gap_by_bins(factors[:10], factors)
    with pytest.raises(ValueError, match="give at least 80"):
        gap_by_neighbours(factors[:50], factors[:50])
