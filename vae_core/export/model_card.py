"""The command line: `python -m vae_core.export.model_card DIR` prints a model card in Markdown (Mitchell et al. 2019).

All that it says stands on card.json: what the model is, on what it was trained and tested, its figures with their
errors and numbers of samples, what they bound and what they do not, and how it is made again.
"""

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from vae_core.cards import HELP, read_whole_card
from vae_core.checkpoints import CARD, CheckpointError, write_files
from vae_core.config import RunConfig, term_name
from vae_core.console import OneLineParser, accept_all_letters, folder_name, say
from vae_core.digits import with_error
from vae_core.export.telling import LIKELIHOODS
from vae_core.export.templating import fill_markdown
from vae_core.models import family
from vae_core.models.base import Family

_PROTOCOLS = {
    "grey": "grey values in [0, 1] as they are",
    "dynamic": "black and white, drawn anew each time with the grey value as the probability of white",
    "static": "black and white, drawn once with the grey value as the probability of white",
    "threshold": "black and white, white where the grey value is above 0.5",
}
Row = tuple[str, str, str, str]  # figure, value, K, images


def main(arguments: list[str] | None = None) -> int:
    """Print the card, or write it; returns the exit status, 2 for bad input."""
    accept_all_letters()
    options = parser().parse_args(arguments)
    try:
        text = model_card(read_whole_card(options.checkpoint / CARD))
        if options.out is not None:
            write_files(options.out.parent, {options.out.name: text.encode()})
    except CheckpointError as error:
        say(f"error: {error}", error=True)
        return 2
    say(text if options.out is None else f"wrote {options.out}")
    return 0


def parser() -> argparse.ArgumentParser:
    result = OneLineParser(prog="python -m vae_core.export.model_card", description="A model card in Markdown.")
    result.add_argument("checkpoint", type=folder_name, metavar="DIR", help="folder with card.json")
    result.add_argument("--out", type=folder_name, metavar="FILE", help="in place of printing it")
    return result


def model_card(card: dict[str, Any]) -> str:
    """The card of a model as Markdown.

    Args:
        card: as cards.make_card or bundle.card_of gives it; "test" may be None, and then there are no figures.
    """
    config = RunConfig.from_dict(card["config"])
    kind, test = family(config.model), card.get("test")
    return fill_markdown(
        "model_card.md",
        card=card,
        config=config,
        kind=kind,
        test=test,
        rows=list(_figures(test, kind)) if test else [],
        settings=[(name, value, HELP[name]) for name, value in config.to_dict().items()],
        protocol=_PROTOCOLS.get(config.protocol, config.protocol),
        likelihood=LIKELIHOODS.get(config.likelihood, config.likelihood),
        command=" ".join(card["command"].split()),
    )


def _figures(test: dict[str, Any], kind: type[Family]) -> Iterator[Row]:
    """Figures in nats per image, ± their standard errors over the images; what the model has not is left out."""
    errors, everything = test.get("errors") or {}, f"{test['images']:,}"
    notes = {"nll": ", nll"} | {term: f", {unit}" for term, unit in kind.UNITS.items()}
    named = [("−ELBO", "neg_elbo"), *((term_name(term) + notes.get(term, ""), term) for term in kind.TERMS)]
    for label, name in named:
        if test.get(name) is not None:
            yield label, with_error(test[name], errors.get(name)), str(test["samples"]), everything
    if test.get("neg_iw_bound") is not None:
        some = f"first {test['iw_images']:,}"
        bound = with_error(test["neg_iw_bound"], errors.get("neg_iw_bound"))
        yield "−importance-weighted bound", bound, str(test["iw_samples"]), some
        yield "−ELBO of the same images", with_error(test["iw_neg_elbo"], None), "1", some


if __name__ == "__main__":
    sys.exit(main())
