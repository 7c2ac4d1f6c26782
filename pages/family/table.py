"""The figures of several models in one table; what a family has not is a dash."""

from typing import Any

import pandas as pd

from pages.ui.shipped import cards, title_of
from pages.ui.terms import label_of_term
from vae_core.digits import with_error
from vae_core.models import family
from vae_core.models.base import Family

NONE = "–"


def figures_table(names: list[str]) -> pd.DataFrame:
    """A row for each model: its terms over the test images, nats per image, and what bounds log p(x)."""
    rows = {title_of(name): _row(cards()[name]) for name in names}
    return pd.DataFrame(rows).T.fillna(NONE)


def _row(card: dict[str, Any]) -> dict[str, str]:
    kind, test = family(card["config"]["model"]), card["test"]
    errors, found = test.get("errors") or {}, {"bounds log p(x)": what_bounds(kind, "prior" in card)}
    if kind.has_elbo():
        found["−ELBO (nats)"] = with_error(test["neg_elbo"], errors.get("neg_elbo"))
    for term in kind.TERMS:
        found[f"{label_of_term(term)} ({kind.UNITS.get(term, 'nats')})"] = with_error(test[term], errors.get(term))
    if "prior" in card:
        found["with the prior, at most (nats)"] = f"{card['prior']['test']['neg_log_p_at_most']:.1f}"
    if kind.has.codes:
        found["active units"] = f"{test['active_units']} of {card['config']['latent_dim']}"
    if kind.has.code_map:
        found["codes in use"] = f"{test['used']} of {card['config']['codebook_size']}"
    return found


def what_bounds(kind: type[Family], has_prior: bool) -> str:
    """What of a model bounds log p(x), from below. has_prior: whether it has a learned prior over codes."""
    if kind.has.labels:
        return "the ELBO, on log p(x | y)"
    if kind.has.tighter:
        return "L_K, and the ELBO below it"
    if kind.has.bound:
        return "the ELBO"
    return "nll and the prior's nats" if has_prior else "nothing here"
