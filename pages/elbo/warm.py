"""What the page would otherwise compute before its first visitor's eyes."""

from __future__ import annotations

from pages.elbo import link, reparameterise
from pages.elbo.bound import data_of
from pages.elbo.derivation import derived
from pages.elbo.evidence import draws
from pages.elbo.figures_reparameterise import compared
from pages.elbo.subject import names


def warm_up() -> None:
    """The image that the page opens on, in every section that integrates over it: a few seconds of one core."""
    if link.DEFAULTS["model"] not in names():
        return
    image = (link.DEFAULTS["model"], link.DEFAULTS["digit"], link.DEFAULTS["image"])
    seed, samples = link.DEFAULTS["seed"], link.DEFAULTS["samples"]
    draws(*image, seed, link.DEFAULTS["draws"])
    for way in link.WAYS:
        derived(*image, way, samples, seed, False)  # as the section calls it: one cache key
    data_of(*image)
    compared(image, *(reparameterise.LINKED[f"reparameterise {name}"] for name in ("seed", "samples")))
    derived(*image, link.DEFAULTS["way"], samples, seed, True)
