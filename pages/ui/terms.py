"""What a family's terms are called on every page, and the colour that each keeps."""

from typing import Any

from pages.ui.palette import colours_of
from vae_core.config import RunConfig, term_name
from vae_core.export.colours import colour_name
from vae_core.models import family

_SCALES = {"sigma": "sigma", "rmse": "RMS error"}
_OF_CODES = [{"name": "perplexity", "label": "Perplexity", "colour": "text", "unit": "codes"}]  # see codebook.usage


def label_of_term(name: str) -> str:
    """What a term, or the sum of those that bound log p(x), is called."""
    return "−ELBO" if name == "neg_elbo" else term_name(name)


def colour_of_term(name: str, terms: list[str], dark: bool) -> str:
    """ "#rrggbb"."""
    return colours_of(dark).terms[colour_name(name, terms)]


def describe(config: RunConfig) -> dict[str, Any]:
    """The family of a run as the browser's views take it, JSON-ready."""
    kind = family(config.model)
    names, units = list(kind.TERMS), kind.UNITS
    return {
        "terms": [
            {"name": n, "label": label_of_term(n), "colour": colour_name(n, names)}
            | ({"unit": units[n]} if n in units else {})
            for n in names
        ],
        "bound": kind.has.bound,
        "posterior": kind.has.posterior is not None,
        "codes": kind.has.codes,
        **({"codebook": config.codebook_size} if kind.has.code_map else {}),
        "labels": kind.has.labels,
        "scales": [
            {"name": n, "label": _SCALES.get(n, n), "colour": "reconstruction" if n == "rmse" else "text"}
            for n in kind.scales(config)
        ]
        + (_OF_CODES if kind.has.code_map else []),
    }
