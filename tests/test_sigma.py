"""The sigma of a Gaussian likelihood: where one that learns settles; one for each pixel against torch.distributions."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.distributions import Independent, Normal

from vae_core import losses, models
from vae_core.config import NETS, SIGMA_FLOOR, RunConfig
from vae_core.data import Images
from vae_core.evaluate import evaluate, iw_bound
from vae_core.models.vae import VAE
from vae_core.trainer import Trainer

PER_PIXEL = "gaussian-per-pixel"


def built(**settings: object) -> VAE:
    model = models.build(RunConfig(device="cpu", **settings)).eval()  # type: ignore[arg-type]
    assert isinstance(model, VAE)
    return model


def images(count: int) -> Tensor:
    return torch.rand(count, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def said(model: VAE, z: Tensor) -> Independent:
    """p(x given z) as the two channels of the decoder have it: a sigmoid, and a softplus above the floor."""
    mean, raw = model.decode(z).double().chunk(2, dim=1)  # (B, 1, 28, 28) each
    return Independent(Normal(1 / (1 + (-mean).exp()), SIGMA_FLOOR + (1 + raw.exp()).log()), 3)


@pytest.mark.parametrize("net", NETS)
def test_a_sigma_per_pixel_is_torchs_own_normal(net: str) -> None:
    model, x, z = built(net=net, likelihood=PER_PIXEL), images(3), noise(3, 2)
    p, logits = said(model, z), model.decode(z)
    torch.testing.assert_close(model.nll(logits, x).double(), -p.log_prob(x.double()), rtol=1e-5, atol=1e-2)
    torch.testing.assert_close(model.mean_image(logits).double(), p.mean, rtol=1e-5, atol=1e-6)
    sigma = model.sigma_image(logits)
    assert sigma is not None
    torch.testing.assert_close(sigma.double(), p.stddev, rtol=1e-5, atol=1e-6)
    assert len(sigma[0].unique()) > 500  # a pixel has its own, and so has an image
    assert not torch.equal(sigma[0], sigma[1])


def test_its_importance_weighted_bound_is_that_of_a_loop() -> None:
    model, x, samples = built(likelihood=PER_PIXEL).double(), images(2).double(), 6
    found = iw_bound(model, x, samples, torch.Generator().manual_seed(3))
    mu, log_var = model.encode(x)
    q = Independent(Normal(mu, log_var.exp().sqrt()), 1)
    eps = torch.randn(samples, *mu.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    prior = Independent(Normal(torch.zeros(2).double(), torch.ones(2).double()), 1)
    log_w = torch.stack(
        [said(model, z).log_prob(x) + prior.log_prob(z) - q.log_prob(z) for z in q.mean + q.stddev * eps]
    )
    torch.testing.assert_close(found, log_w.logsumexp(0) - torch.tensor(samples).log())


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("sigma", [0.05, 0.2, 1.0])
def test_it_starts_near_the_one_of_the_config_and_never_falls_below_its_floor(net: str, sigma: float) -> None:
    model, z = built(net=net, likelihood=PER_PIXEL, sigma=sigma), noise(4, 2)
    assert model.sigma_of(model.decode(z)).mean().item() == pytest.approx(sigma, rel=0.3)
    assert model.sigma_of(torch.full((1, 2, 28, 28), -1e6)).min() >= torch.tensor(SIGMA_FLOOR)
    with pytest.raises(ValueError, match="of its own"):
        _ = model.sigma


def test_what_no_sigma_of_its_own_needs_is_as_before() -> None:
    """The second channel belongs to this likelihood alone: other models have no weight more, and start alike."""
    one, other = built(likelihood="bernoulli"), built(likelihood="gaussian")
    assert one.state_dict().keys() == other.state_dict().keys()
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert one.sigma_image(one.decode(noise(1, 2))) is None and one.squares(one.decode(noise(1, 2)), images(1)) == {}


@pytest.mark.parametrize("likelihood", ["gaussian", "gaussian-learned", PER_PIXEL])
def test_evaluation_records_sigma_and_the_root_mean_square_error(likelihood: str, small: Images) -> None:
    model, pixels = built(likelihood=likelihood, sigma=0.3), small.x_test[:60]
    scales = evaluate(model, pixels, "grey", seed=4, chunk=60).scales
    generator = torch.Generator().manual_seed(4)
    x = pixels.float() / 255
    with torch.no_grad():
        logits = model(x, torch.randn(60, 2, generator=generator)).logits
    assert scales["rmse"] == pytest.approx((x - logits[:, :1].sigmoid()).pow(2).mean().sqrt().item(), rel=1e-5)
    sigma = SIGMA_FLOOR + (1 + logits[:, 1:].exp()).log() if likelihood == PER_PIXEL else torch.tensor(0.3)
    assert scales["sigma"] == pytest.approx(sigma.pow(2).mean().sqrt().item(), rel=1e-4)


class WithInk(VAE):
    """A family that records a figure of its own."""

    @classmethod
    def scales(cls, config: RunConfig) -> tuple[str, ...]:
        return (*super().scales(config), "ink")

    def squares(self, logits: Tensor, x: Tensor) -> dict[str, Tensor]:
        return super().squares(logits, x) | {"ink": x.square().flatten(1).mean(-1)}


def test_a_family_says_what_else_is_recorded_of_the_pixels(small: Images) -> None:
    pixels = small.x_test[:30]
    found = evaluate(WithInk("mlp", 2).eval(), pixels, "grey", seed=0, chunk=7)
    assert WithInk.evaluation_columns(RunConfig())[-2:] == ("active", "ink") and list(found.scales) == ["ink"]
    assert found.to_dict()["ink"] == pytest.approx((pixels.double() / 255).square().mean().sqrt().item(), rel=1e-5)


def trained(data: Images, steps: int, **settings: object) -> dict[str, float]:
    """Sigma and error on the images that were trained on."""
    common: dict[str, object] = {"device": "cpu", "epochs": 1000, "likelihood": "gaussian-learned"}
    trainer = Trainer(RunConfig(**common | settings), data)  # type: ignore[arg-type]
    for _ in range(steps):
        trainer.step()
    return evaluate(trainer.model, data.x_train[:500], "grey", seed=0).scales


@pytest.mark.parametrize(("seed", "start"), [(0, 0.3), (1, 0.15), (2, 0.3)])
def test_a_sigma_that_learns_settles_at_the_error(seed: int, start: float, small: Images) -> None:
    """From above and from below it meets sigma² = mean squared error, far above its floor (Rybkin et al. 2021)."""
    found = trained(small, 120, sigma=start, seed=seed, batch_size=32, learning_rate=0.01)
    assert found["sigma"] == pytest.approx(found["rmse"], rel=0.1) and found["sigma"] > 10 * SIGMA_FLOOR


def test_where_the_error_can_go_to_0_only_the_floor_holds_it(small: Images) -> None:
    """One picture alone, so that the decoder can be right in every pixel (Mattei and Frellsen 2018)."""
    dot = torch.zeros_like(small.x_train[:4])
    dot[..., 10:18, 10:18] = 255
    alone = replace(small, x_train=dot, y_train=small.y_train[:4])
    found = trained(alone, 350, sigma=0.1, batch_size=4, learning_rate=0.03)
    assert found["rmse"] < SIGMA_FLOOR and found["sigma"] < 2 * SIGMA_FLOOR


def without_log_sigma(mean: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
    return (((x - mean) / sigma).square() / 2 + losses.LOG_2PI / 2).flatten(1).sum(-1)


def test_without_what_sigma_costs_it_grows_without_end(small: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    """The break on purpose: what holds sigma at the error from above is log sigma, and nothing else."""
    right: Callable[..., Tensor] = losses.gaussian_nll
    settings = {"sigma": 0.3, "batch_size": 32, "learning_rate": 0.01}
    monkeypatch.setattr(losses, "gaussian_nll", without_log_sigma)
    assert losses.gaussian_nll is not right
    found = trained(small, 120, **settings)
    assert found["sigma"] > 1.5 * found["rmse"]
