"""One batch in slow motion: everything that happens between two steps, for a student to look at.

The coming batch first goes through a copy of the model, so that nothing of the real step is disturbed: not even the
running statistics of a BatchNorm. Then the step is made, and what the update changed is added.
"""

import copy
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vae_core import losses
from vae_core.models.base import Family
from vae_core.trainer import Trainer

SHOWN = 48  # images of a batch that are shown


@dataclass(frozen=True)
class StepTrace:
    """What happened in one step. Of the batch's B images the first n are shown; D latent dimensions.

    The pulls are what gradient descent follows, minus the gradient of a term's sum over the batch: for one image
    (−alpha ∂nll/∂mu, −beta ∂kl/∂mu). A term that is switched off pulls with 0.
    """

    step: int  # the updates made, this one included
    x: np.ndarray  # (n, 28, 28) uint8
    x_hat: np.ndarray  # (n, 28, 28) uint8, from z
    mu: np.ndarray  # (n, D)
    std: np.ndarray  # (n, D)
    eps: np.ndarray  # (n, D)
    z: np.ndarray  # (n, D)
    nll: np.ndarray  # (n,) nats
    kl: np.ndarray  # (n,) nats
    kl_dims: np.ndarray  # (D,) nats, mean over the batch
    nll_mu: np.ndarray  # (n, D) pull of the reconstruction term on mu, nats per unit
    kl_mu: np.ndarray  # (n, D) pull of the KL term on mu
    nll_log_var: np.ndarray  # (n, D) pull of the reconstruction term on log_var
    kl_log_var: np.ndarray  # (n, D)
    mu_after: np.ndarray  # (n, D) with the updated weights
    numbers: dict[str, Any]  # of the whole batch, and of the update

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self.arrays.values())

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("step", "numbers")}


def can_be_traced(kind: Family | type[Family]) -> bool:
    """Whether there is a posterior to show, and two terms that pull on it."""
    return kind.has.posterior == "gaussian" and set(kind.TERMS) == {"nll", "kl"}


def trace_step(trainer: Trainer) -> StepTrace:
    """Make one step like any other, and tell everything that happened in it.

    Args:
        trainer: of a family that can be traced.
    Raises:
        Diverged, RunError: as Trainer.step.
    """
    x, eps = trainer.batch()
    weights = trainer.weights
    trainer.model.set_trainable(weights, trainer.settings.frozen)
    before = {k: v.detach().clone() for k, v in trainer.model.state_dict().items()}
    model = trainer.conditioned
    seen = _trace_forward(model, x, eps, weights["nll"], weights["kl"], trainer.config.free_bits)
    trainer.step()
    return _trace_update(seen, trainer, model, before, x, eps)


def _trace_forward(model: Any, x: Tensor, eps: Tensor, alpha: float, beta: float, least: float) -> StepTrace:
    """The coming step up to the gradients.

    Args:
        model: in training mode, as it will make the step; it is not changed.
        x: (B, 1, 28, 28) the batch. eps: (B, D) its noise.
        alpha, beta: weights in force. least: free bits, nats a dimension.
    """
    probe = copy.deepcopy(model)
    mu, log_var = (t.detach().requires_grad_() for t in probe.encode(x))  # (B, D) each
    z = probe.sample(mu, log_var, eps)
    logits = probe.decode(z)
    nll, kl = probe.nll(logits, x), losses.gaussian_kl(mu, log_var)
    nll_mu, nll_log_var = torch.autograd.grad(nll.sum(), (mu, log_var))
    minimised = _minimised_kl(mu, log_var, least)
    kl_mu, kl_log_var = torch.autograd.grad(minimised.sum(), (mu, log_var))
    return StepTrace(
        step=0,
        x=_pictures(x),
        x_hat=_pictures(probe.mean_image(logits)),
        mu=_shown(mu),
        std=_shown((0.5 * log_var).exp()),
        eps=_shown(eps),
        z=_shown(z),
        nll=_shown(nll),
        kl=_shown(kl),
        kl_dims=losses.gaussian_kl_dims(mu, log_var).mean(0).detach().cpu().numpy(),
        nll_mu=_shown(-alpha * nll_mu),
        kl_mu=_shown(-beta * kl_mu),
        nll_log_var=_shown(-alpha * nll_log_var),
        kl_log_var=_shown(-beta * kl_log_var),
        mu_after=_shown(mu),
        numbers={"images": len(x), "alpha": alpha, "beta": beta, **_means(nll, kl, minimised, alpha, beta)},
    )


def _trace_update(
    seen: StepTrace, trainer: Trainer, model: Any, before: dict[str, Tensor], x: Tensor, eps: Tensor
) -> StepTrace:
    """The same step after its update: how far each half moved, and what the same batch with the same eps costs now.

    Args:
        seen: of _trace_forward. trainer: after the step. model: its model, given the labels of that batch where these
            play a part. before: the weights that it had.
    """
    probe = copy.deepcopy(model)
    with torch.no_grad():
        after = probe(x, eps)
        minimised = _minimised_kl(after.mu, after.log_var, trainer.config.free_bits)
    alpha, beta = seen.numbers["alpha"], seen.numbers["beta"]
    means = _means(after.terms["nll"], after.terms["kl"], minimised, alpha, beta)
    numbers = {
        **seen.numbers,
        "after": means,
        "learningRate": trainer.settings.learning_rate,
        "frozen": trainer.settings.frozen,
        "encoder": _moved("encoder.", trainer.model, before),
        "decoder": _moved("decoder.", trainer.model, before),
    }
    return replace(seen, step=trainer.step_count, mu_after=_shown(after.mu), numbers=numbers)


def _minimised_kl(mu: Tensor, log_var: Tensor, least: float) -> Tensor:
    """(B,) the KL as the loss has it: with free bits no further down than these."""
    if least:
        return losses.free_bits_kl(mu, log_var, least).expand(len(mu))
    return losses.gaussian_kl(mu, log_var)


def _means(nll: Tensor, kl: Tensor, minimised: Tensor, alpha: float, beta: float) -> dict[str, float]:
    """Of the whole batch, nats per image.

    Args:
        minimised: (B,) what stands for the KL in the loss.
    """
    nll_mean, kl_mean = nll.mean().item(), kl.mean().item()
    return {"nll": nll_mean, "kl": kl_mean, "loss": alpha * nll_mean + beta * minimised.mean().item()}


def _moved(half: str, model: Any, before: dict[str, Tensor]) -> dict[str, float]:
    """How many weights a half has, and how far the step moved them as a share of their length."""
    weights = {k: p.detach() for k, p in model.named_parameters() if k.startswith(half)}
    change = sum((p - before[k]).square().sum().item() for k, p in weights.items())
    length = sum(before[k].square().sum().item() for k in weights)
    return {"weights": sum(p.numel() for p in weights.values()), "moved": (change / max(length, 1e-30)) ** 0.5}


def _shown(values: Tensor) -> np.ndarray:
    return values[:SHOWN].detach().float().cpu().numpy()


def _pictures(x: Tensor) -> np.ndarray:
    return (x[:SHOWN].detach().squeeze(1) * 255).round().to(torch.uint8).cpu().numpy()
