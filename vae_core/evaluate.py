"""What a model reaches on images: the ELBO and its terms, active units, the importance-weighted bound.

Every function takes its noise from a seed or a generator of its own, so evaluating changes nothing in
training, and evaluating twice gives the same numbers.
"""

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from vae_core import losses, rng
from vae_core.codebook import usage
from vae_core.config import RunConfig
from vae_core.data import Images, prepare
from vae_core.models.base import Family
from vae_core.pieces import Pieces, in_pieces

T = TypeVar("T")
DECODED = 1_000  # images decoded in one piece
ACTIVE_VARIANCE = 0.01  # a unit is active when Var of its mu over the data exceeds this (Burda et al. 2016)


class LatentModel(Protocol):
    """What the bounds need of a model; models.vae.VAE and exact.LinearGaussian have it."""

    latent_dim: int

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]: ...
    def decode(self, z: Tensor) -> Tensor: ...
    def nll(self, logits: Tensor, x: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Evaluation:
    """Means over a set of images, in nats per image, one sample of z an image (K = 1).

    What a family has not is None here, and absent from a card.
    """

    terms: dict[str, float]
    neg_elbo: float | None  # of a family that has an ELBO
    mu: Tensor | None  # (N, D)
    kl_dims: Tensor | None  # (D,) nats
    mean_std: float | None  # posterior std, mean over images and dimensions
    scales: dict[str, float] = field(default_factory=dict)  # of the pixels, by name, in units of x
    usage: dict[str, float] = field(default_factory=dict)  # of a codebook, see codebook.usage
    errors: dict[str, float] = field(default_factory=dict)  # of the terms and their sum: standard errors over images

    @property
    def active(self) -> Tensor | None:
        """(D,) bool: which latent units are active, as the variance of their mu over the images says."""
        return None if self.mu is None else self.mu.var(0).cpu() > ACTIVE_VARIANCE

    def to_dict(self) -> dict[str, Any]:
        """The numbers of a card, JSON-ready."""
        figures = {
            "neg_elbo": self.neg_elbo,
            **self.terms,
            "kl_dims": None if self.kl_dims is None else self.kl_dims.tolist(),
            "active_units": None if self.active is None else int(self.active.sum()),
            "mean_std": self.mean_std,
            **self.scales,
            **self.usage,
            "errors": self.errors or None,
        }
        return {name: value for name, value in figures.items() if value is not None}


@contextlib.contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode (BatchNorm uses its running statistics), no gradients; restored afterwards."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)


def evaluating_pieces(model: nn.Module, pieces: Pieces[T]) -> Pieces[T]:
    """The same pieces, each in evaluation mode: between them the model is as it was."""
    while True:
        with evaluating(model):
            try:
                next(pieces)
            except StopIteration as end:
                return end.value
        yield


@in_pieces
def evaluate(
    model: Family, pixels: Tensor, protocol: str, seed: int, chunk: int = 500, labels: Tensor | None = None
) -> Pieces[Evaluation]:
    """The terms over a set of images, and what else the family has.

    Args:
        pixels: (N, 1, 28, 28) uint8, on the model's device.
        protocol: see data.protocols.
        seed: of the evaluation noise; the same seed draws the same eps whatever the model.
        chunk: images held at once; a piece.
        labels: (N,) int64, of a family that has.labels.
    """
    passes = _passes(model, pixels, protocol, seed, chunk, labels)
    seen, squares, bounds = yield from evaluating_pieces(model, passes)
    scales = {name: torch.cat([part[name] for part in squares]).mean().sqrt().item() for name in squares[0]}
    of_images = {name: torch.cat([out.terms[name] for out in seen]) for name in model.TERMS}  # (N,) each
    terms = {name: values.mean().item() for name, values in of_images.items()}
    summed = {"neg_elbo": torch.cat(bounds)} if bounds else {}
    errors = {name: standard_error(values) for name, values in (of_images | summed).items()} if len(pixels) > 1 else {}
    mu = torch.cat([out.mu for out in seen]) if model.has.codes else None  # (N, D)
    bound = sum(terms.values()) if model.has.bound else summed["neg_elbo"].mean().item() if bounds else None
    used = usage(torch.cat([out.codes for out in seen]), len(model.codebook)) if model.has.code_map else {}
    if mu is None or model.has.posterior != "gaussian":
        return Evaluation(terms, bound, mu, None, None, scales, used, errors)
    log_var = torch.cat([out.log_var for out in seen])  # (N, D)
    kl_dims = losses.gaussian_kl_dims(mu, log_var).mean(0).cpu()  # (D,)
    return Evaluation(terms, bound, mu, kl_dims, (0.5 * log_var).exp().mean().item(), scales, used, errors)


def _passes(
    model: Family, pixels: Tensor, protocol: str, seed: int, chunk: int, labels: Tensor | None
) -> Pieces[tuple[list[Any], list[dict[str, Tensor]], list[Tensor]]]:
    """What the model gives of every chunk, the squares of its pixels, and −ELBO of its images where there is one."""
    generator = torch.Generator(pixels.device).manual_seed(seed)
    seen, squares, bounds = [], [], []
    for part, y in zip(pixels.split(chunk), split_labels(labels, len(pixels), chunk), strict=True):
        x = prepare(part, protocol, generator)
        eps = torch.randn(len(x), *model.noise_shape(), generator=generator, device=x.device)
        out = model.given(y)(x, eps)
        bounds += [] if (bound := model.neg_elbo(out, x)) is None else [bound]
        squares.append(model.squares(out.logits, x))
        seen.append(replace(out, logits=out.logits.new_empty(0), seen=None))  # pictures would fill the memory
        yield
    return seen, squares, bounds


def split_labels(labels: Tensor | None, count: int, chunk: int) -> Sequence[Tensor | None]:
    """Labels (N,) in the chunks in which N images come; None for each where there are none."""
    return [None] * math.ceil(count / chunk) if labels is None else labels.split(chunk)


def standard_error(of_images: Tensor) -> float:
    """How far a mean over these images is from that over all such images, as a standard deviation; nats.

    Two models on the same images differ by less: what makes an image hard is hard for both.

    Args:
        of_images: (N,), N >= 2.
    """
    return (of_images.double().std() / len(of_images) ** 0.5).item()


@in_pieces
def evaluate_test(model: Family, images: Images, config: RunConfig) -> Pieces[Evaluation]:
    """The terms over all test images, one sample each, with the evaluation noise of the config's seed."""
    seed = rng.stream_seed(config.seed, "eval")
    return evaluate.pieces(model, images.x_test, config.protocol, seed, labels=images.y_test)


@in_pieces
def iw_bound(
    model: LatentModel, x: Tensor, samples: int, generator: torch.Generator, chunk: int = 10_000
) -> Pieces[Tensor]:
    """Importance-weighted bound on log p(x) (Burda et al. 2016, eq. 8); the ELBO for one sample.

        L_K = log 1/K Σ_k p(x | z_k) p(z_k) / q(z_k | x),   z_k ~ q(z given x)

    It rises to log p(x) as K grows. Samples are drawn in chunks, so memory is bounded whatever K is.

    Args:
        x: (B, ...) data, already prepared.
        samples: K >= 1.
        generator: on the device of x.
        chunk: decoded images held at once (never less than B).
    Returns:
        (B,) nats per image.
    """
    mu, log_var = model.encode(x)  # (B, D)
    at_once = max(1, chunk // len(x))
    total = torch.full((len(x),), -math.inf, dtype=mu.dtype, device=x.device)
    for start in range(0, samples, at_once):
        k = min(at_once, samples - start)
        eps = torch.randn(k, *mu.shape, generator=generator, dtype=mu.dtype, device=x.device)
        z = mu + (0.5 * log_var).exp() * eps  # (k, B, D)
        parts = []
        piece = max(1, DECODED // len(x)) * len(x)  # whole samples of the batch: labels go with these, in its order
        for codes, pixels in zip(
            z.flatten(0, 1).split(piece), x.expand(k, *x.shape).flatten(0, 1).split(piece), strict=True
        ):
            parts.append(model.nll(model.decode(codes), pixels))
            yield
        nll = torch.cat(parts).view(k, -1)  # (k, B)
        log_w = losses.log_weights(nll, z, mu, log_var)
        total = torch.logaddexp(total, log_w.logsumexp(0))
    return total - math.log(samples)


@in_pieces
def mean_iw_bound(
    model: Any, pixels: Tensor, protocol: str, seed: int, samples: int, batch: int = 200, labels: Tensor | None = None
) -> Pieces[float]:
    """The importance-weighted bound, mean over uint8 images (N, 1, 28, 28), in nats per image."""
    bounds = yield from iw_bounds(model, pixels, protocol, seed, samples, batch, labels)
    return bounds.mean().item()


def iw_bounds(
    model: Any, pixels: Tensor, protocol: str, seed: int, samples: int, batch: int = 200, labels: Tensor | None = None
) -> Pieces[Tensor]:
    """The same of each image: (N,) float64 nats."""
    generator = torch.Generator(pixels.device).manual_seed(seed)
    found = []
    for part, y in zip(pixels.split(batch), split_labels(labels, len(pixels), batch), strict=True):
        x, given = prepare(part, protocol, generator), model.given(y)
        found.append((yield from evaluating_pieces(model, iw_bound.pieces(given, x, samples, generator))).double())
    return torch.cat(found)


@in_pieces
def final_metrics(
    model: Family, images: Images, config: RunConfig, iw_samples: int = 100, iw_images: int = 1_000
) -> Pieces[dict[str, Any]]:
    """The test figures of a card: the terms over all test images, and of a bound the importance-weighted one.

    Args:
        model: trained with this config.
        iw_samples: K of the bound. iw_images: over the first so many test images.
    Returns:
        JSON-ready; what the family has not is absent. "errors" has the standard errors over the images, nats.
    """
    figures: dict[str, Any] = {"split": "test", "protocol": config.protocol, "images": len(images.x_test), "samples": 1}
    tested = yield from evaluate_test.pieces(model, images, config)
    figures |= tested.to_dict()
    if not (model.has_elbo() and model.has.prior and model.has.posterior == "gaussian"):
        return figures
    pixels, labels, seed = images.x_test[:iw_images], images.y_test[:iw_images], rng.stream_seed(config.seed, "eval")
    bounds = yield from iw_bounds(model, pixels, config.protocol, seed, iw_samples, labels=labels)
    same = yield from evaluate.pieces(model, pixels, config.protocol, seed, labels=labels)
    if len(bounds) > 1:
        figures["errors"] |= {"neg_iw_bound": standard_error(bounds)}
    return figures | {
        "neg_iw_bound": -bounds.mean().item(),
        "iw_neg_elbo": same.neg_elbo,
        "iw_samples": iw_samples,
        "iw_images": len(pixels),
    }
