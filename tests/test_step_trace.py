"""A step in slow motion: it is the ordinary step, and what is told of it holds against independent computations."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.inspect.step_trace import SHOWN, trace_step
from vae_core.trainer import Trainer


def trainer_of(small: Images, steps: int = 30, **settings: Any) -> Trainer:
    trainer = Trainer(RunConfig(**({"device": "cpu", "batch_size": 128} | settings)), small)
    for _ in range(steps):
        trainer.step()
    return trainer


@pytest.mark.parametrize(
    "settings",
    [{}, {"net": "conv"}, {"net": "conv", "alpha": 0.0}, {"frozen": "encoder"}, {"beta": 0.0, "protocol": "dynamic"}],
)
def test_the_step_is_the_ordinary_one_bit_for_bit(settings: dict[str, Any], small: Images) -> None:
    slow, usual = trainer_of(small, 3, **settings), trainer_of(small, 3, **settings)
    for _ in range(3):
        trace_step(slow)
        usual.step()
    assert np.array_equal(slow.flush(), usual.flush())
    saved = usual.state()
    assert all(torch.equal(value, saved[name]) for name, value in slow.state().items())


def test_its_means_are_the_row_of_the_history(small: Images) -> None:
    trainer = trainer_of(small, 5, alpha=2.0, beta=0.5)
    seen = trace_step(trainer)
    step, nll, kl, loss = trainer.flush()[-1]
    assert seen.step == step == 6
    assert [seen.numbers[k] for k in ("nll", "kl", "loss")] == pytest.approx([nll, kl, loss], rel=1e-5)


def test_the_sample_is_mu_plus_std_times_eps_and_kl_is_that_of_torch(small: Images) -> None:
    seen = trace_step(trainer_of(small, latent_dim=3))
    assert len(seen.x) == SHOWN and seen.mu.shape == (SHOWN, 3)
    np.testing.assert_allclose(seen.z, seen.mu + seen.std * seen.eps, rtol=1e-5, atol=1e-6)
    q = Normal(torch.from_numpy(seen.mu).double(), torch.from_numpy(seen.std).double())
    kl = kl_divergence(q, Normal(0.0, 1.0)).sum(-1).numpy()
    np.testing.assert_allclose(seen.kl, kl, rtol=1e-4, atol=1e-4)


def test_the_pulls_are_slopes_of_the_terms(small: Images) -> None:
    """Central differences in float64, of the terms as the model and torch.distributions compute them."""
    alpha, beta = 2.0, 0.5
    trainer = trainer_of(small, alpha=alpha, beta=beta)
    model = Trainer(trainer.config, small).model.double()
    model.load_state_dict(trainer.model.state_dict())
    batch, eps = trainer.batch()
    seen = trace_step(trainer)
    x, eps = batch[:4].double(), eps[:4].double()
    at = [torch.from_numpy(v[:4]).double() for v in (seen.mu, 2 * np.log(seen.std))]

    def terms(mu: torch.Tensor, log_var: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
        with torch.no_grad():
            nll = model.nll(model.decode(mu + (0.5 * log_var).exp() * eps), x)
            q = Normal(mu, (0.5 * log_var).exp())
            return alpha * nll.numpy(), beta * kl_divergence(q, Normal(0.0, 1.0)).sum(-1).numpy()

    h = 1e-5
    for which, pulls in ((0, (seen.nll_mu, seen.kl_mu)), (1, (seen.nll_log_var, seen.kl_log_var))):
        for d in range(2):
            up, down = [t.clone() for t in at], [t.clone() for t in at]
            up[which][:, d] += h
            down[which][:, d] -= h
            for term, pull in enumerate(pulls):
                slope = (terms(*up)[term] - terms(*down)[term]) / (2 * h)
                np.testing.assert_allclose(pull[:4, d], -slope, rtol=2e-2, atol=2e-2)


def test_a_term_that_is_off_does_not_pull_and_a_frozen_half_does_not_move(small: Images) -> None:
    no_kl = trace_step(trainer_of(small, beta=0.0))
    assert not no_kl.kl_mu.any() and not no_kl.kl_log_var.any() and no_kl.nll_mu.any()
    no_reconstruction = trace_step(trainer_of(small, 3, alpha=0.0))
    assert not no_reconstruction.nll_mu.any() and no_reconstruction.kl_mu.any()
    assert no_reconstruction.numbers["decoder"]["moved"] == 0 < no_reconstruction.numbers["encoder"]["moved"]
    frozen = trace_step(trainer_of(small, 3, frozen="encoder"))
    assert frozen.numbers["encoder"]["moved"] == 0 < frozen.numbers["decoder"]["moved"]
    np.testing.assert_array_equal(frozen.mu_after, frozen.mu)


def test_what_the_batch_costs_afterwards_is_its_cost_with_the_new_weights(small: Images) -> None:
    trainer = trainer_of(small, 3)
    x, eps = trainer.batch()
    seen = trace_step(trainer)
    with torch.no_grad():
        terms = trainer.model(x, eps)
    after = seen.numbers["after"]
    assert after["nll"] == pytest.approx(terms.terms["nll"].mean().item(), rel=1e-6)
    assert after["loss"] < seen.numbers["loss"]
    np.testing.assert_array_equal(seen.mu_after, terms.mu[:SHOWN].numpy())
