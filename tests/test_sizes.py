"""Autoencoder against VAE over latent sizes: the shipped row, and what the page says of it."""

import itertools
import json
import shlex
from typing import Any

import pandas as pd
import pytest

from pages.ablation.sizes import FOLDER, NAMES, about, draws, figure, told
from pages.ui.shipped import ARMS, CHECKPOINTS
from vae_core import sizes
from vae_core.config import RunConfig
from vae_core.sizes import Sizes, read_sizes

MOST = 2_000_000  # bytes


@pytest.fixture(scope="module")
def found() -> Sizes:
    return read_sizes(FOLDER)


@pytest.fixture(scope="module")
def rows(found: Sizes) -> list[dict[str, Any]]:
    return found.record["rows"]


def made(**changes: Any) -> pd.DataFrame:
    """A row of two sizes and two seeds in which the autoencoder wins all but draws from N(0, I)."""
    common = {"active_units": 2, "nll": 101.0}
    models = {
        "ae": {"nll_at_mu": 90.0, "draw_gap": 0.3, "draw_gap_fitted": 0.1},
        "vae": {"nll_at_mu": 100.0, "draw_gap": 0.2, "draw_gap_fitted": 0.2},
    }
    keys = itertools.product((2, 16), (0, 1), models)
    table = [{"latent_dim": dim, "seed": seed, "model": name, **common, **models[name]} for dim, seed, name in keys]
    for where, value in changes.items():
        model, key, dim, seed = where.split("__")
        one = next(r for r in table if (r["model"], r["latent_dim"], r["seed"]) == (model, int(dim), int(seed)))
        one[key] = value
    return pd.DataFrame(table)


# ---- what ships


def test_it_is_small_and_its_command_makes_these_rows(found: Sizes, rows: list[dict[str, Any]]) -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MOST
    words = shlex.split(found.record["command"])
    options = sizes.parser().parse_args(words[3:])
    assert words[:3] == ["python", "-m", "vae_core.sizes"] and str(options.out) == "DIR"
    wanted = set(itertools.product(NAMES, options.latent_dims, options.seeds))
    assert {(row["model"], row["latent_dim"], row["seed"]) for row in rows} == wanted
    assert set(sizes.LATENT_DIMS) == set(options.latent_dims)
    config = RunConfig(epochs=options.epochs).to_dict()
    assert found.record["config"] == {name: config[name] for name in found.record["config"]}


@pytest.mark.parametrize(("name", "arm"), [("vae", ARMS[0]), ("ae", ARMS[3])])
def test_with_two_latents_it_reaches_what_the_arms_reached(name: str, arm: str, rows: list[dict[str, Any]]) -> None:
    """The same settings, trained by another command: see the cards of the arms."""
    card = json.loads((CHECKPOINTS / "arms" / arm / "card.json").read_text())
    (row,) = [r for r in rows if (r["model"], r["latent_dim"], r["seed"]) == (name, 2, 0)]
    shared = [key for key in ("nll", "kl", "neg_elbo") if key in row] or ["nll_at_mu"]
    assert [row[key] for key in shared] == pytest.approx([card["test"][key.removesuffix("_at_mu")] for key in shared])
    assert row["active_units"] == card["test"]["active_units"]


def test_a_sample_costs_more_than_its_mean_and_no_draw_is_nearer_than_real_images(
    found: Sizes, rows: list[dict[str, Any]]
) -> None:
    assert all(row["nll"] > row["nll_at_mu"] for row in rows if row["model"] == "vae")
    assert all(min(row["draw_gap"], row["draw_gap_fitted"]) > found.record["real_gap"] for row in rows)


def test_what_is_said_of_the_shipped_row_holds_in_it(rows: list[dict[str, Any]]) -> None:
    by_key = {(row["model"], row["latent_dim"], row["seed"]): row for row in rows}
    dims, seeds = sorted({row["latent_dim"] for row in rows}), sorted({row["seed"] for row in rows})

    def sizes(*, lower: tuple[str, str], higher: tuple[str, str]) -> str:
        held = [
            d for d in dims if all(by_key[lower[0], d, s][lower[1]] < by_key[higher[0], d, s][higher[1]] for s in seeds)
        ]
        only = " and ".join(", ".join(map(str, held)).rsplit(", ", 1))
        return "at every size" if held == dims else f"with {only} latents only" if held else "at no size"

    text = told(pd.DataFrame(rows))
    assert f"copies better {sizes(lower=('ae', 'nll_at_mu'), higher=('vae', 'nll_at_mu'))}." in text
    assert f"nearer to real images {sizes(lower=('vae', 'draw_gap'), higher=('ae', 'draw_gap'))}." in text
    assert f"from its prior {sizes(lower=('ae', 'draw_gap_fitted'), higher=('vae', 'draw_gap'))}." in text
    for dim in dims:
        used = sorted({by_key["vae", dim, seed]["active_units"] for seed in seeds})
        assert f" {used[0]} to {used[-1]} of {dim}" in text if len(used) > 1 else f" {used[0]} of {dim}" in text


# ---- what is drawn and said of any row


def test_the_figure_has_the_means_in_a_band_of_the_seeds() -> None:
    plot = figure(made(ae__nll_at_mu__16__1=92.0), 0.01, dark=False)
    lines = {trace.name: trace for trace in plot.data if trace.name}
    assert list(lines["autoencoder, z = mu"].y) == [90.0, 91.0]
    assert list(lines["VAE, a sample of z"].y) == [101.0, 101.0]
    assert list(lines["VAE, z ~ N(0, I)"].y) == [0.2, 0.2] and list(lines["real images"].y) == [0.01, 0.01]
    bands = [(list(trace.x), list(trace.y)) for trace in plot.data if trace.fill == "toself"]
    assert ([2, 16, 16, 2], [90.0, 92.0, 90.0, 90.0]) in bands and len(bands) == 7
    assert plot.layout.yaxis.title.text == "nll, nats per image"


def test_the_pictures_are_those_of_the_row(found: Sizes, rows: list[dict[str, Any]]) -> None:
    plot = draws(found.pictures, pd.DataFrame(rows), dark=True)
    assert len(plot.data) == 4 and all(trace.source.startswith("data:image/png") for trace in plot.data)
    assert list(plot.layout.yaxis.ticktext) == ["2", "4", "8", "16", "32"]


def test_a_sentence_holds_at_every_size_at_some_or_at_none() -> None:
    text = told(made())
    assert text.count("at every size") == 3 and text.endswith("Active units of the VAE: 2 of 2, 2 of 16.")
    text = told(made(ae__nll_at_mu__16__1=100.5, vae__active_units__16__1=5))
    assert "copies better with 2 latents only." in text and text.endswith("2 to 5 of 16.")
    both = {f"ae__draw_gap_fitted__{dim}__1": 0.25 for dim in (2, 16)}
    assert "from its prior at no size." in told(made(**both))


def test_it_says_where_it_comes_from(found: Sizes) -> None:
    text = about(found)
    assert found.record["command"] in text and f"{found.record['config']['epochs']} epochs" in text
    assert "10,000 test images" in text and "grey MNIST" in text
