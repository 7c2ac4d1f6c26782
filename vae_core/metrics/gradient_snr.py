"""How much of a gradient is signal: its mean over the noise of z, beside its standard deviation.

With more samples K the bound of an IWAE is tighter, and the gradient of its encoder is worse: its signal falls faster
than its noise (Rainforth et al. 2018, "Tighter variational bounds are not necessarily better", theorem 1).

    SNR = |E[g]| / std[g]        of the encoder as K^-½, of the decoder as K^½
"""

import torch
from torch import Tensor

from vae_core.evaluate import evaluating
from vae_core.models.base import Family


def gradient_snr(model: Family, x: Tensor, draws: int, generator: torch.Generator, half: str = "encoder") -> float:
    """The median of SNR over the weights of a half that have a gradient; the model is left as it was.

    The gradient is that of the sum of all terms, mean over the images, with noise as `forward` takes it; it goes
    through the model in evaluation mode.

    Args:
        model: as it trains; of one that is conditioned, `given(labels)`.
        x: (B, 1, 28, 28) one batch, the same in every draw. draws: R >= 2 gradients.
        generator: on the device of x. half: "encoder" or "decoder".
    """
    parameters = [weight for name, weight in model.named_parameters() if name.startswith(f"{half}.")]
    mean, spread = _moments(model, x, draws, generator, parameters)
    return (mean.abs() / spread)[spread > 0].median().item()


def _moments(
    model: Family, x: Tensor, draws: int, generator: torch.Generator, parameters: list[torch.nn.Parameter]
) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of every weight's gradient, (P,) float64 each; by Welford, without keeping draws."""
    mean = squares = torch.zeros(sum(weight.numel() for weight in parameters), dtype=torch.float64, device=x.device)
    with evaluating(model), torch.enable_grad():
        for count in range(1, draws + 1):
            eps = torch.randn(len(x), *model.noise_shape(), generator=generator, dtype=x.dtype, device=x.device)
            loss = torch.stack(list(model(x, eps).terms.values())).sum(0).mean()
            found = torch.cat([g.flatten().double() for g in torch.autograd.grad(loss, parameters)])  # (P,)
            step = found - mean
            mean = mean + step / count
            squares = squares + step * (found - mean)
    return mean, (squares / (draws - 1)).sqrt()
