"""A Gaussian run on the training page: what sigma means beside the errors that there are, at its start and end."""

import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.training.sigma import usual_error, warning_after, warning_before
from pages.ui.shipped import images
from tests.pages.conftest import checked
from tests.waiting import wait_for
from vae_core.config import RunConfig
from vae_core.digits import with_error
from vae_core.runs.registry import Registry


def first_number(text: str, after: str) -> float:
    found = re.search(re.escape(after) + r"([\d,.]*\d)", text)
    assert found, text
    return float(found[1].replace(",", ""))


def nats_of(error: float, sigma: float) -> float:
    return 784 * error**2 / (2 * sigma**2)


def test_the_error_of_the_mean_image_is_that_of_numpy() -> None:
    pixels = images().x_test.numpy().reshape(-1, 784) / 255
    assert usual_error("grey") == pytest.approx(np.sqrt(np.square(pixels - pixels.mean(0)).mean()), rel=1e-4)
    cut = (pixels > 0.5).astype(float)
    assert usual_error("threshold") == pytest.approx(np.sqrt(np.square(cut - cut.mean(0)).mean()), rel=1e-4)


def test_a_sigma_far_below_it_is_told_what_that_costs_an_image() -> None:
    warning = warning_before(0.01, "grey")
    assert warning and first_number(warning, "nats a pixel, ") == pytest.approx(
        nats_of(usual_error("grey"), 0.01), rel=6e-3
    )
    assert warning_before(0.1, "grey") is None  # the default says nothing


def test_a_run_that_ends_at_hundreds_of_thousands_of_nats_says_why() -> None:
    """The figures of a run whose decoder draws one picture whatever z: sigma 0.01, learning rate 0.1."""
    config = RunConfig(likelihood="gaussian", sigma=0.01)
    flat = warning_after({"rmse": 0.3256, "sigma": 0.01}, config)
    assert flat and "no better than the mean image (0.26)" in flat and "learning rate" in flat
    assert first_number(flat, "nats a pixel, ") == pytest.approx(nats_of(0.3256, 0.01), rel=6e-3)
    better = warning_after({"rmse": 0.2, "sigma": 0.01}, config)
    assert better and "mean image" not in better
    assert warning_after({"rmse": 0.2, "sigma": 0.19}, config) is None
    assert warning_after({"nll": 442_616.0}, config) is None  # an older run, of which no error is known
    assert warning_after({"rmse": 0.3, "sigma": 0.02}, config.with_(likelihood="gaussian-per-pixel")) is None


def test_a_gaussian_run_shows_its_error_beside_its_sigma(training: AppTest, registry: Registry) -> None:
    training.selectbox(key="likelihood").set_value("gaussian").run()
    training.number_input(key="sigma").set_value(0.02).run()
    training.number_input(key="epochs").set_value(1)
    caption = next(c.value for c in training.caption if "mean image is off" in c.value)
    assert caption == warning_before(0.02, "grey")
    checked(training.button(key="start").click().run())
    (run,) = registry.of("tester")
    wait_for(lambda: run.step > 20)
    checked(training.button(key="stop").click().run())
    wait_for(lambda: run.final)
    checked(training.run())
    final = run.final or {}
    shown = {m.label: m for m in training.metric}
    assert shown["Error, sigma"].value == f"{final['rmse']:.3f}, 0.020"
    assert shown["−ELBO (nats)"].value == with_error(final["neg_elbo"], final["errors"]["neg_elbo"])
    assert f"{final['neg_elbo'] / 784:.2f} nats" in shown["−ELBO (nats)"].help
    assert [w.value for w in training.warning] == [warning_after(final, run.config)]
    assert final["nll"] == pytest.approx(nats_of(final["rmse"], 0.02) + 784 * (np.log(0.02) + np.log(2 * np.pi) / 2))
