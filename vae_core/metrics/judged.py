"""A model of images whose factors are known, judged: the three parts of its KL, and the gap by both evaluators.

The parts are those of models/beta_tc.py, whatever the model was trained with; here q(z) is the mean posterior of all
test images, where training takes those of a batch for it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vae_core import losses, rng
from vae_core.config import RunConfig
from vae_core.data import Images, prepare
from vae_core.evaluate import evaluating, split_labels, standard_error
from vae_core.metrics.draws import thinned
from vae_core.metrics.factors import Gap, gap_by_bins, gap_by_neighbours
from vae_core.models.base import Family
from vae_core.models.beta_tc import kl_parts

MEASURED = 1_000  # test images over which the parts are means: a second
_CHUNK = 1_000  # images encoded at once
_AT_ONCE = 1_000_000  # densities at once


@dataclass(frozen=True)
class Parts:
    """What a KL is made of, in nats per image, each figure with its standard error.

    Attributes:
        images: how many they are means over.
        means: index_code, total_correlation and dimension_kl, of one sample of z an image. errors: of each.
        kl: in closed form, over the same images. rest: the three added up, less that KL; it is 0 but for the noise of
            the samples, so it should lie within a few rest_error.
    """

    images: int
    means: dict[str, float]
    errors: dict[str, float]
    kl: float
    rest: float
    rest_error: float


@dataclass(frozen=True)
class Judged:
    """
    Attributes:
        parts: of the KL. bins, neighbours: the gap by either evaluator.
    """

    parts: Parts
    bins: Gap
    neighbours: Gap


def can_be_judged(kind: type[Family], factors: tuple[str, ...]) -> bool:
    """Whether a model has independent latents with a posterior and a prior, and its images have known factors."""
    return kind.has.posterior == "gaussian" and kind.has.prior and bool(factors)


def judge(model: Family, images: Images, config: RunConfig) -> Judged:
    """Over all test images, one sample of z each, with the evaluation noise of the config's seed.

    Args:
        model: of whose family and images `can_be_judged` holds.
    """
    assert images.factors_test is not None  # can_be_judged
    mu, log_var, z = encode(model, images, config)
    factors = images.factors_test.cpu().numpy()
    return Judged(
        measure_parts(z, mu, log_var), gap_by_bins(z.numpy(), factors), gap_by_neighbours(mu.numpy(), factors)
    )


def encode(model: Family, images: Images, config: RunConfig) -> tuple[Tensor, Tensor, Tensor]:
    """mu, log_var and a sample of z of every test image, (N, D) each, on the CPU."""
    generator, found = rng.generator(images.x_test.device, config.seed, "eval"), []
    with evaluating(model):
        for pixels, y in zip(
            images.x_test.split(_CHUNK), split_labels(images.y_test, len(images.x_test), _CHUNK), strict=True
        ):
            x = prepare(pixels, config.protocol, generator)
            mu, log_var = model.given(y).encode(x)  # (B, D) each
            eps = torch.randn(mu.shape, generator=generator, device=mu.device)
            found.append((mu, log_var, model.sample(mu, log_var, eps)))
    mus, log_vars, zs = (torch.cat(column).cpu() for column in zip(*found, strict=True))
    return mus, log_vars, zs


def measure_parts(z: Tensor, mu: Tensor, log_var: Tensor, measured: int = MEASURED) -> Parts:
    """The parts over evenly spaced images; q(z) is the mean posterior of all of them.

    Args:
        z, mu, log_var: (N, D), N >= 2. measured: images over which the means are taken.
    """
    chosen = thinned(torch.arange(len(mu)), measured)  # (M,)
    chunks = chosen.split(max(1, _AT_ONCE // mu.numel()))
    found = [kl_parts(z[part], mu[part], log_var[part], (mu, log_var)) for part in chunks]
    each = {name: torch.cat([one[name] for one in found]).double() for name in found[0]}  # (M,) nats
    kl = losses.gaussian_kl(mu[chosen], log_var[chosen]).double()  # (M,)
    rest = torch.stack(list(each.values())).sum(0) - kl  # (M,)
    return Parts(
        len(chosen),
        {name: values.mean().item() for name, values in each.items()},
        {name: standard_error(values) for name, values in each.items()},
        kl.mean().item(),
        rest.mean().item(),
        standard_error(rest),
    )
