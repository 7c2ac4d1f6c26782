"""All figures of one model at once, with fixed noise, so that arms of an ablation differ in their models only."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vae_core import losses, rng
from vae_core.data import prepare
from vae_core.evaluate import ACTIVE_VARIANCE, evaluating_pieces
from vae_core.metrics import codes
from vae_core.metrics.definitions import Metrics
from vae_core.metrics.draws import DrawQuality, draw_quality
from vae_core.metrics.information import information
from vae_core.models.base import labels_in_turn
from vae_core.pieces import Pieces, in_pieces

DRAWS = 500  # from the prior
STEP = 0.1  # prior std: how far apart two points are whose pictures tell of continuity
_PRIOR, _NEARBY, _INFORMATION, _HOLES = 1, 2, 3, 4  # parts of the "eval" stream; 0 gave the noise of the codes


@dataclass(frozen=True)
class _Codes:
    """Of all images, float64 on the CPU, where these small figures are fast and exact on every device."""

    mu: Tensor  # (N, D)
    z: Tensor  # (N, D)
    log_var: Tensor | None  # (N, D) of a gaussian posterior


@in_pieces
def measure(
    model: Any, pixels: Tensor, labels: Tensor | None, protocol: str, seed: int, draws: int = DRAWS, chunk: int = 500
) -> Pieces[Metrics]:
    """The metrics of a model; the model is left as it was.

    Args:
        model: of a family with codes; where it has no posterior, its std, its KL and what that is made of are None.
        pixels: (N, 1, 28, 28) uint8 test images, on the model's device. labels: (N,), on any device; None
            where the images have none: then there is no share of neighbours with the same. Draws from the prior of a
            family that has.labels take theirs in turn.
        protocol: see data.protocols. Draws are compared with grey pixels, or with black and white ones where
            the protocol is "threshold".
        seed: of the run; noise comes from its "eval" stream, the same for every model with as many latents.
        draws: from the prior, at least 2.
        chunk: images held at once.
    """
    encoded = yield from evaluating_pieces(model, _encode(model, pixels, labels, protocol, seed, chunk))
    quality, continuity = yield from evaluating_pieces(model, _draw(model, pixels, protocol, seed, draws, chunk))
    posterior = yield from _posterior_figures(encoded, seed)
    holes = yield from codes.holes.pieces(encoded.z, _noise(seed, _HOLES))
    neighbours = None
    if labels is not None:
        neighbours = yield from codes.neighbour_accuracy.pieces(encoded.mu, labels.cpu())
    gap = codes.distance_to_prior(encoded.z)
    yield
    return Metrics(
        **posterior,
        active_dims=tuple((encoded.mu.var(0) > ACTIVE_VARIANCE).tolist()),
        spread=codes.spread(encoded.mu),
        outside=codes.share_outside(encoded.mu),
        prior_gap=gap,
        holes=holes,
        neighbours=neighbours,
        draw_fidelity=quality.fidelity,
        draw_coverage=quality.coverage,
        draw_gap=quality.gap,
        variety=quality.variety,
        continuity=continuity,
        images=len(pixels),
    )


def _encode(model: Any, pixels: Tensor, labels: Tensor | None, protocol: str, seed: int, chunk: int) -> Pieces[_Codes]:
    """The same draws of the same stream as evaluate.evaluate takes, so that its KL is this KL."""
    generator = rng.generator(pixels.device, seed, "eval")
    parts = []
    told = torch.zeros(len(pixels)) if labels is None else labels  # of a set without classes nobody reads them
    for part, y in zip(pixels.split(chunk), told.long().to(pixels.device).split(chunk), strict=True):
        x = prepare(part, protocol, generator)
        eps = torch.randn(len(x), model.latent_dim, generator=generator, device=x.device)
        parameters = model.given(y).encode(x)
        parts.append((parameters[0], model.sample(*parameters, eps), *parameters[1:]))
        yield
    mu, z, *more = (torch.cat(part).cpu().double() for part in zip(*parts, strict=True))
    return _Codes(mu, z, more[0] if model.has.posterior == "gaussian" else None)


def _posterior_figures(encoded: _Codes, seed: int) -> Pieces[dict[str, Any]]:
    if encoded.log_var is None:
        return dict.fromkeys(("kl", "kl_dims", "mean_std"))
    kl_dims = losses.gaussian_kl_dims(encoded.mu, encoded.log_var).mean(0)  # (D,)
    made_of = yield from information.pieces(encoded.mu, encoded.log_var, _noise(seed, _INFORMATION))
    return {
        "kl": kl_dims.sum().item(),
        "kl_dims": tuple(kl_dims.tolist()),
        "mean_std": (0.5 * encoded.log_var).exp().mean().item(),
        "information": made_of.information,
        "information_error": made_of.error,
        "marginal_kl": made_of.marginal_kl,
        "information_dims": made_of.dims,
        "information_dims_error": made_of.dims_error,
    }


def _draw(
    model: Any, pixels: Tensor, protocol: str, seed: int, draws: int, chunk: int
) -> Pieces[tuple[DrawQuality, float]]:
    """What the pictures of draws from the prior are worth, and how far a step of STEP changes them."""
    device = pixels.device
    generator = rng.generator(device, seed, "eval", counter=_PRIOR)
    z = torch.randn(draws, model.latent_dim, generator=generator, device=device)
    pictures = torch.cat(list(_decode(model, z, chunk)))
    yield
    aside = torch.randn(z.shape, generator=rng.generator(device, seed, "eval", counter=_NEARBY), device=device)
    nearby = z + STEP * aside / aside.norm(dim=-1, keepdim=True)
    moved = torch.cat(list(_decode(model, nearby, chunk)))
    change = (moved - pictures).flatten(1).square().mean(-1).sqrt().mean().item()
    yield
    real = prepare(pixels, "threshold" if protocol == "threshold" else "grey", generator)
    yield
    quality = yield from draw_quality.pieces(pictures, real)
    return quality, change


def _decode(model: Any, z: Tensor, chunk: int) -> Iterator[Tensor]:
    for part, y in zip(z.split(chunk), labels_in_turn(len(z), z).split(chunk), strict=True):
        yield model.mean_image(model.given(y).decode(part))


def _noise(seed: int, part: int) -> torch.Generator:
    """On the CPU, where the codes are."""
    return rng.generator(torch.device("cpu"), seed, "eval", counter=part)
