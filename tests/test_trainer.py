"""The trainer: the same curve bit for bit, switches that switch, and failures that name their cause."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from tests.trained import KL, LOSS, NLL, STEP, decoder_of, same, steps
from vae_core.config import ConfigError, LiveSettings
from vae_core.evaluate import evaluate_test
from vae_core.inspect.snapshot import take_snapshot
from vae_core.trainer import Trainer

# ---- the same curve


@pytest.mark.parametrize(("net", "count"), [("mlp", 20), ("conv", 4)])
def test_the_same_seed_gives_the_same_curve_bit_for_bit(
    net: str, count: int, make_trainer: Callable[..., Trainer]
) -> None:
    """20 steps of 128 cross an epoch of 2,000 images."""
    torch.manual_seed(1)
    first = steps(make_trainer(net=net, protocol="dynamic"), count)
    torch.manual_seed(2)
    second = steps(make_trainer(net=net, protocol="dynamic"), count)
    assert np.array_equal(first, second)


def test_another_seed_gives_another_curve(make_trainer: Callable[..., Trainer]) -> None:
    assert (steps(make_trainer(seed=1), 3)[:, NLL] != steps(make_trainer(seed=2), 3)[:, NLL]).all()


def test_rows_count_steps_from_1_and_come_once(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer()
    rows = np.concatenate([steps(trainer, n) for n in (1, 300, 0, 2)])  # 300 steps overflow the device's buffer
    assert rows.dtype == np.float32 and rows.shape == (303, 4)
    assert rows[:, STEP].tolist() == list(range(1, 304))


def test_an_epoch_sees_every_image_once(make_trainer: Callable[..., Trainer]) -> None:
    """2,000 images in batches of 300: six full batches and one of 200, in another order each epoch."""
    trainer = make_trainer(batch_size=300)
    seen = {tuple(i.flatten().nonzero().flatten().tolist()): n for n, i in enumerate(trainer.images.x_train)}
    orders = []
    for _epoch in range(2):
        batches = []
        for _ in range(trainer.steps_per_epoch):
            batches.append(trainer.batch()[0])
            trainer.step()
        assert [len(b) for b in batches] == [300] * 6 + [200]
        orders.append([seen[tuple(i.flatten().nonzero().flatten().tolist())] for b in batches for i in b])
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(2000))
    assert orders[0] != orders[1]


def test_every_step_draws_noise_of_its_own(make_trainer: Callable[..., Trainer]) -> None:
    trainer, draws = make_trainer(), []
    for _ in range(3):
        draws.append(trainer.batch()[1])
        trainer.step()
    assert not any(torch.equal(a, b) for a, b in itertools.combinations(draws, 2))
    together = torch.stack(draws)
    assert abs(together.mean()) < 0.2 and abs(together.std() - 1) < 0.1  # 768 draws from N(0, 1)


def test_training_leaves_global_random_numbers_alone(make_trainer: Callable[..., Trainer]) -> None:
    before = torch.random.get_rng_state()
    trainer = make_trainer(protocol="dynamic")
    steps(trainer, 2)
    evaluate_test(trainer.model, trainer.images, trainer.config)
    take_snapshot(trainer)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_state_and_restore_go_on_bit_for_bit(net: str, make_trainer: Callable[..., Trainer]) -> None:
    """The uninterrupted curve is the oracle; the other one goes through a state in the middle of an epoch."""
    settings = {"net": net, "protocol": "dynamic", "likelihood": "gaussian-learned", "warmup_steps": 10}
    whole, before, after = make_trainer(**settings), make_trainer(**settings), make_trainer(**settings)
    rows = steps(whole, 3)
    whole.set(beta=0.5, learning_rate=1e-4)
    rows = np.concatenate([rows, steps(whole, 4)])
    begun = steps(before, 3)
    before.set(beta=0.5, learning_rate=1e-4)
    steps(after, 1)  # what it did before must not matter
    after.restore(before.state())
    assert (after.step_count, after.settings) == (3, LiveSettings(beta=0.5, learning_rate=1e-4))
    assert np.array_equal(np.concatenate([begun, steps(after, 4)]), rows)


def test_restoring_the_very_beginning_forgets_adams_moments(make_trainer: Callable[..., Trainer]) -> None:
    fresh, used = make_trainer(), make_trainer()
    beginning = fresh.state()
    steps(used, 5)
    used.restore(beginning)
    assert np.array_equal(steps(used, 5), steps(fresh, 5))


def test_a_state_is_a_copy(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer()
    state = trainer.state()
    weights = state["model.decoder.0.weight"].clone()
    steps(trainer, 2)
    assert torch.equal(state["model.decoder.0.weight"], weights)


@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_looking_at_a_run_does_not_change_its_curve(net: str, make_trainer: Callable[..., Trainer]) -> None:
    left_alone, looked_at = make_trainer(net=net, protocol="dynamic"), make_trainer(net=net, protocol="dynamic")
    expected = steps(left_alone, 4)
    found = steps(looked_at, 2)
    evaluate_test(looked_at.model, looked_at.images, looked_at.config)
    take_snapshot(looked_at)
    looked_at.state()
    assert np.array_equal(np.concatenate([found, steps(looked_at, 2)]), expected)


def test_two_snapshots_of_the_same_weights_are_the_same(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer(protocol="dynamic")
    first, second = take_snapshot(trainer), take_snapshot(trainer)
    assert (first.terms["nll"], first.terms["kl"]) == (second.terms["nll"], second.terms["kl"])
    assert all(np.array_equal(v, vars(second)[k]) for k, v in vars(first).items() if isinstance(v, np.ndarray))


# ---- the loss and its switches


def test_the_recorded_loss_is_the_weighted_sum_of_the_recorded_terms(make_trainer: Callable[..., Trainer]) -> None:
    rows = steps(make_trainer(alpha=2.5, beta=7.0), 10).astype(np.float64)
    np.testing.assert_allclose(rows[:, LOSS], 2.5 * rows[:, NLL] + 7.0 * rows[:, KL], rtol=1e-6)


def test_training_lowers_the_loss(make_trainer: Callable[..., Trainer]) -> None:
    rows = steps(make_trainer(), 100)
    assert rows[-10:, LOSS].mean() < 0.6 * rows[0, LOSS]


def test_without_reconstruction_the_decoder_stays_at_its_initial_weights(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer(alpha=0)
    initial, encoder = decoder_of(trainer), [p.detach().clone() for p in trainer.model.encoder.parameters()]
    rows = steps(trainer, 30)
    assert same(decoder_of(trainer), initial)
    assert not same(list(trainer.model.encoder.parameters()), encoder)
    assert rows[-1, KL] < 0.1 * rows[0, KL]  # the codes go to the prior


def test_reconstruction_switched_off_freezes_the_decoder_from_that_step_on(
    make_trainer: Callable[..., Trainer],
) -> None:
    trainer = make_trainer()
    initial = decoder_of(trainer)
    steps(trainer, 10)
    trainer.set(alpha=0)
    frozen = decoder_of(trainer)
    assert not same(frozen, initial)
    steps(trainer, 20)  # Adam's momentum of the first ten steps must not move it either
    assert same(decoder_of(trainer), frozen)
    trainer.set(alpha=1)
    steps(trainer, 1)
    assert not same(decoder_of(trainer), frozen)


@pytest.mark.parametrize("net", ["mlp", "conv"])
@pytest.mark.parametrize("half", ["encoder", "decoder"])
def test_a_frozen_half_keeps_its_weights_and_statistics_while_the_other_learns(
    half: str, net: str, make_trainer: Callable[..., Trainer]
) -> None:
    trainer = make_trainer(net=net, frozen=half, likelihood="gaussian-learned", latent_dim=3)
    initial = trainer.state()
    rows = steps(trainer, 12)
    moved = {k for k, v in trainer.state().items() if k.startswith("model.") and not torch.equal(v, initial[k])}
    halves = {k.split(".")[1] for k in moved}
    assert halves == ({"decoder", "raw_sigma"} if half == "encoder" else {"encoder"})
    assert rows[-1, LOSS] < rows[0, LOSS]


def test_a_half_can_be_frozen_on_the_way_and_thawed(make_trainer: Callable[..., Trainer]) -> None:
    trainer, free = make_trainer(), make_trainer()
    steps(trainer, 6)
    mark = trainer.set(frozen="decoder")
    assert mark is not None and mark.text == "frozen none → decoder at step 6"
    frozen = decoder_of(trainer)
    steps(trainer, 6)  # Adam's momentum must not move it either
    assert same(decoder_of(trainer), frozen)
    saved, other = trainer.state(), make_trainer()
    other.restore(saved)
    assert other.settings.frozen == "decoder"
    trainer.set(frozen="none")
    steps(trainer, 1)
    assert not same(decoder_of(trainer), frozen)
    assert np.array_equal(steps(free, 3)[:, LOSS], steps(make_trainer(), 3)[:, LOSS])


def test_without_kl_the_posterior_shrinks(make_trainer: Callable[..., Trainer]) -> None:
    scales = []
    for beta in (1.0, 0.0):
        trainer = make_trainer(beta=beta)
        steps(trainer, 150)
        scales.append(evaluate_test(trainer.model, trainer.images, trainer.config))
    with_kl, without = scales
    assert without.mean_std < 0.5 * with_kl.mean_std
    assert without.terms["kl"] > 2 * with_kl.terms["kl"]


def test_warm_up_is_linear_and_ends_at_beta(make_trainer: Callable[..., Trainer]) -> None:
    """With alpha = 0 the recorded loss is beta_now * kl, so the record itself tells the weight that was used."""
    trainer = make_trainer(alpha=0, beta=4.0, warmup_steps=8)
    rows = steps(trainer, 12).astype(np.float64)
    expected = np.append(np.linspace(0, 4, 9), [4, 4, 4])
    np.testing.assert_allclose(rows[:, LOSS] / rows[:, KL], expected, rtol=1e-6, atol=1e-9)
    assert trainer.weights == {"nll": 0, "kl": 4.0}


def test_a_change_of_weights_leaves_a_mark(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer()
    steps(trainer, 3)
    assert trainer.set(beta=0).text == "beta 1 → 0 at step 3"  # type: ignore[union-attr]
    assert trainer.set(alpha=2.5, learning_rate=0.01).text == "alpha 1 → 2.5, learning rate 0.002 → 0.01 at step 3"  # type: ignore[union-attr]
    assert [mark.step for mark in trainer.marks] == [3, 3]


def test_setting_what_is_already_set_leaves_no_mark(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer()
    assert trainer.set(alpha=1, beta=1.0, frozen="none") is None
    assert trainer.marks == []


def test_a_changed_weight_counts_from_the_next_step(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer()
    steps(trainer, 2)
    trainer.set(alpha=3)
    row = steps(trainer, 1)[0].astype(np.float64)
    assert row[LOSS] == pytest.approx(3 * row[NLL] + row[KL], rel=1e-6)


def test_a_changed_learning_rate_is_used(make_trainer: Callable[..., Trainer]) -> None:
    """The first Adam step moves every weight that has a gradient by about the learning rate."""
    trainer = make_trainer()
    trainer.set(learning_rate=1e-5)
    before = trainer.model.encoder[-1].bias.detach().clone()
    steps(trainer, 1)
    moved = (trainer.model.encoder[-1].bias.detach() - before).abs()
    assert moved.max().item() == pytest.approx(1e-5, rel=0.01)


@pytest.mark.parametrize(
    "weights",
    [
        {"alpha": 0, "beta": 0},
        {"beta": float("nan")},
        {"beta": -1},
        {"alpha": float("inf")},
        {"learning_rate": 0},
        {"beta": 0.5, "alpha": "1"},
        {"alpha": True},
        {"frozen": "both"},
        {"alpha": 0, "frozen": "encoder"},
        {"latent_dim": 3},
    ],
)
def test_weights_that_cannot_be_used_are_refused_and_change_nothing(
    weights: dict[str, Any], make_trainer: Callable[..., Trainer]
) -> None:
    trainer, untouched = make_trainer(), make_trainer()
    with pytest.raises(ConfigError):
        trainer.set(**weights)
    assert (trainer.settings, trainer.marks) == (LiveSettings(), [])
    assert np.array_equal(steps(trainer, 3), steps(untouched, 3))


def test_the_second_weight_cannot_be_switched_off_after_the_first(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer()
    trainer.set(beta=0)
    with pytest.raises(ConfigError, match="nothing to minimise"):
        trainer.set(alpha=0)
    assert trainer.settings.alpha == 1.0
