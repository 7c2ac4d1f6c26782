"""The signal of a gradient against draws kept and counted by hand, and its fall with K (Rainforth et al. 2018)."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vae_core import losses
from vae_core.config import RunConfig
from vae_core.data import Images
from vae_core.metrics.gradient_snr import gradient_snr
from vae_core.metrics.samples import compare_samples
from vae_core.models.iwae import IWAE
from vae_core.trainer import Trainer


class Shifted(IWAE):
    """p(z) = N(0, 1), p(x given z) = N(z + c, 1); q = N(a x + b, 2/3), off its optimum: only a, b and c learn."""

    def __init__(self, samples: int) -> None:
        nn.Module.__init__(self)
        self.latent_dim, self.samples = 1, samples
        self.encoder, self.decoder = nn.Linear(1, 1).double(), nn.Linear(1, 1).double()
        with torch.no_grad():
            self.encoder.weight.fill_(0.6), self.encoder.bias.fill_(0.1)
            self.decoder.weight.fill_(1.0), self.decoder.bias.fill_(0.2)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mu = self.encoder(x)
        return mu, torch.full_like(mu, 2 / 3).log()

    def nll(self, logits: Tensor, x: Tensor) -> Tensor:
        return losses.gaussian_nll(logits, x, 1.0)


def test_it_is_the_mean_over_the_standard_deviation(small: Images) -> None:
    """Of kept gradients, by numpy; the weights and BatchNorm's statistics stay."""
    trainer = Trainer(RunConfig(model="iwae", samples=3, device="cpu", latent_dim=2, widths="8", batch_size=5), small)
    model, (x, _) = trainer.model, trainer.batch()
    found = gradient_snr(model, x, 6, torch.Generator().manual_seed(4))
    generator, kept = torch.Generator().manual_seed(4), []
    for _ in range(6):
        model.zero_grad()
        model(x, torch.randn(5, 3, 2, generator=generator)).terms["iw"].mean().backward()
        kept.append(np.concatenate([p.grad.flatten().double().numpy() for p in model.encoder.parameters()]))
    mean, std = np.mean(kept, 0), np.std(kept, 0, ddof=1)
    assert found == pytest.approx(float(np.median(np.abs(mean[std > 0]) / std[std > 0])), rel=1e-4)
    assert model.training


def test_the_signal_of_the_encoder_falls_as_the_root_of_k_and_the_decoders_rises() -> None:
    """Theorem 1, from K = 8 to 128: a factor of 4 each way."""
    x = torch.tensor([[1.3]], dtype=torch.float64).expand(200, 1)
    snr = {
        (half, samples): gradient_snr(Shifted(samples), x, 250, torch.Generator().manual_seed(0), half)
        for half in ("encoder", "decoder")
        for samples in (8, 128)
    }
    assert 2.8 < snr["encoder", 8] / snr["encoder", 128] < 5.6
    assert 2.8 < snr["decoder", 128] / snr["decoder", 8] < 5.6


def test_more_samples_bound_more_tightly_and_leave_the_encoder_less_signal(small: Images) -> None:
    """Of the same weights: the bound of one by its definition, the signal of five that of a model of that K."""
    trainer = Trainer(
        RunConfig(model="iwae", samples=5, device="cpu", latent_dim=2, widths="16", epochs=9, batch_size=64), small
    )
    for _ in range(20):
        trainer.step()
    before = {name: weight.clone() for name, weight in trainer.model.state_dict().items()}
    found = compare_samples(trainer.model, trainer.config, small.x_test[:60], seed=3, draws=8)
    assert [one.samples for one in found] == [1, 5, 50]
    assert found[0].neg_bound > found[1].neg_bound > found[2].neg_bound
    x, generator = small.x_test[:60].float() / 255, torch.Generator().manual_seed(3)
    with torch.no_grad():
        mu, log_var = trainer.model.eval().encode(x)
        z = mu + (log_var / 2).exp() * torch.randn(1, 60, 2, generator=generator)
        nll = trainer.model.nll(trainer.model.decode(z[0]), x)
        log_w = losses.log_weights(nll[None], z, mu, log_var)
    assert found[0].neg_bound == pytest.approx(-log_w.mean().item(), rel=1e-5)
    five = gradient_snr(trainer.model, x[:8], 8, torch.Generator().manual_seed(3), "encoder")
    assert found[1].encoder == pytest.approx(five, rel=1e-6) and found[0].encoder > found[2].encoder
    assert found[0].decoder < found[2].decoder
    assert all(torch.equal(before[name], weight) for name, weight in trainer.model.state_dict().items())
