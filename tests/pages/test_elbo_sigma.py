"""Section 6 of the ELBO page: the best sigma of each pixel, computed once more by torch.distributions."""

import re

import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch.distributions import Normal

from pages.ui.shipped import checkpoint, images
from tests.pages.conftest import checked

GAUSSIAN = "mnist-vae-gaussian-mlp-2"


def unfolded(model_name: str) -> None:
    from pages.elbo.likelihood import _sigma_per_pixel
    from pages.elbo.subject import subject

    _sigma_per_pixel(subject(model_name, 0, 0))


def test_the_best_sigma_of_each_pixel_and_what_it_gains() -> None:
    at = checked(AppTest.from_function(unfolded, default_timeout=60, args=(GAUSSIAN,)).run())
    found = re.findall(r"\*\*(.+?)\*\*", at.markdown[0].value)
    held, one, each = (float(text.replace("−", "-").replace(",", "")) for text in found)
    pixels, model = images().x_test[:2000].float() / 255, checkpoint(GAUSSIAN).model
    with torch.no_grad():
        x_hat = model.decode(model.encode(pixels)[0]).sigmoid()
    errors = (pixels - x_hat).square().mean(0)  # (1, 28, 28)
    own = errors.sqrt().clamp(min=0.01)
    assert held == (own == 0.01).sum() > 50
    for said, sigma in ((one, errors.mean().sqrt()), (each, own)):
        assert said == pytest.approx(-Normal(x_hat, sigma).log_prob(pixels).sum().item() / 2000, rel=2e-3)
    assert each < one  # which is why it is tempting
