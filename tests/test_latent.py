"""The plane of the latent map against numpy's SVD, and grids against the standard library's normal distribution."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
import torch
from torch import Tensor

from vae_core.latent import map_plane, prior_quantiles, quantile_grid


def codes(dims: int, seed: int = 0) -> Tensor:
    """Codes with another spread along each of some oblique axes, away from the origin."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.standard_normal((dims, dims)))[0]
    spread = np.linspace(3, 0.5, dims)
    return torch.from_numpy((rng.standard_normal((3000, dims)) * spread) @ axes.T + 2.0).float()


def principal(mu: Tensor) -> tuple[np.ndarray, float]:
    """First two axes (D, 2) and their share of the variance, by SVD."""
    values = mu.double().numpy()
    _, singular, rows = np.linalg.svd(values - values.mean(0), full_matrices=False)
    return rows[:2].T, (singular[:2] ** 2).sum() / (singular**2).sum()


@pytest.mark.parametrize("dims", [3, 8, 32])
def test_the_plane_is_spanned_by_the_first_two_principal_axes(dims: int) -> None:
    mu = codes(dims)
    plane, (axes, explained) = map_plane(mu), principal(mu)
    basis = plane.basis.double().numpy()
    np.testing.assert_allclose(basis @ basis.T, axes @ axes.T, atol=1e-5)  # the projector: blind to turns and flips
    assert plane.explained == pytest.approx(explained, abs=1e-6)


@pytest.mark.parametrize("dims", [2, 3, 8, 32])
def test_the_axes_are_orthonormal(dims: int) -> None:
    first = map_plane(codes(dims))
    for plane in (first, map_plane(codes(dims, seed=1), first)):
        torch.testing.assert_close(plane.basis.T @ plane.basis, torch.eye(2), rtol=0, atol=1e-5)


def test_the_prior_stays_standard_normal_around_the_middle_of_the_map() -> None:
    plane = map_plane(codes(8))
    z = torch.randn(50_000, 8, generator=torch.Generator().manual_seed(0))
    xy = plane.project(z)
    assert plane.project(torch.zeros(1, 8)).tolist() == [[0.0, 0.0]]
    np.testing.assert_allclose(np.cov(xy.numpy().T), np.eye(2), atol=0.03)


def test_one_dimension_lies_on_the_first_axis() -> None:
    mu = codes(1)
    plane = map_plane(mu)
    xy = plane.project(mu)
    assert plane.explained == 1.0
    assert torch.equal(xy[:, :1], mu) and not xy[:, 1].any()


def test_two_dimensions_are_shown_as_they_are() -> None:
    mu = codes(2)
    plane = map_plane(mu, previous=map_plane(codes(2, seed=1)))
    assert plane.explained == 1.0 and torch.equal(plane.project(mu), mu)


@pytest.mark.parametrize("dims", [3, 8])
def test_a_flipped_plane_is_turned_back_towards_the_previous_one(dims: int) -> None:
    """Whatever turn or flip the previous frame had, the same codes keep their places."""
    mu = codes(dims)
    plane = map_plane(mu)
    turn = torch.tensor([[0.6, 0.8], [0.8, -0.6]])  # a turn and a flip
    previous = type(plane)(plane.basis @ turn, plane.explained)
    torch.testing.assert_close(map_plane(mu, previous).project(mu), previous.project(mu), rtol=0, atol=1e-3)


def test_codes_that_change_a_little_move_a_little_on_the_map() -> None:
    """Equal spread along the first two axes: a plain PCA would turn freely from frame to frame."""
    generator = torch.Generator().manual_seed(0)
    mu = torch.randn(2000, 5, generator=generator) * torch.tensor([2.0, 2.0, 0.5, 0.5, 0.5])
    plane = map_plane(mu)
    for _ in range(20):
        moved = mu + 0.05 * torch.randn(mu.shape, generator=generator)
        following = map_plane(moved, plane)
        assert (following.project(moved) - plane.project(mu)).norm(dim=-1).mean() < 0.2
        mu, plane = moved, following


def test_collapsed_codes_still_give_a_plane() -> None:
    plane = map_plane(torch.zeros(100, 4))
    assert plane.explained == 0.0
    torch.testing.assert_close(plane.basis.T @ plane.basis, torch.eye(2), rtol=0, atol=1e-5)


@pytest.mark.parametrize("n", [1, 2, 12, 100])
def test_prior_quantiles_lie_in_the_middle_of_equal_shares_of_the_prior(n: int) -> None:
    expected = [NormalDist().inv_cdf((i + 0.5) / n) for i in range(n)]
    np.testing.assert_allclose(prior_quantiles(n), expected, atol=1e-6)


def test_the_grid_is_laid_out_as_a_picture() -> None:
    """Row by row from the top: the first coordinate rises to the right, the second falls downwards."""
    low, middle, high = (NormalDist().inv_cdf(p) for p in (1 / 6, 1 / 2, 5 / 6))
    rows = [[(z1, z2) for z1 in (low, middle, high)] for z2 in (high, middle, low)]
    np.testing.assert_allclose(quantile_grid(3).view(3, 3, 2), rows, atol=1e-6)
