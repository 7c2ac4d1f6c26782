"""Wrong formulas against the ticks of the ELBO page, by somebody who had not read how it checks.

The tables were written by one who had read the right formulas (losses.py, models/) and neither the checks
(exact/derivation.py, lines.py, density.py) nor their tests, so that they are not the mistakes the checks were made for.
Of those that were equal to the right thing, or no mistake of this q or code, none is here.
"""

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.test_exact_density import built
from tests.test_exact_derivation import SHIPPED, failures, problem
from vae_core import checkpoints, losses
from vae_core.exact.bounds import Bound, bound
from vae_core.exact.density import stray_moments, total_probability
from vae_core.exact.derivation import WAYS, derive
from vae_core.exact.estimate import Estimate
from vae_core.exact.lines import FLOOR
from vae_core.exact.quadrature import Evidence, evidence
from vae_core.losses import LOG_2PI
from vae_core.losses import gaussian_kl_dims as kl_dims
from vae_core.losses import gaussian_log_prob as log_prob
from vae_core.models.vae import VAE

Formula = Callable[..., Tensor]

KL: dict[str, Formula] = {
    "sign of log_var": lambda m, v: 0.5 * (m.square() + v.exp() - 1 + v).sum(-1),
    "minus": lambda m, v: -kl_dims(m, v).sum(-1),
    "absolute value of another sign": lambda m, v: (0.5 * (1 + v + m.square() - v.exp())).sum(-1).abs(),
    "sum over the batch": lambda m, v: kl_dims(m, v).sum(),
    "mean over the batch": lambda m, v: kl_dims(m, v).sum(-1).mean().expand(len(m)),
    "of the image before": lambda m, v: kl_dims(m.roll(1, 0), v.roll(1, 0)).sum(-1),
    "log_var of the image before": lambda m, v: kl_dims(m, v.roll(1, 0)).sum(-1),
    "only the first dimension": lambda m, v: kl_dims(m, v)[:, 0],
    "only the last dimension": lambda m, v: kl_dims(m, v)[:, -1],
    "log_var clamped": lambda m, v: kl_dims(m, v.clamp(-6, 6)).sum(-1),
    "log_var clamped far out": lambda m, v: kl_dims(m, v.clamp(-10, 10)).sum(-1),
    "mu clamped": lambda m, v: kl_dims(m.clamp(-3, 3), v).sum(-1),
    "floor of the variance": lambda m, v: kl_dims(m, (v.exp() + 1e-4).log()).sum(-1),
    "free bits": lambda m, v: kl_dims(m, v).clamp(min=0.5).sum(-1),
    "fewer free bits": lambda m, v: kl_dims(m, v).clamp(min=0.05).sum(-1),
    "capacity": lambda m, v: (kl_dims(m, v).sum(-1) - 3).abs(),
    "beta of 0.99": lambda m, v: 0.99 * kl_dims(m, v).sum(-1),
    "std of the prior 1.1": lambda m, v: 0.5 * ((m.square() + v.exp()) / 1.21 - 1 - v + math.log(1.21)).sum(-1),
    "mean of the prior 0.1": lambda m, v: kl_dims(m - 0.1, v).sum(-1),
    "bits": lambda m, v: kl_dims(m, v).sum(-1) / math.log(2),
    "float16": lambda m, v: (0.5 * (m.half().square() + v.half().exp() - 1 - v.half())).sum(-1).to(m),
    "nothing": lambda m, _: torch.zeros(len(m)),
    "per pixel": lambda m, v: kl_dims(m, v).sum(-1) / 784,
    "square of the sum": lambda m, v: 0.5 * (m.sum(-1).square() + (v.expm1() - v).sum(-1)),
}

LOG_Q: dict[str, Formula] = {
    "constant once": lambda z, m, v: -0.5 * (((z - m).square() / v.exp() + v).sum(-1) + LOG_2PI),
    "constant not halved": lambda z, m, v: log_prob(z, m, v) - 0.5 * LOG_2PI * z.shape[-1],
    "no normaliser": lambda z, m, v: -0.5 * ((z - m).square() / v.exp()).sum(-1),
    "sign of log_var": lambda z, m, v: log_prob(z, m, v) + v.sum(-1),
    "log_var as log std": lambda z, m, v: log_prob(z, m, 2 * v),
    "times the variance": lambda z, m, v: -0.5 * ((z - m).square() * v.exp() + v + LOG_2PI).sum(-1),
    "no half": lambda z, m, v: -((z - m).square() / v.exp() + 0.5 * (v + LOG_2PI)).sum(-1),
    "minus": lambda z, m, v: -log_prob(z, m, v),
    "plus mu": lambda z, m, v: log_prob(z, -m, v),
    "mean over dimensions": lambda z, m, v: log_prob(z, m, v) / z.shape[-1],
    "only the first dimension": lambda z, m, v: log_prob(z[..., :1], m[..., :1], v[..., :1]),
    "log_var of the other dimension": lambda z, m, v: log_prob(z, m, v.flip(-1)),
    "mu of the other dimension": lambda z, m, v: log_prob(z, m.flip(-1), v),
    "one variance for all": lambda z, m, v: log_prob(z, m, v.mean(-1, keepdim=True).expand_as(v)),
    "floor of the variance": lambda z, m, v: log_prob(z, m, (v.exp() + 1e-4).log()),
    "floor in the denominator": lambda z, m, v: -0.5 * ((z - m).square() / (v.exp() + 1e-3) + v + LOG_2PI).sum(-1),
    "never above 0": lambda z, m, v: log_prob(z, m, v).clamp(max=0),
    "std 5 % too large": lambda z, m, v: log_prob(z, m, v + 2 * math.log(1.05)),
    "float16": lambda z, m, v: log_prob(z.half(), m.half(), v.half()).to(z),
    "its mean": lambda z, m, v: -0.5 * (1 + v + LOG_2PI + 0 * z).sum(-1),
    "Laplace": lambda z, m, v: -((z - m).abs() * 2**0.5 / (v / 2).exp() + v / 2 + 0.5 * math.log(2)).sum(-1),
    "bits": lambda z, m, v: log_prob(z, m, v) / math.log(2),
    "of the draw before": lambda z, m, v: log_prob(z.roll(1, 0), m, v),
    "of the image before": lambda z, m, v: log_prob(z, m.roll(1, 0), v.roll(1, 0)),
    "mean over the draws": lambda z, m, v: log_prob(z, m, v).mean() + 0 * z.sum(-1),
}

PRIOR: dict[str, Formula] = {
    "no constant": lambda z: -0.5 * z.square().sum(-1),
    "no half": lambda z: -(z.square() + 0.5 * LOG_2PI).sum(-1),
    "std 1.1": lambda z: -0.5 * (z.square() / 1.21 + math.log(1.21) + LOG_2PI).sum(-1),
    "mean 0.1": lambda z: -0.5 * ((z - 0.1).square() + LOG_2PI).sum(-1),
    "only the first dimension": lambda z: -0.5 * (z[..., 0].square() + LOG_2PI),
    "Laplace": lambda z: (-z.abs() * 2**0.5 - 0.5 * math.log(2)).sum(-1),
    "float16": lambda z: (-0.5 * (z.half().square() + LOG_2PI)).sum(-1).to(z),
}


def entropy(a: Tensor, x: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(a, x, reduction="none").flatten(1)


def clamped(a: Tensor, x: Tensor, least: float) -> Tensor:
    p = a.sigmoid().clamp(least, 1 - least)
    return F.binary_cross_entropy(p, x, reduction="none").flatten(1).sum(-1)


BERNOULLI: dict[str, Formula] = {
    "logits of the other sign": lambda a, x: entropy(-a, x).sum(-1),
    "mean over pixels": lambda a, x: entropy(a, x).mean(-1),
    "only no ink": lambda a, x: -((1 - x) * F.logsigmoid(-a)).flatten(1).sum(-1),
    "one half twice": lambda a, x: -F.logsigmoid(a).flatten(1).sum(-1) + 0 * x.flatten(1).sum(-1),
    "ink weighs 1 % more": lambda a, x: (entropy(a, x) * (1 + 0.01 * x.flatten(1))).sum(-1),
    "label smoothing": lambda a, x: entropy(a, 0.99 * x + 0.005).sum(-1),
    "probabilities clamped": lambda a, x: clamped(a, x, 1e-2),
    "probabilities clamped a little": lambda a, x: clamped(a, x, 1e-4),
    "temperature": lambda a, x: entropy(1.1 * a, x).sum(-1),
    "sigmoid twice": lambda a, x: entropy(a.sigmoid(), x).sum(-1),
    "squared error": lambda a, x: (a.sigmoid() - x).square().flatten(1).sum(-1),
    "without the last row": lambda a, x: entropy(a[..., :27, :], x[..., :27, :]).sum(-1),
    "focal": lambda a, x: (entropy(a, x) * (1 - (-entropy(a, x)).exp())).sum(-1),
    "bits": lambda a, x: entropy(a, x).sum(-1) / math.log(2),
    "a constant": lambda a, x: entropy(a, x).sum(-1) - 0.01 * 784,
    "sum over the batch": lambda a, x: entropy(a, x).sum().expand(len(a)),
    "of the image before": lambda a, x: entropy(a.roll(1, 0), x).sum(-1),
    "upside down": lambda a, x: entropy(a, x.flip(-2)).sum(-1),
    "float16": lambda a, x: entropy(a.half().float(), x.float()).half().sum(-1).double(),
}

GAUSSIAN: dict[str, Callable[[Tensor, Tensor, float], Tensor]] = {
    "constant not halved": lambda m, x, s: losses.gaussian_nll(m, x, s) + 0.5 * LOG_2PI * x[0].numel(),
    "constant once": lambda m, x, s: losses.gaussian_nll(m, x, s) - 0.5 * LOG_2PI * (x[0].numel() - 1),
    "log of the square of sigma": lambda m, x, s: losses.gaussian_nll(m, x, s) + x[0].numel() * math.log(s),
    "mean over pixels": lambda m, x, s: losses.gaussian_nll(m, x, s) / 784,
    "sigma of 1": lambda m, x, _: losses.gaussian_nll(m, x, 1.0),
    "sigma 5 % too large": lambda m, x, s: losses.gaussian_nll(m, x, 1.05 * s),
    "x clamped": lambda m, x, s: losses.gaussian_nll(m, x.clamp(0, 1), s),
    "Laplace": lambda m, x, s: ((x - m).abs() / s + math.log(2 * s)).flatten(1).sum(-1),
}


@pytest.fixture(scope="module")
def right() -> tuple[Evidence, Bound]:
    model, x, mu, log_var = problem()
    found = evidence(model, x)
    return found, bound(model, x, found, mu, log_var)


def breaks(way: int, found: Evidence, known: Bound, kl: Formula = losses.gaussian_kl) -> bool:
    """Whether a tick of one of the three ways is a cross."""
    model, x, mu, log_var = problem()
    name = list(WAYS)[way % len(WAYS)]
    return bool(failures(derive(name, model, x, found, mu, log_var, 500, 0, kl, known)))


@pytest.mark.parametrize("way", range(3))
def test_the_right_formulas_break_nothing(way: int, right: tuple[Evidence, Bound]) -> None:
    assert not breaks(way, *right)


@pytest.mark.parametrize(("way", "slip"), list(enumerate(KL)))
def test_a_wrong_kl_is_seen(way: int, slip: str, right: tuple[Evidence, Bound]) -> None:
    assert breaks(way, *right, KL[slip])


@pytest.mark.parametrize(("way", "slip"), list(enumerate(LOG_Q)))
def test_a_wrong_log_q_is_seen(
    way: int, slip: str, right: tuple[Evidence, Bound], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "gaussian_log_prob", LOG_Q[slip])
    assert breaks(way, *right)


@pytest.mark.parametrize(("way", "slip"), list(enumerate(PRIOR)))
def test_a_wrong_prior_is_seen(
    way: int, slip: str, right: tuple[Evidence, Bound], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "standard_normal_log_prob", PRIOR[slip])
    assert breaks(way, *right)


@pytest.fixture(scope="module")
def shipped() -> VAE:
    return checkpoints.load(SHIPPED).model


def holds(found: Estimate) -> bool:
    return abs(found.value) <= 4 * max(found.error, FLOOR)


@pytest.mark.parametrize("slip", [None, *BERNOULLI])
def test_a_wrong_bernoulli_is_seen(slip: str | None, shipped: VAE, monkeypatch: pytest.MonkeyPatch) -> None:
    model, z = shipped, torch.tensor([[3.17, 0.52]])
    if slip:
        monkeypatch.setattr(model, "nll", BERNOULLI[slip])
    assert (holds(total_probability(model, z)) and holds(stray_moments(model, z))) is (slip is None)


@pytest.mark.parametrize("slip", [None, *GAUSSIAN])
def test_a_wrong_gaussian_is_seen(slip: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    model, z = built(likelihood="gaussian", sigma=0.3), torch.tensor([[0.7, -1.2]])
    if slip:
        monkeypatch.setattr(model, "nll", lambda logits, x: GAUSSIAN[slip](logits.sigmoid(), x, 0.3))
    assert (holds(total_probability(model, z)) and holds(stray_moments(model, z))) is (slip is None)
