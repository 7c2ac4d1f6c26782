"""Which answer is right: decided by the figures of an arm, and held against sketches, benches and what ships."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from pages.ablation import actions, outcome, predict
from pages.ablation.arms import key_of
from pages.ablation.questions import NAMES, QUESTIONS
from pages.ablation.sketches import _BLOBS, _Blob
from pages.ui.shipped import shipped_arms
from tests.bench import claims as bench
from vae_core.metrics.codes import neighbour_accuracy, share_outside
from vae_core.metrics.definitions import Metrics
from vae_core.runs import registry
from vae_core.runs.messages import FAILED, FINISHED, PAUSED, RUNNING, STOPPED, Update
from vae_core.runs.run_record import RunRecord
from vae_core.runs.snapshot_file import read_snapshot
from vae_core.runs.storage import frame_file

FIGURES = json.loads(bench.FIGURES.read_text(encoding="utf-8"))
HAPPENS = {  # benches of the claims, and the map that came
    "usual": "patches",
    "usual, one epoch": "patches",
    "16 latents": "patches",
    "no KL": "far",
    "no KL, 16 latents": "far",
    "autoencoder": "far",
    "no reconstruction": "point",
    "no reconstruction, 16 latents": "point",
    "beta 32": "point",
}


def metrics(**known: Any) -> Metrics:
    """Those that decide; the others are no use."""
    others = ("kl", "kl_dims", "mean_std", "holes", "neighbours")
    zeros = ("spread", "outside", "prior_gap", "draw_fidelity", "draw_coverage", "draw_gap", "variety")
    return Metrics(**({name: None for name in others} | dict.fromkeys(zeros, 0.0) | known))


def codes_of(blobs: list[_Blob], draw: random.Random) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes as a sketch has them: Gaussian in each blob, whose radius is two stds; the many of a cloud are codes."""
    codes, labels = [], []
    for i, (x, y, along, across, turn) in enumerate(blobs):
        way = torch.deg2rad(torch.tensor(float(turn)))
        ahead = torch.stack([way.cos(), way.sin()])
        beside = torch.stack([-way.sin(), way.cos()])
        for _ in range(100 if len(blobs) == 10 else 1):
            codes.append(torch.tensor([x, y]) + draw.gauss(0, along / 2) * ahead + draw.gauss(0, across / 2) * beside)
            labels.append(i % 10)
    return torch.stack(codes), torch.tensor(labels)


@pytest.mark.parametrize("name", ["patches", "islands", "far", "cloud"])
def test_the_figures_of_a_sketch_name_that_sketch(name: str) -> None:
    mu, labels = codes_of(_BLOBS[name](), random.Random(1))
    neighbours = neighbour_accuracy(mu, labels)
    seen = metrics(active_dims=(True, True), outside=share_outside(mu), neighbours=neighbours)
    assert outcome.map_of(seen) == name


@pytest.mark.parametrize(("case", "came"), HAPPENS.items())
def test_the_benches_show_the_map_that_their_claims_promise(case: str, came: str) -> None:
    for seed in FIGURES[case].values():
        found = seed["metrics"]
        active = (True,) * found["active"]
        assert outcome.map_of(metrics(active_dims=active, **{k: found[k] for k in ("outside", "neighbours")})) == came


@pytest.fixture
def shipped() -> list[RunRecord]:
    return [run for i in shipped_arms() if (run := registry.shared().get(i)) is not None]


def test_of_every_arm_that_ships_the_answer_of_its_question_is_right_and_the_others_wrong(
    shipped: list[RunRecord],
) -> None:
    assert len(shipped) == len(QUESTIONS)
    for run in shipped:
        question = QUESTIONS[key_of(actions.name_of(run))]
        came = predict._came(question, run, shipped[0])
        assert came == question.happens.picture, question.key
        for place, option in enumerate(question.options):
            told = predict.judged(question.key, (False, tuple(int(i == place) for i in range(4))), came)
            assert told.verdict == ("Right." if option == question.happens else "Wrong.")
            assert told.came == f"What happened: {question.happens.short}." and told.because == question.reveal.says


def test_more_beta_is_told_beside_an_arm_with_beta_1_only(shipped: list[RunRecord]) -> None:
    beta = next(run for run in shipped if run.config.beta > 1)
    assert predict._came(QUESTIONS["beta"], beta, None) == ""
    usual = metrics(active_dims=(True,), spread=1.0)
    other: Callable[..., Metrics] = lambda **known: metrics(active_dims=(True,), **known)  # noqa: E731
    assert outcome.map_of_more_beta(other(spread=0.9), usual) == "small"
    assert outcome.map_of_more_beta(other(spread=1.0), usual) == "patches"  # nothing changes
    assert outcome.map_of_more_beta(other(spread=2.0, outside=0.5), usual) == "far"


def test_every_map_that_may_come_has_a_name() -> None:
    pictures = {option.picture for question in QUESTIONS.values() for option in question.options}
    assert pictures - {"small"} <= set(NAMES)


@pytest.fixture
def ended(shipped: list[RunRecord], tmp_path: Path) -> Callable[..., RunRecord]:
    """Makes a run of one's own at the end of a shipped one's film, that tells as much as was told of it so far."""
    seen = read_snapshot(frame_file(shipped[0].film_folder, shipped[0].film[-1]))

    def make(status: str = FINISHED, measured: bool = True, step: int = seen.step, **settings: Any) -> RunRecord:
        run = RunRecord("me", shipped[0].config.with_(**settings), tmp_path)
        update = Update(run.run_id, 0, status, step=step, total_steps=seen.step, snapshot=replace(seen, metrics=None))
        run.take(update)
        outcome.end_metrics(run), outcome.last_metrics(run)  # somebody looks before all is there
        if measured:
            run.take(replace(update, snapshot=seen))
        return run

    return make


def test_an_arm_is_judged_as_soon_as_the_figures_of_its_end_are_there(
    ended: Callable[..., RunRecord], shipped: list[RunRecord]
) -> None:
    """They come after its last picture, and lie in the same file."""
    assert outcome.end_metrics(ended(measured=False)) is None
    run, wanted = ended(), outcome.end_metrics(shipped[0])
    assert wanted is not None and outcome.end_metrics(run) == wanted
    run.change(snapshot=None)  # as after the server was started again
    assert outcome.end_metrics(run) == wanted == outcome.last_metrics(run)
    assert predict._came(QUESTIONS["full"], run, None) == "patches"


@pytest.mark.parametrize("status", [RUNNING, PAUSED, STOPPED, FAILED])
def test_only_a_run_to_the_end_is_judged(ended: Callable[..., RunRecord], status: str) -> None:
    assert predict._came(QUESTIONS["full"], ended(status), None) == ""


def test_a_film_without_the_last_moment_is_not_judged(ended: Callable[..., RunRecord]) -> None:
    run = ended()
    run.change(snapshot=None, step=run.step + 1)
    assert predict._came(QUESTIONS["full"], run, None) == ""


def test_of_a_smaller_beta_it_is_not_said_what_a_larger_one_does(ended: Callable[..., RunRecord]) -> None:
    usual = ended()
    assert predict._came(QUESTIONS["beta"], ended(beta=8.0), usual) == "patches"  # the same figures: nothing changes
    for beta in (0.1, 0.5, 1.0):
        assert predict._came(QUESTIONS["beta"], ended(beta=beta), usual) == ""


def test_what_counts_as_mixed_and_as_far_is_the_same_to_a_percent() -> None:
    """Between chance, 0.1, and the 0.41 to which a healthy arm comes down; far is what the diagnosis calls so."""
    seen: Callable[..., str] = lambda **known: outcome.map_of(metrics(active_dims=(True,), **known))  # noqa: E731
    assert seen(neighbours=0.29) == "cloud" and seen(neighbours=0.31) == "patches"
    assert seen(neighbours=0.975) == "patches" and seen(neighbours=0.985) == "islands"
    assert seen(neighbours=0.5, outside=0.19) == "patches" and seen(neighbours=0.5, outside=0.21) == "far"


def test_the_share_of_the_codes_beyond_the_circles_is_said(shipped: list[RunRecord]) -> None:
    by_name = {actions.name_of(run): run for run in shipped}
    with_said: Callable[..., str] = lambda key, came, share: (  # noqa: E731
        predict.judged(key, (False, (1, 0, 0, 0)), came, share).came
    )
    assert with_said("no-kl", "far", 0.544) == "What happened: far beyond 3 sigma, 54% of the codes."
    assert with_said("full", "patches", 0.02) == "What happened: patches round 0, 2% of the codes beyond 3 sigma."
    assert with_said("no-reconstruction", "point", 0.0) == "What happened: one point at 0."
    seen = outcome.end_metrics(by_name["no KL"])
    assert seen is not None and seen.outside > 0.5  # so a class that argues can count
