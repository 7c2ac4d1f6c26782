"""The code map in the browser, run under node: its decoder against torch, and what a link may say of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save

from tests.node_runner import node_runner
from vae_core import models
from vae_core.config import RunConfig


def test_the_decoder_agrees_with_torch(tmp_path: Path) -> None:
    """On random maps of three codebooks; also a vector of zeros at a corner, where the padding is."""
    run = node_runner(tmp_path, "lib/tensors", "net/codes")
    for dims, size in ((1, 2), (8, 64), (5, 256)):
        torch.manual_seed(dims)
        model: Any = models.build(RunConfig(model="vq", net="conv", latent_dim=dims, codebook_size=size)).eval()
        with torch.no_grad():
            model.codebook.normal_()
            model.codebook[0] = 0
            codes = torch.randint(size, (4, 7, 7))
            codes[:, 0, 0] = 0
            wanted = model.mean_image(model.decode_map(codes)).flatten(1).numpy()
        arrays = {f"model.{name}": value for name, value in model.state_dict().items() if name.startswith("decoder.")}
        found = run(
            "const { arrays } = tensors.readTensors(file()), decode = codes.codeDecoderOf(arrays);"
            "print(given.map((map) => Array.from(decode(map))));",
            codes.flatten(1).tolist(),
            save({**arrays, "codebook": model.codebook.detach().contiguous()}, {"about": "{}"}),
        )
        assert np.abs(np.array(found) - wanted).max() < 1e-4 and np.ptp(wanted) > 0.05


@pytest.mark.parametrize(("size", "stride", "padding"), [(7, 1, 1), (6, 2, 0), (5, 3, 2)])
def test_padding_is_that_of_torch(size: int, stride: int, padding: int, tmp_path: Path) -> None:
    """Both kinds of layers, at sizes that no network here has."""
    run = node_runner(tmp_path, "net/layers")
    torch.manual_seed(size)
    x, weight, bias = torch.randn(1, 2, size, size), torch.randn(3, 2, 4, 4), torch.randn(3)
    other = weight.transpose(0, 1).contiguous()
    options = {"stride": stride, "padding": padding}
    wanted = (
        torch.nn.functional.conv2d(x, weight, bias, **options),
        torch.nn.functional.conv_transpose2d(x, other, bias, **options),
    )
    given = {
        "x": x[0].movedim(0, -1).flatten().tolist(),
        "weights": [[list(w.shape), w.flatten().tolist()] for w in (weight, other)],
        "bias": [[3], bias.tolist()],
        "options": {"size": size, **options},
    }
    found = run(
        "const bias = array(given.bias), [a, b] = given.weights.map(array);"
        "print([[layers.convolution, a], [layers.transposedConvolution, b]].map(([layer, weight]) =>"
        " Array.from(layer({ weight, bias }, given.options)(given.x))));",
        given,
    )
    for numbers, y in zip(found, wanted, strict=True):
        assert np.abs(np.array(numbers) - y[0].movedim(0, -1).flatten().numpy()).max() < 1e-4
