"""The table of metrics: what each says, who is best, and what real arms get of it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.oracles.ranking import best_and_worst
from vae_core.config import LiveSettings, RunConfig
from vae_core.data import Images
from vae_core.metrics.definitions import METRICS, Metrics
from vae_core.metrics.diagnosis import SAME_PICTURE
from vae_core.metrics.measure import measure
from vae_core.metrics.verdict import collapse_of
from vae_core.trainer import Trainer

GOOD = Metrics(
    kl=5.5,
    kl_dims=(3.0, 2.5),
    active_dims=(True, True),
    mean_std=0.1,
    spread=1.3,
    outside=0.13,
    prior_gap=0.4,
    holes=0.01,
    neighbours=0.55,
    draw_fidelity=0.17,
    draw_coverage=0.2,
    draw_gap=0.04,
    variety=0.09,
)
DEAD = replace(GOOD, kl=0.01, active_dims=(False, False), mean_std=1.0, spread=0.0, outside=0.0, prior_gap=0.02)
SAME = replace(DEAD, variety=0.004)
LOOSE = replace(GOOD, kl=51.0, mean_std=0.008, spread=5.9, outside=0.54, prior_gap=5.6, holes=0.34, draw_gap=0.06)
PLAIN = replace(LOOSE, kl=None, kl_dims=None, mean_std=None, holes=None)


def test_a_meter_travels_as_json() -> None:
    for one in (GOOD, PLAIN):
        values = json.loads(json.dumps(one.to_dict()))
        assert {f.key for f in METRICS} <= set(values) and values["active"] == 2
        del values["active"]
        assert Metrics(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}) == one


def test_every_figure_says_what_it_is_and_why() -> None:
    assert len({f.key for f in METRICS}) == len(METRICS) and {f.better for f in METRICS} == {None, "low", "high"}
    assert all(f.says.endswith(".") and f.why.endswith(".") and f.label and f.unit for f in METRICS)
    shown = {f.key: f.text(GOOD) for f in METRICS}
    assert (shown["outside"], shown["active"], shown["mean_std"], shown["kl"]) == ("13.0%", "2", "0.100", "5.5")


def test_the_ends_of_each_figure() -> None:
    ranks = best_and_worst({"full": GOOD, "no KL": LOOSE, "ae": PLAIN, "beta 32": SAME})
    assert ranks["prior_gap"].best == ("full",) and ranks["prior_gap"].worst == ("no KL", "ae")  # not the dead one
    assert ranks["outside"].best == ("full",)
    assert ranks["holes"].best == ("full",) and ranks["holes"].worst == ("no KL",)  # ae has none
    assert ranks["draw_gap"].best == ("full", "beta 32")
    assert ranks["neighbours"].best == () == ranks["neighbours"].worst  # all equal
    for key in ("kl", "active", "mean_std", "spread", "draw_fidelity", "variety"):
        assert ranks[key].best == () == ranks[key].worst


def test_high_is_best_where_it_should_be_and_what_looks_equal_is_equal() -> None:
    high = best_and_worst({"a": GOOD, "b": replace(GOOD, neighbours=0.6, draw_gap=0.0402)})
    assert high["neighbours"].best == ("b",) and high["neighbours"].worst == ("a",) and high["draw_gap"].best == ()


@pytest.mark.parametrize("arms", [{}, {"full": GOOD}, {"a": DEAD, "b": SAME}])
def test_nobody_to_rank(arms: dict[str, Metrics]) -> None:
    assert best_and_worst(arms)["prior_gap"].best == ()


# Real arms


@pytest.fixture(scope="module")
def arms(mnist: Images) -> dict[str, Metrics]:
    """The arms of the page, 150 steps each, at two latents."""
    changes: dict[str, dict[str, Any]] = {
        "full": {},
        "no KL": {"beta": 0.0},
        "no reconstruction": {"alpha": 0.0},
        "autoencoder": {"beta": 0.0, "model": "ae"},
        "beta 32": {"beta": 32.0},
    }
    measured = {}
    for name, change in changes.items():
        trainer = Trainer(RunConfig(device="cpu", epochs=2, **change), mnist)
        for _ in range(150):
            trainer.step()
        measured[name] = measure(trainer.model, mnist.x_test[::5], mnist.y_test[::5], "grey", 0)
    return measured


def test_each_arm_is_what_its_loss_makes_of_it(arms: dict[str, Metrics]) -> None:
    full, loose, none, large = (arms[name] for name in ("full", "no KL", "no reconstruction", "beta 32"))
    assert loose.mean_std and full.mean_std and loose.mean_std < full.mean_std / 5 and loose.spread > 2 * full.spread
    for dead in (none, large):
        assert dead.kl is not None and dead.kl < 0.05 and dead.active == 0
    assert large.variety < SAME_PICTURE < full.variety and none.draw_fidelity > 2 * large.draw_fidelity


def test_full_lies_closest_to_the_prior_and_draws_closest_to_images(arms: dict[str, Metrics]) -> None:
    ranks = best_and_worst(arms)
    for key in ("prior_gap", "outside", "holes", "draw_coverage", "draw_gap"):
        assert ranks[key].best == ("full",), key
    assert ranks["draw_gap"].worst == ("no reconstruction",)


def test_each_arm_gets_its_own_name(arms: dict[str, Metrics]) -> None:
    weights = {"full": (1, 1), "no KL": (1, 0), "no reconstruction": (0, 1), "autoencoder": (1, 0), "beta 32": (1, 32)}
    found = {
        name: collapse_of(arms[name], LiveSettings(alpha, beta), alpha > 0).name
        for name, (alpha, beta) in weights.items()
    }
    assert found == {
        "full": "balanced",
        "no KL": "autoencoder-like",
        "no reconstruction": "decoder never trained",
        "autoencoder": "autoencoder-like",
        "beta 32": "over-regularised",
    }
