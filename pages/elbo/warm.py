"""What the page would otherwise compute before its first visitor's eyes."""

from pages.elbo.bound import data_of
from pages.elbo.derivation import derived
from pages.elbo.evidence import draws
from pages.elbo.figures_reparameterise import compared
from pages.elbo.settings import WAYS, link
from pages.elbo.subject import Key, names


def warm_up() -> None:
    """The image that the page opens on, in every section that integrates over it: a few seconds of one core."""
    if link.default("model") not in names():
        return
    image = Key(link.default("model"), link.first("digit"), link.default("image"))
    seed, samples = link.default("seed"), link.default("samples")
    draws(image, seed, link.default("draws"))
    for way in WAYS:
        derived(image, way, samples, seed, False)  # as the section calls it: one cache key
    data_of(*image)
    compared(image, link.default("noise"), link.default("estimate"))
    derived(image, link.default("way"), samples, seed, True)
