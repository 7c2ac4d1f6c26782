"""How a training fails: the cause is named, and what was finite is kept."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from tests.trained import NLL, STEP, decoder_of, same, steps
from vae_core.divergence import Diverged, RunError
from vae_core.evaluate import evaluate_test
from vae_core.trainer import Trainer

# ---- failures


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"learning_rate": 1000.0}, "learning rate 1000"),
        ({"learning_rate": 1.0, "likelihood": "gaussian", "sigma": 0.01}, "sigma 0.01"),
    ],
)
def test_divergence_names_the_setting_and_keeps_finite_weights(
    settings: dict[str, Any], named: str, make_trainer: Callable[..., Trainer]
) -> None:
    trainer = make_trainer(**settings)
    with pytest.raises(Diverged, match="Training stopped; the last good weights") as caught:
        for _ in range(50):
            steps(trainer, 1)
    assert named in str(caught.value)
    assert all(p.isfinite().all() for p in trainer.model.state_dict().values())
    assert np.isfinite(evaluate_test(trainer.model, trainer.images, trainer.config).neg_elbo)


def test_a_weight_that_is_no_number_is_noticed_although_the_losses_still_were(
    make_trainer: Callable[..., Trainer],
) -> None:
    trainer = make_trainer(beta=200)
    steps(trainer, 2)
    good = decoder_of(trainer)
    trainer.step()
    next(trainer.model.decoder.parameters()).data[0, 0] = float("nan")
    with pytest.raises(Diverged, match=r"^A weight ran away .* beta 200"):
        trainer.flush()
    assert trainer.step_count == 2 and same(decoder_of(trainer), good)


def test_divergence_goes_back_to_the_weights_of_the_last_flush(make_trainer: Callable[..., Trainer]) -> None:
    trainer, calm = make_trainer(), make_trainer()
    steps(trainer, 4)
    steps(calm, 4)
    trainer.set(learning_rate=1000)
    with pytest.raises(Diverged, match=r"learning rate 1000.*step 4"):
        steps(trainer, 20)
    assert trainer.step_count == 4
    assert same(list(trainer.model.parameters()), list(calm.model.parameters()))


def test_the_rows_before_a_divergence_are_not_lost_and_all_are_finite(make_trainer: Callable[..., Trainer]) -> None:
    trainer = make_trainer()
    steps(trainer, 4)
    trainer.set(learning_rate=1000)
    with pytest.raises(Diverged):
        steps(trainer, 20)
    rows = trainer.flush()
    assert rows[0, STEP] == 5 and np.isfinite(rows).all()


@pytest.mark.parametrize(
    "settings", [{"alpha": 1e6}, {"alpha": 1000.0, "likelihood": "gaussian", "sigma": 0.01}], ids=["alpha", "sigma"]
)
def test_a_large_but_allowed_weight_is_no_divergence(
    settings: dict[str, Any], make_trainer: Callable[..., Trainer]
) -> None:
    """Both terms stay what they are in nats; only the weighted sum is large, and Adam does not mind."""
    rows = steps(make_trainer(**settings), 20)
    assert np.isfinite(rows).all() and rows[-1, NLL] < rows[0, NLL]


def test_out_of_memory_becomes_advice(make_trainer: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make_trainer(batch_size=96)

    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 7.00 EiB")

    monkeypatch.setattr(trainer.model, "forward", full)
    with pytest.raises(RunError, match=r"lower the batch size \(now 96\)") as caught:
        trainer.step()
    assert "EiB" not in str(caught.value)
