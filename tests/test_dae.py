"""The denoising autoencoder: what it is shown, what it is asked for, and that it learned to take noise away."""

from collections.abc import Callable

import pytest
import torch
from torch.distributions import Bernoulli

from vae_core import models
from vae_core.config import RunConfig
from vae_core.models.ae import AE
from vae_core.models.dae import DAE, nll_by_level
from vae_core.trainer import Trainer

LEVELS = (0.0, 0.25, 0.5)


def test_the_encoder_sees_noise_and_the_loss_asks_for_the_clean_image(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer(model="dae", corruption=0.3)
    model, (x, eps) = trainer.model, trainer.batch()
    assert eps.shape == x.shape
    noisy = torch.minimum(torch.maximum(x + 0.3 * eps, torch.zeros_like(x)), torch.ones_like(x))
    logits = model.decode(model.encode(noisy)[0])
    expected = -Bernoulli(logits=logits, validate_args=False).log_prob(x).sum((1, 2, 3))
    torch.testing.assert_close(model(x, eps).terms["nll"], expected)


def test_without_noise_it_is_the_plain_autoencoder() -> None:
    """The same weights from the same seed, and the same loss."""
    plain, denoising = (models.build(RunConfig(model=name, corruption=c)) for name, c in (("ae", 0.5), ("dae", 0.0)))
    x = torch.rand(8, 1, 28, 28)
    found = denoising(x, torch.randn_like(x)).terms["nll"]
    assert torch.equal(found, plain(x, torch.zeros(8, 2)).terms["nll"])


@pytest.fixture(scope="module")
def trained(small) -> list:  # type: ignore[no-untyped-def]
    """A plain and a denoising model after the same 80 steps."""
    found = []
    for name in ("ae", "dae"):
        trainer = Trainer(RunConfig(model=name, device="cpu", latent_dim=8, epochs=50, batch_size=200), small)
        for _ in range(80):
            trainer.step()
        found.append(trainer.model.eval())
    return found


def test_it_takes_more_noise_away_than_the_plain_one(trained: list[AE | DAE], small) -> None:  # type: ignore[no-untyped-def]
    x = small.x_test.float() / 255
    plain, denoising = (nll_by_level(m, x, LEVELS, torch.Generator().manual_seed(0)) for m in trained)
    assert plain == sorted(plain)  # noise costs, level by level
    assert denoising[2] < plain[2] - 10
    assert denoising[2] - denoising[0] < 0.3 * (plain[2] - plain[0])
