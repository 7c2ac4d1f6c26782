"""Words that more than one page says, and words that come from outside, made harmless before they are shown."""

import re
from collections.abc import Callable, Mapping
from typing import Any


def counted(number: int, noun: str) -> str:
    """ "1 latent", "2 latents"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def image_name(number: int, digit: int) -> str:
    """What a test image is called on every page: its number among all of them, from 0, and its class.

    pages/ui/explore/shared/classes.js says the same in the browser.
    """
    return f"test image {number}, {'an' if digit == 8 else 'a'} {digit}"


def plain(text: str, most: int = 200) -> str:
    """A text of which only what cannot become a link, an image or HTML is left, at most so long; the rest is "?".

    Streamlit shows messages as Markdown: an image named in a link's text would be fetched from wherever it lies.
    """
    return re.sub(r"[^A-Za-z0-9 .,:;'()_→…−×±-]", "?", text[:most])


def quoted(text: str, most: int = 20) -> str:
    """What a link says, in quotes, as `plain`."""
    return f"'{plain(text, most)}'"


def label_of(labels: Mapping[Any, str]) -> Callable[[Any], str]:
    """For a widget's format_func: what stands on an option, also on one that is not offered any more."""
    return lambda option: labels.get(option, str(option))


def sigma_words(likelihood: str, sigma: float) -> str:
    """What sigma a Gaussian likelihood has: "sigma 0.2", "sigma learned" or "a sigma per pixel"."""
    return {"gaussian-learned": "sigma learned", "gaussian-per-pixel": "a sigma per pixel"}.get(
        likelihood, f"sigma {sigma:g}"
    )
