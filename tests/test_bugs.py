"""The bug lab: four classic mistakes, and the tests that would have caught them.

The functions check_... are shown on the page. Each passes on the right model and has to fail on the wrong one.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Bernoulli, MultivariateNormal, Normal, kl_divergence

from pages.ablation import bug_sources
from pages.ablation.bugs import BUGS, PIXELS, Bug
from vae_core import losses, models
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.evaluate import evaluate
from vae_core.inspect.snapshot import Snapshot, take_snapshot
from vae_core.models.vae import VAE
from vae_core.row_buffer import ROW
from vae_core.trainer import Trainer

BASE = RunConfig(device="cpu")
BY_KEY = {bug.key: bug for bug in BUGS}


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


# ---- what the page shows


def check_the_loss_of_a_step_is_minus_the_elbo(trainer: Trainer) -> None:
    """What a step minimises is −log p(x given z) of all pixels plus KL(q ‖ prior)."""
    x, eps = trainer.batch()
    mu, log_var = trainer.model.encode(x)
    q = Normal(mu, log_var.exp().sqrt())
    logits = trainer.model.decode(q.mean + q.stddev * eps)
    log_p = Bernoulli(logits=logits, validate_args=False).log_prob(x).sum((1, 2, 3))  # grey pixels
    elbo = log_p - kl_divergence(q, Normal(0.0, 1.0)).sum(-1)
    trainer.step()
    loss = trainer.flush()[0, ROW.index("loss")]
    assert loss == pytest.approx(-elbo.mean().item(), rel=1e-4)


def check_z_has_the_variance_that_log_var_says(model: VAE) -> None:
    """Draws of z have the moments of a Gaussian whose covariance is exp(log_var)."""
    mu, log_var = torch.tensor([1.0, -2.0]), torch.tensor([-3.0, 1.0])
    q = MultivariateNormal(mu, covariance_matrix=log_var.exp().diag())
    z = model.sample(mu, log_var, torch.randn(100_000, 2))
    torch.testing.assert_close(z.mean(0), q.mean, atol=0.03, rtol=0)
    torch.testing.assert_close(z.var(0), q.variance, atol=0, rtol=0.03)


def check_the_reconstruction_is_an_expectation_over_q(model: VAE, x: Tensor) -> None:
    """Averaged over its noise, the nll of an image is the mean of −log p(x given z) over z ~ q."""
    draws = 4000
    mu, log_var = model.encode(x)
    z = Normal(mu, log_var.exp().sqrt()).sample((draws,)).squeeze(1)
    expected = -Bernoulli(logits=model.decode(z)).log_prob(x).sum((1, 2, 3))
    found = model(x.expand(draws, 1, 28, 28), torch.randn(z.shape)).nll
    standard_error = ((expected.var() + found.var()) / draws).sqrt()
    assert (found.mean() - expected.mean()).abs() < 4 * standard_error


def check_new_pictures_come_from_the_prior(model: VAE, x: Tensor, other_x: Tensor) -> None:
    """Draws do not depend on any image, and pass a Kolmogorov-Smirnov test of N(0, 1) at 0.1%."""
    eps = torch.randn(len(x), model.latent_dim)
    z = model.draw(eps, x)
    assert torch.equal(z, model.draw(eps, other_x))
    steps = torch.linspace(0, 1, len(z)).unsqueeze(-1)
    distance = (Normal(0.0, 1.0).cdf(z).sort(0).values - steps).abs().max()
    assert distance < 1.95 / len(z) ** 0.5


# ---- they pass on the right model and fail on the wrong one


def loss_check(config: RunConfig, images: Images) -> None:
    check_the_loss_of_a_step_is_minus_the_elbo(Trainer(config, images))


def variance_check(config: RunConfig, images: Images) -> None:
    check_z_has_the_variance_that_log_var_says(models.build(config))


@torch.no_grad()
def expectation_check(config: RunConfig, images: Images) -> None:
    """A new decoder hardly listens to z: one whose first weights are ten times as large does."""
    model = models.build(config)
    next(model.decoder.parameters()).mul_(10)
    check_the_reconstruction_is_an_expectation_over_q(model, (images.x_test[:1] > 127).float())


@torch.no_grad()
def prior_check(config: RunConfig, images: Images) -> None:
    check_new_pictures_come_from_the_prior(
        models.build(config), images.x_train[:1000] / 255, images.x_train[1000:2000] / 255
    )


CHECKS: dict[str, Callable[[RunConfig, Images], None]] = {
    "mean-pixels": loss_check,
    "log-var": variance_check,
    "mean": expectation_check,
    "draws": prior_check,
}


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.key)
def test_every_check_passes_the_right_model_and_catches_its_mistake(bug: Bug, small: Images) -> None:
    CHECKS[bug.key](BASE, small)
    with pytest.raises(AssertionError):
        CHECKS[bug.key](BASE.with_(**bug.overlay), small)


def test_every_check_that_the_page_names_is_the_one_that_is_tried_here() -> None:
    """So that the page cannot show one test and this file try another."""
    wrappers = {node.name: node for node in ast.parse(Path(__file__).read_text()).body if hasattr(node, "name")}
    for bug in BUGS:
        called = {n.func.id for n in ast.walk(wrappers[CHECKS[bug.key].__name__]) if is_plain_call(n)}  # type: ignore[attr-defined]
        assert bug.check in called and callable(globals()[bug.check])


def is_plain_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)


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
    """The added line does what alpha = 1/784 does to the function as it is."""
    logits, x = torch.randn(3, 1, 28, 28), torch.rand(3, 1, 28, 28)
    mean = F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).mean(-1)
    torch.testing.assert_close(losses.bernoulli_nll(logits, x) / PIXELS, mean)
    added = BY_KEY["mean-pixels"].diff[1]
    assert added == 'return F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).mean(-1)'


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
        return Trained(trainer.model, take_snapshot(trainer, metered=True))

    return {"right": train(), **{bug.key: train(**bug.overlay) for bug in BUGS}}


def figures(s: Snapshot) -> dict[str, Any]:
    assert s.meter is not None
    return s.meter


def test_symptom_of_the_mean_over_pixels(trained: dict[str, Trained]) -> None:
    wrong = figures(trained["mean-pixels"].shown)
    assert wrong["active"] == 0 and wrong["kl"] < 0.05 and 0.95 < wrong["mean_std"] < 1.05
    assert wrong["variety"] < 0.2 * figures(trained["right"].shown)["variety"]


def test_symptom_of_exp_log_var_as_std(trained: dict[str, Trained]) -> None:
    right, wrong = trained["right"].shown, trained["log-var"].shown
    assert wrong.kl < 0.75 * right.kl
    assert wrong.mean_std > 1.5 * right.mean_std
    noise = figures(wrong)["mean_std"] ** 2
    assert abs(noise - right.mean_std) < abs(wrong.mean_std - right.mean_std)


def test_symptom_of_mu_for_the_sample(trained: dict[str, Trained]) -> None:
    right, wrong = trained["right"].shown, trained["mean"].shown
    assert 0.9 < wrong.mean_std < 1.1 and wrong.kl < 0.5 * right.kl and wrong.neg_elbo < right.neg_elbo
    cost_of_mu = Normal(torch.from_numpy(wrong.mu), 1.0)
    assert wrong.kl == pytest.approx(kl_divergence(cost_of_mu, Normal(0.0, 1.0)).sum(-1).mean().item(), rel=0.1)


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


# ---- the sources on the page


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.key)
def test_the_diff_is_one_line_out_and_one_line_in_of_real_sources(bug: Bug) -> None:
    removed, added = bug.diff
    assert removed in Path(bug.right.__code__.co_filename).read_text()
    if bug.faulty is not None:
        assert added in Path(bug.faulty.__code__.co_filename).read_text()
    marked = [line for line in bug.unified.splitlines()[2:] if line[0] in "+-"]
    assert [line[0] + line[1:].strip() for line in marked] == [f"-{removed}", f"+{added}"]
    assert '"""' not in bug.unified


def test_a_missing_test_file_is_no_error_but_a_missing_test_is(tmp_path: Path) -> None:
    assert bug_sources.source_of_test("check_anything", tmp_path / "none.py") is None
    with pytest.raises(LookupError):
        bug_sources.source_of_test("check_anything", Path(__file__))
