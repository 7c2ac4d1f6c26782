"""The importance-weighted autoencoder (Burda, Grosse and Salakhutdinov 2016): the VAE's networks, a tighter bound.

    log w_k = log p(x given z_k) + log p(z_k) − log q(z_k given x),   z_k = mu + std * eps_k,  k = 1 .. K
    iw      = −log 1/K Σ_k w_k                                        (eq. 8, with a minus sign)

−ELBO = −L_1 >= −L_K >= −log p(x): its one term is a bound itself, and no sum of a reconstruction and a KL, so there is
no beta to weight. The true KL of its q, active units and −ELBO (one sample) are measured beside it, on test images.
"""

import math
from typing import ClassVar, Self

from torch import Tensor

from vae_core import losses
from vae_core.config import RunConfig
from vae_core.models.about import About
from vae_core.models.base import SHAPE, Has, Pass
from vae_core.models.vae import VAE


class IWAE(VAE):
    """Encoder, decoder and likelihood of a VAE; K samples of z an image in the loss.

    Attributes:
        samples: K.
    """

    TERMS: ClassVar = {"iw": 1.0}
    title = "IWAE"
    SETTINGS: ClassVar = ("samples",)
    has = Has(codes=True, posterior="gaussian", sampled=True, prior=True, tighter=True)
    about = About(
        loss=r"-\log \tfrac{1}{K} \textstyle\sum_k p(x, z_k) \,/\, q(z_k \mid x)",
        use="A tighter bound on log p(x) with the same two networks.",
        limits="K times the work. The larger K, the less of its gradient is signal for the encoder.",
        paper="Burda, Grosse and Salakhutdinov 2016",
        address="https://arxiv.org/abs/1509.00519",
    )
    samples: int = 5

    @classmethod
    def from_config(cls, config: RunConfig, shape: tuple[int, ...] = SHAPE) -> Self:
        model = super().from_config(config, shape)
        model.samples = config.samples
        return model

    def noise_shape(self) -> tuple[int, ...]:
        """K draws an image."""
        return (self.samples, self.latent_dim)

    def forward(self, x: Tensor, eps: Tensor) -> Pass:
        """One pass: minus the bound of K samples.

        With one sample log p(z) − log q(z given x) has −KL as its mean, which is known: then this is the VAE's step.

        Args:
            x: (B, 1, 28, 28) images in [0, 1]. eps: (B, K, D) draws from N(0, I).
        Returns:
            Its logits and z are those of the first sample.
        """
        mu, log_var = self.encode(x)
        z = self.sample(mu, log_var, eps.transpose(0, 1))  # (K, B, D)
        logits = self.decode(z.flatten(0, 1))  # (K * B, C, 28, 28)
        nll = self.nll(logits, x.expand(len(z), *x.shape).flatten(0, 1)).view(len(z), -1)  # (K, B)
        if len(z) == 1:
            iw = nll[0] + losses.gaussian_kl(mu, log_var)
        else:
            log_w = losses.log_weights(nll, z, mu, log_var)  # (K, B)
            iw = math.log(len(z)) - log_w.logsumexp(0)
        return Pass({"iw": iw}, logits[: len(x)], z[0], mu, log_var)

    def neg_elbo(self, out: Pass, x: Tensor) -> Tensor:
        """(B,) −ELBO of the first sample, nats: a looser bound than the loss."""
        assert out.mu is not None and out.log_var is not None
        return self.nll(out.logits, x) + losses.gaussian_kl(out.mu, out.log_var)
