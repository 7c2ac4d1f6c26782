"""Warm-up, cycles and free bits: what is minimised is said, and what is reported is the true KL and −ELBO."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from pages.training.settings import link
from vae_core import cards, losses
from vae_core.config import ConfigError, RunConfig
from vae_core.evaluate import evaluate
from vae_core.inspect.step_trace import trace_step
from vae_core.trainer import Trainer, warm_up


def betas(trainer: Trainer, count: int) -> list[float]:
    found = []
    for _ in range(count):
        found.append(trainer.weights["kl"])
        trainer.step()
    return found


def test_beta_rises_once_without_cycles(make_trainer: Callable[..., Trainer]) -> None:
    for cycles in (0, 1):
        trainer = make_trainer(warmup_steps=4, warmup_cycles=cycles, beta=2.0, steps=12)
        assert betas(trainer, 6) == [0.0, 0.5, 1.0, 1.5, 2.0, 2.0]


def test_beta_rises_anew_in_every_cycle(make_trainer: Callable[..., Trainer]) -> None:
    """Of 11 steps in three cycles the first two have four each; a run that goes on from its state keeps the place."""
    trainer = make_trainer(warmup_steps=2, warmup_cycles=3, steps=11)
    wanted = [0.0, 0.5, 1.0, 1.0, 0.0, 0.5, 1.0, 1.0, 0.0, 0.5, 1.0]
    assert betas(trainer, 6) == wanted[:6]
    other = make_trainer(warmup_steps=2, warmup_cycles=3, steps=11)
    other.restore(trainer.state())
    assert betas(other, 5) == wanted[6:]
    fu = [min(1.0, (t % 25) / (0.5 * 25)) for t in range(100)]  # Fu 2019, eq. 6 and 7 with R = 0.5: T / M = 25
    np.testing.assert_allclose([warm_up(t, 25, 2, 100) for t in range(50)], np.minimum(1, np.arange(50) / 25))
    assert max(abs(warm_up(t, 12, 4, 100) - f) for t, f in enumerate(fu)) < 0.05


def test_free_bits_are_minimised_and_the_true_kl_is_reported(make_trainer: Callable[..., Trainer]) -> None:
    """Against torch.distributions: the row of a step has the KL itself, its loss the larger of that and lambda."""
    trainer, least = make_trainer(free_bits=0.02, latent_dim=6, beta=2.0), 0.02
    for _ in range(15):
        trainer.step()
    trainer.flush()
    x, eps = trainer.batch()
    with torch.no_grad():
        mu, log_var = trainer.model.encode(x)
        nll = trainer.model(x, eps).terms["nll"].mean()
    dims = kl_divergence(Normal(mu, log_var.exp().sqrt()), Normal(0.0, 1.0)).mean(0)  # (6,)
    assert (dims < least).any() and (dims > least).any()
    trainer.step()
    row = dict(zip(trainer.columns, trainer.flush()[0].tolist(), strict=True))
    assert row["kl"] == pytest.approx(dims.sum().item(), rel=1e-5)
    expected = nll + 2.0 * torch.where(dims > least, dims, torch.tensor(least)).sum()
    assert row["loss"] == pytest.approx(expected.item(), rel=1e-6) and row["loss"] > row["nll"] + 2 * row["kl"]


def test_of_a_dimension_below_its_free_bits_the_kl_has_no_gradient() -> None:
    mu = torch.tensor([[0.1, 2.0], [-0.1, -2.0]], requires_grad=True)
    log_var = torch.zeros(2, 2, requires_grad=True)
    losses.free_bits_kl(mu, log_var, 0.5).backward()
    assert mu.grad is not None and (mu.grad[:, 0] == 0).all()
    torch.testing.assert_close(mu.grad[:, 1], mu[:, 1].detach() / 2)  # of a mean over two images


def test_test_figures_know_nothing_of_free_bits(make_trainer: Callable[..., Trainer]) -> None:
    with_bits, without = make_trainer(free_bits=3.0), make_trainer()
    with_bits.step()
    without.restore(with_bits.state())
    pixels = without.images.x_test
    assert (
        evaluate(with_bits.model, pixels, "grey", 0).to_dict() == evaluate(without.model, pixels, "grey", 0).to_dict()
    )


def test_slow_motion_pulls_with_what_is_minimised(make_trainer: Callable[..., Trainer]) -> None:
    """All dimensions below lambda: the KL does not pull, the loss counts lambda for each, the KL shown is true."""
    trainer = make_trainer(free_bits=5.0, latent_dim=3, batch_size=20)
    seen = trace_step(trainer)
    row = dict(zip(trainer.columns, trainer.flush()[0].tolist(), strict=True))
    assert not seen.kl_mu.any() and not seen.kl_log_var.any() and seen.nll_mu.any()
    assert seen.numbers["loss"] == pytest.approx(row["loss"], rel=1e-6)
    assert seen.numbers["kl"] == pytest.approx(row["kl"], rel=1e-5) and row["loss"] == pytest.approx(row["nll"] + 15.0)


def test_the_labels_of_a_step_come_into_slow_motion_too(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer(model="cvae", batch_size=20)
    seen = trace_step(trainer)
    row = dict(zip(trainer.columns, trainer.flush()[0].tolist(), strict=True))
    assert seen.numbers["loss"] == pytest.approx(row["loss"], rel=1e-6)
    assert seen.numbers["after"]["loss"] < seen.numbers["loss"]


def test_a_config_from_before_them_loads_as_it_was() -> None:
    old = {k: v for k, v in RunConfig().to_dict().items() if k not in ("warmup_cycles", "free_bits", "samples")}
    assert RunConfig.from_dict(old) == RunConfig()
    chosen = RunConfig(warmup_steps=9, warmup_cycles=4, free_bits=0.1)
    assert "--warmup-cycles 4 --free-bits 0.1" in cards.command(chosen)
    assert {"samples", "corruption", "warmup_cycles", "free_bits"} <= set(link.settings)
    for wrong in ({"warmup_cycles": -1}, {"free_bits": -0.1}, {"free_bits": float("nan")}):
        with pytest.raises(ConfigError, match="give a"):
            RunConfig(**wrong)  # type: ignore[arg-type]
