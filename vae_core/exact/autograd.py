"""What autograd sees of a draw from q: nothing through `sample`, everything through mu + std * eps.

The two functions `drawn` and `reparameterised` make the same z in distribution. A page shows their source
beside what autograd answered when they ran.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Normal

_GLOBAL_NOISE = threading.Lock()  # Normal.sample takes no generator, so it draws from the one of the process


# fmt: off
# The two are shown side by side: their lines stay short.
def drawn(
    mu: Tensor, log_var: Tensor,
) -> Tensor:
    q = Normal(mu, (0.5 * log_var).exp())
    z = q.sample()
    return z


def reparameterised(
    model: Any, mu: Tensor, log_var: Tensor,
    generator: torch.Generator,
) -> Tensor:
    eps = torch.randn(
        mu.shape, generator=generator)
    z = model.sample(mu, log_var, eps)
    return z
# fmt: on

# By their names in torch, (mu, std) to z. torch.normal passes a gradient on to mu and std, and it is 0.
NAMED: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "torch.normal(mu, std)": torch.normal,
    "Normal(mu, std).sample()": lambda mu, std: Normal(mu, std).sample(),
    "Normal(mu, std).rsample()": lambda mu, std: Normal(mu, std).rsample(),
}


@dataclass(frozen=True)
class Answer:
    """What autograd said after the loss of one draw was sent backwards."""

    z: tuple[float, ...]
    requires_grad: bool  # of z
    grad_fn: str | None  # name of the operation that made z, if autograd knows one
    nll: float  # −log p(x given z), nats
    nll_requires_grad: bool  # true even without a way back to mu: the decoder's own weights still learn
    mu_grad: tuple[float, ...] | None  # ∂nll/∂mu, nats per unit of mu
    log_var_grad: tuple[float, ...] | None


def ask(draw: Callable[[Tensor, Tensor], Tensor], model: Any, x: Tensor, mu: Tensor, log_var: Tensor) -> Answer:
    """Draw z, decode it, send −log p(x given z) backwards, and see what reaches mu and log_var.

    Args:
        draw: (mu, log_var) to z, (1, D) each.
        model: an evaluate.LatentModel; its own weights get no gradient, whatever happens.
        x: (1, ...) the image.
        mu, log_var: (1, D) of q; not changed.
    """
    mu, log_var = (v.detach().clone().requires_grad_() for v in (mu, log_var))
    z = draw(mu, log_var)
    nll = model.nll(model.decode(z), x).sum()
    if nll.requires_grad:
        nll.backward(inputs=[mu, log_var])
    return Answer(
        z=tuple(z[0].tolist()),
        requires_grad=z.requires_grad,
        grad_fn=None if z.grad_fn is None else type(z.grad_fn).__name__,
        nll=nll.item(),
        nll_requires_grad=nll.requires_grad,
        mu_grad=_row(mu.grad),
        log_var_grad=_row(log_var.grad),
    )


def ask_drawn(model: Any, x: Tensor, mu: Tensor, log_var: Tensor, seed: int) -> Answer:
    """`ask` for `drawn`; the noise of the process is left as it was."""
    return ask(_seeded(drawn, seed), model, x, mu, log_var)


def ask_named(name: str, model: Any, x: Tensor, mu: Tensor, log_var: Tensor, seed: int) -> Answer:
    """`ask` for one of NAMED; the noise of the process is left as it was."""
    return ask(_seeded(lambda mu, log_var: NAMED[name](mu, (0.5 * log_var).exp()), seed), model, x, mu, log_var)


def _seeded(draw: Callable[[Tensor, Tensor], Tensor], seed: int) -> Callable[[Tensor, Tensor], Tensor]:
    def seeded(mu: Tensor, log_var: Tensor) -> Tensor:
        with _GLOBAL_NOISE, torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            return draw(mu, log_var)

    return seeded


def ask_reparameterised(model: Any, x: Tensor, mu: Tensor, log_var: Tensor, seed: int) -> Answer:
    """`ask` for `reparameterised`."""
    generator = torch.Generator().manual_seed(seed)
    return ask(lambda mu, log_var: reparameterised(model, mu, log_var, generator), model, x, mu, log_var)


def _row(grad: Tensor | None) -> tuple[float, ...] | None:
    return None if grad is None else tuple(grad[0].tolist())
