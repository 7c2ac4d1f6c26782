"""What a sigma of the Gaussian likelihood means beside the errors that there are: before a run, and at its end."""

import math
from typing import Any

import torch

from pages.training.settings import PIXELS
from pages.ui.once import computed_once
from vae_core.config import RunConfig
from vae_core.data import load, prepare
from vae_core.data.images import DataError
from vae_core.exact.likelihood import error_cost, mean_image_error

FAR = 3.0  # sigma: an error beyond is far from what the likelihood expects
DENSITY = "Of a density, which may exceed 1: −ELBO may fall below 0. Per pixel: {:.2f} nats."
_CURE = "Choose a sigma near the error, or let it learn."


@computed_once(20)
def _usual_error(dataset: str, protocol: str) -> float:
    pixels = load(dataset, torch.device("cpu")).x_test
    return mean_image_error(prepare(pixels, protocol, torch.Generator().manual_seed(0)))


def usual_error(protocol: str, dataset: str = "mnist") -> float:
    """Root mean square error of the mean image over the test images, of full scale; NaN where they are not here."""
    try:
        return _usual_error(dataset, protocol)
    except DataError:
        return math.nan


def warning_before(sigma: float, protocol: str, dataset: str = "mnist") -> str | None:
    """Of a fixed sigma that lies far below the error of the mean image, what that costs."""
    error = usual_error(protocol, dataset)
    if not error > FAR * sigma:
        return None
    return f"The mean image is off by {_cost(error, sigma)} {_CURE}"


def warning_after(test: dict[str, Any], config: RunConfig) -> str | None:
    """Of a run whose error is many sigma, why its figures are so large, and what to do.

    Args:
        test: its final figures; older ones lack the error.
    """
    error, sigma = test.get("rmse"), test.get("sigma")
    if error is None or sigma is None or config.likelihood == "gaussian-per-pixel" or error <= FAR * sigma:
        return None
    usual = usual_error(config.protocol, config.dataset)
    flat = f"That is no better than the mean image ({usual:.2f}): lower the learning rate. " if error >= usual else ""
    return f"x̂ is off by {_cost(error, sigma)} {flat}{_CURE}"


def _cost(error: float, sigma: float) -> str:
    """ "0.26 a pixel (root mean square), 26.0 sigma: ½ · 26.0² = 337 nats a pixel, 264,500 an image." """
    cost, apart = error_cost(error, sigma), error / sigma
    return (
        f"{error:.2f} a pixel (root mean square), {apart:.1f} sigma: ½ · {apart:.1f}² = {cost:,.3g} nats a pixel, "
        f"{float(f'{PIXELS * cost:.3g}'):,.0f} an image."
    )
