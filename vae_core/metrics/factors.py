"""How well single latents match the factors an image was made of: the mutual information gap, by two evaluators.

    MIG = mean over factors v of [I(z_a; v) − I(z_b; v)] / H(v)

where z_a and z_b are the latents that say most and second most of v (Chen et al. 2018, equation 6). It is 1 where each
factor has one latent of its own that says all of it, and 0 where two latents say equally much. Factors are cut into
bins of equally many images, so H(v) = ln bins. How I is estimated is a choice, and the score depends on it.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import digamma

BINS = 20
NEIGHBOURS = 3


@dataclass(frozen=True)
class Gap:
    """A score and what it rests on.

    Attributes:
        mig: mean of `of_factors`. of_factors: (F,) the gap of each factor. information: (D, F) nats, of each latent
            about each factor. best: (F,) the latent that says most of each factor.
    """

    mig: float
    of_factors: np.ndarray
    information: np.ndarray
    best: np.ndarray


def gap_by_bins(z: np.ndarray, factors: np.ndarray, bins: int = BINS) -> Gap:
    """The first evaluator: samples of z cut into bins, and the mutual information of the table of counts.

    Args:
        z: (N, D) a sample of each image's posterior. factors: (N, F).
    Raises:
        ValueError: fewer images than bins, or another number of factors than of codes.
    """
    _check(z, factors, bins)
    cut = [_in_bins(column, bins) for column in z.T]
    wanted = [_in_bins(column, bins) for column in factors.T]
    return _gap(np.array([[_of_counts(a, b, bins) for b in wanted] for a in cut]), bins)


def gap_by_neighbours(mu: np.ndarray, factors: np.ndarray, bins: int = BINS, neighbours: int = NEIGHBOURS) -> Gap:
    """The second: means as they are, and how near the neighbours within a factor's bin lie (Ross 2014, equation 2).

    Args:
        mu: (N, D) posterior means. factors: (N, F). neighbours: k.
    Raises:
        ValueError: too few images for so many bins, or another number of factors than of codes.
    """
    _check(mu, factors, bins * (neighbours + 1))
    wanted = [_in_bins(column, bins) for column in factors.T]
    return _gap(np.array([[_of_neighbours(column, b, neighbours) for b in wanted] for column in mu.T]), bins)


def _gap(information: np.ndarray, bins: int) -> Gap:
    ordered = np.sort(np.vstack([information, np.zeros_like(information[:1])]), axis=0)  # one latent has no second
    of_factors = (ordered[-1] - ordered[-2]) / math.log(bins)
    return Gap(float(of_factors.mean()), of_factors, information, information.argmax(axis=0))


def _in_bins(values: np.ndarray, bins: int) -> np.ndarray:
    """(N,) which of the bins, with equally many values in each."""
    ranks = np.empty(len(values), int)
    ranks[np.argsort(values, kind="stable")] = np.arange(len(values))
    return ranks * bins // len(values)


def _of_counts(a: np.ndarray, b: np.ndarray, bins: int) -> float:
    """I(a; b) of two columns of bins, nats."""
    joint = np.bincount(a * bins + b, minlength=bins * bins).reshape(bins, bins) / len(a)
    expected = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    there = joint > 0
    return float((joint[there] * np.log(joint[there] / expected[there])).sum())


def _of_neighbours(values: np.ndarray, of_bin: np.ndarray, k: int) -> float:
    """I(value; bin), nats: how many of all lie as near as the k-th neighbour of the same bin; never below 0."""
    points, everywhere = values[:, None], cKDTree(values[:, None])
    total = digamma(len(values)) + digamma(k)
    for this in range(of_bin.max() + 1):
        inside = points[of_bin == this]
        radius = cKDTree(inside).query(inside, k + 1)[0][:, -1]  # the nearest is the point itself
        near = everywhere.query_ball_point(inside, np.nextafter(radius, 0), return_length=True)
        total -= len(inside) / len(values) * (digamma(len(inside)) + digamma(np.maximum(near, 1)).mean())
    return max(0.0, float(total))


def _check(codes: np.ndarray, factors: np.ndarray, least: int) -> None:
    if len(codes) != len(factors):
        raise ValueError(
            f"There are {len(codes):,} codes and {len(factors):,} rows of factors: give one for each image."
        )
    if len(codes) < least:
        raise ValueError(f"{len(codes):,} images are too few for so many bins: give at least {least:,}.")
