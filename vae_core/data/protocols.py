"""How grey pixels become the data of the likelihood. Results compare only within one protocol.

grey       x in [0, 1] as it is; at equal z its cross-entropy is the expected value of "dynamic" (exact/density.py)
dynamic    each pixel redrawn as Bernoulli(x) every time it is used (Burda et al. 2016, section 5)
threshold  1 where x > 0.5: easier, and not comparable with the other two
"""

import torch
from torch import Tensor

from vae_core.data.images import DataError


def prepare(pixels: Tensor, protocol: str, generator: torch.Generator) -> Tensor:
    """uint8 pixels to float data under a protocol.

    Args:
        pixels: (B, 1, 28, 28) uint8.
        protocol: "grey", "dynamic" or "threshold".
        generator: draws the pixels of "dynamic"; on the device of the pixels.
    Returns:
        (B, 1, 28, 28) float32 in [0, 1].
    Raises:
        DataError: other pixels. Those in [0, 1] would be divided by 255 once more without a word.
    """
    if pixels.dtype != torch.uint8:
        raise DataError(f"The pixels are {str(pixels.dtype).removeprefix('torch.')}: give uint8 from 0 to 255.")
    x = pixels.float() / 255  # (B, 1, 28, 28)
    if protocol == "dynamic":
        return torch.bernoulli(x, generator=generator)
    if protocol == "threshold":
        return (x > 0.5).float()
    return x
