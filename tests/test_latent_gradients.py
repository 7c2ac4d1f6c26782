"""Ten images close up: pulls against finite differences, and nothing for a model without a posterior."""

import numpy as np
import pytest
import torch

from vae_core import losses, models
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.inspect.latent_gradients import latent_gradients
from vae_core.models.vae import VAE

H = 1e-4


@pytest.fixture
def x(small: Images) -> torch.Tensor:
    return small.x_test[:3].double() / 255


@pytest.fixture
def eps() -> torch.Tensor:
    return torch.randn(4, 3, 2, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


def model(family: str = "vae") -> VAE:
    return models.build(RunConfig(model=family, beta=0.0 if family == "ae" else 1.0)).double()


def mean_nll(vae: VAE, x: torch.Tensor, mu: torch.Tensor, log_var: torch.Tensor, eps: torch.Tensor) -> torch.Tensor:
    """(n,) by a loop over the samples."""
    with torch.no_grad():
        return torch.stack([vae.nll(vae.decode(mu + (0.5 * log_var).exp() * e), x) for e in eps]).mean(0)


def test_pulls_are_minus_the_slopes_of_the_mean_nll(x: torch.Tensor, eps: torch.Tensor) -> None:
    vae = model()
    close = latent_gradients(vae, x, eps)
    with torch.no_grad():
        mu, log_var = vae.encode(x)
    assert np.allclose(close.mu, mu, atol=1e-6) and np.allclose(close.log_var, log_var, atol=1e-6)
    for d in range(2):
        step = torch.zeros(2, dtype=torch.float64)
        step[d] = H
        along_mu = mean_nll(vae, x, mu + step, log_var, eps) - mean_nll(vae, x, mu - step, log_var, eps)
        along_width = mean_nll(vae, x, mu, log_var + step, eps) - mean_nll(vae, x, mu, log_var - step, eps)
        assert np.allclose(close.pull_mu[:, d], -along_mu / (2 * H), rtol=1e-3, atol=1e-4)
        assert np.allclose(close.pull_log_var[:, d], -along_width / (2 * H), rtol=1e-3, atol=1e-4)


def test_the_pull_of_the_kl_has_the_closed_form_that_the_browser_uses(x: torch.Tensor) -> None:
    mu, log_var = (t.detach().requires_grad_() for t in model().encode(x))
    of_mu, of_log_var = torch.autograd.grad(-losses.gaussian_kl(mu, log_var).sum(), (mu, log_var))
    assert torch.allclose(of_mu, -mu) and torch.allclose(of_log_var, (1 - log_var.exp()) / 2)


def test_without_a_posterior_there_is_nothing_to_pull_at_its_width(x: torch.Tensor, eps: torch.Tensor) -> None:
    close = latent_gradients(model("ae"), x, eps)
    assert close.mu.shape == close.pull_mu.shape == (3, 2)
    assert close.log_var.shape == close.pull_log_var.shape == (0, 2)
    assert np.allclose(close.pull_mu, latent_gradients(model("ae"), x, 7 * eps).pull_mu)  # noise changes nothing


def test_the_model_is_left_as_it_was(x: torch.Tensor, eps: torch.Tensor) -> None:
    vae = model().train()
    before = {k: v.clone() for k, v in vae.state_dict().items()}
    latent_gradients(vae, x, eps)
    assert vae.training and all(p.grad is None for p in vae.parameters())
    assert all(torch.equal(v, before[k]) for k, v in vae.state_dict().items())
