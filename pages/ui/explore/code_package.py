"""A model with a code map, packed for the browser: its decoder, its codebook, and the code maps of the map's images.

One safetensors file as package.py writes it, for a view of its own: there is no latent plane here.
"""

import json
from typing import Any

import torch
from safetensors.torch import save

from pages.ui import shipped
from pages.ui.explore.sources import Source
from pages.ui.explore.weights import read_weights, require_numbers
from vae_core import rng
from vae_core.checkpoints import CheckpointError
from vae_core.code_prior import code_maps, load_prior
from vae_core.codebook import usage
from vae_core.models.parts.code_prior import CodePrior
from vae_core.runs.log import logger

DRAWS = 20  # of the prior, and of uniform codes


@torch.no_grad()
def code_package_bytes(source: Source) -> bytes | None:
    """The package of a model with a code map.

    Tensors, for N images of the map and K vectors: `model.decoder.*`, `codebook` (K, C) float32, `codes` (N, rows,
    columns) uint8, `labels` (N,) uint8, `shares` (K,) float32 of all places of these images, `uniform_codes` (20, rows,
    columns) uint8 and, where a prior was learned, `prior_codes` of the same shape.

    Returns:
        None when the file has vanished or does not hold this model.
    Raises:
        NotNumbers: the weights are not finite.
        DataError: the images are not here any more, or too few for a map.
    """
    read = read_weights(source)
    if read is None:
        return None
    model, weights, _ = read
    decoder = {name: tensor for name, tensor in weights.items() if name.startswith("model.decoder.")}
    require_numbers(source, [*decoder.values(), model.codebook])
    shown = source.pictures
    codes, _ = code_maps(model, shown.pixels, source.config.protocol, source.config.seed)
    size, shape = len(model.codebook), codes.shape[1:]
    drawn = {"uniform_codes": torch.randint(size, (DRAWS, *shape), generator=_noise(source))}
    if (prior := _prior_of(source)) is not None:
        drawn["prior_codes"] = prior.sample(DRAWS, _noise(source))
    tensors = {
        **decoder,
        "codebook": model.codebook.float(),
        "labels": shown.labels,
        "shares": torch.bincount(codes.flatten(), minlength=size) / codes.numel(),
        **{name: maps.to(torch.uint8) for name, maps in {"codes": codes, **drawn}.items()},
    }
    about = _about(source, usage(codes, size)) | shown.counts | {"classNames": shown.class_names}
    text = json.dumps(about, ensure_ascii=False, allow_nan=False)
    return save({name: tensor.contiguous() for name, tensor in tensors.items()}, {"about": text})


def _prior_of(source: Source) -> CodePrior | None:
    """That of a shipped model; a run has none, and one that cannot be read is left out with a line in the log."""
    if source.name not in shipped.cards():
        return None
    try:
        return load_prior(shipped.checkpoint(source.name))
    except CheckpointError as error:
        logger.warning(f"The prior of {source.name} is left out: {error}")
        return None


def _noise(source: Source) -> torch.Generator:
    return rng.generator(torch.device("cpu"), source.config.seed, "eval")


def _about(source: Source, used: dict[str, float]) -> dict[str, Any]:
    entry = shipped.cards()[source.name].get("prior") if source.name in shipped.cards() else None
    return {
        "name": source.name,
        "title": source.title,
        "usage": used,
        "prior": None if entry is None else entry["test"],
        "step": source.step,
    }
