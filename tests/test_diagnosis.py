"""The diagnosis of a snapshot: its name, and that the number in its sentence is the snapshot's."""

from dataclasses import replace

import numpy as np
import pytest

from vae_core.config import LiveSettings, RunConfig
from vae_core.data import Images
from vae_core.inspect.snapshot import Snapshot, take_snapshot
from vae_core.metrics.diagnosis import BEGINNING, EXPLAINED, FAR_FROM_PRIOR, SAME_PICTURE, Diagnosis, diagnose
from vae_core.trainer import Trainer

BOTH, NO_RECON, NO_KL = (LiveSettings(a, b) for a, b in ((1, 1), (0, 1), (1, 0)))
HALF = np.zeros((40, 28, 28), np.uint8)
HALF[::2] = 255  # every other draw white: a std of half of full scale


@pytest.fixture
def good(snapshot_of_new_model: Snapshot) -> Snapshot:
    """Trained well: three active units, pictures that differ."""
    return replace(
        snapshot_of_new_model,
        step=500,
        terms={"nll": 150.25, "kl": 6.5},
        mean_std=0.321,
        active=np.array([True, True, True]),
        prior_draws=HALF,
    )


def name_of(s: Snapshot, settings: LiveSettings = BOTH, reconstructed: bool = True) -> str:
    return diagnose(s, settings, reconstructed).name


def collapsed(s: Snapshot) -> Snapshot:
    return replace(s, active=np.zeros(3, bool), terms={**s.terms, "kl": 0.04})


def grey(s: Snapshot, level: int = 0) -> Snapshot:
    return replace(s, prior_draws=np.where(HALF > 0, level, 0).astype(np.uint8))


def test_a_run_that_learns(good: Snapshot) -> None:
    found = diagnose(replace(good, active=np.array([True, False, True])), BOTH, True)
    assert found == Diagnosis("learning", "−ELBO 156.8 nats, 2 of 3 units active.")


def test_at_the_beginning_nothing_is_said(good: Snapshot) -> None:
    found = diagnose(collapsed(replace(good, step=BEGINNING - 1)), NO_RECON, False)
    assert found.name == "beginning" and found.sentence.startswith("39 steps")
    assert name_of(replace(good, step=BEGINNING)) == "learning"


def test_a_decoder_that_was_never_trained(good: Snapshot) -> None:
    found = diagnose(collapsed(grey(good)), NO_RECON, False)
    assert found.name == "decoder never trained" and "KL 0.04 nats" in found.sentence


def test_a_collapse_to_one_mean_image(good: Snapshot) -> None:
    found = diagnose(collapsed(grey(good)), BOTH, True)
    assert found == Diagnosis("posterior collapse", "0 of 3 units active, KL 0.04 nats: one mean image for all.")


def test_a_collapse_whose_pictures_still_differ(good: Snapshot) -> None:
    found = diagnose(collapsed(good), BOTH, True)
    assert found.name == "posterior collapse" and "mean image" not in found.sentence
    assert "0 of 3 units active" in found.sentence and "KL 0.04 nats" in found.sentence


def test_reconstruction_switched_off(good: Snapshot) -> None:
    found = diagnose(good, NO_RECON, True)
    assert found.name == "reconstruction off" and "6.50 nats" in found.sentence
    assert "3 of 3 units" in found.sentence and "switch the reconstruction on" in found.sentence


@pytest.mark.parametrize("beta", [0.5, 1.0, 32.0])
def test_without_reconstruction_no_beta_is_blamed(good: Snapshot, beta: float) -> None:
    for seen in (collapsed(good), collapsed(grey(good))):
        found = diagnose(seen, replace(NO_RECON, beta=beta), True)
        assert found.name == "reconstruction off" and "0 of 3 units active" in found.sentence
        assert "switch the reconstruction on" in found.sentence
        assert "beta" not in found.sentence and "collapse" not in found.sentence


def test_a_frozen_encoder_without_an_active_unit_is_the_cause(good: Snapshot) -> None:
    for half, name in (
        ("encoder", "encoder frozen"),
        ("decoder", "posterior collapse"),
        ("none", "posterior collapse"),
    ):
        assert name_of(collapsed(good), replace(BOTH, frozen=half)) == name
    assert name_of(good, replace(BOTH, frozen="encoder")) == "learning"
    found = diagnose(collapsed(good), replace(NO_KL, frozen="encoder"), True)
    assert found == Diagnosis("encoder frozen", "The encoder stands still, and 0 of 3 units active, KL 0.04 nats.")


def test_a_remedy_that_names_beta_says_for_which_beta() -> None:
    """The explanation of a collapse is read at any beta: at 1 or less another setting did it."""
    assert "Where beta is large, try a smaller one" in EXPLAINED["posterior collapse"]
    assert "learning rate" in EXPLAINED["encoder ignores x"] and "learning rate" not in EXPLAINED["posterior collapse"]


def test_a_q_that_is_one_gaussian_away_from_the_prior_is_no_posterior_collapse(good: Snapshot) -> None:
    def away(kl: float) -> Snapshot:
        return replace(collapsed(good), terms={**good.terms, "kl": kl})

    assert name_of(away(FAR_FROM_PRIOR - 0.01)) == "posterior collapse"
    found = diagnose(away(1.8), BOTH, True)
    assert found.name == "encoder ignores x" and "0 of 3 units active, KL 1.80 nats" in found.sentence
    assert name_of(away(1.8), replace(BOTH, frozen="encoder")) == "encoder frozen"
    assert name_of(away(1.8), NO_RECON) == "reconstruction off"


def test_kl_switched_off(good: Snapshot) -> None:
    xy = np.repeat([[-7.0, -7.0], [7.0, 7.0]], 250, axis=0).astype(np.float32)
    found = diagnose(replace(good, xy=xy), NO_KL, True)
    assert found == Diagnosis(
        "KL off", "Codes have a std of 7.0, the posterior std is 0.321: towards a plain autoencoder."
    )
    for seen in (replace(good, xy=xy / 50), replace(good, xy=xy, mean_std=0.9)):  # only just switched off
        assert "not yet towards a plain autoencoder" in diagnose(seen, NO_KL, True).sentence


def test_a_kl_that_is_too_weak_to_hold_the_codes(good: Snapshot) -> None:
    """Half of them four prior std out; of a standard normal a hundredth lies beyond three."""
    near = np.random.default_rng(0).normal(size=(500, 2)).astype(np.float32)
    far = np.concatenate([near[:250], 4 * near[250:] / np.linalg.norm(near[250:], axis=1, keepdims=True)])
    assert name_of(replace(good, xy=near)) == "learning"
    found = diagnose(replace(good, xy=far), replace(BOTH, beta=0.001), True)
    share = np.mean(np.hypot(*far.T) > 3)
    assert found.name == "weak KL" and f"{share:.0%} of the codes" in found.sentence and "beta 0.001" in found.sentence


def test_a_healthy_run_that_still_draws_one_image_is_at_its_beginning(good: Snapshot) -> None:
    for step, name in ((60, "beginning"), (199, "beginning"), (200, "mean image")):
        assert name_of(replace(grey(good), step=step)) == name
    for step, name in ((60, "beginning"), (199, "beginning"), (200, "posterior collapse")):
        assert name_of(replace(collapsed(good), step=step)) == name


def test_the_spread_of_one_latent_is_that_of_its_codes(good: Snapshot) -> None:
    """The map's second coordinate is 0 for all images then; it is no part of the spread."""
    codes = np.repeat([-7.0, 7.0], 250).astype(np.float32)
    one = replace(good, mu=codes[:, None], xy=np.stack([codes, 0 * codes], axis=1), active=np.array([True]))
    assert "a std of 7.0, " in diagnose(one, NO_KL, True).sentence


def test_one_mean_image(good: Snapshot) -> None:
    found = diagnose(grey(good, level=10), BOTH, True)
    assert found.name == "mean image" and f"by {5 / 255:.3f} of" in found.sentence


def test_pictures_are_told_apart_at_the_threshold(good: Snapshot) -> None:
    level = 2 * 255 * SAME_PICTURE  # two equal groups: the std is half of their distance
    assert name_of(grey(good, int(level) - 1)) == "mean image"
    assert name_of(grey(good, int(level) + 2)) == "learning"


def test_the_most_serious_comes_first(good: Snapshot) -> None:
    assert name_of(collapsed(good), NO_RECON, False) == "decoder never trained"
    assert name_of(collapsed(good), NO_RECON) == name_of(grey(good), NO_RECON) == "reconstruction off"
    assert name_of(collapsed(good), NO_KL) == "posterior collapse" and name_of(grey(good), NO_KL) == "KL off"


@pytest.mark.parametrize(("alpha", "name"), [(0.0, "decoder never trained"), (1.0, "learning")])
def test_a_real_run_is_told_by_its_name(alpha: float, name: str, small: Images) -> None:
    trainer = Trainer(RunConfig(device="cpu", alpha=alpha, epochs=50), small)
    for _ in range(150):
        trainer.step()
    taken = take_snapshot(trainer)
    found = diagnose(taken, LiveSettings(alpha), alpha > 0)
    assert found.name == name
    assert (f"{taken.terms['nll'] + taken.terms['kl']:.1f}" if alpha else f"{taken.terms['kl']:.2f}") in found.sentence


def test_every_diagnosis_is_explained_and_leads_on() -> None:
    """The names that `diagnose` can give, read from the source: none may lack its explanation or its section."""
    import inspect
    import re

    from pages.elbo.settings import SECTIONS
    from pages.training.names import READ_ON
    from vae_core.metrics import diagnosis

    names = set(re.findall(r'Diagnosis\(\s*"([^"]+)"', inspect.getsource(diagnosis)))
    assert len(names) == 11 and names == set(diagnosis.EXPLAINED) == set(READ_ON)
    assert {address.partition("section=")[2] for address, _ in READ_ON.values()} <= set(SECTIONS)
