"""What the scenes of the lecture promise, held to the models that they show."""

from typing import Any

import pytest

from pages.elbo.evidence import draws, estimated
from pages.elbo.figures_reparameterise import compared, judged
from pages.elbo.settings import link
from pages.elbo.subject import subject
from pages.ui.shipped import ARMS_FOLDER, CHECKPOINTS, PLANE
from vae_core.runs.snapshot_file import read_frame
from vae_core.runs.storage import film_folder, frame_file, frames_in


def test_a_thousand_prior_draws_stay_below_and_jump() -> None:
    """Scene 1, with the image of its link and ten presses of New draws."""
    s = subject(PLANE, 7, 0)
    exact = s.evidence.log_p.value
    found = [estimated(draws(s.key, seed, 1000)[0], 1000) for seed in range(10)]
    assert all(one.log_p < exact for one in found)
    assert max(one.log_p for one in found) - min(one.log_p for one in found) > 1
    assert all(len(one.carriers) <= 10 for one in found)  # "almost none"
    mean, _ = s.evidence.moments()
    for seed, one in enumerate(found):  # "near the posterior": the heaviest is nearer than 99 of 100 draws
        z = draws(s.key, seed, 1000)[0].z[:1000].double()
        away = (z - mean).norm(dim=1)
        assert (away < away[one.carriers[0]]).sum() < 10


def test_all_three_estimators_are_right_and_the_pathwise_one_spreads_least() -> None:
    """Scene 3, as its link opens it and after some presses of New draws."""
    key = subject(PLANE, 7, 0).key
    for seed in range(5):
        found = judged(compared(key, seed, link.default("estimate")), link.default("gradient"))
        assert all(way.agrees for way in found.values())
        assert min(found, key=lambda name: found[name].std) == "pathwise"


@pytest.fixture(scope="module")
def arms() -> dict[str, list[dict[str, Any]]]:
    """Numbers of the first and the last frame of each shipped arm."""
    found = {}
    for name in ("arm-full", "arm-no-kl", "arm-no-reconstruction"):
        folder = film_folder(CHECKPOINTS / ARMS_FOLDER / name, 0)
        steps = frames_in(folder)
        found[name] = [read_frame(frame_file(folder, step))[0] for step in (steps[0], steps[-1])]
    return found


def test_without_kl_copies_are_better_and_draws_worse(arms: dict[str, list[dict[str, Any]]]) -> None:
    """Scene 5."""
    full, loose = arms["arm-full"][1], arms["arm-no-kl"][1]
    assert loose["terms"]["nll"] < full["terms"]["nll"] and loose["meanStd"] < full["meanStd"]
    assert loose["meter"]["outside"] > full["meter"]["outside"]
    assert loose["meter"]["draw_gap"] > full["meter"]["draw_gap"] and loose["meter"]["holes"] > full["meter"]["holes"]


def test_without_reconstruction_the_code_says_nothing(arms: dict[str, list[dict[str, Any]]]) -> None:
    """Scene 6."""
    dead = arms["arm-no-reconstruction"][1]
    assert dead["terms"]["kl"] < 0.01 and dead["meanStd"] == pytest.approx(1, abs=0.02)


def test_in_the_film_the_kl_rises_while_the_sum_falls(arms: dict[str, list[dict[str, Any]]]) -> None:
    """Scene 4."""
    first, last = arms["arm-full"]
    assert last["terms"]["kl"] > first["terms"]["kl"] + 2 and last["negElbo"] < first["negElbo"] - 100
