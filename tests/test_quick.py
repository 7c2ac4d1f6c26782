"""The layers of models/parts/quick.py against torch's own: values, gradients, names, and the curve of a run."""

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.models.parts import quick
from vae_core.models.parts.nets import conv_decoder, conv_encoder
from vae_core.runs.quick import quick_trainer
from vae_core.trainer import Trainer

SHAPES = [(5, 40, 3, 2, 1), (24, 16, 4, 1, 3), (12, 20, 3, 2, 6), (6, 1, 4, 2, 13), (6, 2, 4, 2, 5), (7, 9, 2, 3, 4)]


def run(layer: nn.Module, x: Tensor, towards: Tensor | None = None) -> list[Tensor]:
    """The output for a batch, then the gradients of its product with `towards` (ones) by x and by all weights."""
    x = x.clone().requires_grad_()
    y = layer(x)
    dy = torch.linspace(-1, 2, y.numel(), dtype=y.dtype).view(y.shape).cos() if towards is None else towards
    return [y.detach(), *torch.autograd.grad(y, (x, *layer.parameters()), dy)]


def assert_near(got: list[Tensor], expected: list[Tensor], relative: float) -> None:
    """Each tensor, relative to the largest value in what is expected."""
    for one, other in zip(got, expected, strict=True):
        assert one.shape == other.shape
        assert (one - other).abs().max() <= relative * other.abs().max()


@pytest.mark.parametrize(("dtype", "relative"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
@pytest.mark.parametrize(("inputs", "outputs", "kernel", "stride", "pixels"), SHAPES)
@pytest.mark.parametrize("bias", [True, False])
def test_a_transposed_convolution_is_torchs_own(inputs, outputs, kernel, stride, pixels, bias, dtype, relative):
    torch.manual_seed(0)
    plain = nn.ConvTranspose2d(inputs, outputs, kernel, stride, bias=bias).to(dtype)
    fast = copy.deepcopy(plain)
    quick.quicken(fast)
    x = torch.randn(quick.LEAST_BATCH, inputs, pixels, pixels, dtype=dtype)
    assert type(fast) is quick.QuickTransposed
    assert_near(run(fast, x), run(plain, x), relative)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_networks_are_what_they_were(dtype):
    """Both networks, and the running statistics of BatchNorm after a batch."""
    torch.manual_seed(0)
    images = torch.rand(70, 1, 28, 28, dtype=dtype)
    for make, x in ((conv_encoder, images), (conv_decoder, torch.randn(70, 8, dtype=dtype))):
        plain = make(8).to(dtype)
        fast = copy.deepcopy(plain)
        quick.quicken(fast)
        y, expected = fast(x), plain(x)
        tolerance = 1e-10 if dtype == torch.float64 else 1e-5
        torch.testing.assert_close(y, expected, rtol=tolerance, atol=tolerance)
        y.square().mean().backward()
        expected.square().mean().backward()
        scale = max(p.grad.abs().max() for p in plain.parameters())
        for one, other in zip(fast.parameters(), plain.parameters(), strict=True):
            torch.testing.assert_close(one.grad, other.grad, rtol=10 * tolerance, atol=tolerance * scale)
        assert list(fast.state_dict()) == list(plain.state_dict())
        for name, value in plain.state_dict().items():
            torch.testing.assert_close(fast.state_dict()[name], value, rtol=tolerance, atol=tolerance)


def test_what_is_no_training_stays_torchs_own_bit_for_bit():
    torch.manual_seed(0)
    plain = conv_decoder(8)
    fast = copy.deepcopy(plain)
    quick.quicken(fast)
    z = torch.randn(70, 8)
    assert torch.equal(fast(z[:9]), plain(z[:9]))  # few images
    with torch.no_grad():
        assert torch.equal(fast(z), plain(z))
    assert torch.equal(fast.eval()(z), plain.eval()(z))


def test_a_layer_of_another_kind_is_left_alone():
    layers = [nn.ConvTranspose2d(4, 4, 4, 2, padding=1), nn.ConvTranspose2d(4, 4, (3, 2)), nn.Conv2d(4, 4, 3)]
    quick.quicken(nn.Sequential(*layers, nn.ConvTranspose2d(4, 4, 3, groups=2)))
    assert [type(layer) for layer in layers] == [nn.ConvTranspose2d, nn.ConvTranspose2d, nn.Conv2d]


def curve(images: Images, quick_layers: bool, steps: int = 20) -> np.ndarray:
    config = RunConfig(net="conv", latent_dim=32, batch_size=256, steps=20, device="cpu")
    trainer = (quick_trainer if quick_layers else Trainer)(config, images)
    for _ in range(steps):
        trainer.step()
    return trainer.flush()[:, -1]  # the losses


def test_twenty_steps_have_the_losses_of_the_plain_layers(mnist):
    fast = curve(mnist, True)
    np.testing.assert_allclose(fast, curve(mnist, False), rtol=1e-4)
    assert np.array_equal(fast[:3], curve(mnist, True, 3))  # the same seed, the same curve
