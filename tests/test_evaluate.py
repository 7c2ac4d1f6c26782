"""Evaluation against a brute-force loop with torch.distributions, and against a model made to be read off."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

from vae_core import models
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.evaluate import evaluate, evaluate_test, evaluating, final_metrics, mean_iw_bound
from vae_core.models.base import TAKEN, Family, Has, Pass
from vae_core.trainer import Trainer


@pytest.fixture(scope="module")
def trainer(small: Images) -> Trainer:
    """150 steps: far enough from its beginning for every term to matter."""
    made = Trainer(RunConfig(latent_dim=4, device="cpu", epochs=50, batch_size=128), small)
    for _ in range(150):
        made.step()
    return made


@pytest.mark.parametrize("protocol", ["grey", "dynamic", "static", "threshold"])
def test_evaluating_twice_gives_the_same_numbers(protocol: str, trainer: Trainer, small: Images) -> None:
    first, second = (evaluate(trainer.model, small.x_test, protocol, seed=5) for _ in range(2))
    assert first.to_dict() == second.to_dict()
    assert evaluate(trainer.model, small.x_test, protocol, seed=6).terms["nll"] != first.terms["nll"]


def test_what_needs_no_noise_does_not_depend_on_the_chunk(trainer: Trainer, small: Images) -> None:
    results = [evaluate(trainer.model, small.x_test, "grey", 5, chunk) for chunk in (7, 100, 500, 10_000)]
    for other in results[1:]:
        torch.testing.assert_close(other.mu, results[0].mu, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(other.kl_dims, results[0].kl_dims, rtol=1e-5, atol=1e-5)
        assert other.mean_std == pytest.approx(results[0].mean_std, rel=1e-5)
        assert other.terms["nll"] == pytest.approx(results[0].terms["nll"], rel=0.02)  # one sample an image, other ones


def test_kl_is_the_sum_over_its_dimensions(trainer: Trainer, small: Images) -> None:
    result = evaluate(trainer.model, small.x_test, "grey", 5)
    assert result.kl_dims.shape == (4,)
    assert result.terms["kl"] == pytest.approx(sum(result.kl_dims.tolist()), rel=1e-6)
    assert result.neg_elbo == result.terms["nll"] + result.terms["kl"]


class Listening(Family):
    """A VAE that notes which images and which noise it was given."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model, self.latent_dim, self.TERMS, self.has = model, model.latent_dim, model.TERMS, model.has
        self.heard: list[tuple[Tensor, Tensor]] = []

    def forward(self, x: Tensor, eps: Tensor) -> Pass:
        self.heard.append((x, eps))
        return self.model(x, eps)

    def squares(self, logits: Tensor, x: Tensor) -> dict[str, Tensor]:
        return self.model.squares(logits, x)


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_neg_elbo_is_the_mean_of_a_loop_over_images(likelihood: str, small: Images) -> None:
    """One image at a time, in float64 and with torch.distributions, on black-and-white pixels."""
    model = Listening(models.build(RunConfig(latent_dim=3, likelihood=likelihood, sigma=0.5)).eval())
    result = evaluate(model, small.x_test[:12], "threshold", seed=1, chunk=5)
    exact, values = model.model.double(), []
    for x, eps in [(x, e) for xs, es in model.heard for x, e in zip(xs.double(), es.double(), strict=True)]:
        mu, log_var = exact.encode(x[None])
        q = Independent(Normal(mu[0], log_var[0].exp().sqrt()), 1)
        logits = exact.decode((q.base_dist.loc + q.base_dist.scale * eps)[None])[0]
        pixels = Bernoulli(logits=logits) if likelihood == "bernoulli" else Normal(logits.sigmoid(), 0.5)
        prior = Independent(Normal(torch.zeros(3).double(), torch.ones(3).double()), 1)
        values.append((-pixels.log_prob(x).sum() + kl_divergence(q, prior)).item())
    assert len(values) == 12
    assert result.neg_elbo == pytest.approx(np.mean(values), rel=1e-5)


class Toy(Family):
    """Reads its codes off the first two pixels, so mu, its variance and the KL are known beforehand."""

    latent_dim = 4
    TERMS: ClassVar = {"nll": 1.0, "kl": 1.0}
    has = Has(codes=True, posterior="gaussian")

    def forward(self, x: Tensor, eps: Tensor) -> Pass:
        first, second = x[:, 0, 0, 0], x[:, 0, 0, 1]  # (B,) in [0, 1]
        mu = torch.stack([4 * first, 0.3 * second, 0.05 * second, torch.full_like(first, 3.0)], dim=-1)  # (B, 4)
        log_var = torch.log(torch.tensor([0.25, 1.0, 1.0, 1.0])).expand_as(mu)
        zeros = x.new_zeros(len(x))
        return Pass({"nll": zeros, "kl": zeros}, x, mu + eps, mu, log_var)

    def squares(self, logits: Tensor, x: Tensor) -> dict[str, Tensor]:
        return {}


def test_active_units_of_a_model_made_to_have_two() -> None:
    """Var of mu: dimension 0 and 1 lie above 0.01, 2 below it, 3 is far from the prior but carries nothing."""
    pixels = torch.zeros(1000, 1, 28, 28, dtype=torch.uint8)
    levels = np.random.default_rng(0).choice([0, 255], (1000, 2)).astype(np.uint8)
    pixels[:, 0, 0, :2] = torch.from_numpy(levels)
    result = evaluate(Toy(), pixels, "grey", seed=0)
    variances = (levels / 255 * [4, 0.3]).var(axis=0, ddof=1)
    np.testing.assert_allclose(result.mu.var(0)[:2], variances, rtol=1e-4)
    assert result.active.tolist() == [True, True, False, False]
    assert result.to_dict()["active_units"] == 2
    assert result.kl_dims[3].item() == pytest.approx(4.5)  # ½ · 3²: a KL alone makes no active unit
    assert result.mean_std == pytest.approx((0.5 + 3) / 4)


def test_the_importance_weighted_bound_is_tighter_than_the_elbo(trainer: Trainer, small: Images) -> None:
    neg_elbo = evaluate(trainer.model, small.x_test[:200], "grey", 5).neg_elbo
    bounds = [mean_iw_bound(trainer.model, small.x_test[:200], "grey", 5, samples=k) for k in (1, 20, 200)]
    assert bounds[0] == pytest.approx(-neg_elbo, abs=1.5)  # both estimate the ELBO
    assert -neg_elbo < bounds[1] < bounds[2]


def test_the_standard_error_is_that_of_means_over_other_images(trainer: Trainer, mnist: Images) -> None:
    """Against the spread of 40 means over 125 images each, and a bound that is drawn anew for each."""
    mixed = mnist.x_train[torch.randperm(5000, generator=torch.Generator().manual_seed(0))]  # else writer by writer
    parts = [evaluate(trainer.model, part, "grey", 0) for part in mixed.split(125)]
    for name in ("nll", "kl", "neg_elbo"):
        of_means = np.std([{**part.terms, "neg_elbo": part.neg_elbo}[name] for part in parts], ddof=1)
        said = np.mean([part.errors[name] for part in parts])
        assert said == pytest.approx(of_means, rel=0.35), name  # 40 means know their spread to about 11%
    test = final_metrics(trainer.model, trainer.images, trainer.config, iw_samples=5, iw_images=100)
    assert test["errors"]["neg_iw_bound"] == pytest.approx(
        evaluate(trainer.model, trainer.images.x_test[:100], "grey", 0).errors["neg_elbo"], rel=0.2
    )
    assert evaluate(trainer.model, trainer.images.x_test[:1], "grey", 0).errors == {}


def test_final_metrics_say_what_they_are_of(trainer: Trainer) -> None:
    test = final_metrics(trainer.model, trainer.images, trainer.config, iw_samples=20, iw_images=100)
    columns = {*trainer.model.columns(), *trainer.model.evaluation_columns(trainer.config)}
    assert {*test, *columns} - {"nll", "kl"} <= TAKEN  # no family can have a term of these names
    assert (test["split"], test["protocol"], test["images"], test["samples"]) == ("test", "grey", 500, 1)
    assert (test["iw_samples"], test["iw_images"]) == (20, 100)
    assert test["neg_elbo"] == evaluate_test(trainer.model, trainer.images, trainer.config).neg_elbo
    assert test["neg_iw_bound"] < test["iw_neg_elbo"]  # of the same images


@pytest.mark.parametrize("mode", [True, False])
def test_evaluating_gives_the_mode_back_even_after_an_error(mode: bool) -> None:
    model = models.build(RunConfig(net="conv")).train(mode)
    with pytest.raises(ZeroDivisionError), evaluating(model):
        assert not model.training and not torch.is_grad_enabled()
        raise ZeroDivisionError
    assert model.training is mode and torch.is_grad_enabled()


@pytest.mark.parametrize(
    "look", [lambda m, x: evaluate(m, x, "grey", 0), lambda m, x: mean_iw_bound(m, x, "grey", 0, 3)]
)
def test_evaluating_changes_neither_weights_nor_running_statistics(
    look: Callable[[Any, Tensor], Any], small: Images
) -> None:
    model = models.build(RunConfig(net="conv")).train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    look(model, small.x_test[:50])
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
