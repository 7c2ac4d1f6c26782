"""log p(x given z) and log p(x, z) of one image at many z, the net in its own precision, sums in float64.

And whether p(x given z) is a distribution at all, which nothing that is computed of one image can tell.

What a Bernoulli decoder says of grey pixels. Let r be a redraw of x: every pixel is 1 with its grey value as the
probability. log p(r given z) is linear in r, so the cross-entropy of x is an expectation over redraws,

    −nll(x, z) = Σ x log x_hat + (1 − x) log(1 − x_hat) = E_r[log p(r given z)].

exp of it is neither a probability (only r is 0 or 1) nor a density: over the cube each pixel
gives ∫ x_hat^x (1 − x_hat)^(1 − x) dx = (2 x_hat − 1) / logit(x_hat) (Loaiza-Ganem and Cunningham 2019), below 1. With

    "log p(x)" = log ∫ p(z) exp(E_r[log p(r given z)]) dz  ≤  E_r[log ∫ p(z) p(r given z) dz] = E_r[log p(r)]

it is at most the mean log p of a redraw. Proof: F(h) = log ∫ p(z) exp(h(z)) dz is convex in h, since by Hölder
∫ p e^(t f + (1 − t) g) ≤ (∫ p e^f)^t (∫ p e^g)^(1 − t); and Jensen's inequality says F(E_r[h_r]) ≤ E_r[F(h_r)], here
with h_r(z) = log p(r given z). Both are equal when p(z given r) is the same for all redraws, so for black or white x.
The ELBO of x with any q is the mean over the redraws of their ELBOs with that same q; an encoder that sees r, as under
the protocol "dynamic", gives another q, and another figure.
"""

from typing import Any

import torch
from torch import Tensor, nn

from vae_core import losses
from vae_core.exact.estimate import QUADRATURE, Estimate, rounding

CHUNK = 1024  # codes decoded at once: larger ones gain nothing on a CPU


def log_likelihood(model: Any, x: Tensor, z: Tensor) -> Tensor:
    """log p(x given z) of one image at many codes; differentiable in z.

    Args:
        model: an evaluate.LatentModel; a torch module must be in evaluation mode.
        x: (1, ...) the image; the net computes in its dtype and on its device.
        z: (N, D) codes, any dtype.
    Returns:
        (N,) float64, nats per image.
    Raises:
        ValueError: more than one image, or a model in training mode.
    """
    if len(x) != 1:
        raise ValueError(f"one image at a time, not {len(x)}: x needs the shape (1, ...).")
    if isinstance(model, nn.Module) and model.training:
        raise ValueError("the model is in training mode: call model.eval() first.")
    parts = [-model.nll(model.decode(part), x.expand(len(part), *x.shape[1:])) for part in z.to(x).split(CHUNK)]
    return torch.cat(parts).double()


def log_joint(model: Any, x: Tensor, z: Tensor) -> Tensor:
    """log p(x, z) = log p(x given z) + log p(z); arguments, returns and errors as log_likelihood."""
    return log_likelihood(model, x, z) + losses.standard_normal_log_prob(z.double())


@torch.no_grad()
def total_probability(model: Any, z: Tensor) -> Estimate:
    """log of the sum of p(x given z) over all images x, or of the integral of a density: 0 nats, if it is one.

    The pixels are independent given z, so the sum is a product over pairs of them. Not over single ones: a loss that
    takes the mean over its pixels would pass.

    Args:
        model: a family with a decoder that says what a pixel may be (`outcomes`), in evaluation mode.
        z: (1, D) the code.
    """
    logits = model.decode(z).double()  # (1, C, 28, 28)
    values, width = model.outcomes(logits)  # (V, 1, 28, 28): what each pixel may be
    first, second = values.flatten(1).unflatten(1, (-1, 2)).unbind(-1)  # (V, P) each
    count, pairs = first.shape
    both = torch.stack([first[:, None].expand(-1, count, -1), second[None].expand(count, -1, -1)], dim=-1)
    given = logits[0].flatten(1).unflatten(1, (pairs, 2)).transpose(0, 1).expand(count, count, -1, -1, -1)
    nll = model.nll(given.reshape(-1, len(logits[0]), 1, 2), both.reshape(-1, 1, 1, 2)).view(count**2, pairs)
    total = (-nll).logsumexp(0).sum() + width.log().expand_as(values[0]).sum()
    return Estimate(total.item(), rounding(total.dtype, 2 * pairs), QUADRATURE)
