"""What the whole page speaks of: one test image and one shipped model with two latents."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from pages.ui.once import computed_once
from pages.ui.shipped import checkpoint, images, planes, title_of
from pages.ui.words import image_name, sigma_words
from vae_core.data import prepare
from vae_core.exact.bounds import Bound, bound
from vae_core.exact.density import stray_moments, total_probability
from vae_core.exact.estimate import Estimate
from vae_core.exact.quadrature import Evidence, evidence

GREY, REDRAWN = "grey", "redrawn"  # pixels: as the model takes them, or black or white


class Key(NamedTuple):
    """What makes a subject: plain values, so that caches can hold them."""

    model: str  # the folder's name
    digit: int
    which: int  # the image's number among the test images of its class
    redraw: int | None = None  # seed with which the pixels are redrawn; None: they are as the model takes them


@dataclass(frozen=True)
class Subject:
    """An image x in a model, with what its encoder says of it. Shared by all visitors: never change it."""

    key: Key
    number: int  # of the image among all test images
    model: Any  # in evaluation mode, on the CPU
    card: dict[str, Any]
    pixels: Tensor  # (1, 1, 28, 28) uint8, of x
    x: Tensor  # (1, 1, 28, 28), prepared as the model takes it
    mu: Tensor  # (1, 2)
    log_var: Tensor  # (1, 2)

    @property
    def label(self) -> str:
        """ "test image 17, a 7, redrawn (seed 3)"."""
        redrawn = "" if self.key.redraw is None else f", redrawn (seed {self.key.redraw})"
        return f"{image_name(self.number, self.key.digit)}{redrawn}"

    @property
    def likelihood(self) -> str:
        config = self.card["config"]
        name = config["likelihood"]
        return "Bernoulli" if name == "bernoulli" else f"Gaussian, {sigma_words(name, config['sigma'])}"

    @property
    def caption(self) -> str:
        """Where the numbers of a section come from."""
        return f"Computed now by {title_of(self.key.model)} ({self.trained}) for {self.label}, {self.colours} pixels."

    @property
    def trained(self) -> str:
        """ "Bernoulli, 100 epochs, seed 0"."""
        config = self.card["config"]
        return f"{self.likelihood}, {config['epochs']} epochs, seed {config['seed']}"

    @property
    def colours(self) -> str:
        """Of the pixels of x."""
        return "black or white" if self.is_binary else str(self.card["config"]["protocol"])

    @property
    def is_binary(self) -> bool:
        return bool(((self.x == 0) | (self.x == 1)).all())

    @property
    def meaning(self) -> str:
        """What p(x) is of this image; see vae_core.exact.density."""
        if self.likelihood != "Bernoulli":
            return "Of pixels that are any number, p is a density."
        if self.is_binary:
            return "This x is black or white, and p(x) its probability."
        return (
            "This x is grey: log p(x | z) is the mean over its black-or-white redraws, “log p(x)” at most their "
            "mean log p (*Pixels: redrawn* takes one)."
        )

    @property
    def evidence(self) -> Evidence:
        """log p(x) and the true posterior on a lattice: about half a second, once."""
        return _evidence(self.key)

    @property
    def bound(self) -> Bound:
        """The bound of the encoder's q, every part with its error."""
        return _bound(self.key)

    @property
    def total_probability(self) -> Estimate:
        """log of the sum of p(x given z) over all images, at the encoder's mu."""
        return _total_probability(self.key)

    @property
    def stray_moments(self) -> Estimate:
        """How far p(x given z) at the encoder's mu is from the picture that is shown of it."""
        return _stray_moments(self.key)


def subject(model: str, digit: int, which: int, redraw: int | None = None) -> Subject:
    """Computed once per image and server.

    Args:
        model: one of `shipped.planes()`.
        which: counts on past the last image of the class.
        redraw: seed of a Bernoulli draw of the pixels, in place of what the model takes. A density of grey values
            (`likelihood` "gaussian") is one of grey images, and takes none.
    """
    if checkpoint(model).card["config"]["likelihood"] != "bernoulli":
        redraw = None
    return _subject(Key(model, digit, which % len(images().of_class(digit)), redraw))


@computed_once(64)
def _subject(key: Key) -> Subject:
    shipped, data = checkpoint(key.model), images()
    number = int(data.of_class(key.digit)[key.which])
    pixels = data.x_test[number : number + 1]
    protocol = shipped.card["config"]["protocol"] if key.redraw is None else "dynamic"
    x = prepare(pixels, protocol, torch.Generator().manual_seed(key.redraw or 0))
    with torch.no_grad():
        mu, log_var = shipped.model.encode(x)
    shown = pixels if key.redraw is None else (255 * x).to(torch.uint8)
    return Subject(key, number, shipped.model, shipped.card, shown, x, mu, log_var)


@computed_once(64)
def _evidence(key: Key) -> Evidence:
    s = _subject(key)
    return evidence(s.model, s.x, starts=s.mu)


@computed_once(64)
def _bound(key: Key) -> Bound:
    s = _subject(key)
    return bound(s.model, s.x, s.evidence, s.mu, s.log_var)


@computed_once(64)
def _total_probability(key: Key) -> Estimate:
    s = _subject(key)
    return total_probability(s.model, s.mu)


@computed_once(64)
def _stray_moments(key: Key) -> Estimate:
    s = _subject(key)
    return stray_moments(s.model, s.mu)


def names() -> list[str]:
    """Models that the page can show."""
    return planes()
