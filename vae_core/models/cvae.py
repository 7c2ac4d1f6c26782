"""The conditional VAE (Sohn, Lee and Yan 2015; Kingma et al. 2014, M2): both halves are told the label.

    encoder  q(z given x, y)    the image, and beside it the label as ten pixels, one of them 1
    decoder  p(x given z, y)    z, and beside it the same ten numbers
    −ELBO    −log p(x given z, y) + KL(q(z given x, y) ‖ N(0, I)) >= −log p(x given y)

What the label says need not be in z, so z holds the rest: how the digit is written. `given` says which label; nothing
works without one.
"""

import copy
from typing import ClassVar, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vae_core.models.about import About
from vae_core.models.base import CLASSES, Has
from vae_core.models.vae import VAE


class CVAE(VAE):
    """A VAE given the label; of the two terms, and of every figure, it is p(x given y) that is bounded.

    Attributes:
        y: the labels in hand: (B,) int64, or () for one label; None until `given` has put them there.
    """

    title = "Conditional VAE"
    has = Has(codes=True, posterior="gaussian", sampled=True, prior=True, bound=True, labels=True)
    about = About(
        loss=r"\mathbb{E}_q[-\log p(x \mid z, y)] + \mathrm{KL}(q(z \mid x, y) \,\|\, p(z))",
        use="New images of a class that one chooses, and codes of how a digit is written.",
        limits="It needs a label with every image. Its figures bound log p(x | y), not log p(x).",
        paper="Sohn, Lee and Yan 2015",
        address="https://papers.nips.cc/paper/2015/hash/8d55a249e6baa5c06772297520da2051-Abstract.html",
    )
    BESIDE: ClassVar = CLASSES
    y: Tensor | None = None

    def given(self, y: Tensor | int | None) -> Self:
        """The same model, not a copy of its weights, with labels in hand."""
        if y is None:
            return self
        told = copy.copy(self)  # a second handle on the same networks
        told.y = torch.as_tensor(y)
        return told

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """q(z given x, y): images (B, 1, 28, 28) to mu and log_var, (B, D) each."""
        label = self.one_hot(x)  # (B, 10)
        if isinstance(next(self.encoder.children()), nn.Flatten):
            return super().encode(torch.cat([x.flatten(1), label], 1))  # (B, 794)
        planes = label[:, :, None, None].expand(-1, -1, *x.shape[2:])  # (B, 10, 28, 28), one of them white
        return super().encode(torch.cat([x, planes], 1))

    def decode(self, z: Tensor) -> Tensor:
        """z (B, D), or K samples of each image one set after another (K * B, D), to logits."""
        return super().decode(torch.cat([z, self.one_hot(z)], 1))  # (B, D + 10)

    def one_hot(self, like: Tensor) -> Tensor:
        """(B, 10) the labels in hand, for as many rows as `like` has.

        Raises:
            ValueError: there are none, or their number goes with no number of samples of each.
        """
        if self.y is None:
            raise ValueError("The conditional VAE needs labels: ask model.given(y).")
        y = self.y.to(like.device).reshape(-1)
        if len(like) % len(y):
            raise ValueError(f"{len(like)} rows and {len(y)} labels do not go together: give each row its label.")
        return F.one_hot(y.repeat(len(like) // len(y)), CLASSES).to(like.dtype)
