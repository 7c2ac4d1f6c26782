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
    errors = test.get("errors") or {}
    terms = {f"{label_of_term(term)} (nats)": with_error(test[term], errors.get(term)) for term in kind.TERMS}
    bound = {"−ELBO (nats)": with_error(test["neg_elbo"], errors.get("neg_elbo"))} if kind.has.bound else {}
    units = {"active units": f"{test['active_units']} of {card['config']['latent_dim']}"} if kind.has.codes else {}
    return {"bounds log p(x)": what_bounds(kind)} | bound | terms | units


def what_bounds(kind: type[Family]) -> str:
    """What of a family is a bound on log p(x)."""
    return "the ELBO, from below" if kind.has.bound else "nothing here"
