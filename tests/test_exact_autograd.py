"""What autograd says of a draw, against torch's own rsample, finite differences and the weights themselves."""

import pytest
import torch
from torch.distributions import Bernoulli, Normal

from vae_core.exact import autograd
from vae_core.models.vae import VAE


@pytest.fixture
def model() -> VAE:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return VAE("mlp", 2).double().eval()


@pytest.fixture
def x() -> torch.Tensor:
    return torch.rand(1, 1, 28, 28, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


MU = torch.tensor([[0.4, -1.1]], dtype=torch.float64)
LOG_VAR = torch.tensor([[-1.0, 0.3]], dtype=torch.float64)


def nll(model: VAE, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    return -Bernoulli(logits=model.decode(z), validate_args=False).log_prob(x).sum()


def test_nothing_comes_back_through_sample_and_nobody_complains(model, x):
    answer = autograd.ask_drawn(model, x, MU, LOG_VAR, seed=3)
    assert (answer.requires_grad, answer.grad_fn, answer.mu_grad, answer.log_var_grad) == (False, None, None, None)
    assert answer.nll_requires_grad  # the decoder's weights would still learn
    assert answer.nll == pytest.approx(nll(model, x, torch.tensor([answer.z], dtype=torch.float64)).item())


def test_by_name_normal_gives_zeros_sample_nothing_and_rsample_the_gradient(model, x):
    """rsample's against the chain rule at its own z: through z = mu + std eps."""
    normal, sample, rsample = (autograd.ask_named(n, model, x, MU, LOG_VAR, seed=3) for n in autograd.NAMED)
    made = torch.normal(MU.clone().requires_grad_(), torch.ones_like(MU))
    assert normal.grad_fn == type(made.grad_fn).__name__ != rsample.grad_fn
    assert normal.mu_grad == normal.log_var_grad == (0.0, 0.0)  # not None: a check for None does not see it
    assert (sample.requires_grad, sample.grad_fn, sample.mu_grad, sample.log_var_grad) == (False, None, None, None)
    z = torch.tensor([rsample.z], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(nll(model, x, z), z)
    assert rsample.mu_grad == pytest.approx(slope[0].tolist()) and min(map(abs, rsample.mu_grad)) > 1e-3
    assert rsample.log_var_grad == pytest.approx((slope * (z - MU) / 2)[0].tolist())


def test_the_reparameterised_gradient_is_that_of_rsample(model, x):
    answer = autograd.ask_reparameterised(model, x, MU, LOG_VAR, seed=3)
    mu, log_var = MU.clone().requires_grad_(), LOG_VAR.clone().requires_grad_()
    eps = torch.tensor([answer.z], dtype=torch.float64).sub(MU).div((LOG_VAR / 2).exp())
    with torch.random.fork_rng(devices=[]):
        q = Normal(mu, (log_var / 2).exp())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("torch.distributions.normal._standard_normal", lambda *a, **k: eps)
            z = q.rsample()
    nll(model, x, z).backward()
    assert answer.requires_grad and answer.grad_fn == type(z.grad_fn).__name__
    assert answer.mu_grad == pytest.approx(mu.grad[0].tolist())
    assert answer.log_var_grad == pytest.approx(log_var.grad[0].tolist())


def test_the_reparameterised_gradient_is_a_slope(model, x):
    step = 1e-5

    def at(mu: torch.Tensor, log_var: torch.Tensor) -> float:
        return autograd.ask_reparameterised(model, x, mu, log_var, seed=9).nll

    answer = autograd.ask_reparameterised(model, x, MU, LOG_VAR, seed=9)
    for d in range(2):
        shift = torch.zeros_like(MU)
        shift[0, d] = step
        of_mu = (at(MU + shift, LOG_VAR) - at(MU - shift, LOG_VAR)) / (2 * step)
        of_log_var = (at(MU, LOG_VAR + shift) - at(MU, LOG_VAR - shift)) / (2 * step)
        assert answer.mu_grad[d] == pytest.approx(of_mu, rel=1e-5, abs=1e-6)
        assert answer.log_var_grad[d] == pytest.approx(of_log_var, rel=1e-5, abs=1e-6)


def test_both_draw_the_same_z_from_one_seed_and_another_from_the_next(model, x):
    """The page says so: only the way back differs. Single precision, as the shipped models have it."""
    single, image = model.float(), x.float()
    mu, log_var = MU.float(), LOG_VAR.float()
    drawn = [autograd.ask_drawn(single, image, mu, log_var, seed).z for seed in range(20)]
    made = [autograd.ask_reparameterised(single, image, mu, log_var, seed).z for seed in range(20)]
    assert [pytest.approx(z, abs=1e-6) for z in drawn] == made
    assert len(set(drawn)) == 20


def test_draws_have_the_moments_of_q():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        many = autograd.drawn(MU.expand(40_000, 2), LOG_VAR.expand(40_000, 2))
    assert many.mean(0).tolist() == pytest.approx(MU[0].tolist(), abs=0.03)
    assert many.var(0).tolist() == pytest.approx(LOG_VAR[0].exp().tolist(), rel=0.03)


@pytest.mark.parametrize("ask", [autograd.ask_drawn, autograd.ask_reparameterised])
def test_asking_leaves_the_model_q_and_the_noise_of_the_process_alone(model, x, ask):
    mu, log_var, noise = MU.clone(), LOG_VAR.clone(), torch.get_rng_state()
    first, again = ask(model, x, mu, log_var, seed=1), ask(model, x, mu, log_var, seed=1)
    assert first == again
    assert all(weight.grad is None for weight in model.parameters())
    assert torch.equal(mu, MU) and not mu.requires_grad and mu.grad is None and log_var.grad is None
    assert torch.equal(torch.get_rng_state(), noise)


def test_with_frozen_weights_nothing_at_all_is_left_to_learn(model, x):
    model.requires_grad_(False)
    answer = autograd.ask_drawn(model, x, MU, LOG_VAR, seed=1)
    assert not answer.nll_requires_grad and answer.mu_grad is None
    assert autograd.ask_reparameterised(model, x, MU, LOG_VAR, seed=1).mu_grad is not None
