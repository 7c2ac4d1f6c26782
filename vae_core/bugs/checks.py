"""What would have caught each mistake. Every check passes on the right code and raises AssertionError on the wrong one.

The bug lab shows them, and the tests call them.
"""

import torch
from torch import Tensor
from torch.distributions import Bernoulli, MultivariateNormal, Normal, kl_divergence

from vae_core.models.vae import VAE
from vae_core.trainer import Trainer


def check_the_loss_of_a_step_is_minus_the_elbo(trainer: Trainer) -> None:
    """What a step minimises is −log p(x given z) of all pixels plus KL(q ‖ prior)."""
    x, eps = trainer.batch()
    mu, log_var = trainer.model.encode(x)
    q = Normal(mu, log_var.exp().sqrt())
    logits = trainer.model.decode(q.mean + q.stddev * eps)
    log_p = Bernoulli(logits=logits, validate_args=False).log_prob(x).sum((1, 2, 3))  # grey pixels
    elbo = log_p - kl_divergence(q, Normal(0.0, 1.0)).sum(-1)
    trainer.step()
    loss = trainer.flush()[0, trainer.columns.index("loss")]
    torch.testing.assert_close(torch.tensor(loss), -elbo.mean().detach(), atol=0, rtol=1e-4)


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
    found = model(x.expand(draws, 1, 28, 28), torch.randn(z.shape)).terms["nll"]
    standard_error = ((expected.var() + found.var()) / draws).sqrt()
    assert (found.mean() - expected.mean()).abs() < 4 * standard_error


def check_new_pictures_come_from_the_prior(model: VAE, x: Tensor, other_x: Tensor) -> None:
    """New pictures are the means of p(x given z) at draws z of the prior, whatever batch was trained on last."""
    z = Normal(torch.zeros(len(x), model.latent_dim), 1.0).sample()
    for batch in (x, other_x):
        model(batch, torch.randn_like(z))
        expected = Bernoulli(logits=model.decode(z)).mean
        torch.testing.assert_close(model.generate(z), expected, atol=1e-5, rtol=0)
