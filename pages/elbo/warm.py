"""What the page would otherwise compute before its first visitor's eyes."""

from __future__ import annotations

from pages.elbo import link
from pages.elbo.bound import data_of
from pages.elbo.derivation import derived
from pages.elbo.evidence import draws


def warm_up() -> None:
    """The image that the page opens on, in every section that integrates over it: a few seconds of one core."""
    image = (link.DEFAULTS["model"], link.DEFAULTS["digit"], link.DEFAULTS["image"])
    draws(*image, 0)
    derived(*image, link.DEFAULTS["way"], link.DEFAULTS["samples"], 0, False)  # as the section calls it: one cache key
    data_of(*image)
