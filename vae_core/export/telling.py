"""What a report says of a model, in the words of its family: what it is, its figures, and what they bound."""

from dataclasses import dataclass

from vae_core.config import RunConfig, term_name
from vae_core.digits import with_error
from vae_core.export.colours import colour_name
from vae_core.export.run_report import RunReport
from vae_core.models.base import Family

LIKELIHOODS = {
    "bernoulli": "a Bernoulli likelihood",
    "gaussian": "a Gaussian likelihood of fixed sigma",
    "gaussian-learned": "a Gaussian likelihood with a learned sigma",
    "gaussian-per-pixel": "a Gaussian likelihood with a sigma per pixel",
}


@dataclass(frozen=True)
class Part:
    """A figure at the head of a report. css: its colour. unit: said beside it, where it is no nats. sign: before it."""

    css: str
    label: str
    value: str
    unit: str = ""
    sign: str = ""


def introduce(config: RunConfig, kind: type[Family]) -> str:
    """ "A variational autoencoder (network mlp, 2 latent dimensions, a Bernoulli likelihood)"."""
    if kind.is_elbo():
        name = (
            "conditional variational autoencoder, told the label y," if kind.has.labels else "variational autoencoder"
        )
    else:  # an abbreviation stays as it is
        name = kind.title[0].lower() + kind.title[1:] if kind.title[1:2].islower() else kind.title
    article = "An" if name[0] in "aeiouAEIO" else "A"
    return (
        f"{article} {name} ({', '.join([*_size(config, kind), *_own(config, kind), LIKELIHOODS[config.likelihood]])})"
    )


def _size(config: RunConfig, kind: type[Family]) -> list[str]:
    if kind.has.code_map is None:
        return [f"network {config.net}", f"{config.latent_dim} latent dimension{'s' if config.latent_dim > 1 else ''}"]
    rows, columns = kind.has.code_map
    codebook = f"a codebook of {config.codebook_size} vectors with {config.latent_dim} numbers each"
    return [f"network {config.net}", f"{rows} × {columns} codes an image", codebook]


def _own(config: RunConfig, kind: type[Family]) -> list[str]:
    """Settings that other families do not read."""
    said = {"samples": f"K = {config.samples} samples in its loss", "corruption": f"noise of std {config.corruption:g}"}
    return [text for name, text in said.items() if name in kind.SETTINGS]


def headline(story: RunReport, kind: type[Family]) -> list[Part]:
    """The terms over the test images, and −ELBO where there is one: as their sum, or beside them. Empty before any."""
    final, shot = story.final, story.snapshot
    if final is not None:
        values, errors = final, final.get("errors") or {}
    elif shot is not None:
        values, errors = {**shot.terms, "neg_elbo": shot.neg_elbo}, {}
    else:
        return []
    names = list(kind.TERMS)
    parts = [
        Part(
            colour_name(name, names),
            term_name(name),
            with_error(values[name], errors.get(name)),
            kind.UNITS.get(name, ""),
        )
        for name in names
    ]
    if values.get("neg_elbo") is None:
        return parts
    label = "−ELBO given the label" if kind.has.labels else "−ELBO"
    total = Part("total", label, with_error(values["neg_elbo"], errors.get("neg_elbo")))
    if not kind.has.bound:
        return [*parts, total]
    signs = ["=", *["+"] * (len(parts) - 1)]
    return [total, *(Part(p.css, p.label, p.value, p.unit, sign) for p, sign in zip(parts, signs, strict=True))]


def what_it_bounds(kind: type[Family]) -> str:
    """What the figures at the head are to log p(x), where that is not the sum of two terms that everybody knows."""
    if kind.has.labels:
        return "This −ELBO is an upper bound on −log p(x | y), not on −log p(x)."
    if kind.has.tighter:
        return (
            "Minimised was −L_K, an upper bound on −log p(x) as −ELBO is, and in the mean the tighter one. It is no "
            "sum of a reconstruction and a KL."
        )
    if kind.has.bound:
        return ""
    nothing = "Nothing here is a bound on log p(x), so there is no ELBO."
    units = dict.fromkeys(kind.UNITS.values())
    return (
        f"{nothing} {' and '.join(units).capitalize()}: numbers that the training weighs, no nats."
        if units
        else nothing
    )


def drawn(config: RunConfig, kind: type[Family]) -> str:
    """How many samples of z the figures take: "K = 1"; "" where nothing is drawn."""
    if "samples" in kind.SETTINGS:
        return f"−ELBO: K = 1, −L_K: K = {config.samples}"
    return "K = 1" if kind.has.sampled else ""


def shown_draws(kind: type[Family]) -> str:
    """What is to be known of decoded draws from N(0, I)."""
    if not kind.has.prior:
        return "The decoder's picture at fixed draws z ~ N(0, I), which its training never asked for: it has no prior."
    label = " In a row one z, told each label in turn." if kind.has.labels else ""
    return f"The decoder's mean at fixed draws z ~ N(0, I).{label}"
