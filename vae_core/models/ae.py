"""The plain autoencoder: the same two networks, but z is the code itself. Nothing is drawn, so nothing is bounded.

Its encoder has the outputs that a VAE has for log_var, so that both start from the same weights; nothing uses them.
"""

from typing import ClassVar

from torch import Tensor

from vae_core.models.about import About
from vae_core.models.base import Has, Pass
from vae_core.models.parts.coder import Coder


class AE(Coder):
    """Encoder and decoder without noise: no posterior, no KL, no ELBO."""

    TERMS: ClassVar = {"nll": 1.0}
    title = "Plain autoencoder"
    has = Has(codes=True)
    about = About(
        loss=r"-\log p(x \mid z), \quad z = \mathrm{encoder}(x)",
        use="Copies and codes at the lowest cost, where nothing new is to be drawn.",
        limits="Nothing says where codes lie: a draw of z may hit a hole. No KL, no bound on log p(x).",
        paper="Hinton and Salakhutdinov 2006",
        address="https://doi.org/10.1126/science.1127647",
    )

    def encode(self, x: Tensor) -> tuple[Tensor]:
        """Images (B, 1, 28, 28) to their codes mu, (B, D)."""
        mu, _ = self.encoder(x).chunk(2, dim=-1)  # (B, D)
        return (mu,)

    def sample(self, mu: Tensor, eps: Tensor) -> Tensor:
        """z = mu, whatever eps is: (B, D), or (K, B, D) if eps has K samples."""
        return mu.expand_as(eps)

    def forward(self, x: Tensor, eps: Tensor) -> Pass:
        """One pass: the reconstruction of the codes themselves.

        Args:
            x: (B, 1, 28, 28) images in [0, 1]. eps: (B, D), not used.
        """
        (mu,) = self.encode(x)
        logits = self.decode(mu)
        return Pass({"nll": self.nll(logits, x)}, logits, mu, mu)
