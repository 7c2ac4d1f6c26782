"""The variational autoencoder (Kingma and Welling 2014; Rezende, Mohamed and Wierstra 2014).

encode      x (B, 1, 28, 28)  ->  mu, log_var (B, D)
sample      z = mu + exp(½ log_var) * eps,  eps ~ N(0, I)
decode      z (B, D)          ->  logits (B, 1, 28, 28)
"""

from typing import ClassVar

from torch import Tensor

from vae_core import losses
from vae_core.models.about import About
from vae_core.models.base import Has, Pass
from vae_core.models.parts.coder import Coder

# std stays between 0.0009 and 148: far outside what training needs, and exp() never overflows.
LOG_VAR_RANGE = (-14.0, 10.0)


class VAE(Coder):
    """Encoder, decoder and likelihood; the sum of both terms is −ELBO."""

    TERMS: ClassVar = {"nll": 1.0, "kl": 1.0}
    title = "VAE"
    has = Has(codes=True, posterior="gaussian", sampled=True, prior=True, bound=True)
    about = About(
        loss=r"\mathbb{E}_q[-\log p(x \mid z)] + \mathrm{KL}(q(z \mid x) \,\|\, p(z))",
        use="New images from draws of z, and codes that fill one known distribution, with a bound on log p(x).",
        limits="Copies are blurred: one z stands for many images. The Gaussian q cannot follow every posterior.",
        paper="Kingma and Welling 2014; Rezende, Mohamed and Wierstra 2014",
        address="https://arxiv.org/abs/1312.6114",
    )

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """q(z given x): images (B, 1, 28, 28) to mu and log_var, (B, D) each.

        log_var is clamped here, and only here, to LOG_VAR_RANGE.
        """
        mu, log_var = self.encoder(x).chunk(2, dim=-1)  # (B, D), (B, D)
        return mu, log_var.clamp(*LOG_VAR_RANGE)

    def sample(self, mu: Tensor, log_var: Tensor, eps: Tensor) -> Tensor:
        """z = mu + std * eps, the reparameterised sample (Kingma and Welling 2014, section 2.4).

        Args:
            mu, log_var: (B, D).
            eps: (B, D) or (K, B, D) draws from N(0, I).
        Returns:
            z with the shape of eps.
        """
        std = (0.5 * log_var).exp()  # (B, D)
        return mu + std * eps

    def forward(self, x: Tensor, eps: Tensor) -> Pass:
        """One pass: both terms of the negative ELBO, one sample of z an image.

        Args:
            x: (B, 1, 28, 28) images in [0, 1].
            eps: (B, D) draws from N(0, I).
        """
        mu, log_var = self.encode(x)
        z = self.sample(mu, log_var, eps)
        logits = self.decode(z)
        terms = {"nll": self.nll(logits, x), "kl": losses.gaussian_kl(mu, log_var)}
        return Pass(terms, logits, z, mu, log_var)
