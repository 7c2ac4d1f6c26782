"""The contract of a model family. The trainer, the figures and the pages know no more of a family than stands here.

A family is one file in this folder with one Family in it: TERMS, latent_dim, from_config and forward; a title and what
it has, if anything; with codes also encode, sample, decode and nll. Of its terms "nll" is weighted by alpha and "kl" by
beta with its warm-up, others under their own names (config.py). History columns, legends and tables follow from the
names, and a figure of what a family has not is absent. The smallest whole one is tests/families/three_terms.py; one
with an encoder and a decoder begins with parts/coder.py, as vae.py does. A setting that only some families read stands
in their SETTINGS. A family that is conditioned on the label has.labels: who uses it asks `given(y)`, which is the model
itself where labels play no part.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import torch
from torch import Tensor, nn

from vae_core import datasets
from vae_core.config import RunConfig

if TYPE_CHECKING:
    from vae_core.models.about import About  # what training does not read

SHAPE = (1, 28, 28)  # of an image of the first data set, which the networks here take
POINT = (2,)  # of a point of the plane, which the mlp takes too
CLASSES = 10  # of its labels
BEFORE, AFTER = "step", "loss"  # the columns of a train history around those of the terms
_OF_A_CARD = ("split", "protocol", "images", "samples", "neg_elbo", "kl_dims", "active_units", "errors")
EXACT = ("exact_elbo", "exact_log_p")  # means over points of the plane: exact/points.py
_OF_A_CODEBOOK = ("perplexity", "used")
_OF_A_BOUND = ("neg_iw_bound", "iw_neg_elbo", "iw_samples", "iw_images")
TAKEN = {
    BEFORE,
    AFTER,
    "mean_std",
    "active",
    "sigma",
    "rmse",
    *EXACT,
    *_OF_A_CARD,
    *_OF_A_CODEBOOK,
    *_OF_A_BOUND,
}  # by columns and figures: no term can be so called


@dataclass(frozen=True)
class Has:
    """What a family has.

    Attributes:
        codes: an image has a place in latent space: `encode`, `sample` and `decode` are there.
        code_map: an image has a map of codes, of so many rows and columns; each is the number of a vector of a
            codebook (K, C): `codebook`, `quantise_images` and `decode_map` are there.
        posterior: the distribution q(z given x) that `encode` gives the parameters of: "gaussian" (mu and log_var of
            independent dimensions), or None where z is no random variable.
        sampled: what is decoded is a draw of z, so a reconstruction is one of many.
        prior: N(0, I), whose decoded draws are new pictures of the model, and from which its KL is measured.
        bound: the sum of its terms is −ELBO, minus a lower bound on log p(x); given the label, of a family that has it.
        tighter: its loss is another bound, so −ELBO is no sum of its terms: `neg_elbo` measures it on test images.
        labels: it is conditioned on the label, see `Family.given`.
    """

    codes: bool = False
    code_map: tuple[int, int] | None = None
    posterior: str | None = None
    sampled: bool = False
    prior: bool = False
    bound: bool = False
    tighter: bool = False
    labels: bool = False


@dataclass(frozen=True)
class Pass:
    """What one pass of a batch gives."""

    terms: dict[str, Tensor]  # by name, (B,) nats each
    logits: Tensor  # (B, C, 28, 28) decoder output; C = 1 but where it says more of a pixel than its mean
    z: Tensor | None = None  # (B, D), of a family with codes
    mu: Tensor | None = None  # (B, D) where the images lie in latent space; the mean of a posterior
    log_var: Tensor | None = None  # (B, D), of a gaussian posterior
    codes: Tensor | None = None  # (B, rows, columns) int64, of a family with a code map
    seen: Tensor | None = None  # (B, 1, 28, 28) what the encoder was given, where that is not x


def labels_in_turn(count: int, like: Tensor) -> Tensor:
    """(count,) int64 labels 0 to 9 in turn, of so many draws that belong to no image; on the device of `like`."""
    return torch.arange(count, device=like.device) % CLASSES


class Family(nn.Module):
    """A model whose loss is a weighted sum of named terms. Noise is an argument, so eval() changes no estimator.

    Attributes:
        TERMS: the names of the terms, in the order of their columns, each with its weight where the settings name none.
            A name is an identifier, and none of TAKEN.
        UNITS: of those terms that are no nats. FIXED: settings of which it knows one value alone.
        SETTINGS: of config.OF_FAMILIES, those that it reads; another family refuses them.
        title: what it is called on a page. has: see Has. about: see About. latent_dim: D, that of the config.
    """

    TERMS: ClassVar[dict[str, float]]
    UNITS: ClassVar[dict[str, str]] = {}
    FIXED: ClassVar[dict[str, str]] = {}
    SETTINGS: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str] = "Model"
    has: ClassVar[Has] = Has()
    about: "ClassVar[About | None]" = None
    latent_dim: int
    codebook: Tensor  # (K, C), of families with a code map, as are the next two
    quantise_images: Callable[[Tensor], Tensor]  # images to code maps, (B, rows, columns) int64
    decode_map: Callable[[Tensor], Tensor]  # these to logits
    sample: Callable[
        ..., Tensor
    ]  # of families with codes: from what `encode` gives, then eps, to z with the shape of eps

    @classmethod
    def from_config(cls, config: RunConfig, shape: tuple[int, ...]) -> Self:
        """A new model, its weights drawn from the global generator.

        Args:
            shape: of an image, (1, 28, 28).
        Raises:
            ConfigError: a setting that this family cannot use.
        """
        raise NotImplementedError

    @classmethod
    def is_elbo(cls) -> bool:
        """Whether its loss is −ELBO in two terms, as the report of a run tells it."""
        return cls.has.bound and set(cls.TERMS) == {"nll", "kl"}

    @classmethod
    def has_elbo(cls) -> bool:
        """Whether there is an ELBO: the sum of its terms, or measured beside them."""
        return cls.has.bound or cls.has.tighter

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Of the train history: the step, the terms by name, and the weighted loss."""
        return (BEFORE, *cls.TERMS, AFTER)

    @classmethod
    def evaluation_columns(cls, config: RunConfig) -> tuple[str, ...]:
        """Of the test history: the step, the terms, and what of latent space and pixels the family has figures of."""
        posterior = ("mean_std",) if cls.has.posterior == "gaussian" else ()
        codes = (*(("active",) if cls.has.codes else ()), *(_OF_A_CODEBOOK if cls.has.code_map else ()))
        return (BEFORE, *cls.TERMS, *posterior, *codes, *cls.scales(config), *(EXACT if cls.is_exact(config) else ()))

    @classmethod
    def is_exact(cls, config: RunConfig) -> bool:
        """Whether log p(x) and the gap of the ELBO can be computed: points of the plane, and so few latents."""
        gaussian = cls.has.posterior == "gaussian" and cls.has.prior and not cls.has.labels
        return gaussian and datasets.is_points(config.dataset) and config.latent_dim <= 2

    @classmethod
    def scales(cls, config: RunConfig) -> tuple[str, ...]:
        """Names of what is recorded of the pixels of test images besides the terms, in units of x: see `squares`."""
        return ()

    @classmethod
    def points(cls) -> list[Callable[..., Tensor]]:
        """The method whose source is the point of it, see About; none or one."""
        return [getattr(cls, cls.about.point)] if cls.about is not None and cls.about.point else []

    def forward(self, x: Tensor, eps: Tensor) -> Pass:
        """One pass: the terms of the loss, one sample of z an image.

        Args:
            x: (B, 1, 28, 28) images in [0, 1].
            eps: (B, D) draws from N(0, I); each as `noise_shape` says.
        """
        raise NotImplementedError

    def noise_shape(self) -> tuple[int, ...]:
        """Of the noise that `forward` takes for one image."""
        return (self.latent_dim,)

    def given(self, y: Tensor | int | None) -> Self:
        """The model conditioned on labels, with all its methods: itself where labels play no part.

        Args:
            y: (B,) int64, of the images or codes that come; K samples of each, one set after another, go with it too.
                Or one label for all.
        """
        return self

    def neg_elbo(self, out: Pass, x: Tensor) -> Tensor | None:
        """(B,) −ELBO, one sample of z an image, nats; None of a family that has no ELBO.

        Args:
            out: what `forward` gave of x.
        """
        return torch.stack(list(out.terms.values())).sum(0) if self.has.bound else None

    def minimised(self, out: Pass, free_bits: float = 0.0) -> dict[str, Tensor]:
        """The terms as the loss has them; reported are those of `out`. Free bits change the KL of parts/coder.py's."""
        return out.terms

    def set_trainable(self, weights: Mapping[str, float], frozen: str = "none") -> None:
        """Say what learns in training: here a half is the submodule of its name, `encoder` or `decoder`.

        Args:
            weights: of the terms in the coming step.
            frozen: the half that keeps its weights, "encoder", "decoder" or "none".
        """
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(not name.startswith(f"{frozen}."))

    def mean_image(self, logits: Tensor) -> Tensor:
        """x_hat, what is shown of a decoder output, in [0, 1]."""
        return logits.sigmoid()

    def sigma_image(self, logits: Tensor) -> Tensor | None:
        """(B, 1, 28, 28) standard deviations, shown beside x_hat where the decoder gives each pixel its own."""
        return None

    def squares(self, logits: Tensor, x: Tensor) -> dict[str, Tensor]:
        """By each name of `scales`, (B,) means over the pixels of a square: recorded is the root of their mean."""
        return {}

    # Of families that have codes:

    def encode(self, x: Tensor) -> tuple[Tensor, ...]:
        """The parameters of q(z given x), (B, D) each; the first is where the images lie in latent space."""
        raise NotImplementedError

    def decode(self, z: Tensor) -> Tensor:
        """z (B, D) to logits (B, C, 28, 28)."""
        raise NotImplementedError

    def nll(self, logits: Tensor, x: Tensor) -> Tensor:
        """−log p(x given z), (B,) nats per image."""
        raise NotImplementedError

    def outcomes(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """What the pixels of one image may be, (V, 1, 28, 28), and how much of their axis each value stands for.

        That is () for all pixels, or (1, 28, 28). Over these p(x given z) is summed, to see that it is a distribution.
        """
        raise NotImplementedError

    def generate(self, z: Tensor) -> Tensor:
        """New pictures (B, 1, 28, 28) at draws z (B, D) from N(0, I), whatever images were seen before."""
        return self.mean_image(self.decode(z))
