"""The variance for the standard deviation: the noise is too narrow or too wide by a square."""

from torch import Tensor

from vae_core.models.vae import VAE


class LogVarAsLogStd(VAE):
    """Takes exp(log_var) for the std. It is the variance."""

    def sample(self, mu: Tensor, log_var: Tensor, eps: Tensor) -> Tensor:
        std = log_var.exp()  # (B, D)
        return mu + std * eps
