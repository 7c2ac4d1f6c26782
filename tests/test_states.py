"""The named states: each rule at its edge, the order of the rules, and the one text of each name."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.test_metrics_table import DEAD, GOOD, LOOSE, SAME
from vae_core.config import LiveSettings, RunConfig
from vae_core.data import Images, prepare
from vae_core.inspect.snapshot import Snapshot, take_snapshot
from vae_core.metrics.definitions import Metrics
from vae_core.metrics.states import EXPLAINED, STATES, Diagnosis, Figures, decoder_trained, diagnose, name_state
from vae_core.metrics.states.case import BEGINNING, FAR_FROM_PRIOR, FAR_OUT, SAME_PICTURE, WORSE
from vae_core.trainer import Mark, Trainer

BOTH, NO_RECON, NO_KL, FROZEN = (
    LiveSettings(1, 1),
    LiveSettings(0, 1),
    LiveSettings(1, 0),
    LiveSettings(frozen="encoder"),
)
HEALTHY = Figures(
    step=500,
    terms={"nll": 150.25, "kl": 6.5},
    neg_elbo=156.75,
    active=(True, True, True),
    mean_std=0.321,
    spread=1.0,
    outside=0.1,
    variety=0.09,
    deviance=0.6,
)
HALF = np.zeros((40, 28, 28), np.uint8)
HALF[::2] = 255  # every other draw white: a std of half of full scale


def with_(figures: Figures = HEALTHY, kl: float | None = None, **changes: Any) -> Figures:
    return replace(figures, **changes | ({} if kl is None else {"terms": {**figures.terms, "kl": kl}}))


COLLAPSED = with_(kl=0.04, active=(False,) * 3)
GREY = with_(variety=0.0)


def named(figures: Figures, settings: LiveSettings = BOTH, trained: bool = True) -> str:
    return name_state(figures, settings, trained).name


def said(figures: Figures, settings: LiveSettings = BOTH, trained: bool = True) -> str:
    return name_state(figures, settings, trained).sentence


def test_before_the_first_step_it_is_said_to_be_untrained() -> None:
    """Its codes lie at one place, as in a collapse, and nothing has collapsed."""
    for settings in (BOTH, NO_KL):
        assert said(with_(COLLAPSED, step=0), settings).startswith("Untrained: ")
    assert "Untrained" not in said(with_(COLLAPSED, step=1))


def test_a_run_that_learns() -> None:
    assert name_state(HEALTHY, BOTH, True) == Diagnosis("learning", "−ELBO 156.8 nats, 3 of 3 units active.")


def test_some_latents_of_many_in_use_is_no_alarm() -> None:
    twenty = with_(active=(True, False) * 10)
    assert name_state(twenty, BOTH, True) == Diagnosis("partial collapse", "−ELBO 156.8 nats, 10 of 20 latents in use.")
    assert named(with_(twenty, step=199)) == "learning"  # perhaps not yet in use
    assert named(with_(twenty, outside=0.3)) == "weak KL"
    assert "no fault" in EXPLAINED["partial collapse"]


def test_at_the_beginning_nothing_is_said() -> None:
    assert said(with_(COLLAPSED, step=BEGINNING - 1), NO_RECON, False).startswith("39 steps")
    assert named(with_(step=BEGINNING)) == "learning"
    for figures, later in ((GREY, "mean image"), (COLLAPSED, "posterior collapse")):
        for step, name in ((60, "beginning"), (199, "beginning"), (200, later)):
            assert named(with_(figures, step=step)) == name


def test_what_is_switched_off_needs_no_two_hundred_steps() -> None:
    early = with_(COLLAPSED, step=60)
    assert named(early, NO_RECON) == "reconstruction off" and named(early, FROZEN) == "encoder frozen"
    assert named(early, BOTH, False) == "decoder never trained" and named(with_(GREY, step=60), NO_KL) == "KL off"


def test_a_collapse_to_one_mean_image_and_its_cause() -> None:
    dead = with_(COLLAPSED, variety=0.0)
    assert said(dead) == "0 of 3 units active, KL 0.04 nats: one mean image for all."
    assert said(dead, LiveSettings(1, 32)).startswith("Beta 32 has closed every unit (0 of 3 units active, KL 0.04")
    assert said(dead, LiveSettings(1 / 784, 1)).startswith("Beta, 784 times alpha, has closed every unit")
    assert "eta" not in said(dead, LiveSettings(10, 2)) and "eta" not in said(dead, NO_KL)  # small beside alpha
    assert "mean image" not in said(COLLAPSED) and named(COLLAPSED) == "posterior collapse"


@pytest.mark.parametrize("beta", [0.5, 1.0, 32.0])
def test_without_reconstruction_no_beta_is_blamed(beta: float) -> None:
    for figures in (HEALTHY, COLLAPSED, with_(COLLAPSED, variety=0.0), with_(COLLAPSED, kl=1.8)):
        found = name_state(figures, replace(NO_RECON, beta=beta), True)
        assert found.name == "reconstruction off" and f"{figures.in_use} of 3 units active" in found.sentence
        assert "switch the reconstruction on" in found.sentence
        assert "beta" not in found.sentence and "collapse" not in found.sentence


def test_a_frozen_encoder_is_the_cause_whatever_it_keeps() -> None:
    assert named(COLLAPSED, FROZEN) == named(HEALTHY, FROZEN) == named(GREY, FROZEN) == "encoder frozen"
    assert named(with_(COLLAPSED, kl=1.8), FROZEN) == named(COLLAPSED, replace(NO_KL, frozen="encoder"))
    assert said(COLLAPSED, FROZEN) == "The encoder stands still, and 0 of 3 units active, KL 0.04 nats."
    assert named(COLLAPSED, replace(BOTH, frozen="decoder")) == "posterior collapse"


def test_a_q_that_is_one_gaussian_away_from_the_prior_is_no_posterior_collapse() -> None:
    assert named(with_(COLLAPSED, kl=FAR_FROM_PRIOR - 0.01)) == "posterior collapse"
    found = name_state(with_(COLLAPSED, kl=1.8), LiveSettings(1, 32), True)
    assert found.name == "encoder ignores x" and "0 of 3 units active, KL 1.80 nats" in found.sentence
    assert "eta" not in found.sentence  # a large beta would have made the KL small


def test_worse_than_the_mean_image_is_diverged() -> None:
    """A Gaussian run that ended at 442,616 nats, where one mean image for all has some 260,000."""
    black = with_(COLLAPSED, terms={"nll": 442_616.0, "kl": 0.06}, deviance=1.69)
    found = name_state(black, BOTH, True)
    assert found.name == "diverged" and "442,616 nats, 1.7 times" in found.sentence
    assert named(with_(black, deviance=WORSE - 0.01)) == "posterior collapse"
    assert named(with_(black, step=100)) == "beginning" and named(black, NO_RECON) == "reconstruction off"
    assert named(black, BOTH, False) == "decoder never trained" and named(black, FROZEN) == "encoder frozen"


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_no_number_is_diverged_and_so_is_what_the_trainer_stopped(number: float) -> None:
    for broken in (with_(kl=number), with_(mean_std=number), with_(variety=number)):
        assert named(broken) == named(broken, NO_RECON, False) == "diverged"
    found = name_state(with_(step=7), BOTH, True, diverged=True)
    assert found.name == "diverged" and "of step 7" in found.sentence


def test_kl_switched_off() -> None:
    found = name_state(with_(spread=7.0), NO_KL, True)
    assert found.name == "KL off" and "a std of 7.0" in found.sentence and ": towards" in found.sentence
    for just in (with_(spread=0.2), with_(spread=7.0, mean_std=0.9)):
        assert "not yet towards a plain autoencoder" in said(just, NO_KL)


def test_edges_of_the_other_rules() -> None:
    assert named(with_(outside=FAR_OUT + 0.01)) == "weak KL" and named(with_(outside=FAR_OUT - 0.01)) == "learning"
    assert "52% of the codes" in said(with_(outside=0.52), LiveSettings(1, 0.001))
    assert "beta 0.001" in said(with_(outside=0.52), LiveSettings(1, 0.001))
    assert (
        named(with_(variety=SAME_PICTURE - 1e-4)) == "mean image" and named(with_(variety=SAME_PICTURE)) == "learning"
    )


def test_models_without_a_bound() -> None:
    plain = with_(terms={"nll": 150.0}, neg_elbo=None, mean_std=None)
    found = name_state(with_(plain, spread=5.9, outside=0.54), NO_KL, True)
    assert found.name == "plain autoencoder" and "5.9, 54% outside" in found.sentence
    assert named(with_(plain, active=(False,) * 3)) == "encoder ignores x"  # no posterior, so none that collapses
    others = with_(plain, terms={"nll": 90.0, "kl": 25.0})
    assert named(others) == named(with_(others, active=())) == "training" and "KL 25.00 nats" in said(others)


def test_the_most_serious_comes_first() -> None:
    assert named(COLLAPSED, NO_RECON, False) == "decoder never trained"
    assert "Codes collapsed (0 of 3 units active, KL 0.04 nats)" in said(COLLAPSED, NO_RECON, False)
    assert "collapsed" not in said(HEALTHY, NO_RECON, False) + said(COLLAPSED, BOTH, False)
    own = replace(COLLAPSED, terms={**COLLAPSED.terms, "tc": 2.0})
    assert "only the KL" not in said(own, NO_RECON, False)  # a term of the family's own is left as well
    assert named(COLLAPSED, NO_KL) == "posterior collapse" and named(GREY, NO_KL) == "KL off"


# ---- both sources


@pytest.mark.parametrize("settings", [BOTH, NO_KL, NO_RECON, LiveSettings(0, 32), LiveSettings(1, 32), FROZEN])
@pytest.mark.parametrize("metrics", [GOOD, DEAD, SAME, replace(SAME, kl=1.8), LOOSE, replace(GOOD, variety=0.004)])
def test_a_snapshot_and_the_metrics_say_the_same(
    metrics: Metrics, settings: LiveSettings, snapshot_of_new_model: Snapshot
) -> None:
    draws = np.zeros((40, 28, 28), np.uint8)
    draws[::2] = round(2 * 255 * metrics.variety)
    seen = replace(
        snapshot_of_new_model,
        step=500,
        terms={"nll": 150.0, "kl": metrics.kl or 0.0},
        mean_std=metrics.mean_std,
        active=np.array(metrics.active_dims),
        spread=metrics.spread,
        outside=metrics.outside,
        prior_draws=draws,
    )
    measured = replace(seen, metrics=metrics.to_dict(), prior_draws=HALF, active=np.ones(2, bool), outside=0.0)
    assert diagnose(seen, settings, True).name == diagnose(measured, settings, True).name


@pytest.mark.parametrize(
    ("config", "name"),
    [({}, "learning"), ({"alpha": 0.0}, "decoder never trained"), ({"model": "ae"}, "plain autoencoder")],
)
def test_a_real_run_is_told_by_its_name_and_its_own_figures(config: dict[str, Any], name: str, small: Images) -> None:
    trainer = Trainer(RunConfig(device="cpu", epochs=50, **config), small)
    for _ in range(150):
        trainer.step()
    seen = take_snapshot(trainer, measured=True)
    trained = decoder_trained(trainer.config, trainer.marks, trainer.step_count)
    found = [diagnose(s, trainer.settings, trained) for s in (seen, replace(seen, metrics=None))]
    assert [one.name for one in found] == [name, name]
    shown = {"learning": seen.neg_elbo, "decoder never trained": seen.terms.get("kl"), "plain autoencoder": seen.spread}
    assert all(f"{shown[name]:.{2 if name.startswith('dec') else 1}f}" in one.sentence for one in found)


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian", "gaussian-learned"])
def test_the_deviance_of_the_mean_image_is_one_and_that_of_a_copy_nothing(likelihood: str, small: Images) -> None:
    """Against torch.distributions; grey pixels as Bernoulli count their own entropy in."""
    trainer = Trainer(RunConfig(device="cpu", likelihood=likelihood, sigma=0.2), small)
    s = take_snapshot(trainer)
    x = prepare(small.x_test, "grey", torch.Generator())
    for shown, found in ((x, s.nll_copy), (x.mean(0, keepdim=True).expand_as(x), s.nll_mean_image)):
        p: torch.distributions.Distribution
        if likelihood == "bernoulli":
            p = torch.distributions.Bernoulli(shown.clamp(1e-6, 1 - 1e-6), validate_args=False)
        else:
            p = torch.distributions.Normal(shown, s.sigma)
        wanted = -p.log_prob(x).sum((1, 2, 3)).mean().item()
        assert found == pytest.approx(wanted, rel=1e-4)
        assert Figures.of(replace(s, terms={"nll": wanted, "kl": 0.0})).deviance == pytest.approx(
            0.0 if shown is x else 1.0, abs=1e-3
        )


def test_whether_the_decoder_was_ever_trained() -> None:
    base = RunConfig(device="cpu")
    off, on = LiveSettings(0, 1), LiveSettings(1, 1)
    for config, marks, step, trained in (
        (base, [], 0, False),
        (base, [], 1, True),
        (base.with_(alpha=0.0), [], 100, False),
        (base.with_(alpha=0.0), [Mark(50, "", on)], 50, False),
        (base.with_(alpha=0.0), [Mark(50, "", on)], 51, True),
        (base, [Mark(0, "", off)], 100, False),
        (base, [Mark(10, "", off)], 100, True),
        (base.with_(frozen="decoder"), [], 100, False),
    ):
        assert decoder_trained(config, marks, step) == trained, (config.alpha, marks, step)


# ---- the texts


def test_each_state_has_one_text_and_a_section_to_read_on() -> None:
    from pages.elbo.settings import SECTIONS
    from pages.training.names import READ_ON

    names = [state.name for state in STATES]
    assert len(set(names)) == len(names) and set(names) == set(EXPLAINED) == set(READ_ON)
    assert {address.partition("section=")[2] for address, _ in READ_ON.values()} <= set(SECTIONS)
    assert all(state.means for state in STATES)
    assert {other for state in STATES for other in state.unlike} <= set(names)
    assert all(by.endswith(".") and by in EXPLAINED[state.name] for state in STATES for by in state.unlike.values())


def test_a_cure_names_what_did_it() -> None:
    """The explanation of a collapse is read at any beta: at 1 or less another setting did it."""
    assert "Where beta is large, try a smaller one" in EXPLAINED["posterior collapse"]
    assert "learning rate" in EXPLAINED["encoder ignores x"] and "learning rate" not in EXPLAINED["posterior collapse"]
    assert "Switch the reconstruction on" in EXPLAINED["reconstruction off"]
