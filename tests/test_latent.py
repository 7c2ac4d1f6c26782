"""The plane of the map against numpy's SVD, grids against the normal distribution, ways in closed form."""

from statistics import NormalDist

import numpy as np
import pytest
import torch
from torch import Tensor

from vae_core.latent import (
    Way,
    attribute_vectors,
    class_means,
    half_way,
    map_plane,
    outer_thirds,
    prior_quantiles,
    quantile_grid,
    spherical,
    straight,
    through,
)


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


# ---- differences of means


def test_the_outer_thirds_are_the_lowest_and_the_highest_values() -> None:
    values = torch.tensor([5.0, 1, 9, 3, 7, 2, 8])
    bottom, top = outer_thirds(values)
    assert sorted(values[bottom].tolist()) == [1, 2] and sorted(values[top].tolist()) == [8, 9]
    assert [len(part) for part in outer_thirds(torch.tensor([4.0]))] == [1, 1]
    with pytest.raises(ValueError):
        outer_thirds(torch.zeros(0))


def test_an_attribute_vector_points_to_more_of_the_attribute() -> None:
    """Codes that are a linear function of two attributes, spread evenly: outer thirds lie 2/3 of the range apart."""
    first, second = torch.meshgrid(torch.arange(300.0), torch.arange(30.0), indexing="ij")
    values = torch.stack([first.flatten(), second.flatten()], dim=-1)
    directions = torch.tensor([[0.01, 0.0, 0.02], [-0.1, 0.3, 0.0]])
    found = attribute_vectors(values @ directions + 5, values)
    expected = torch.stack([200 * directions[0], 20 * directions[1]])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-3)


def test_class_means_are_the_means_and_a_missing_class_is_at_the_origin() -> None:
    mu = codes(4)[:100]
    labels = torch.arange(100) % 9
    found = class_means(mu, labels)
    expected = [
        [np.mean([row[d] for row, k in zip(mu.tolist(), labels, strict=True) if k == c]) for d in range(4)]
        for c in range(9)
    ]
    np.testing.assert_allclose(found[:9], expected, rtol=1e-4, atol=1e-5)
    assert found.shape == (10, 4) and not found[9].any()
    assert torch.equal(class_means(mu, labels.to(torch.uint8)), found)


# ---- ways


def pair(dims: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    a, b = torch.randn(2, dims, generator=torch.Generator().manual_seed(seed))
    return a, b


@pytest.mark.parametrize("way", [straight, spherical])
@pytest.mark.parametrize("dims", [1, 2, 16])
def test_a_way_begins_and_ends_where_it_should(way: Way, dims: int) -> None:
    a, b = pair(dims)
    path = way(a, b, 9)
    assert path.shape == (9, dims) and path.dtype == torch.float32
    torch.testing.assert_close(path[[0, -1]], torch.stack([a, b]), rtol=0, atol=1e-6)
    assert torch.equal(way(a, b, 1), a[None])
    with pytest.raises(ValueError):
        way(a, b, 0)


def test_half_way_is_a_plus_half_the_difference() -> None:
    a, b = torch.tensor([1.0, -2, 0]), torch.tensor([3.0, 5, -8])
    assert half_way(a, b).tolist() == [2, 1.5, -4]
    assert torch.equal(straight(a, b, 3)[1], half_way(a, b))


def test_a_straight_way_has_equal_steps() -> None:
    a, b = pair(5)
    expected = [[x + (y - x) * i / 7 for x, y in zip(a.tolist(), b.tolist(), strict=True)] for i in range(8)]
    np.testing.assert_allclose(straight(a, b, 8), expected, atol=1e-6)


def test_a_spherical_way_in_the_plane_is_a_spiral_in_polar_coordinates() -> None:
    """Angle and radius both go evenly: from 10 degrees and radius 1 to 130 degrees and radius 3."""
    turn, radius = np.radians(np.linspace(10, 130, 13)), np.linspace(1, 3, 13)
    spiral = np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=-1)
    a, b = (torch.tensor(p, dtype=torch.float32) for p in spiral[[0, -1]])
    np.testing.assert_allclose(spherical(a, b, 13), spiral, atol=1e-6)


@pytest.mark.parametrize("dims", [3, 50])
def test_a_spherical_way_keeps_its_plane_and_its_length(dims: int) -> None:
    a, b = pair(dims, seed=3)
    path = spherical(a, b, 21).double()
    np.testing.assert_allclose(path.norm(dim=-1), np.linspace(float(a.norm()), float(b.norm()), 21), rtol=1e-5)
    assert torch.linalg.matrix_rank(path, rtol=1e-5) == 2
    unit = path / path.norm(dim=-1, keepdim=True)
    angles = (unit[1:] * unit[:-1]).sum(-1).clamp(max=1).acos()
    np.testing.assert_allclose(angles, float(angles.mean()), rtol=1e-3)  # it turns evenly


@pytest.mark.parametrize("factor", [2.0, 1.0, 0.0, -1.0, -3.3])
def test_without_a_plane_to_turn_in_the_way_is_straight(factor: float) -> None:
    a = codes(6)[0]
    for start, end in ((a, factor * a), (factor * a, a)):
        path = spherical(start, end, 7)
        torch.testing.assert_close(path, straight(start, end, 7), rtol=0, atol=1e-5)
        assert not path.isnan().any()


@pytest.mark.parametrize("way", [straight, spherical])
def test_a_way_along_several_stops_passes_every_stop_once(way: Way) -> None:
    stops = codes(3)[:4]
    path = through(stops, 5, way)
    assert path.shape == (13, 3)
    torch.testing.assert_close(path[::4], stops, rtol=0, atol=1e-6)
    torch.testing.assert_close(path[4:9], way(stops[1], stops[2], 5), rtol=0, atol=1e-6)
    assert torch.equal(through(stops[:1], 5, way), stops[:1])
    with pytest.raises(ValueError):
        through(stops, 1, way)
