"""Training on the whole of MNIST, and on a GPU."""

from typing import Any

import numpy as np
import pytest
import torch

from tests.trained import LOSS, steps
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.evaluate import evaluate_test
from vae_core.trainer import Trainer

# ---- the whole of MNIST


def test_three_epochs_on_mnist_reach_a_known_elbo(mnist: Images) -> None:
    trainer = Trainer(RunConfig(net="mlp", latent_dim=2, epochs=3, device="cpu"), mnist)
    while not trainer.done:
        trainer.step()
    assert trainer.step_count == trainer.total_steps == 3 * 235
    assert trainer.images_seen == 180_000
    assert evaluate_test(trainer.model, trainer.images, trainer.config).neg_elbo < 157  # grey MNIST, test, K = 1


# ---- on a GPU


def on(device: str, images: Images, **settings: Any) -> Trainer:
    moved = Images(images.name, *(t.to(device) for t in (images.x_train, images.y_train, images.x_test, images.y_test)))
    return Trainer(RunConfig(**({"device": device, "epochs": 50, "batch_size": 128} | settings)), moved)


@pytest.mark.requires_cuda
@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_training_on_cuda_reaches_a_lower_loss(net: str, small: Images) -> None:
    trainer = on("cuda", small, net=net)
    assert next(trainer.model.parameters()).device.type == "cuda"
    rows = steps(trainer, 100)
    assert np.isfinite(rows).all() and rows[-10:, LOSS].mean() < 0.6 * rows[0, LOSS]


@pytest.mark.requires_cuda
@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_cpu_and_cuda_begin_with_the_same_weights(net: str, small: Images) -> None:
    on_cpu, on_cuda = (on(d, small, net=net).model.state_dict() for d in ("cpu", "cuda"))
    assert all(torch.equal(on_cpu[k], on_cuda[k].cpu()) for k in on_cpu)


@pytest.mark.requires_cuda
@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_the_loss_of_one_batch_agrees_between_cpu_and_cuda(net: str, small: Images) -> None:
    """The same images and the same eps, which each device would otherwise draw for itself."""
    on_cpu, on_cuda = (on(d, small, net=net) for d in ("cpu", "cuda"))
    x, eps = on_cpu.batch()
    expected, found = on_cpu.model(x, eps), on_cuda.model(x.to("cuda"), eps.to("cuda"))
    torch.testing.assert_close(found.terms["nll"].cpu(), expected.terms["nll"], rtol=1e-3, atol=1e-2)
    torch.testing.assert_close(found.terms["kl"].cpu(), expected.terms["kl"], rtol=1e-3, atol=1e-3)


@pytest.mark.requires_cuda
def test_a_state_saved_on_cuda_goes_on_there(small: Images) -> None:
    whole, before, after = (on("cuda", small) for _ in range(3))
    expected = steps(whole, 6)[3:]
    steps(before, 3)
    after.restore(before.state())
    np.testing.assert_allclose(steps(after, 3), expected, rtol=1e-4)
