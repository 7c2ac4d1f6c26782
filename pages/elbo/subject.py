"""What the whole page speaks of: one test image and one shipped model with two latents."""

import functools
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pages.ui.shipped import checkpoint, images, planes
from pages.ui.words import sigma_words
from vae_core.data import prepare
from vae_core.exact.bounds import Bound, bound
from vae_core.exact.density import total_probability
from vae_core.exact.estimate import Estimate
from vae_core.exact.quadrature import Evidence, evidence


@dataclass(frozen=True)
class Subject:
    """An image x in a model, with what its encoder says of it. Shared by all visitors: never change it."""

    model_name: str  # the folder's name
    digit: int
    which: int  # the image's number among the test images of its class
    model: Any  # in evaluation mode, on the CPU
    card: dict[str, Any]
    pixels: Tensor  # (1, 1, 28, 28) uint8
    x: Tensor  # (1, 1, 28, 28), prepared as the model takes it
    mu: Tensor  # (1, 2)
    log_var: Tensor  # (1, 2)

    @property
    def label(self) -> str:
        return f"test image {self.which + 1} of class {self.digit}"

    @property
    def likelihood(self) -> str:
        config = self.card["config"]
        name = config["likelihood"]
        return "Bernoulli" if name == "bernoulli" else f"Gaussian, {sigma_words(name, config['sigma'])}"

    @property
    def caption(self) -> str:
        """Where the numbers of a section come from."""
        config = self.card["config"]
        return (
            f"Computed now by {self.model_name} ({self.likelihood}, beta {config['beta']:g}, {config['epochs']} epochs,"
            f" seed {config['seed']}) for {self.label}, {config['protocol']} pixels."
        )

    @functools.cached_property
    def evidence(self) -> Evidence:
        """log p(x) and the true posterior on a lattice: about half a second, once."""
        return evidence(self.model, self.x, starts=self.mu)

    @functools.cached_property
    def bound(self) -> Bound:
        """The bound of the encoder's q, every part with its error."""
        return bound(self.model, self.x, self.evidence, self.mu, self.log_var)

    @functools.cached_property
    def total_probability(self) -> Estimate:
        """log of the sum of p(x given z) over all images, at the encoder's mu."""
        return total_probability(self.model, self.mu)


@functools.lru_cache(maxsize=64)
def subject(model_name: str, digit: int, which: int) -> Subject:
    """Computed once per image and server.

    Args:
        model_name: one of `shipped.planes()`. which: counts on past the last image of the class.
    """
    shipped = checkpoint(model_name)
    data = images()
    of_class = (data.y_test == digit).nonzero().flatten()
    which %= len(of_class)
    index = int(of_class[which])
    pixels = data.x_test[index : index + 1]
    x = prepare(pixels, shipped.card["config"]["protocol"], torch.Generator().manual_seed(0))
    with torch.no_grad():
        mu, log_var = shipped.model.encode(x)
    return Subject(model_name, digit, which, shipped.model, shipped.card, pixels, x, mu, log_var)


def names() -> list[str]:
    """Models that the page can show."""
    return planes()
