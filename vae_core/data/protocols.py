"""How grey pixels become the data of the likelihood. Results compare only within one protocol.

grey       x in [0, 1] as it is; at equal z its cross-entropy is the expected value of "dynamic" (exact/density.py)
dynamic    each pixel redrawn as Bernoulli(x) every time it is used (Burda et al. 2016, section 5)
static     each pixel drawn as Bernoulli(x) once: the same image is the same redraw in every epoch, in evaluation, for
           every seed of a run and on every device. Not the one redraw that is in public use (Larochelle and Murray
           2011, "binarized MNIST"), which is another draw of the same kind and has 50,000 images to train on
threshold  1 where x > 0.5: easier, and not comparable with the others
"""

import torch
from torch import Tensor

from vae_core.data.images import DataError

DATA_SEED = 0  # of the one redraw of "static"; no setting of a run changes it


def prepare(pixels: Tensor, protocol: str, generator: torch.Generator) -> Tensor:
    """uint8 pixels to float data under a protocol.

    Args:
        pixels: (B, 1, 28, 28) uint8.
        protocol: "grey", "dynamic", "static" or "threshold".
        generator: draws the pixels of "dynamic" and of no other; on the device of the pixels.
    Returns:
        (B, 1, 28, 28) float32 in [0, 1]. Points of the plane, (B, 2) float32, are data as they are.
    Raises:
        DataError: other pixels. Those in [0, 1] would be divided by 255 once more without a word.
    """
    if pixels.is_floating_point() and pixels.shape[1:] == (2,):
        return pixels
    if pixels.dtype != torch.uint8:
        raise DataError(f"The pixels are {str(pixels.dtype).removeprefix('torch.')}: give uint8 from 0 to 255.")
    x = pixels.float() / 255  # (B, 1, 28, 28)
    if protocol == "dynamic":
        return torch.bernoulli(x, generator=generator)
    if protocol == "static":
        return redraw(pixels, DATA_SEED)
    if protocol == "threshold":
        return (x > 0.5).float()
    return x


# Whole numbers only, so all devices agree, and so does the browser (pages/ui/explore/encode/math.js): a pixel's uniform
# number is a hash of its place and of its image, and an image counts as a hash of its grey values.
def redraw(pixels: Tensor, seed: int) -> Tensor:
    """Every image as one draw of Bernoulli(x), a function of the image and the seed alone.

    Args:
        pixels: (B, 1, 28, 28) uint8.
        seed: 0 to 65,535.
    Returns:
        the same shape, float32, 0 or 1.
    """
    grey = pixels.flatten(1).long()  # (B, P)
    places = scramble(torch.arange(1, grey.shape[1] + 1, device=grey.device) + (seed << 16))  # (P,)
    images = scramble((grey * places).sum(1, keepdim=True) & 0xFFFFFFFF)  # (B, 1)
    uniform = scramble(images ^ places) >> 8  # (B, P) in 0 ... 2^24 - 1
    return (uniform * 255 < grey << 24).float().view(pixels.shape)


def scramble(h: Tensor) -> Tensor:
    """A hash of numbers in 0 ... 2^32 - 1, int64, that is one to one (Wellons 2018, "hash prospector")."""
    h = ((h ^ (h >> 16)) * 0x21F0AAAD) & 0xFFFFFFFF  # both factors are below 2^31: no product overflows
    h = ((h ^ (h >> 15)) * 0x735A2D97) & 0xFFFFFFFF
    return h ^ (h >> 15)
