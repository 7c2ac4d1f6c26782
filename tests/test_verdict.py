"""The named states of an arm by its figures: by cause, and in the same order as the live page's words."""

from dataclasses import replace

import numpy as np
import pytest

from tests.test_metrics_table import DEAD, GOOD, LOOSE, PLAIN, SAME
from vae_core.config import LiveSettings
from vae_core.inspect.snapshot import Snapshot
from vae_core.metrics.definitions import Metrics
from vae_core.metrics.diagnosis import SAME_PICTURE, diagnose
from vae_core.metrics.verdict import MEANINGS, collapse_of


def test_four_causes_four_names_each_with_its_number() -> None:
    found = {
        "no reconstruction": collapse_of(SAME, LiveSettings(0, 1), False),
        "beta 32": collapse_of(SAME, LiveSettings(1, 32), True),
        "no KL": collapse_of(LOOSE, LiveSettings(1, 0), True),
        "collapsed": collapse_of(DEAD, LiveSettings(1, 1), True),
    }
    assert len({d.name for d in found.values()}) == 4 and {d.name for d in found.values()} <= set(MEANINGS)
    assert (
        "0.17 of full scale" in found["no reconstruction"].sentence and "KL 0.01" in found["no reconstruction"].sentence
    )
    assert "0.004" in found["beta 32"].sentence and "one mean image" in found["beta 32"].sentence
    assert "0.008" in found["no KL"].sentence and "5.9" in found["no KL"].sentence and "34%" in found["no KL"].sentence
    assert "0 of 2 units active" in found["collapsed"].sentence


@pytest.mark.parametrize(
    ("metrics", "alpha", "beta", "name"),
    [
        (GOOD, 1, 1, "balanced"),
        (GOOD, 1, 0, "between"),  # the KL has only just been switched off
        (GOOD, 0, 1, "between"),  # the reconstruction likewise
        (DEAD, 0, 1, "reconstruction off"),
        (SAME, 0, 32, "reconstruction off"),  # no beta is to blame
        (SAME, 10, 2, "posterior collapse"),  # nor one that is small beside alpha
        (SAME, 1, 0, "posterior collapse"),
        (replace(SAME, kl=1.8), 1, 1, "encoder ignores x"),  # at a learning rate of 0.1
        (replace(SAME, kl=1.8), 1, 32, "encoder ignores x"),  # a large beta would have made the KL small
        (replace(SAME, kl=1.8), 0, 1, "reconstruction off"),
        (PLAIN, 1, 0, "autoencoder-like"),
        (replace(PLAIN, active_dims=(False, False)), 1, 0, "between"),  # no posterior, so none that collapses
        (LOOSE, 1, 0, "autoencoder-like"),
        (replace(LOOSE, mean_std=0.11), 1, 0, "between"),
        (replace(LOOSE, prior_gap=0.9), 1, 0, "between"),
        (replace(LOOSE, outside=0.3), 1, 0.1, "between"),
        (replace(GOOD, outside=0.6), 1, 0.1, "between"),
        (replace(GOOD, kl=2.29), 1, 16, "between"),
        (replace(GOOD, kl=2.31), 1, 16, "balanced"),
        (replace(GOOD, variety=0.02), 1, 16, "over-regularised"),
        (replace(GOOD, variety=0.02), 1, 1, "between"),  # early in training: no large beta to blame
        (SAME, 1, 1, "posterior collapse"),
    ],
)
def test_names_by_their_figures(metrics: Metrics, alpha: float, beta: float, name: str) -> None:
    assert collapse_of(metrics, LiveSettings(alpha, beta), True).name == name


AGREE = {
    "decoder never trained": {"decoder never trained"},
    "posterior collapse": {"posterior collapse", "over-regularised"},
    "encoder ignores x": {"encoder ignores x"},
    "reconstruction off": {"reconstruction off", "between"},
    "encoder frozen": {"encoder frozen"},
    "KL off": {"autoencoder-like", "between"},
    "mean image": {"over-regularised", "between"},
    "weak KL": {"between"},
    "learning": {"balanced", "between"},
}


@pytest.mark.parametrize("trained", [True, False])
@pytest.mark.parametrize("frozen", ["none", "encoder"])
@pytest.mark.parametrize(("alpha", "beta"), [(1, 1), (1, 0), (0, 1), (0, 32), (1, 32), (1, 0.1)])
@pytest.mark.parametrize("metrics", [GOOD, DEAD, SAME, replace(SAME, kl=1.8), LOOSE, replace(GOOD, variety=0.004)])
def test_the_live_page_says_nothing_else(
    metrics: Metrics, alpha: float, beta: float, frozen: str, trained: bool, snapshot_of_new_model: Snapshot
) -> None:
    draws = np.zeros((40, 28, 28), np.uint8)
    draws[::2] = 100 if metrics.variety > SAME_PICTURE else 1
    seen = replace(
        snapshot_of_new_model,
        step=500,
        terms={**snapshot_of_new_model.terms, "kl": metrics.kl},
        mean_std=metrics.mean_std,
        active=np.array(metrics.active_dims),
        prior_draws=draws,
    )
    settings = LiveSettings(alpha, beta, frozen=frozen)
    live, here = diagnose(seen, settings, trained), collapse_of(metrics, settings, trained)
    assert here.name in AGREE[live.name]
    if live.name == "posterior collapse":
        assert "collapse" in here.name + here.sentence  # the live page's word is there too
    elif metrics.active == 0:
        assert here.name == live.name  # and here the very name of the cause


def test_little_in_a_draw_is_no_collapse_where_mu_tells_the_digits_apart() -> None:
    """The mean decoded in place of a draw: 58% of the nearest codes have the same label at a KL below ln 10."""
    low, high = (collapse_of(replace(GOOD, kl=1.9, neighbours=n), LiveSettings(), True) for n in (0.3, 0.58))
    assert low.name == high.name == "between" and "1.90 nats" in high.sentence
    assert "towards a posterior collapse" in low.sentence and "collapse" not in high.sentence
    assert "58%" in high.sentence
