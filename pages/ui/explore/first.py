"""What the explorer shows before a model's package is here: its map and one picture, a hundredth of the package."""

import gzip
import json

import torch
from safetensors.torch import load, save
from torch import Tensor

from pages.ui.explore.package import packed
from pages.ui.explore.sources import Source
from pages.ui.explore.weights import read_weights
from pages.ui.map_pictures import pictures_of, stamp_of
from pages.ui.once import computed_once
from vae_core.models.parts.coder import Coder

KEPT = 50  # 20 kB each
SHELL = 4  # as in explorer.js: of more latents it opens on the code of image 0


def packed_first(source: Source) -> bytes | None:
    """`first_bytes`, gzip-compressed and kept for the next visitor.

    Raises:
        NotNumbers, DataError: as of the package.
    """
    return _packed(source, stamp_of(source.config.dataset))


@computed_once(KEPT)
def _packed(source: Source, stamp: int) -> bytes | None:
    body = first_bytes(source)
    return None if body is None else gzip.compress(body, compresslevel=9, mtime=0)


@torch.no_grad()
def first_bytes(source: Source) -> bytes | None:
    """A safetensors file: `xy` (N, 2) float16, codes in the map's plane; `labels` (N,) and `picture` (784,), uint8.

    The picture is the decoder's mean where the explorer opens: at 0, or at the code of image 0.

    Returns:
        None where there is no package, and for a codebook, whose package is small.
    """
    whole, read = packed(source), read_weights(source)
    if whole is None or read is None or source.family.has.code_map:
        return None
    model = read[0]
    assert isinstance(model, Coder)
    tensors = load(gzip.decompress(whole))
    mu, basis = tensors["mu"], tensors["basis"]
    xy = mu @ basis if mu.shape[1] > 2 else mu  # (N, 2), or (N, 1)
    xy = torch.nn.functional.pad(xy, (0, 2 - xy.shape[1]))
    z = mu[:1].mul(1000).round().div(1000) if mu.shape[1] > SHELL else torch.zeros(1, mu.shape[1])
    told = model.given(source.label)
    seen = {"xy": _half(xy), "labels": tensors["labels"], "picture": _greys(told.mean_image(told.decode(z)))}
    return save(seen, {"classNames": json.dumps(pictures_of(source.config.dataset).class_names)})


def _half(xy: Tensor) -> Tensor:
    """What lies far outside of every map stays there."""
    return xy.clamp(-1e4, 1e4).half().contiguous()


def _greys(image: Tensor) -> Tensor:
    return (image.flatten() * 255).round().to(torch.uint8)
