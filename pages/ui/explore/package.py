"""A model packed for the browser: weights, the codes of the map's images, and what can be said of them.

One safetensors file: `__metadata__.about` is JSON text, the tensors are listed at `package_bytes`. The browser encodes
and decodes by itself with it; images come from `/map-images`, in the same order (pages/ui/map_pictures.py).
"""

import gzip
import json
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from pages.ui.explore.code_package import code_package_bytes
from pages.ui.explore.sources import Source, twin_of
from pages.ui.explore.weights import read_weights, require_numbers
from pages.ui.map_pictures import MapPictures, pictures_of, stamp_of
from pages.ui.once import computed_once
from vae_core import losses
from vae_core.config import RunConfig
from vae_core.data import prepare
from vae_core.evaluate import ACTIVE_VARIANCE
from vae_core.latent import (
    Plane,
    attribute_vectors,
    class_means,
    map_plane,
    principal_axes,
    quantile_grid,
)
from vae_core.models.base import CLASSES
from vae_core.models.parts.coder import Coder
from vae_core.runs.snapshot_file import FrameError, read_frame
from vae_core.runs.storage import FILM, STATES, frame_file, frames_in

KEPT = 20  # packages in memory, 4 MB each at most: a conditional model has one for each label
_CHUNK = 500  # images encoded at once
_NODES = 20  # a side, of the sheet whose pictures give the axes of the warp; as in prior_warp.js


def packed(source: Source) -> bytes | None:
    """`package_bytes`, gzip-compressed and kept for the next visitor.

    Raises:
        NotNumbers: see there.
    """
    try:
        return _packed(source, stamp_of(source.config.dataset))
    except FileNotFoundError:
        return None


def package_bytes(source: Source) -> bytes | None:
    """The package of a model.

    Tensors, for N images of the map, C classes and D latents: `model.encoder.*` and `model.decoder.*` (as they lie in
    the model's file, float32 or float16), `mu` (N, D) float32, `labels` (N,) uint8, `var_mu` (D,) float32,
    `active` (D,) uint8, `basis` (D, 2) float32 of the map's plane ((1, 1) for D = 1), `attribute_vectors` (4, D) and
    `picture_axes` (784, 2), float32. Where there are classes also `class_means` (C, D) float32; with a posterior
    `log_var` (N, D) float16 and `kl_dims` (D,) float32, nats per image.

    Returns:
        None when the file has vanished or does not hold this model.
    Raises:
        NotNumbers: the weights, or the codes that they give, are not finite.
        DataError: the images are not here any more, or too few for a map.
    """
    read = read_weights(source)
    if read is None:
        return None
    model, weights, beta = read
    assert isinstance(model, Coder)
    shown = pictures_of(source.config.dataset)
    codes = _codes(model, source.config, shown)
    require_numbers(source, [*weights.values(), *codes.values()])
    plane = map_plane(codes["mu"], _last_plane(source))
    pictures = _sheet(model.given(source.label), plane.basis)
    require_numbers(source, [pictures])
    axes = principal_axes(pictures)[1][:, -2:].flip(-1).float()  # the two largest
    tensors = (
        weights | _half_log_var(codes) | _structure(codes["mu"], shown) | {"basis": plane.basis, "picture_axes": axes}
    )
    about = _about(source, model, beta) | shown.about() | {"explained": plane.explained}
    text = json.dumps(about, ensure_ascii=False, allow_nan=False)
    return save({name: tensor.contiguous() for name, tensor in tensors.items()}, {"about": text})


@computed_once(KEPT)
def _packed(source: Source, stamp: int) -> bytes:
    """`stamp`: of its images, which may be others by now."""
    body = (code_package_bytes if source.family.has.code_map else package_bytes)(source)
    if body is None:  # an error, as that is not to be remembered
        raise FileNotFoundError(source.path)
    return gzip.compress(body, compresslevel=6, mtime=0)


@torch.no_grad()
def _codes(model: Coder, config: RunConfig, shown: MapPictures) -> dict[str, Tensor]:
    """mu, and with a posterior log_var and kl_dims, of the map's images as the browser encodes them.

    "dynamic" draws pixels anew each time; here the grey images stand for them, their mean. A model that is told
    labels gets each image's own; pictures are drawn with the source's.
    """
    protocol = "grey" if config.protocol == "dynamic" else config.protocol
    x = prepare(shown.pixels, protocol, torch.Generator())  # (N, 1, 28, 28); none of these draws
    split = zip(x.split(_CHUNK), shown.labels.long().split(_CHUNK), strict=True)
    parts = [model.given(y).encode(part) for part, y in split]
    mu, *log_vars = (torch.cat(halves) for halves in zip(*parts, strict=True))  # (N, D) each
    if not log_vars:
        return {"mu": mu}
    (log_var,) = log_vars
    return {"mu": mu, "log_var": log_var, "kl_dims": losses.gaussian_kl_dims(mu, log_var).mean(0)}


@torch.no_grad()
def _sheet(model: Coder, basis: Tensor) -> Tensor:
    """(400, 784) the pictures of the map's plane through z = 0, at prior quantiles: the browser's warp bends them."""
    z = quantile_grid(_NODES)[:, : basis.shape[1]] @ basis.T  # (400, D)
    return model.mean_image(model.decode(z)).flatten(1)


def _last_plane(source: Source) -> Plane | None:
    """The plane in which the run's own map was last filmed: principal axes are only known up to a turn."""
    states = source.path.parent  # of the run's generation: states-1 beside film-1
    folder = states.with_name(states.name.replace(STATES, FILM, 1))
    steps = frames_in(folder) if source.is_run else []
    try:
        basis = read_frame(frame_file(folder, steps[-1]))[1]["basis"] if steps else None
    except (OSError, FrameError, KeyError):
        return None
    usable = basis is not None and len(basis) == source.config.latent_dim and np.isfinite(basis).all()
    return Plane(torch.from_numpy(basis), 0.0) if usable else None


def _half_log_var(codes: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.half() if name == "log_var" else tensor for name, tensor in codes.items()}


def _structure(mu: Tensor, shown: MapPictures) -> dict[str, Tensor]:
    """What is computed from the codes."""
    var_mu, classes = mu.var(0), len(shown.class_names)
    return {
        "labels": shown.labels,
        "var_mu": var_mu,
        "active": (var_mu > ACTIVE_VARIANCE).to(torch.uint8),
        **({"class_means": class_means(mu, shown.labels.long(), classes).float()} if classes else {}),
        "attribute_vectors": attribute_vectors(mu, shown.attributes).float(),
    }


def _about(source: Source, model: Coder, beta: float) -> dict[str, Any]:
    config = source.config
    return {
        "name": source.address,
        "title": source.title,
        "net": config.net,
        "widths": config.widths,
        "activation": config.activation,
        "model": config.model,
        "family": source.family.title,
        "posterior": source.family.has.posterior is not None,
        "dims": config.latent_dim,
        "labels": CLASSES if source.family.has.labels else 0,
        "label": source.label,
        "likelihood": config.likelihood,
        "sigma": model.sigma.item() if config.likelihood in ("gaussian", "gaussian-learned") else None,
        "protocol": config.protocol,
        **({} if source.step is None else _training(source, beta)),
        "caption": source.caption,
        "twin": twin_of(source),
        "shipped": not source.is_run and source.step is not None,
    }


def _training(source: Source, beta: float) -> dict[str, Any]:
    """How it came about, which somebody's file does not say."""
    return {"beta": beta, "seed": source.config.seed, "step": source.step, "epochs": source.config.epochs}
