"""Models of images whose factors are known: what moves along each latent, what the KL is made of, and the gap."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
import torch

from pages.ui.once import computed_once
from pages.ui.shipped import CHECKPOINTS, cards, checkpoint, title_of
from pages.ui.terms import label_of_term
from vae_core.checkpoints import CheckpointError, read_card
from vae_core.config import RunConfig
from vae_core.data import Images, load
from vae_core.data.sets import declared
from vae_core.digits import with_error
from vae_core.evaluate import evaluating
from vae_core.export.pictures import data_uri
from vae_core.inspect.snapshot import to_uint8
from vae_core.latent import prior_quantiles
from vae_core.metrics.factors import BINS, NEIGHBOURS, Gap
from vae_core.metrics.judged import Judged, can_be_judged, judge
from vae_core.models import family

SEEDS_FILE = CHECKPOINTS / "bench" / "circles.json"
STEPS = 10  # pictures along a latent, at equal shares of the prior
LEAST = 0.1  # nats: a latent that says less of every factor has none
EVALUATORS = {
    "bins": f"{BINS} bins of a sample of z",
    "neighbours": f"{NEIGHBOURS} nearest neighbours of mu",
}
_ROW = "display:grid;grid-template-columns:max-content 1fr;gap:2px 0.75rem;align-items:center;white-space:nowrap"


def images_of(name: str) -> Images:
    return load(cards()[name]["config"]["dataset"], torch.device("cpu"))


def has_factors(name: str) -> bool:
    """Whether it is known what a shipped model's images were drawn from, and each latent can be held to that."""
    config = cards()[name]["config"]
    return can_be_judged(family(config["model"]), declared(config["dataset"]).factors)


@computed_once(None)
def judged(name: str) -> Judged:
    """A shipped model over all its test images; a second or two, once a server."""
    shipped = checkpoint(name)
    return judge(shipped.model, images_of(name), shipped.config)


def order_of(found: Gap) -> list[tuple[int, int | None]]:
    """Each latent with the factor it says most of, in the order of the factors; last those that say nothing."""
    best = [(int(row.argmax()) if row.max() >= LEAST else None) for row in found.information]
    by_factor = [(j, f) for j, f in enumerate(best) if f is not None]
    by_factor.sort(key=lambda pair: (pair[1], -found.information[pair]))
    return [*by_factor, *((j, None) for j, f in enumerate(best) if f is None)]


@computed_once(None)
def traversals(name: str) -> str:
    """A row for each latent: moved through the prior, the others at 0."""
    model, names, found = checkpoint(name).model, images_of(name).factor_names, judged(name).bins
    rows = []
    for j, factor in order_of(found):
        label = "–" if factor is None else f"<b>{names[factor]}</b> {found.information[j, factor]:.2f}"
        said = "nothing" if factor is None else names[factor]
        picture = data_uri(np.concatenate(list(moved(model, j)), axis=1))
        rows.append(
            f'<span>z<sub>{j + 1}</sub> {label}</span><img alt="z{j + 1} moves {said}" src="{picture}" '
            'style="width:100%;image-rendering:pixelated">'
        )
    return f'<div style="{_ROW}">{"".join(rows)}</div>'


def moved(model: Any, latent: int) -> np.ndarray:
    """(STEPS, 28, 28) uint8 along a latent, from low to high."""
    z = torch.zeros(STEPS, model.latent_dim)
    z[:, latent] = prior_quantiles(STEPS)
    with evaluating(model):
        return to_uint8(model.mean_image(model.given(0).decode(z)))


def parts_table(names: list[str]) -> pd.DataFrame:
    """A row for each model: the parts of its KL, their sum, and how far that is from the KL; nats per image."""
    rows = {}
    for name in names:
        parts = judged(name).parts
        found = {label_of_term(part): with_error(value, parts.errors[part]) for part, value in parts.means.items()}
        found |= {"sum": f"{parts.kl + parts.rest:.2f}", "KL": f"{parts.kl:.2f}"}
        rows[title_of(name)] = found | {"sum − KL": with_error(parts.rest, parts.rest_error)}
    return pd.DataFrame(rows).T


def gap_table(names: list[str]) -> pd.DataFrame:
    """Two rows for each model, one an evaluator: the gap of each factor, their mean, and that of other seeds."""
    rows = {}
    for name in names:
        found, seeds = judged(name), seeds_of(name)
        for key, title in EVALUATORS.items():
            gap: Gap = getattr(found, key)
            of_factors = zip(images_of(name).factor_names, gap.of_factors, strict=True)
            row = {factor: f"{value:.2f}" for factor, value in of_factors} | {"MIG": f"{gap.mig:.2f}"}
            row |= {f"seed {one['seed']}": f"{one[key]['mig']:.2f}" for one in (seeds or {}).get("rows", [])}
            rows[f"{title_of(name)}: {title}"] = row
    return pd.DataFrame(rows).T.fillna("–")


def seeds_of(name: str) -> dict[str, Any] | None:
    """What the bench has of a model's settings with several seeds; None where it has nothing."""
    wanted = RunConfig.from_dict(cards()[name]["config"]).with_(seed=0, device="cpu")
    return next((trial for trial in trials() if RunConfig.from_dict(trial["config"]) == wanted), None)


def trials() -> list[dict[str, Any]]:
    """All that `python -m tests.bench.circles` has tried; none where its file cannot be read."""
    try:
        return list(read_card(SEEDS_FILE)["trials"])
    except (CheckpointError, KeyError):
        return []


def factor_tables(names: list[str]) -> None:
    """Of models for which `has_factors`."""
    st.header("The KL in three parts", anchor=False)
    st.table(parts_table(names))
    first = judged(names[0]).parts
    st.caption(
        f"Nats per image, over {first.images:,} test images, one sample of z each; q(z) is the mean posterior of all "
        f"{len(images_of(names[0]).x_test):,}."
    )
    st.header("Mutual information gap", anchor=False)
    st.table(gap_table(names))
    commands = [f"`{found['command']}`" for name in names if (found := seeds_of(name)) is not None]
    st.caption(
        "The score depends on who evaluates: bins of samples count the noise of q, neighbours of means do not see it. "
        + (f"Seeds: {' and '.join(commands)}." if commands else "")
    )
