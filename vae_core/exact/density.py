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
from vae_core.exact.estimate import EXACT, QUADRATURE, Estimate, rounding

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

    The pixels are independent given z, so p of pairs of them, made to sum to one, multiply to p(x given z) over the
    sum, whatever x is: one image as a whole is enough, and anything may be wrong in it that is in no pair by itself (a
    row left out, the picture upside down, another image of the batch). Not single pixels: a loss that takes the mean
    over its pixels would pass.

    Args:
        model: a family with a decoder that says what a pixel may be (`outcomes`), in evaluation mode.
        z: (1, D) the code.
    """
    logits, values, width, pairs = _of_pairs(model, z)
    count, pixels = len(values), values[0].numel()
    generator = torch.Generator().manual_seed(0)
    which = torch.randint(count, (2, pixels), generator=generator).to(z.device)  # of the values, in every pixel
    images = values.flatten(1).gather(0, which).view(2, *values.shape[1:])
    batch = torch.cat([logits, model.decode(1 - z).double()])  # with another code beside it
    whole = -model.nll(batch, images).expand(2)[0]
    first, second = which[0].unflatten(0, (-1, 2)).unbind(-1)
    share = pairs.log_softmax(0).gather(0, (first * count + second)[None]).sum()
    total = whole - share + width.log().expand_as(values[0]).sum()
    return Estimate(total.item(), rounding(total.dtype, pixels + abs(whole.item())), _how(values))


@torch.no_grad()
def stray_moments(model: Any, z: Tensor) -> Estimate:
    """How far the mean of p(x given z) lies from the picture that is shown of z, in the pixel where it is farthest.

    In units of x; 0, if nll and picture speak of the same distribution. Of a Gaussian its variance besides, from the
    sigma² that is shown, in squared units of x. Arguments as for total_probability.
    """
    logits, values, _, pairs = _of_pairs(model, z)
    count = len(values)
    table = pairs.softmax(0).view(count, count, -1)  # (V, V, P)
    share = torch.stack([table.sum(1), table.sum(0)], dim=-1).view_as(values)  # (V, 1, 28, 28)
    picture = model.mean_image(logits)[0]
    mean = (share * values).sum(0)
    stray = (mean - picture).abs().max()
    for sigma_square in [v for k, v in model.squares(logits, picture[None]).items() if k == "sigma"]:
        variance = (share * (values - mean).square()).sum(0).mean()
        stray = torch.maximum(stray, (variance - sigma_square).abs().max())
    return Estimate(stray.item(), rounding(share.dtype, count), _how(values))


def _how(values: Tensor) -> str:
    """Whether the values of a pixel are all that there are, black and white, or nodes on a line."""
    return EXACT if len(values) == 2 else QUADRATURE


def _of_pairs(model: Any, z: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Decoder output, what each pixel may be and how wide that is, and (V * V, P) log p of all values of all pairs."""
    logits = model.decode(z).double()  # (1, C, 28, 28)
    values, width = model.outcomes(logits)  # (V, 1, 28, 28): what each pixel may be
    first, second = values.flatten(1).unflatten(1, (-1, 2)).unbind(-1)  # (V, P) each
    count, pairs = first.shape
    both = torch.stack([first[:, None].expand(-1, count, -1), second[None].expand(count, -1, -1)], dim=-1)
    given = logits[0].flatten(1).unflatten(1, (pairs, 2)).transpose(0, 1).expand(count, count, -1, -1, -1)
    nll = model.nll(given.reshape(-1, len(logits[0]), 1, 2), both.reshape(-1, 1, 1, 2)).view(count**2, pairs)
    return logits, values, width, -nll
