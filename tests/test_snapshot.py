"""Snapshots: pictures and figures of the model as it is, always under the same noise."""

from statistics import NormalDist

import numpy as np
import pytest
import torch

from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.evaluate import evaluate_test
from vae_core.inspect.snapshot import MAP_IMAGES, PRIOR_DRAWS, Snapshot, SnapshotTaker, take_snapshot
from vae_core.trainer import Trainer


@pytest.fixture(scope="module")
def trainer(small: Images) -> Trainer:
    made = Trainer(RunConfig(device="cpu", epochs=50, batch_size=128), small)
    for _ in range(20):
        made.step()
    return made


@pytest.fixture(scope="module")
def taken(trainer: Trainer) -> Snapshot:
    return take_snapshot(trainer)


def as_uint8(image: torch.Tensor) -> np.ndarray:
    return np.rint(image.detach().numpy() * 255).astype(np.uint8)


def test_shapes_and_types(taken: Snapshot) -> None:
    assert taken.step == 20 and taken.sigma is None
    assert taken.mu.shape == taken.xy.shape == (500, 2) and taken.labels.shape == (500,)
    assert taken.originals.shape == taken.reconstructions.shape == (10, 28, 28)
    assert taken.prior_draws.shape == (PRIOR_DRAWS, 28, 28)
    assert {a.dtype for a in (taken.originals, taken.reconstructions, taken.prior_draws, taken.grid)} == {
        np.dtype(np.uint8)
    }


def test_the_originals_are_one_test_image_of_each_class(taken: Snapshot, small: Images) -> None:
    labels = small.y_test.tolist()
    expected = [small.x_test[labels.index(digit), 0].numpy() for digit in range(10)]
    assert np.array_equal(taken.originals, expected)


def test_every_code_lies_beside_its_own_label(taken: Snapshot, trainer: Trainer, small: Images) -> None:
    """Encode all images anew: the codes of each class must be the same set."""
    with torch.no_grad():
        mu = trainer.model.encode(small.x_test.float() / 255)[0].numpy()
    for digit in range(10):
        found = np.sort(taken.mu[taken.labels == digit], axis=0)
        np.testing.assert_allclose(found, np.sort(mu[small.y_test.numpy() == digit], axis=0), atol=1e-5)


def test_the_map_shows_a_fixed_number_of_images(mnist: Images) -> None:
    snapshot = take_snapshot(Trainer(RunConfig(device="cpu"), mnist))
    assert snapshot.mu.shape == (MAP_IMAGES, 2)
    shares = np.bincount(snapshot.labels) / MAP_IMAGES
    assert np.abs(shares - mnist.y_test.bincount().numpy() / 10_000).max() < 0.02  # drawn at random, not the first half


def test_the_figures_are_those_of_the_map_images(taken: Snapshot, trainer: Trainer) -> None:
    """All 500 test images are on the map here; only the noise of each differs from evaluate()'s."""
    result = evaluate_test(trainer.model, trainer.images, trainer.config)
    assert taken.terms["kl"] == pytest.approx(result.terms["kl"], rel=1e-5)
    assert taken.terms["nll"] == pytest.approx(result.terms["nll"], rel=0.02)
    assert taken.active.tolist() == result.active.tolist()
    assert taken.neg_elbo == taken.terms["nll"] + taken.terms["kl"]


def test_a_look_has_the_same_pictures_and_map(taken: Snapshot, trainer: Trainer, small: Images) -> None:
    look = SnapshotTaker(trainer.config, small).look(trainer.model, 20)
    for name in ("originals", "reconstructions", "prior_draws", "grid", "xy", "labels", "basis"):
        np.testing.assert_array_equal(getattr(look, name), getattr(taken, name), name)
    np.testing.assert_allclose(look.mu, taken.mu, atol=1e-6)
    assert look.terms == {} and (look.step, look.explained, look.spread) == (20, taken.explained, taken.spread)


def test_prior_draws_do_not_change_places_while_training(small: Images) -> None:
    """The same z in every snapshot: a decoder that is not trained must show the same pictures."""
    trainer = Trainer(RunConfig(device="cpu", alpha=0.0), small)
    before = take_snapshot(trainer)
    for _ in range(5):
        trainer.step()
    after = take_snapshot(trainer)
    assert np.array_equal(before.prior_draws, after.prior_draws) and not np.array_equal(before.mu, after.mu)


def test_the_seed_of_the_run_decides_the_draws(small: Images) -> None:
    first, other = (Trainer(RunConfig(device="cpu", seed=seed), small) for seed in (0, 1))
    other.model.load_state_dict(first.model.state_dict())
    a, b = take_snapshot(first), take_snapshot(other)
    assert (
        np.array_equal(a.mu, b.mu)
        and not np.array_equal(a.prior_draws, b.prior_draws)
        and a.terms["nll"] != b.terms["nll"]
    )


def test_the_grid_shows_the_decoder_at_prior_quantiles(taken: Snapshot, trainer: Trainer) -> None:
    side = len(taken.grid)
    low, high = NormalDist().inv_cdf(0.5 / side), NormalDist().inv_cdf(1 - 0.5 / side)
    corners = {(0, 0): (low, high), (0, side - 1): (high, high), (side - 1, 0): (low, low)}
    for (row, column), z in corners.items():
        image = as_uint8(trainer.model.decode(torch.tensor([z])).sigmoid()[0, 0])
        assert np.abs(taken.grid[row, column].astype(int) - image).max() <= 1


def test_without_two_latents_there_is_no_grid(snapshot_of_new_model: Snapshot) -> None:
    assert snapshot_of_new_model.grid.size == 0


def test_sigma_is_shown_where_there_is_one(small: Images) -> None:
    snapshot = take_snapshot(Trainer(RunConfig(device="cpu", likelihood="gaussian", sigma=0.25), small))
    assert snapshot.sigma == pytest.approx(0.25) and snapshot.sigmas.shape == (0, 28, 28)
    assert snapshot.scales["rmse"] > 0.2  # a new model is far off


def test_where_each_pixel_has_a_sigma_it_is_pictured(small: Images) -> None:
    trainer = Trainer(RunConfig(device="cpu", likelihood="gaussian-per-pixel", sigma=0.2), small)
    taker = SnapshotTaker(trainer.config, small)
    ten = small.x_test[small.one_per_class()].float() / 255
    with torch.no_grad():
        raw = trainer.model.decode(trainer.model.sample(*trainer.model.encode(ten), taker.draws(trainer.model)[1]))[
            :, 1
        ]
    sigma = 0.01 + (1 + raw.exp()).log()  # (10, 28, 28)
    wanted = (255 * sigma / 0.5).clamp(max=255).numpy()
    assert np.abs(taker.take(trainer.model, 0).sigmas.astype(float) - wanted).max() <= 1


def test_nbytes_counts_every_array(taken: Snapshot) -> None:
    arrays = [taken.kl_dims, taken.active, taken.mu, taken.xy, taken.labels, taken.originals]
    arrays += [taken.reconstructions, taken.prior_draws, taken.grid, taken.basis]
    arrays += [taken.ten_mu, taken.ten_log_var, taken.ten_pull_mu, taken.ten_pull_log_var]
    assert taken.nbytes == sum(a.size * a.itemsize for a in arrays)
