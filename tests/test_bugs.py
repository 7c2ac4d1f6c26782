"""The bug lab: four classic mistakes, and the tests that would have caught them.

Each check, as the page shows it, passes on the right model and has to fail on the wrong one.
"""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Normal, kl_divergence

from pages.ablation import bug_pictures
from pages.ablation.bug_pictures import SIDES, batch, built, picture, wrong_side
from pages.ablation.bugs import BUGS, PIXELS, Bug
from pages.ui.palette import colours_of
from vae_core import losses, models
from vae_core.bugs import checks
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.evaluate import evaluate
from vae_core.inspect.snapshot import Snapshot, take_snapshot
from vae_core.models.vae import VAE
from vae_core.trainer import Trainer

BASE = RunConfig(device="cpu")
BY_KEY = {bug.key: bug for bug in BUGS}
LIGHTER = colours_of(dark=False)


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


# ---- they pass on the right model and fail on the wrong one


Check = Callable[..., None]  # of vae_core.bugs.checks, as the page shows it


def loss_check(check: Check, config: RunConfig, images: Images) -> None:
    check(Trainer(config, images))


def variance_check(check: Check, config: RunConfig, images: Images) -> None:
    check(models.build(config))


@torch.no_grad()
def expectation_check(check: Check, config: RunConfig, images: Images) -> None:
    """A new decoder hardly listens to z: one whose first weights are ten times as large does."""
    model = models.build(config)
    next(model.decoder.parameters()).mul_(10)
    check(model, (images.x_test[:1] > 127).float())


@torch.no_grad()
def prior_check(check: Check, config: RunConfig, images: Images) -> None:
    check(models.build(config), images.x_train[:1000] / 255, images.x_train[1000:2000] / 255)


CHECKS: dict[str, Callable[[Check, RunConfig, Images], None]] = {
    "mean-pixels": loss_check,
    "log-var": variance_check,
    "mean": expectation_check,
    "draws": prior_check,
}


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.key)
def test_every_check_passes_the_right_model_and_catches_its_mistake(bug: Bug, small: Images) -> None:
    CHECKS[bug.key](bug.check, BASE, small)
    with pytest.raises(AssertionError):
        CHECKS[bug.key](bug.check, BASE.with_(**bug.overlay), small)


# ---- alpha = 1/784 is the mean over pixels


def test_alpha_1_784_gives_the_gradient_of_the_mean_over_pixels(small: Images) -> None:
    trainer = Trainer(BASE.with_(**BY_KEY["mean-pixels"].overlay), small)
    model, (x, eps) = copy.deepcopy(trainer.model), trainer.batch()
    mu, log_var = model.encode(x)
    q = Normal(mu, log_var.exp().sqrt())
    mean = F.binary_cross_entropy_with_logits(model.decode(q.mean + q.stddev * eps), x, reduction="mean")
    (mean + kl_divergence(q, Normal(0.0, 1.0)).sum(-1).mean()).backward()
    trainer.step()
    for ours, oracle in zip(trainer.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, oracle.grad, rtol=1e-3, atol=1e-7)


def test_the_line_that_the_page_shows_for_it_is_that_mean() -> None:
    """The wrong line does what alpha = 1/784 does to the function as it is."""
    logits, x = torch.randn(3, 1, 28, 28), torch.rand(3, 1, 28, 28)
    mean = F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).mean(-1)
    torch.testing.assert_close(losses.bernoulli_nll(logits, x) / PIXELS, mean)
    wrong = BY_KEY["mean-pixels"].diff[0]
    assert wrong == 'return F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).mean(-1)'


# ---- what the page says about the panels is what training does


class Trained(NamedTuple):
    model: VAE
    shown: Snapshot


@pytest.fixture(scope="module")
def trained(small: Images) -> dict[str, Trained]:
    """The right run and the wrong ones after the same 140 steps on 2,000 images."""

    def train(**overlay: Any) -> Trained:
        trainer = Trainer(BASE.with_(batch_size=100, epochs=7, **overlay), small)
        while not trainer.done:
            trainer.step()
        return Trained(trainer.model, take_snapshot(trainer, measured=True))

    return {"right": train(), **{bug.key: train(**bug.overlay) for bug in BUGS}}


def figures(s: Snapshot) -> dict[str, Any]:
    assert s.metrics is not None
    return s.metrics


def test_symptom_of_the_mean_over_pixels(trained: dict[str, Trained]) -> None:
    wrong = figures(trained["mean-pixels"].shown)
    assert wrong["active"] == 0 and wrong["kl"] < 0.05 and 0.95 < wrong["mean_std"] < 1.05
    assert wrong["variety"] < 0.2 * figures(trained["right"].shown)["variety"]


def test_symptom_of_exp_log_var_as_std(trained: dict[str, Trained]) -> None:
    right, wrong = trained["right"].shown, trained["log-var"].shown
    assert wrong.terms["kl"] < 0.75 * right.terms["kl"]
    assert wrong.mean_std > 1.5 * right.mean_std
    noise = figures(wrong)["mean_std"] ** 2
    assert abs(noise - right.mean_std) < abs(wrong.mean_std - right.mean_std)


def test_symptom_of_mu_for_the_sample(trained: dict[str, Trained]) -> None:
    right, wrong = trained["right"].shown, trained["mean"].shown
    assert (
        0.9 < wrong.mean_std < 1.1 and wrong.terms["kl"] < 0.5 * right.terms["kl"] and wrong.neg_elbo < right.neg_elbo
    )
    cost_of_mu = Normal(torch.from_numpy(wrong.mu), 1.0)
    assert wrong.terms["kl"] == pytest.approx(
        kl_divergence(cost_of_mu, Normal(0.0, 1.0)).sum(-1).mean().item(), rel=0.1
    )


@pytest.mark.parametrize("key", ["log-var", "mean"])
def test_the_same_weights_in_the_right_code_are_worse_than_the_right_run(
    key: str, trained: dict[str, Trained], small: Images
) -> None:
    right_code = models.build(BASE)
    right_code.load_state_dict(trained[key].model.state_dict())
    honest = evaluate(right_code, small.x_test, BASE.protocol, seed=0)
    assert honest.neg_elbo > trained["right"].shown.neg_elbo
    assert honest.neg_elbo > trained[key].shown.neg_elbo


def test_symptom_of_draws_from_the_posterior(trained: dict[str, Trained]) -> None:
    right, wrong = trained["right"].shown, trained["draws"].shown
    assert figures(wrong) == figures(right)
    assert (wrong.mu == right.mu).all() and (wrong.reconstructions == right.reconstructions).all()
    assert (wrong.prior_draws != right.prior_draws).any()


# ---- the picture that the class is asked about


def test_the_wrong_one_stands_on_either_side_and_always_on_the_same() -> None:
    assert {wrong_side(bug) for bug in BUGS} == set(SIDES)
    assert [wrong_side(bug) for bug in BUGS] == [wrong_side(bug) for bug in BUGS]


def traces(bug: Bug) -> dict[str, Any]:
    """What each side shows, "wrong" and "right"."""
    sides = dict(zip(SIDES, (picture(bug, LIGHTER).data[i] for i in (0, -1)), strict=True))
    wrong = wrong_side(bug)
    return {"wrong" if side == wrong else "right": trace for side, trace in sides.items()}


def test_the_mean_over_pixels_leaves_the_loss_to_the_kl() -> None:
    shown = traces(BY_KEY["mean-pixels"])
    assert shown["right"].y[0] > 90 and shown["wrong"].y[1] > 90
    assert all(sum(trace.y) == pytest.approx(100) for trace in shown.values())


@torch.no_grad()
def test_draws_of_z_have_the_std_of_q_in_the_right_code_alone() -> None:
    x, eps = batch()
    std = (0.5 * built("vae").encode(x[:1])[1]).exp()
    found = {name: bug_pictures.draws_of_z(built(name), x, eps).std(0) for name in ("vae", "bug-log-var", "bug-mean")}
    torch.testing.assert_close(found["vae"], std[0], rtol=0.15, atol=0)
    torch.testing.assert_close(found["bug-log-var"], std[0].square(), rtol=0.15, atol=0)
    assert found["bug-mean"].max() < 1e-6


@torch.no_grad()
def test_new_pictures_of_the_wrong_code_are_copies_of_its_images() -> None:
    x, eps = batch()
    apart = {
        name: (bug_pictures.new_pictures(built(name), x, eps) - x).square().mean().item()
        for name in ("vae", "bug-draws")
    }
    assert apart["bug-draws"] < 0.7 * apart["vae"]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.key)
def test_every_picture_has_both_sides_and_names_neither(bug: Bug) -> None:
    found = picture(bug, LIGHTER)
    assert [note.text for note in found.layout.annotations] == ["A", "B"]
    assert bug.name not in found.to_json() and len(found.data) + len(found.layout.images) >= 2


# ---- the sources on the page


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.key)
def test_the_diff_is_one_line_out_and_one_line_in_of_real_sources(bug: Bug) -> None:
    wrong, right = bug.diff
    assert right in Path(bug.right.__code__.co_filename).read_text()
    if bug.faulty is not None:
        assert wrong in Path(bug.faulty.__code__.co_filename).read_text()
    marked = [line for line in bug.unified.splitlines()[2:] if line[0] in "+-"]
    assert [line[0] + line[1:].strip() for line in marked] == [f"-{wrong}", f"+{right}"]
    assert '"""' not in bug.unified


def test_the_check_on_the_page_is_the_source_that_runs() -> None:
    for bug in BUGS:
        assert bug.catch in Path(checks.__file__).read_text(encoding="utf-8")
        assert bug.catch.startswith(f"def {bug.check.__name__}(")
